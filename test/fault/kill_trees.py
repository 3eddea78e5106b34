"""Kills the sender or the receiver of a tree by SIGKILL, at random points of a transfer, over and over.

usage: kill_trees.py [--kills N] [--seed N] SOCKXFER

In turn the victim is the receiver and the sender, and the tree is to be a new directory or to go into one that is
there. Of four kills three come at an offset of the archive, whose rest is held back, and the fourth at any time
from the start of the sender to a little after its usual end, which is measured first. After each kill:

- there is the whole tree or nothing of it, and what was there before
- the side that lives ends by itself, and with status 0 only if the whole tree is there
- what a killed receiver has left is gone when the next one listens, and a living one leaves nothing

Works in the current directory. What went wrong is printed, a line each, and the exit status is then 1. The seed
is printed; the same seed gives the same points, though not the same scheduling.
"""

import io
import os
import random
import shutil
import subprocess
import sys
import tarfile
import time

import aftermath
import killing
from aftermath import LIMIT, said
from killing import CALIBRATION, UNSENT


def make_archive(chance):
    """An archive of some 6 MB, and what it holds."""
    contents = {}
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for top in range(30):
            for number in range(20):
                path = "top%d/deep/down/f%d" % (top, number)
                contents[path] = chance.randbytes(chance.randrange(20000))
                member = tarfile.TarInfo(path)
                member.size = len(contents[path])
                archive.addfile(member, io.BytesIO(contents[path]))
    return raw.getvalue(), contents


def read_tree(directory):
    """The contents of the files below it, without those of temporary directories, and whether there are any of these."""
    contents = {}
    has_temporary = False
    for path, names, files in os.walk(directory):
        if any(name.startswith(".sockxfer.") for name in names + files):
            has_temporary = True
        names[:] = [name for name in names if not name.startswith(".sockxfer.")]
        for name in files:
            full = os.path.join(path, name)
            with open(full, "rb") as file:
                contents[os.path.relpath(full, directory)] = file.read()
    return contents, has_temporary


class Run(killing.Pair):
    """One receiver and one sender, and what they left."""

    def __init__(self, program, into, pipe=False):
        self.into = into
        shutil.rmtree("out", ignore_errors=True)
        os.mkdir("out")
        if into:
            os.mkdir("out/tree")
            with open("out/tree/mine", "wb") as file:
                file.write(b"mine")
        super().__init__(program, ["-v", "-x", "-l", "127.0.0.1:0", "out/tree"], "archive", pipe)

    def dismiss(self):
        """A receiver that has seen nothing of the killed sender goes on waiting."""
        try:
            self.recv.wait(2)
        except subprocess.TimeoutExpired:
            self.recv.terminate()

    def end(self):
        """Waits for both. Returns what does not end."""
        if self.send.stdin and self.recv.returncode is not None:
            self.send.stdin.close()
        return super().end()

    def left(self):
        """Whether the tree is "whole" or "none" there, or what else; once what may still move entries has ended."""
        deadline = time.monotonic() + LIMIT / 4
        while True:
            contents, has_temporary = read_tree("out")
            mine = contents.pop("tree/mine", None)
            if self.into and mine != b"mine":
                return "the old file is gone", has_temporary
            if contents == {"tree/" + path: content for path, content in CONTENTS.items()}:
                return "whole", has_temporary
            if not contents and (self.into or not os.path.exists("out/tree")):
                return "none", has_temporary
            if time.monotonic() > deadline:
                return "%d files of %d" % (len(contents), len(CONTENTS)), has_temporary
            time.sleep(0.01)

    def start_again(self):
        """Lets the next receiver begin at the same place, and end."""
        recv = self.spawn("recv", "-v", "-x", "-l", "127.0.0.1:0", "out/tree")
        aftermath.read_address("recv")
        recv.terminate()
        recv.wait(LIMIT)


def check(run, victim):
    """Waits for the end. Returns what is wrong with it, in words."""
    survivor = run.recv if victim == "send" else run.send
    wrong = run.end()
    left, has_temporary = run.left()
    if left not in ("whole", "none"):
        wrong.append(left)
    if survivor.returncode == 0 and left != "whole":
        wrong.append("exit status 0 without the whole tree")
    if survivor.returncode not in (0, 1, -15):
        wrong.append("exit status %d" % survivor.returncode)
    if victim == "send" and has_temporary:
        wrong.append("a living receiver left something")
    if victim == "recv" and has_temporary:
        run.start_again()
        if read_tree("out")[1]:
            wrong.append("the next receiver leaves what was left")
    return wrong


def calibrate(program):
    """Seconds that an undisturbed transfer usually takes."""
    times = []
    for number in range(CALIBRATION):
        run = Run(program, into=number % 2 == 1)
        hung = run.end()
        times.append(time.monotonic() - run.begin)
        if hung or run.send.returncode != 0 or run.recv.returncode != 0 or run.left() != ("whole", False):
            raise SystemExit("an undisturbed transfer fails: %s%s" % (said("send"), said("recv")))
    return sorted(times)[CALIBRATION // 2]


def main():
    arguments = aftermath.parser_of(__doc__, "kills", 200).parse_args()

    chance = aftermath.chance_of(arguments)
    usual = calibrate(arguments.program)
    print("usually %.1f ms" % (usual * 1000), flush=True)

    failures = 0
    for number in range(arguments.kills):
        victim = ("recv", "send")[number % 2]
        at_offset = number // 4 % 4 != 3
        run = Run(arguments.program, into=number // 2 % 2 == 1, pipe=at_offset)
        offset = delay = 0
        if at_offset:
            # Of a sender that has sent nothing yet the receiver waits for another.
            offset = chance.randrange(UNSENT if victim == "send" else 1, len(ARCHIVE))
            run.feed(ARCHIVE[:offset])
        else:
            delay = chance.uniform(0, 1.2 * usual)
            run.wait_until(delay)
        run.kill(victim)
        if victim == "send" and not at_offset:
            run.dismiss()
        for what in check(run, victim):
            failures += 1
            print(
                "kill %d, of %s at %d bytes, %.2f ms: %s; recv: %s; send: %s"
                % (number, victim, offset, delay * 1000, what, said("recv").strip(), said("send").strip()),
                flush=True,
            )
    print("%d kills, %d failures" % (arguments.kills, failures))
    sys.exit(failures > 0)


ARCHIVE, CONTENTS = make_archive(random.Random(1))
with open("archive", "wb") as file:
    file.write(ARCHIVE)
main()
