"""Measures sockxfer beside the tools like it, in turns, and prints tables and a CSV.

usage: bench.py [--cases A,B] [--tools A,B] [--rounds N] [--size SIZE] [--csv FILE] [--plot PNG]
                [--disk DIRECTORY] [--list] SOCKXFER

Each round runs every tool once, so that what else happens on the machine happens to all of them. Every
byte that arrives is compared. Nothing here is too slow to pass: the exit status is 1 if sockxfer failed
or delivered wrong bytes. A tool that is not installed is left out. Five rounds of all but the case trees
take about half an hour; that one takes a quarter of an hour, and is run only if it is named. --list has the
names of the cases and of the tools.
"""

import argparse
import contextlib
import csv
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys
import tempfile

import cases
import datagrams
import encrypted
import many
import measure
import peers
import plot
import quick
import table
import trees
from transfer import Run

CASES = {**cases.ALL, **datagrams.ALL, **encrypted.ALL, **quick.ALL, **many.ALL, **trees.ALL}
MEMORY = "/dev/shm"


def size_of(text):
    found = re.fullmatch(r"([0-9]+)([KMGT]?)", text)
    if not found or not int(found[1]):
        raise argparse.ArgumentTypeError(f"no size: {text}")
    return int(found[1]) << 10 * " KMGT".index(found[2] or " ")


def some_of(known):
    """A type for lists of names."""

    def names(text):
        chosen = text.split(",")
        unknown = [name for name in chosen if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"not one of {', '.join(known)}: {', '.join(unknown)}")
        return chosen

    return names


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__)
    usual = [name for name in CASES if name not in trees.ALL]
    parser.add_argument("--cases", type=some_of(CASES), default=usual)
    names = [tool.name for tool in peers.ALL]
    parser.add_argument("--tools", type=some_of(names), default=names)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=size_of, default=2 << 30)
    parser.add_argument("--csv", type=pathlib.Path, default=pathlib.Path("build/bench.csv"))
    parser.add_argument("--plot", type=pathlib.Path)
    parser.add_argument("--disk", type=pathlib.Path, default=pathlib.Path("/var/tmp"))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("sockxfer", nargs="?")
    chosen = parser.parse_args()
    if not chosen.list and not chosen.sockxfer:
        parser.error("which sockxfer?")
    return chosen


def print_list():
    print("cases")
    for name, case in CASES.items():
        print(f"  {name:20} {case.__doc__}")
    print("tools")
    for tool in peers.ALL:
        receive = f"{tool.receive} | {tool.after_receive}" if tool.after_receive else tool.receive
        commands = (tool.send, receive, tool.send_tree, tool.receive_tree)
        for words in dict.fromkeys(filter(None, commands)):
            print(f"  {tool.name:20} {' '.join(words.split())}")


def version(tool, program):
    words, _ = peers.Words(program).fill(tool, tool.version)
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        done = subprocess.run(words, check=False, timeout=measure.WAIT, **streams)
    except (OSError, subprocess.TimeoutExpired):
        return "?"
    found = re.search(rb"[0-9]+(\.[0-9]+)+|R?[0-9]{8}|[0-9]+\.[0-9]+", done.stdout)
    return "?" if found is None else found[0].decode().lstrip("R")


def print_facts(bench):
    model = "?"
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as lines:
        found = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
        model = next(found, "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    print(
        f"{os.cpu_count()} cores, {model}, {memory:.0f} GB, Linux {platform.release()};",
        f"load {os.getloadavg()[0]:.1f}",
    )
    versions = {}
    for tool in bench.tools:
        if tool.version:
            versions.setdefault(tool.version, f"{tool.name} {version(tool, bench.program)}")
    table.print_wrapped(", ".join(versions.values()))
    places = {"memory": bench.memory, "disk": bench.disk}
    told = (f"{k}: {v.parent} ({measure.file_system(v)})" for k, v in places.items() if v)
    print(*told, f"rounds: {bench.rounds}", sep="; ")


def installed(names, program):
    """The tools of these names that are there; the others are named."""
    found, lacking = [], set()
    for tool in peers.ALL:
        if tool.name in names:
            absent = peers.missing(tool, program)
            lacking.update(absent)
            if not absent:
                found.append(tool)
    if lacking:
        print("not installed:", *sorted(lacking), file=sys.stderr)
    return found


@contextlib.contextmanager
def directory_in(parent, kind):
    """A directory of our own, or None where the parent is not there or on another kind of file system."""
    is_memory = parent.is_dir() and measure.file_system(parent) in ("tmpfs", "ramfs")
    if not os.access(parent, os.W_OK) or is_memory != (kind == "memory"):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="bench.", dir=parent) as name:
        yield pathlib.Path(name)


def text_of(field):
    return "" if field is None else f"{field:.6f}" if isinstance(field, float) else str(field)


def tell(progress):
    """For those who wait before a terminal."""
    if sys.stderr.isatty():
        print(f"\r  {progress:40}\r", end="", file=sys.stderr, flush=True)


def run_cases(bench, names, rows):
    """Prints a table after each case; returns whether sockxfer delivered all that it was given."""
    good = True
    for name in names:
        print(f"\n{name}: {CASES[name].__doc__}", flush=True)
        runs = []
        try:
            for run in CASES[name](bench):
                runs.append(run)
                tell(f"{run.round + 1} {run.tool} {table.in_units(run.size)}")
                rows.writerow([text_of(field) for field in run])
                good = good and (run.ok == "ok" or not run.tool.startswith("sockxfer"))
        except (cases.Skipped, measure.Failed, OSError) as reason:
            print(f"  skipped: {reason}")
        tell("")
        table.print_runs(runs)
    return good


def draw(rows, png):
    try:
        plot.draw(rows, png)
        print(f"{png}: throughput by size")
    except plot.NoPlot as reason:
        print(f"no plot: {reason}", file=sys.stderr)


def main():
    chosen = arguments()
    if chosen.list:
        print_list()
        return 0
    # So that what is cleaned up at the end is so then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    program = os.path.abspath(chosen.sockxfer)
    tools = installed(chosen.tools, program)
    chosen.csv.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        memory = stack.enter_context(directory_in(pathlib.Path(MEMORY), "memory"))
        disk = stack.enter_context(directory_in(chosen.disk, "disk"))
        file = stack.enter_context(open(chosen.csv, "w", newline="", encoding="ascii", buffering=1))
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(Run._fields)
        bench = cases.Bench(program, chosen.rounds, chosen.size, tools, memory, disk)
        print_facts(bench)
        good = run_cases(bench, chosen.cases, rows)
        print()
        table.print_wrapped(table.LEGEND)
    if chosen.plot:
        draw(chosen.csv, chosen.plot)
    return 0 if good else 1


try:
    sys.exit(main())
except KeyboardInterrupt:
    sys.exit(128 + signal.SIGINT)
