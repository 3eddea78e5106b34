"""Processes whose time, CPU and memory are measured, and what is outside the measured time."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

PAUSE = 0.0005
WAIT = 120  # seconds for what is a matter of milliseconds: a listener, the end of a process that was killed
CHUNK = 1 << 20
SHARE = 0.6  # of the free memory, that our files in a tmpfs may take

# From <sys/ptrace.h>.
PTRACE_CONT, PTRACE_SEIZE = 7, 0x4206
PTRACE_O_TRACEEXIT, PTRACE_EVENT_EXIT = 0x40, 6

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.restype = ctypes.c_long
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Failed(Exception):
    """A run could not be done, or did not come to its end."""


class Process:
    """A child, its end, its CPU seconds and its peak of memory in bytes (None where it is not known).

    ru_maxrss is of no use for the memory: it counts what the process was before its exec, too, so that
    nothing seems smaller than this interpreter. VmHWM is the program's own, but is gone when it has ended.
    So we have the kernel stop it on its way out, by ptrace(2); until then that costs it nothing.
    """

    def __init__(self, words, **streams):
        self.words = [str(word) for word in words]
        self.status = self.began = self.ended = self.cpu = self.peak = None
        self._child = self._error = None
        self._started = threading.Event()
        # A thread of its own, for what waits for a traced process must be what traces it.
        self._thread = threading.Thread(target=self._run, args=(streams,), daemon=True)
        self._thread.start()
        self._started.wait()
        if self._error:
            raise Failed(f"{words[0]}: {self._error}")

    def _run(self, streams):
        self.began = time.monotonic()
        try:
            self._child = subprocess.Popen(self.words, **streams)
        except OSError as error:
            self._error = error
            return
        finally:
            self._started.set()
        pid = self._child.pid
        LIBC.ptrace(PTRACE_SEIZE, pid, None, PTRACE_O_TRACEEXIT)
        while True:
            _, status, usage = os.wait4(pid, 0)
            if not os.WIFSTOPPED(status):
                break
            self._go_on(pid, status)
        self.cpu = usage.ru_utime + usage.ru_stime
        self.status = os.waitstatus_to_exitcode(status)
        self._child.returncode = self.status  # so that subprocess does not look for it
        self.ended = time.monotonic()

    def _go_on(self, pid, status):
        """Lets a stopped process go on; it stops at its end, and for each signal that it gets."""
        event, stopped_by = status >> 16, os.WSTOPSIG(status)
        if event == PTRACE_EVENT_EXIT:
            self.peak = memory_peak(pid)
        LIBC.ptrace(PTRACE_CONT, pid, None, 0 if event else stopped_by)

    @property
    def pid(self):
        return self._child.pid

    def wait(self, deadline):
        self._thread.join(max(0, deadline - time.monotonic()))
        if self._thread.is_alive():
            raise Failed(f"{self.words[0]} does not end")

    def signal(self, number):
        """Goes by a descriptor of the process: its number might be another's by now."""
        with contextlib.suppress(ProcessLookupError):
            if self.ended is None:
                descriptor = os.pidfd_open(self.pid)
                try:
                    signal.pidfd_send_signal(descriptor, number)
                finally:
                    os.close(descriptor)

    def close(self):
        self.signal(signal.SIGKILL)
        self._thread.join(WAIT)


def memory_peak(pid):
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def wait_for(condition, what, pause=PAUSE):
    deadline = time.monotonic() + WAIT
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise Failed(f"waited in vain for {what}")
        time.sleep(pause)
    return value


def is_listening(port, tables="/proc/net"):
    """Whether something listens on the port: looked up, as a connection would be taken for the sender."""
    wanted = f":{port:04X}"
    for table in ("tcp", "tcp6"):
        path = f"{tables}/{table}"
        with contextlib.suppress(FileNotFoundError), open(path, encoding="ascii") as lines:
            for line in lines:
                fields = line.split(None, 4)
                if fields[3] == "0A" and fields[1].endswith(wanted):
                    return True
    return False


def is_listening_unix(path):
    ending = f" {path}\n"
    with open("/proc/net/unix", encoding="utf-8") as lines:
        return any(line.endswith(ending) and line.split()[3] == "00010000" for line in lines)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def deadline(seconds, what):
    """Ends what blocks: for the cases that start their processes one by one without a thread each."""

    def expire(*_):
        raise Failed(f"{what}: {seconds} s were not enough")

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def file_system(path):
    """The type of the file system that the path is on."""
    path = os.path.realpath(path)
    best, found = "", "?"
    with open("/proc/mounts", encoding="utf-8") as lines:
        for _, point, kind, *_ in map(str.split, lines):
            inside = path == point or path.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best):
                best, found = point, kind
    return found


def room(directory):
    """How many bytes our files there may take together."""
    free = shutil.disk_usage(directory).free
    if file_system(directory) not in ("tmpfs", "ramfs"):
        return int(free * 0.8)
    with open("/proc/meminfo", encoding="ascii") as lines:
        facts = dict(line.split(":") for line in lines)
    return int(min(free, int(facts["MemAvailable"].split()[0]) * 1024) * SHARE)


def make_file(path, size):
    """Bytes that do not compress, and of which no two blocks are the same: the offset is in each."""
    block = bytearray(os.urandom(CHUNK))
    with open(path, "wb") as file:
        for offset in range(0, size, CHUNK):
            block[:8] = offset.to_bytes(8, "little")
            file.write(memoryview(block)[: size - offset])


def warm(directory, size):
    """Takes as much memory as a run is going to need, and gives it back just before.

    A virtual machine with free page reporting hands memory that has been free for about two seconds
    back to its host. The next one to allocate it, for the page cache or a tmpfs, has to wait for the
    host again, and is several times slower, at random. So what a run will need is used just before,
    outside of its time.
    """
    path = pathlib.Path(directory, "scratch")
    zeros = memoryview(bytes(CHUNK))
    left = size + size // 5
    try:
        with open(path, "wb", buffering=0) as file:
            while left > 0:
                left -= file.write(zeros[: min(left, CHUNK)])
    finally:
        path.unlink()
