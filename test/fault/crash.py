"""Cuts the power in the middle of transfers, and looks at what is on the disk then.

usage: crash.py [--systems LIST] [--modes LIST] [--files LIST] [--ways LIST] SOCKXFER

A receiver writes to a file system on a loop device. At each cut the bytes that have reached the device
are copied, without any sync, and later mounted, which recovers the journal, after e2fsck for ext2 and
ext4. Cuts come
  moving    while the data come, after several offsets
  step      in the commit: after each call that syncs or names a file, at which the receiver is stopped
            (strace)
  receipt   when both ends have ended with 0
  synced    after another program has synced the directory (fsync), which on most file systems takes all
            names to the disk, though not all data; and after it has synced a file of its own
  later     after sync(2)
In a second transfer another program syncs the directory before each cut; in a third, of a file that
replaces another, a file of its own.

All this with each of: a file system; -S, --no-sync or neither (default); a new file, one that replaces
an old one, one in an inbox; where there is O_TMPFILE (nameless), and where there is none (named).

What is found under the name is "none", "old", "new" or "part", which is anything else. The table says
what was found, at how many cuts a temporary file was left (litter), and whether the promise of the
manual page (under -S) was held:
  any       while the data come, the name is as it was before
  -S        as before, or new; and new from the receipt on
  default   of a file that is replaced: old or new. A new name may lead to anything before "later"
  --no-sync before "later" anything
Where there is no journal (ext2), the third transfer may lose both, old and new: another file's sync can
write that the old one is gone before the directory is written.
The exit status is 0 if all were held, 77 if there are no loop devices.

Needs root, loop devices, strace, and mkfs of each file system; without LIST, those that are there.
"""

import argparse
import contextlib
import ctypes
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

LIMIT = 120  # seconds that anything may take
UNABLE = 77  # the exit status where there are no loop devices
FIFREEZE, FITHAW = 0xC0045877, 0xC0045878
MS_REC, MS_PRIVATE = 1 << 14, 1 << 18

MKFS = {
    "ext2": ["mkfs.ext2", "-q"],
    "ext4": ["mkfs.ext4", "-q"],
    "xfs": ["mkfs.xfs", "-q"],
    "btrfs": ["mkfs.btrfs", "-q"],
}
MODES = {"-S": ["-S"], "default": [], "--no-sync": ["--no-sync"]}
FILES = ["new", "replace", "inbox"]
WAYS = ["nameless", "named"]
CUTS = ["moving", "step", "receipt", "synced", "later"]

DISK = 400 << 20  # sparse
OLD = b"old contents\n" * 10000
# More than the 8 MiB after which write-back begins, and no multiple of a block.
NEW = os.urandom(1 << 20) * 9 + b"the end"
OFFSETS = [1, 1 << 20, 5 << 20, len(NEW)]
STEPS = "fsync,fdatasync,linkat,renameat,renameat2,unlinkat"

HERE = os.path.dirname(os.path.abspath(__file__))
NO_TMPFILE = [sys.executable, os.path.join(HERE, "../tools/no_tmpfile.py")]


def run(*command, may_fail=False):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)
    if result.returncode != 0 and not may_fail:
        raise SystemExit("crash: %s: %s" % (" ".join(command), result.stderr.strip()))
    return result


def wait_until(is_true, what):
    until = time.monotonic() + LIMIT
    while not is_true():
        if time.monotonic() > until:
            raise SystemExit("crash: in vain waited for: " + what)
        time.sleep(0.002)


class Disk:
    """A file system on a loop device, whose file lies on another one that can be frozen: writes wait
    then, so that the copy is that of one moment."""

    def __init__(self, system):
        self.system = system
        self.cuts = []  # (kind, path of the copy)
        os.makedirs("cuts")
        with open("outer/disk", "wb") as file:
            file.truncate(DISK)
        run(*MKFS[system], "outer/disk")
        run("mount", "-o", "loop", "outer/disk", "fs")

    def cut(self, kind):
        path = "cuts/%d" % len(self.cuts)
        outer = os.open("outer", os.O_RDONLY)
        fcntl.ioctl(outer, FIFREEZE, 0)
        try:
            run("cp", "--sparse=always", "outer/disk", path)
        finally:
            fcntl.ioctl(outer, FITHAW, 0)
            os.close(outer)
        self.cuts.append((kind, path))

    def unmount(self):
        run("umount", "fs")

    def recover(self, path):
        """Mounts a copy as after a boot; fs itself is not mounted, as both have the same identity."""
        if self.system.startswith("ext"):
            run("e2fsck", "-fy", path, may_fail=True)
        run("mount", "-o", "loop", path, "fs")

    def remove(self):
        shutil.rmtree("cuts")
        os.remove("outer/disk")


def sync_directory():
    """What another program does that makes a file of its own, as -S does it."""
    fd = os.open("fs/d", os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def sync_neighbour():
    with open("fs/d/.neighbour", "ab") as file:
        file.write(b"x" * 100)
        file.flush()
        os.fsync(file.fileno())


def sync_nothing():
    pass


class Transfer:
    """One receiver under strace, and a sender whose stdin is ours."""

    def __init__(self, program, arguments, output):
        for name in ("trace", "socket", "pid"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(name)
        self.stops = 0
        self.errors = open("errors", "w+")
        self.recv = subprocess.Popen(
            ["strace", "-f", "-q", "-o", "trace", "-e", "trace=" + STEPS]
            + ["-e", "inject=%s:signal=SIGSTOP" % STEPS]
            + ["sh", "-c", 'echo $$ >pid; exec "$@"', "-"]
            + arguments[0] + [program, "recv", "-q", "-l", "unix:socket"] + arguments[1] + [output],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.errors)
        wait_until(self.listens, "the receiver")
        self.send = subprocess.Popen([program, "send", "-q", "-V", "-B", "64K", "-r", "20", "unix:socket"],
                                     stdin=subprocess.PIPE, stderr=self.errors)
        self.sent = 0

    def go_on(self):
        """Lets the receiver go on, whose commit has not begun: it tries its directory, and removes its socket."""
        for pid in self.stopped():
            os.kill(pid, signal.SIGCONT)

    def listens(self):
        self.go_on()
        return os.path.exists("socket") or self.recv.poll() is not None

    def arrived(self):
        self.go_on()
        with open("pid") as file:
            fds = "/proc/%s/fd/" % file.read().strip()
        for fd in os.listdir(fds):
            with contextlib.suppress(OSError):
                if "/fs/d/" in os.readlink(fds + fd) and os.stat(fds + fd).st_size >= self.sent:
                    return True
        return False

    def send_until(self, offset):
        self.send.stdin.write(NEW[self.sent:offset])
        self.send.stdin.flush()
        self.sent = offset
        wait_until(self.arrived, "%d bytes" % offset)

    def stopped(self):
        """Returns the processes that have been stopped since the last call."""
        with open("trace", "a+") as file:
            file.seek(0)
            pids = re.findall(r"^(\d+) +--- stopped by SIGSTOP ---$", file.read(), re.M)
        new = pids[self.stops:]
        self.stops = len(pids)
        return [int(pid) for pid in new]

    def step(self, at_stop):
        """Ends the stream, and calls at_stop() at each step of the commit, until both have ended."""
        self.send.stdin.close()
        until = time.monotonic() + LIMIT
        while self.recv.poll() is None or self.send.poll() is None:
            if time.monotonic() > until:
                raise SystemExit("crash: a transfer does not end")
            for pid in self.stopped():
                at_stop()
                os.kill(pid, signal.SIGCONT)
            time.sleep(0.001)
        self.errors.seek(0)
        if self.recv.returncode != 0 or self.send.returncode != 0:
            raise SystemExit("crash: recv %d, send %d: %s" % (
                self.recv.returncode, self.send.returncode, self.errors.read()))
        self.errors.close()


def contents(path):
    with open(path, "rb") as file:
        data = file.read()
    return "new" if data == NEW else "old" if data == OLD else "part"


def look(kind):
    """What a name leads to, and whether a temporary file is left."""
    names = os.listdir("fs/d")
    litter = any(name.startswith(".sockxfer.") for name in names)
    names = [name for name in names if not name.startswith(".")]
    if not names:
        return "none", litter
    if kind != "inbox" and names != ["out"] or len(names) > 1:
        return "part", litter
    return contents("fs/d/" + names[0]), litter


def allowed(system, mode, kind, disturb, cut):
    before = "old" if kind == "replace" else "none"
    anything = {"none", "old", "new", "part"}
    if cut == "moving":
        return {before}
    if cut == "later":
        return {"new"}
    if mode == "--no-sync" or (mode == "default" and kind != "replace"):
        return anything
    if mode == "-S" and cut != "step":
        return {"new"}
    if system == "ext2" and disturb is sync_neighbour:
        return anything - {"part"}
    return {before, "new"}


class Case:
    def __init__(self, program, system, mode, kind, way):
        self.seen = {cut: set() for cut in CUTS}
        self.broken = False
        self.litter = 0
        self.mode, self.kind = mode, kind
        self.count = 0
        disturbances = [sync_nothing, sync_directory]
        if kind == "replace":
            disturbances.append(sync_neighbour)
        for disturb in disturbances:
            disk = Disk(system)
            self.transfer(disk, program, [NO_TMPFILE if way == "named" else [], MODES[mode]], disturb)
            disk.unmount()
            for cut, path in disk.cuts:
                self.check(disk, disturb, cut, path)
            self.count += len(disk.cuts)
            disk.remove()

    def transfer(self, disk, program, arguments, disturb):
        os.mkdir("fs/d")
        if self.kind == "replace":
            with open("fs/d/out", "wb") as file:
                file.write(OLD)
        run("sync", "-f", "fs")
        transfer = Transfer(program, arguments, "fs/d" if self.kind == "inbox" else "fs/d/out")
        for offset in OFFSETS:
            transfer.send_until(offset)
            disturb()
            disk.cut("moving")

        def at_stop():
            disturb()
            disk.cut("step")

        transfer.step(at_stop)
        disk.cut("receipt")
        sync_directory()
        disk.cut("synced")
        sync_neighbour()
        sync_directory()
        disk.cut("synced")
        run("sync", "-f", "fs")
        disk.cut("later")

    def check(self, disk, disturb, cut, path):
        disk.recover(path)
        found, litter = look(self.kind)
        run("umount", "fs")
        os.remove(path)
        self.seen[cut].add(found)
        self.litter += litter
        if found not in allowed(disk.system, self.mode, self.kind, disturb, cut):
            self.broken = True


def choose(given, all_of_them):
    if given is None:
        return list(all_of_them)
    chosen = given.split(",")
    for word in chosen:
        if word not in all_of_them:
            raise SystemExit("crash: there is no %s: %s" % (word, ", ".join(all_of_them)))
    return chosen


def have(system):
    return shutil.which(MKFS[system][0]) is not None


def try_all(options):
    """In a namespace of its own, at a place that is its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None) != 0:
        raise SystemExit("crash: cannot have mounts of its own")
    run("mount", "-t", "tmpfs", "tmpfs", ".")
    os.chdir(os.getcwd())  # into what was mounted
    os.mkdir("outer")
    os.mkdir("fs")
    with open("outer.disk", "wb") as file:
        file.truncate(2 * DISK)
    run("mkfs.ext4", "-q", "-O", "^has_journal", "outer.disk")
    if run("mount", "-o", "loop", "outer.disk", "outer", may_fail=True).returncode != 0:
        print("needs loop devices")
        return UNABLE
    row = "%-6s %-10s %-8s %-9s" + " %-14s" * len(CUTS) + " %5s %7s  %s"
    print(row % ("disk", "mode", "file", "way", *CUTS, "cuts", "litter", "promise"))
    broken = cases = 0
    for system in choose(options.systems, MKFS):
        if options.systems is None and not have(system):
            print("%-6s no %s here: skipped" % (system, MKFS[system][0]))
            continue
        for way in choose(options.ways, WAYS):
            for mode in choose(options.modes, MODES):
                for kind in choose(options.files, FILES):
                    case = Case(options.program, system, mode, kind, way)
                    seen = ["/".join(sorted(case.seen[cut])) for cut in CUTS]
                    print(row % (system, mode, kind, way, *seen, case.count, case.litter,
                                 "BROKEN" if case.broken else "held"), flush=True)
                    broken += case.broken
                    cases += 1
    print("%d cases, %d broken" % (cases, broken))
    return 1 if broken or not cases else 0


def main():
    parser = argparse.ArgumentParser(description="Cuts the power in the middle of transfers.")
    for name in ("systems", "modes", "files", "ways"):
        parser.add_argument("--" + name)
    parser.add_argument("--place", help=argparse.SUPPRESS)
    parser.add_argument("program")
    options = parser.parse_args()
    if options.place is not None:
        os.chdir(options.place)
        return try_all(options)
    place = tempfile.mkdtemp(prefix="crash.")
    try:
        # With processes of its own, too, which all end when this one does.
        return subprocess.run(
            ["unshare", "-m", "-p", "--fork", "--kill-child", "--mount-proc", sys.executable, *sys.argv[:-1],
             "--place", place, os.path.abspath(options.program)]).returncode
    finally:
        os.rmdir(place)


sys.exit(main())
