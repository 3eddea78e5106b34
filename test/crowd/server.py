"""A sockxfer that serves many, seen from outside: its children, descriptors, memory and CPU time.

What tests and soak share. Everything is in the current directory: NAME.err is what the server says.
"""

import ctypes
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
COMPLAINT = re.compile("Sanitizer|runtime error:")
KILLED = "was killed by signal"
TICK = 1 / os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A promise that was not kept, in words."""


def is_instrumented(program):
    """A wrapper script (valgrind) or a sanitizer build, as in helper.bash."""
    with open(program, "rb") as file:
        content = file.read()
    return content.startswith(b"#!") or b"__asan_init" in content


def environment():
    """A sanitizer that is killed while it looks for leaks leaves a report, though an empty one."""
    options = os.environ.get("ASAN_OPTIONS", "")
    return dict(os.environ, ASAN_OPTIONS=options + ":detect_leaks=0")


def wait_for(condition, what, limit=120.0, pause=0.005):
    """Returns what the condition does once that is true."""
    deadline = time.monotonic() + limit
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise Failed("waited in vain for %s" % (what() if callable(what) else what))
        time.sleep(pause)
    return value


def times_busy():
    """How many times as long this machine may take for what it does besides: 1 if that leaves a processor for us.

    It is so at this moment; the load average still has what tests before have done.
    """
    running = int(read("/proc/loadavg").split()[3].partition(b"/")[0])
    return 1 + (running - 1) // len(os.sched_getaffinity(0))


def dies_with_us():
    """For a child that a test which is killed is not to leave behind."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def read(path):
    """What a file of /proc holds, or nothing if the process is gone."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def stat_of(pid):
    """The fields of /proc/PID/stat from the third on."""
    return read("/proc/%d/stat" % pid).rpartition(b")")[2].split()


def children_of(pid):
    """The process ids of its children, those that have ended and were not waited for too."""
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid), "rb") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return [child for child in pids if stat_of(child)[1:2] == [b"%d" % pid]]


def cpu_of(pids):
    """Seconds that they have used so far, in ticks of TICK seconds."""
    fields = filter(None, map(stat_of, pids))
    return sum(int(field[11]) + int(field[12]) for field in fields) * TICK


def memory_of(pids, kind=b"Pss:"):
    """Bytes: Pss, of which what several share is counted once, in shares; Rss counts all of it for each."""
    total = 0
    for pid in pids:
        for line in read("/proc/%d/smaps_rollup" % pid).splitlines():
            if line.startswith(kind):
                total += int(line.split()[1]) * 1024
    return total


class Server:
    """Listens on a free port of 127.0.0.1, and is killed at the end of the block at the latest."""

    def __init__(self, program, role, *operands, name="us", front=(), stdout=subprocess.DEVNULL, files=None,
                 is_hurt=False):
        """front: what to put before it; stdout: as of Popen; files: its RLIMIT_NOFILE.

        is_hurt: that its workers are killed is no failure of its own.
        """
        self.name, self.is_hurt = name, is_hurt

        def prepare():
            dies_with_us()
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if files:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

        words = [*front, program, role, "-k", "-l", "127.0.0.1:0", *operands]
        with open(name + ".err", "wb") as errors:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=stdout, stderr=errors,
                env=environment() if is_hurt else None, preexec_fn=prepare, bufsize=0,
            )
        self.pid = self.process.pid
        try:
            self.port = int(wait_for(self._listening, "the server to listen")[1])
            self._warm_up()
        except BaseException:
            self.__exit__(None)
            raise
        self.before = self.descriptors()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.kill()
        self.process.wait()
        if kind is not None:
            sys.stderr.write("".join(self.said().splitlines(keepends=True)[-20:]))

    def _listening(self):
        if self.process.poll() is not None:
            raise Failed("the server ends at once: %s" % self.said())
        return re.search(r"listening on .*:([0-9]+)\n", self.said())

    def _warm_up(self):
        """One connection of no use: behind it, the server has open what it needs."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            wait_for(self.children, "the first worker")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wait_for(lambda: not self.children(), "the end of the first worker")

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port

    def said(self):
        return read(self.name + ".err").decode(errors="replace")

    def children(self):
        return children_of(self.pid)

    def descriptors(self):
        """What each is, by number."""
        found = {}
        for name in os.listdir("/proc/%d/fd" % self.pid):
            try:
                found[int(name)] = os.readlink("/proc/%d/fd/%s" % (self.pid, name))
            except FileNotFoundError:
                pass
        return found

    def settle(self, limit=120.0):
        """Waits until no child is left, zombies included, and the descriptors are those of the beginning."""

        def told():
            return "%s: children %s, descriptors %s, before %s" % (
                "nothing left of the clients", self.children(), self.descriptors(), self.before)

        def settled():
            if self.process.poll() is not None:
                raise Failed("the server has ended: %d" % self.process.returncode)
            return not self.children() and self.descriptors() == self.before

        wait_for(settled, told, limit)

    def idle_cpu(self, seconds):
        """The CPU seconds that it and its children use in so many seconds in which nothing happens."""
        pids = [self.pid, *self.children()]
        begin = cpu_of(pids)
        time.sleep(seconds)
        return cpu_of(pids) - begin

    def end(self, limit=120.0):
        """SIGTERM: it dies of that, and of its children nothing is left."""
        children = self.children()
        self.process.terminate()
        try:
            status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise Failed("the server does not end on SIGTERM") from None
        if status != -signal.SIGTERM:
            raise Failed("the server's end on SIGTERM: %d" % status)
        left = [pid for pid in children if stat_of(pid)]
        if left:
            raise Failed("it leaves children behind: %s" % left)
        complaints = [line for line in self.said().splitlines() if COMPLAINT.search(line)]
        if not self.is_hurt:
            complaints += [line for line in self.said().splitlines() if KILLED in line]
        if complaints:
            raise Failed("%d complaints: %s" % (len(complaints), complaints[0]))


class Sampler(threading.Thread):
    """The most children of a server, and the most memory of them together, while it runs."""

    def __init__(self, server, pause=0.05):
        super().__init__(daemon=True)
        self.server, self.pause = server, pause
        self.most = self.memory = self.samples = 0
        self.over = threading.Event()

    def sample(self):
        children = self.server.children()
        self.most = max(self.most, len(children))
        self.memory = max(self.memory, memory_of(children))
        self.samples += 1

    def run(self):
        while not self.over.wait(self.pause):
            self.sample()

    def end(self):
        self.over.set()
        self.join()


def run(main, limit):
    """Runs main under a limit in seconds; exit status 1 and a line for a promise that was not kept."""

    def expire(*_):
        os.write(2, b"out of time\n")
        os._exit(3)

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        sys.exit(main())
    except Failed as failure:
        print("failed:", failure, flush=True)
        # Threads may still wait for a client; nobody waits for them any more.
        os._exit(1)
