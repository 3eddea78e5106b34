"""Makes each system call of each kind of transfer fail, one at a time, by strace, and looks who tells the truth.

usage: sweep.py [--share X] [--sample N] [--seed N] [--scenario NAME,...] [--call NAME,...] [--log FILE]
                [--seconds N] SOCKXFER PAUSE.SO
       sweep.py --list

One run of a scenario without a fault shows which system calls there are. Then, for each of them and each error,
the scenario runs once in which the call fails so: the first and the last times that a process makes it. Expected
are, whatever fails:

  - the output is whole or absent, or the old one as it was;
  - who ends with 0 tells the truth, and who does not says why;
  - no process, temporary file or socket is left, and nobody hangs.

PAUSE.SO is test/shim/pause.c, built. --share runs that part of the faults, --sample that many of them, both chosen
by the seed; --seconds ends before all are done. What was run is in the log, and is not run again with the same log
and program: so a sweep goes on where it was ended. Exit status 0: nothing was wrong in this run nor in the log; 1:
something was, and is printed.
"""

import argparse
import collections
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import scenarios

ERRORS = ["EIO", "ENOMEM", "EINTR", "ENOSPC", "EMFILE", "EPERM", "ENOSYS"]
FIRST, LAST = 7, 3  # of the calls that a process makes, so many at the beginning and at the end

# They never fail on a kernel that has them, whatever happens, and the C library does not allow for it. (brk(2)
# does, but not by an error.) By some of them a process ends, or returns from a handler.
NEVER = {
    "arch_prctl", "brk", "execve", "exit", "exit_group", "futex", "getpid", "getppid", "gettid", "restart_syscall",
    "rseq", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "set_robust_list", "set_tid_address", "tgkill",
    "umask",
}  # fmt: skip


# What they cannot remove, or not know for their own, stays.
REMOVING = {"unlink", "unlinkat", "newfstatat", "fstatat64", "stat", "lstat", "statx"}


def calls_of(trace):
    """Which times of which calls can be made to fail, from a trace; a process counts its own calls."""
    counts = collections.defaultdict(collections.Counter)
    for line in trace:
        match = re.match(r"(\d+) +(\w+)\(", line)
        if match:
            counts[match[1]][match[2]] += 1
    chosen = collections.defaultdict(set)
    for calls in counts.values():
        for call, count in calls.items():
            numbers = range(1, count + 1)
            if call not in NEVER:
                chosen[call].update(numbers[:FIRST], numbers[-LAST:])
    return chosen


def whole_trace(program, pause, name, place):
    """Runs the scenario without a fault, and returns which calls it makes. It has to succeed."""
    for last in (False, False, True):
        result = scenarios.run(name, program, pause, place, [])
        if result.succeeded and not result.wrong:
            with open(place + "/trace", errors="replace") as trace:
                return calls_of(trace)
        if last:
            sys.exit("sweep: %s fails without a fault: %s" % (name, result))


def faults_of(program, pause, names, place):
    """All faults, in an order that does not change: scenario, call, number of the call, error."""
    found = []
    for name in names:
        for call, numbers in sorted(whole_trace(program, pause, name, place).items()):
            found += [(name, call, str(n), error) for n in sorted(numbers) for error in ERRORS]
    return found


def open_log(path, program):
    """Opens the log, and returns it, which faults were run already, and how many of them were wrong.

    It begins anew if it is of another program.
    """
    done, wrong = set(), 0
    with open(program, "rb") as file:
        head = "# %s\n" % hashlib.sha256(file.read()).hexdigest()
    log = open(path, "a+")
    log.seek(0)
    if log.readline() != head:
        log.truncate(0)
        print(head, end="", file=log, flush=True)
    for line in log:
        words = line.split()
        done.add(tuple(words[1:5]))
        wrong += words[0] == "WRONG"
    return log, done, wrong


def run_fault(program, pause, place, fault):
    """Runs one; returns its line for the log."""
    name, call, number, error = fault
    since = time.monotonic()
    options = ["-e", "trace=" + call, "-e", "inject=%s:error=%s:when=%s" % (call, error, number)]
    result = scenarios.run(name, program, pause, place, options)
    with open(place + "/trace", errors="replace") as trace:
        hit = "(INJECTED)" in trace.read()
    wrong = result.wrong
    if call in ("write", "writev") and hit:  # the message itself may be what is lost
        wrong = [text for text in wrong if not text.startswith("silent")]
    if call in REMOVING:
        wrong = [text for text in wrong if not text.startswith(("left: ", "the socket"))]
    if call == "close":  # strace leaves the descriptor open, so who waits for its end waits for ever
        wrong = [text for text in wrong if "hangs" not in text]
    word = "WRONG" if wrong else "ok" if hit else "missed"
    line = "%s %s %.1f s %s" % (word, " ".join(fault), time.monotonic() - since, result.codes)
    return line + (" | " + "; ".join(wrong) + " | " + result.said if wrong else "")


def sweep(chosen, names, place):
    log, done, wrong = open_log(chosen.log or place + "/log", chosen.program)
    chance = random.Random(chosen.seed)
    calls = chosen.call.split(",") if chosen.call else None
    faults = [f for f in faults_of(chosen.program, chosen.pause, names, place) if not calls or f[1] in calls]
    every = len(faults)
    chance.shuffle(faults)
    faults = faults[: chosen.sample or round(every * chosen.share)]
    left = [fault for fault in faults if fault not in done]
    began, count = time.monotonic(), collections.Counter(wrong=wrong)
    with log:
        for fault in left:
            if time.monotonic() - began > chosen.seconds:
                break
            line = run_fault(chosen.program, chosen.pause, place, fault)
            print(line, file=log, flush=True)
            count["run"] += 1
            count["missed"] += line.startswith("missed")
            if line.startswith("WRONG"):
                count["wrong"] += 1
                print(line, flush=True)
    took = time.monotonic() - began
    print(
        "%d of %d faults run now in %.0f s (%.2f s each), %d before; %d never came about; %d left of the "
        "%d chosen; wrong: %d (seed %d)"
        % (
            count["run"], every, took, took / max(1, count["run"]), len(faults) - len(left),
            count["missed"], len(left) - count["run"], len(faults), count["wrong"], chosen.seed,
        )
    )  # fmt: skip
    return count["wrong"] == 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--scenario", default="")
    parser.add_argument("--call", default="")
    parser.add_argument("--log", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("program", nargs="?")
    parser.add_argument("pause", nargs="?")
    chosen = parser.parse_args()
    if chosen.list:
        print("\n".join(scenarios.NAMES))
        return 0
    if not shutil.which("strace") or subprocess.run(["strace", "-o", os.devnull, "true"]).returncode:
        sys.exit("sweep: needs strace, and ptrace(2) allowed")
    chosen.program, chosen.pause = os.path.abspath(chosen.program), os.path.abspath(chosen.pause)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    place = tempfile.mkdtemp(prefix="sweep.")
    try:
        names = chosen.scenario.split(",") if chosen.scenario else scenarios.NAMES
        return 0 if sweep(chosen, names, place) else 1
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
