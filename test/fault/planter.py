"""A stranger in a sticky directory, who puts traps where a command is to write, while the command is started again
and again.

usage: planter.py COUNT NAME KIND... -- COMMAND...

COMMAND is started COUNT times, as root, with a connected socket as the descriptor of which "{fd}" in its words
becomes the number; there 1000 bytes "x" and the end of the stream wait. Meanwhile a process of uid 65534 lets one
trap after another have NAME, for a moment, and nothing between them:
    file       a regular file, writable for all
    fifo       a FIFO, which it reads
    dir        a directory
    link:PATH  a symbolic link
Prints how the commands have ended, and what the stranger has gained, if anything; to stderr what they have said.
"""

import collections
import contextlib
import ctypes
import itertools
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys

PR_SET_PDEATHSIG = 1
STRANGER = 65534
DATA = b"x" * 1000
LIMIT = 120  # seconds that a command may take


class Trap:
    """It waits beside the name that it is going to have."""

    def __init__(self, kind, name):
        self.kind, self.name = kind, name
        self.aside = f"{name}.{kind.partition(':')[0]}"
        self.fifo = None

    def make(self):
        if self.kind == "file":
            os.close(os.open(self.aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        elif self.kind == "fifo":
            os.mkfifo(self.aside, 0o666)
            self.fifo = os.open(self.aside, os.O_RDONLY | os.O_NONBLOCK)
        elif self.kind == "dir":
            os.mkdir(self.aside, 0o777)
        else:
            os.symlink(self.kind.partition(":")[2], self.aside)

    def show(self):
        try:
            os.rename(self.aside, self.name)
        except FileNotFoundError:  # the command has replaced it
            self.make()
        except OSError:
            pass  # a file of root's has the name

    def hide(self, gains):
        with contextlib.suppress(OSError):
            os.rename(self.name, self.aside)
        if self.fifo is not None:
            with contextlib.suppress(BlockingIOError):
                os.write(gains, os.read(self.fifo, 65536))


def plant(name, kinds, gains):
    traps = [Trap(kind, name) for kind in kinds]
    for trap in itertools.cycle(traps):
        trap.show()
        trap.hide(gains)


def start_stranger(name, kinds):
    ours, gains = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.umask(0)
        os.setgroups([])
        os.setresgid(STRANGER, STRANGER, STRANGER)
        os.setresuid(STRANGER, STRANGER, STRANGER)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        plant(name, kinds, gains)
    os.close(gains)
    os.set_blocking(ours, False)
    return pid, ours


def run(command):
    ours, theirs = socket.socketpair()
    ours.sendall(DATA)
    ours.shutdown(socket.SHUT_WR)
    fd = theirs.fileno()
    words = [word.replace("{fd}", str(fd)) for word in command]
    with ours, theirs:
        return subprocess.run(
            words, pass_fds=[fd], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, timeout=LIMIT, check=False
        )


def status_of_file(path):
    """Of what has the name, looked at once, as the stranger goes on meanwhile; None if it is no file with bytes in it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    return status if stat.S_ISREG(status.st_mode) and status.st_size > 0 else None


def take_gain(directory):
    """What the command has stored, which is removed, and whether the stranger may have or read any of it."""
    gain = None
    for path in itertools.chain([directory], (entry.path for entry in os.scandir(directory))):
        with contextlib.suppress(OSError):
            status = status_of_file(path)
            if status is not None:
                gain = "a file" if status.st_uid != 0 or status.st_mode & 0o077 != 0 else gain
                os.unlink(path)
            elif path != directory and os.path.isdir(path) and not os.path.islink(path) and os.listdir(path):
                gain = "a file in his directory"
                shutil.rmtree(path)
    return gain


def main():
    count, name = int(sys.argv[1]), sys.argv[2]
    end = sys.argv.index("--")
    kinds, command = sys.argv[3:end], sys.argv[end + 1 :]
    os.umask(0o077)
    pid, gains = start_stranger(name, kinds)
    tally = collections.Counter()
    said = collections.Counter()
    try:
        for _ in range(count):
            done = run(command)
            tally[f"exit {done.returncode}"] += 1
            if done.returncode != 0:
                said[done.stderr.decode(errors="replace").partition("\n")[0]] += 1
            gain = take_gain(os.path.dirname(name))
            if gain is not None:
                tally[f"gained: {gain}"] += 1
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    with contextlib.suppress(BlockingIOError):
        if os.read(gains, 1):
            tally["gained: data by a FIFO"] += 1
    for what, times in sorted(tally.items()):
        print(times, what)
    for line, times in said.items():
        print(times, line, file=sys.stderr)


main()
