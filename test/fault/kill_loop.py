"""Kills the sender or the receiver by SIGKILL, at random points of a transfer, over and over.

usage: kill_loop.py [--kills N] [--seed N] SOCKXFER tcp4|tcp6|unix

In turn the victim is the sender and the receiver, and there is an old file with the output's name or there
is none. Three kills of four come at an offset: the sender's stdin, a pipe, has given that many bytes and
stays open. The fourth, of a transfer from a file, comes at any time from the start of the sender to
a little after its usual end, which is measured first. After each kill:

- there is the whole new file, the old one as it was, or none; and nothing else beside it
- the side that lives ends by itself, and with status 0 only if the whole file is there
- if what was killed was a sender that had not sent a byte yet, the receiver goes on waiting, and takes
  the whole file from the next sender
- if it came at an offset where data must have been sent already, the side that lives says how many

Works in the current directory. What went wrong is printed, a line each, and the exit status is then 1.
The seed is printed; the same seed gives the same points, though not the same scheduling.
"""

import os
import subprocess
import sys
import time

import aftermath
import killing
from aftermath import LIMIT, said
from killing import CALIBRATION, UNSENT

SIZE = 4 << 20
WHERE = {"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0", "unix": "unix:socket"}


class Run(killing.Pair):
    """One receiver and one sender, and what they left."""

    def __init__(self, program, transport, old, pipe=False):
        self.old = old
        aftermath.prepare(old)
        super().__init__(program, ["-v", "-l", WHERE[transport], "out/file"], "source", pipe)

    def serve_again(self):
        """The receiver may have seen nothing worth a transfer: then another sender is served."""
        try:
            self.recv.wait(0.02)
            return False
        except subprocess.TimeoutExpired:
            pass
        again = subprocess.run(
            [self.program, "send", "-q", "-w", "60", self.address, "source"],
            stderr=subprocess.DEVNULL, timeout=LIMIT,
        )
        return again.returncode == 0

    @staticmethod
    def left():
        return aftermath.left(SOURCE)


def check(run, survivor, again):
    """Waits for the end. Returns what is wrong with it, in words."""
    wrong = run.end()
    left = run.left()
    wrong += aftermath.faults(left, run.old)
    if survivor.returncode == 0 and left != "whole":
        wrong.append("exit status 0 without the whole file")
    if survivor.returncode not in (0, 1):
        wrong.append("exit status %d" % survivor.returncode)
    if again and survivor.returncode != 0:
        wrong.append("another sender was told success")
    return wrong


def calibrate(program, transport):
    """Seconds that an undisturbed transfer usually takes."""
    times = []
    for _ in range(CALIBRATION):
        run = Run(program, transport, old=False)
        hung = run.end()
        times.append(time.monotonic() - run.begin)
        if hung or run.send.returncode != 0 or run.recv.returncode != 0 or run.left() != "whole":
            raise SystemExit("an undisturbed transfer fails: %s%s" % (said("send"), said("recv")))
    return sorted(times)[CALIBRATION // 2]


def main():
    parser = aftermath.parser_of(__doc__, "kills", 200)
    parser.add_argument("transport", choices=WHERE)
    arguments = parser.parse_args()

    chance = aftermath.chance_of(arguments)
    usual = calibrate(arguments.program, arguments.transport)
    print("usually %.1f ms" % (usual * 1000), flush=True)

    failures = 0
    for number in range(arguments.kills):
        victim, survivor = (("send", "recv"), ("recv", "send"))[number % 2]
        at_offset = number // 4 % 4 != 3
        run = Run(arguments.program, arguments.transport, old=number // 2 % 2 == 1, pipe=at_offset)
        offset = delay = 0
        if at_offset:
            offset = chance.randrange(SIZE + 1)
            run.feed(SOURCE[:offset])
        else:
            delay = chance.uniform(0, 1.1 * usual)
            run.wait_until(delay)
        run.kill(victim)
        again = victim == "send" and run.serve_again()
        wrong = check(run, getattr(run, survivor), again)
        # "reset after 123 bytes": the data were on their way.
        words = said(survivor)
        if offset >= UNSENT and (" after " not in words or " after 0 bytes" in words):
            wrong.append("it is not said that the data broke off")
        for what in wrong:
            failures += 1
            print(
                "kill %d, of %s at %d bytes, %.2f ms: %s; recv: %s; send: %s"
                % (number, victim, offset, delay * 1000, what, said("recv").strip(), said("send").strip()),
                flush=True,
            )
    print("%d kills, %d failures" % (arguments.kills, failures))
    sys.exit(failures > 0)


SOURCE = os.urandom(SIZE)
with open("source", "wb") as source:
    source.write(SOURCE)
main()
