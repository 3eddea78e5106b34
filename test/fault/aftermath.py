"""What loops that break transfers share: how a transfer ends, and what it leaves in place of out/file."""

import argparse
import os
import random
import shutil
import subprocess
import time

LIMIT = 120  # seconds that anything may take

# A sanitizer that is killed while it looks for leaks leaves a report, though an empty one.
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0")


def parser_of(usage, what, default):
    """What each loop is given: how many of what, a seed, and the program."""
    parser = argparse.ArgumentParser(usage=usage)
    parser.add_argument("--" + what, type=int, default=default)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("program")
    return parser


def chance_of(arguments):
    """The chance of a loop, by the seed that was given or another one, which is printed, to repeat it."""
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 32)
    print("seed", seed, flush=True)
    return random.Random(seed)


def prepare(old):
    """Makes the directory out anew, with an old file in it or without one."""
    shutil.rmtree("out", ignore_errors=True)
    os.mkdir("out")
    if old:
        with open("out/file", "wb") as file:
            file.write(b"old")


def said(name):
    with open(name + ".err", errors="replace") as errors:
        return errors.read()


def read_address(name):
    """Waits until that process says where it listens."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        for line in said(name).splitlines(keepends=True):
            if line.endswith("\n") and "listening on " in line:
                return line.split()[-1]
        time.sleep(0.001)
    raise SystemExit("%s does not listen" % name)


def wait_for(ends):
    """Waits for the processes, by role. Returns which does not end, in words."""
    hung = []
    for role, process in ends.items():
        try:
            process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            hung.append(role + " does not end")
            process.kill()
            process.wait()
    return hung


def left(source):
    """What is in place of the output: whole, old, none, or part."""
    try:
        with open("out/file", "rb") as file:
            content = file.read()
    except FileNotFoundError:
        return "none"
    if content == source:
        return "whole"
    return "old" if content == b"old" else "part"


def faults(state, old):
    """What is wrong with what is left, in words."""
    wrong = []
    names = sorted(set(os.listdir("out")) - {"file"})
    if names:
        wrong.append("left behind: %s" % names)
    if state == "part":
        wrong.append("the file is not whole")
    if state == ("none" if old else "old"):
        wrong.append("the old file is gone")
    return wrong
