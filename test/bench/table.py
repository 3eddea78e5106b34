"""The tables, of a hundred columns at the most."""

import statistics
import textwrap

import datagrams
import link

WIDTH = 100
GB, MB = 1e9, 1e6
SMALL = 16 << 20  # bytes, below which a file's rate is shown in MB/s, and CPU a GB says nothing
OURS = "sockxfer"
LEAN = "sockxfer-no-receipt"

LEGEND = """\
GB/s, MB/s: the median of the rounds (least-most), from the start of the sender to the end of both. x: how
many times as fast as that tool sockxfer is; xn: sockxfer-no-receipt. CPU: seconds a GB, of the sender,
of the receiver, of both. Peak: MB of memory. The CPU of pipe is without tar's, but sockxfer-command
runs tar itself, so that its is with it. rsync's receiver is several processes, whose peak is not
known. Sizes from which on neither output nor scratch file fit into memory go into a pipe to xxh128sum
(sizes-pipe). null: each tool first does the same once into such a pipe. Small files: only sockxfer's
are confirmed to the sender; what nc-to-socat-fork sends goes to /dev/null, and cannot be looked at.
small-pairs: with the start of the receiver, too. many: r is the server with its children; socat-fork
appends all to one file, the others make one of each; -raw: sent by plain sockets, with no receipt. serve: until
the last receiver has all; they write to /dev/null, and -own are the tool's own (of http.server: curl). link: between two network namespaces, by tbf; what it
can carry is the payload of full frames. tree: seconds; tar-nc is tar | nc | tar, and its CPU and that of
sockxfer-command are with tar's; -uncached: the content of
the files is read from the disk (posix_fadvise). udp: the rate is of those that
arrived, CPU seconds for a million that were sent."""


def print_wrapped(text):
    print(textwrap.fill(text, WIDTH))


def print_runs(runs):
    """One table for each case and size that the runs are of."""
    if runs and runs[0].case == "udp":
        print_datagrams(runs)
        return
    groups = {}
    for run in runs:
        tools = groups.setdefault((run.case, run.size), {})
        tools.setdefault(run.tool, []).append(run)
    for (case, size), tools in groups.items():
        if case.startswith(("small", "many")):
            print_rates(case, tools)
        elif case.startswith("serve"):
            print_served(case, size, tools)
        elif case.startswith("tree"):
            print_trees(case, size, tools)
        elif case.startswith("link"):
            print_link(case, size, tools)
        elif case == "startup":
            print_starts(tools)
        else:
            print_moved(case, size, tools)
    if runs and runs[0].case.startswith("sizes"):
        print_by_size(groups)


def good_seconds(runs):
    return [run.seconds for run in runs if run.ok == "ok"]


def measured(tools):
    """Name, runs and good seconds of each tool; one without a good run has its line here."""
    for name, runs in tools.items():
        seconds = good_seconds(runs)
        if seconds:
            yield name, runs, seconds
        else:
            print(f"  {name:20}{verdicts(runs)}")


def median_seconds(tools, name):
    seconds = good_seconds(tools.get(name, []))
    return statistics.median(seconds) if seconds else None


def reference(tools):
    """The sockxfer that the others are compared with: where the plain one has no part, the first one."""
    ours = [name for name in tools if name.startswith(OURS)]
    return OURS if OURS in tools else (ours[0] if ours else OURS)


def median_of(runs, field):
    values = [getattr(run, field) for run in runs if run.ok == "ok"]
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def number(value, width, digits):
    return f"{'-' if value is None else f'{value:.{digits}f}':>{width}}"


def significant(value, width=0):
    """Three digits that count, without an exponent."""
    if value is None:
        return number(None, width, 0)
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{digits}f}".rjust(width) if value >= 0.1 else f"{value:.3g}".rjust(width)


def ratio(base, seconds):
    return None if base is None else seconds / base


def verdicts(runs):
    """What is to be said of runs that were not good."""
    bad = [run.ok for run in runs if run.ok != "ok"]
    return "" if not bad else f"  {'/'.join(sorted(set(bad))).upper()} {len(bad)} of {len(runs)}"


def in_units(size):
    for shift, unit in ((30, "G"), (20, "M"), (10, "K")):
        if size >= 1 << shift:
            return f"{size / (1 << shift):.4g}{unit}"
    return str(size)


def print_moved(case, size, tools):
    title = f"{case} {in_units(size)}"
    name, unit = ("MB/s", MB) if size < SMALL else ("GB/s", GB)
    print(f"  {title:19} {name:24}    x     xn   CPU: s     r  both   peak: s      r")
    base, lean = median_seconds(tools, reference(tools)), median_seconds(tools, LEAN)
    for name, runs, seconds in measured(tools):
        middle = statistics.median(seconds)
        rates = [size / unit / each for each in (middle, max(seconds), min(seconds))]
        cpus = [median_of(runs, field) for field in ("cpu_send", "cpu_recv")]
        cpus = [None if cpu is None or size < SMALL else cpu * GB / size for cpu in cpus]
        both = sum(cpu for cpu in cpus if cpu is not None) or None
        peaks = [median_of(runs, field) for field in ("rss_send", "rss_recv")]
        spread = f"({significant(rates[1])}-{significant(rates[2])})"
        fields = [f"  {name:19}", f"{significant(rates[0]):6} {spread:15}"]
        fields += [significant(ratio(value, middle), 6) for value in (base, lean)]
        fields += [" ", *(number(value, 5, 2) for value in (*cpus, both)), " "]
        fields += [number(None if peak is None else peak / MB, 6, 1) for peak in peaks]
        print(" ".join(fields) + verdicts(runs))


def print_link(case, size, tools):
    """MB/s, and where the link loses nothing the share of what it can carry."""
    goodput = link.goodput(case)
    print(f"  {case:20} MB/s (least-most)   of what the link can carry       x")
    base = median_seconds(tools, OURS)
    for name, runs, seconds in measured(tools):
        middle = statistics.median(seconds)
        rates = [size / MB / each for each in (middle, max(seconds), min(seconds))]
        spread = f"({rates[1]:.1f}-{rates[2]:.1f})"
        share = f"{100 * size / middle / goodput:.1f} %" if goodput else "-"
        start = f"  {name:20} {rates[0]:<6.1f}{spread:17}{share:>20}"
        print(f"{start}{number(ratio(base, middle), 12, 2)}{verdicts(runs)}")


def print_by_size(groups):
    """MB/s, one line for each tool; what went into a pipe is in the same line."""
    sizes = sorted({size for _, size in groups})
    names = list(dict.fromkeys(name for tools in groups.values() for name in tools))
    print(f"  {'MB/s by size':20}" + "".join(f"{in_units(size):>9}" for size in sizes))
    for name in names:
        medians = {}
        for (_, size), tools in groups.items():
            seconds = median_seconds(tools, name)
            medians[size] = None if seconds is None else size / MB / seconds
        fields = [significant(medians.get(size), 9) for size in sizes]
        print(f"  {name:20}" + "".join(fields))


def print_rates(case, tools):
    print(f"  {case:20} a second (least-most)          x   CPU ms: s        r")
    base = median_seconds(tools, OURS)
    for name, runs, seconds in measured(tools):
        middle = statistics.median(seconds)
        spread = f"({1 / max(seconds):.0f}-{1 / min(seconds):.0f})"
        cpus = [median_of(runs, field) for field in ("cpu_send", "cpu_recv")]
        fields = [number(None if cpu is None else cpu * 1000, 9, 2) for cpu in cpus]
        start = f"  {name:20} {1 / middle:<8.0f}{spread:18}{number(ratio(base, middle), 8, 2)}"
        print(start, *fields, end=f"{verdicts(runs)}\n")


def print_served(case, size, tools):
    """Seconds until the last receiver has it."""
    print(f"  {f'{case} {in_units(size)}':20} s (least-most)              x   server's CPU s")
    base = median_seconds(tools, OURS)
    for name, runs, seconds in measured(tools):
        middle = statistics.median(seconds)
        spread = f"({min(seconds):.2f}-{max(seconds):.2f})"
        cpu = number(median_of(runs, "cpu_send"), 16, 2)
        print(f"  {name:20} {middle:<7.2f}{spread:15}{number(ratio(base, middle), 8, 2)} {cpu}{verdicts(runs)}")


def print_trees(case, size, tools):
    """Seconds, for what takes them is not the bytes."""
    print(f"  {case:19} {in_units(size):6} s (least-most)          x   CPU s: s     r  both   peak: s      r")
    base = median_seconds(tools, OURS)
    for name, runs, seconds in measured(tools):
        middle = statistics.median(seconds)
        spread = f"({min(seconds):.2f}-{max(seconds):.2f})"
        cpus = [median_of(runs, field) for field in ("cpu_send", "cpu_recv")]
        both = sum(cpu for cpu in cpus if cpu is not None) or None
        peaks = [median_of(runs, field) for field in ("rss_send", "rss_recv")]
        fields = [f"  {name:26} {significant(middle):6}{spread:13}{significant(ratio(base, middle), 6)}  "]
        fields += [number(cpu, 5, 2) for cpu in (*cpus, both)] + [" "]
        fields += [number(None if peak is None else peak / MB, 6, 1) for peak in peaks]
        print(" ".join(fields) + verdicts(runs))


def print_datagrams(runs):
    """How many of them arrived, a second and in all, and the CPU seconds for a million of those that were sent."""
    print("  udp                  arrived, % (least-most)     a second   CPU: s     r   peak: s      r")
    tools = {}
    for run in runs:
        tools.setdefault(run.tool, []).append(run)
    for name, rounds, seconds in measured(tools):
        arrived = [run.size / datagrams.SIZE for run in rounds if run.ok == "ok"]
        shares = [100 * each / datagrams.COUNT for each in arrived]
        rate = statistics.median(each / took for each, took in zip(arrived, seconds))
        cpus = [median_of(rounds, field) for field in ("cpu_send", "cpu_recv")]
        cpus = [None if cpu is None else cpu * 1e6 / datagrams.COUNT for cpu in cpus]
        peaks = [median_of(rounds, field) for field in ("rss_send", "rss_recv")]
        spread = f"({min(shares):.1f}-{max(shares):.1f})"
        fields = [f"  {name:20} {statistics.median(shares):10.1f} {spread:14}{rate:11,.0f}  "]
        fields += [number(cpu, 5, 2) for cpu in cpus] + [" "]
        fields += [number(None if peak is None else peak / MB, 6, 1) for peak in peaks]
        print(" ".join(fields) + verdicts(rounds))


def print_starts(tools):
    print(f"  {'start':20} ms (least-most)")
    for name, runs in tools.items():
        times = [1000 * seconds for seconds in good_seconds(runs)]
        print(f"  {name:20} {statistics.median(times):<7.2f}({min(times):.2f}-{max(times):.2f})")
