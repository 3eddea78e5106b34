"""What takes a few milliseconds, done many times: small files, and the start of each program."""

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import signal
import statistics
import sys
import time

import encrypted
import measure
import peers
from transfer import Run

SIZE = 1 << 10  # of a small file
SENDS = 100  # in a round
STARTS = 20
LIMIT = 300  # seconds for one round


class Spawned:
    """A child started by posix_spawn, which takes a third of the time that subprocess does."""

    def __init__(self, words, stdin=os.devnull, stdout=os.devnull, stderr=None):
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        ]
        if stderr is None:
            actions.append((os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0))
        else:
            actions.append((os.POSIX_SPAWN_DUP2, stderr, 2))
        self.cpu = 0
        self.status = None
        self.pid = os.posix_spawn(words[0], words, os.environ, file_actions=actions)

    def wait(self):
        if self.status is None:
            _, status, usage = os.wait4(self.pid, 0)
            self.status = os.waitstatus_to_exitcode(status)
            self.cpu = usage.ru_utime + usage.ru_stime
        return self.status

    def close(self):
        """Kills it, unless it has been waited for."""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()


class Small:
    """Sends a small file again and again, in one of the ways below, and counts what arrived whole."""

    def __init__(self, bench, directory):
        self.program = bench.program
        self.source = str(directory / "source")
        self.output = directory / "output"
        self.secrets = str(directory / "secrets")
        measure.make_file(self.source, SIZE)
        self.data = pathlib.Path(self.source).read_bytes()
        self.sending = self.cpu_send = self.cpu_recv = 0.0
        self.whole = 0

    def words(self, template, port=0):
        names = peers.Words(self.program, port, "", self.source, str(self.output), secrets=self.secrets)
        tool = peers.Tool("small", template, file_source="IN", file_sink="OUT")
        words, _ = names.fill(tool, template)
        return [shutil.which(words[0]) or words[0], *words[1:]]

    def pairs(self, count, template_receive, template_send, to_stdout):
        """A receiver and a sender for each file; the time is counted from the sender's start on."""
        for _ in range(count):
            with contextlib.ExitStack() as stack:
                self.output.unlink(missing_ok=True)
                stdout = str(self.output) if to_stdout else os.devnull
                receiver, port = self.receiver(stack, template_receive, stdout)
                began = time.monotonic()
                sender = self.sender(stack, self.words(template_send, port))
                status = sender.wait() or receiver.wait()
                self.sending += time.monotonic() - began
                self.cpu_send += sender.cpu
                self.cpu_recv += receiver.cpu
                self.whole += status == 0 and self.output.read_bytes() == self.data

    def receiver(self, stack, template, stdout):
        if not template.startswith("PROGRAM"):
            port = measure.free_port()
            child = Spawned(self.words(template, port), stdout=stdout)
            stack.callback(child.close)
            measure.wait_for(lambda: measure.is_listening(port), template, pause=0.0001)
            return child, port
        reading, writing = os.pipe()
        stack.callback(os.close, reading)
        try:
            child = Spawned(self.words(template), stdout=stdout, stderr=writing)
        finally:
            os.close(writing)
        stack.callback(child.close)
        said = os.read(reading, 4096)
        found = re.search(rb"listening on .*:([0-9]+)\n", said)
        if found is None:
            raise measure.Failed(f"sockxfer said: {said!r}")
        return child, int(found[1])

    def sender(self, stack, words):
        child = Spawned(words, stdin=self.source)
        stack.callback(child.close)
        return child

    def server(self, count, template_receive, template_send):
        """One server for all; what it has got, it tells nobody."""
        with contextlib.ExitStack() as stack:
            receiver, port = self.receiver(stack, template_receive, os.devnull)
            words = self.words(template_send, port)
            for _ in range(count):
                began = time.monotonic()
                sender = self.sender(stack, words)
                status = sender.wait()
                self.sending += time.monotonic() - began
                self.cpu_send += sender.cpu
                self.whole += status == 0


NC_SEND = "nc.openbsd -N 127.0.0.1 PORT"
# The name, the tool that has to be there, the receiver, the sender, and how.
WAYS = [
    (
        "sockxfer",
        "sockxfer",
        "PROGRAM recv -l 127.0.0.1:0 OUT",
        "PROGRAM send -q -V 127.0.0.1:PORT IN",
    ),
    (
        "sockxfer-key",
        "sockxfer-key",
        "PROGRAM recv -K SECRETS/key -l 127.0.0.1:0 OUT",
        "PROGRAM send -K SECRETS/key -q -V 127.0.0.1:PORT IN",
    ),
    ("nc", "nc", "nc.openbsd -d -l 127.0.0.1 PORT", NC_SEND),
    (
        "nc-to-socat-fork",
        "socat",
        "socat -u TCP-LISTEN:PORT,bind=127.0.0.1,reuseaddr,fork,backlog=64 CREATE:/dev/null",
        NC_SEND,
    ),
]


def small(bench):
    """small files of 1 KB, one after the other"""
    there = {tool.name for tool in bench.tools}
    ways = [way for way in WAYS if way[1] in there]
    ways = [way for way in ways if not way[3].startswith("nc.") or "nc" in there]
    with encrypted.secrets_in(bench.fast(), bench.program):
        for index in range(bench.rounds):
            for name, _, receive, send in ways:
                yield from small_round(bench, index, name, receive, send)


def small_round(bench, index, name, receive, send):
    """One row for SENDS sends: the time and the CPU are of one, on the average.

    It counts from the start of the sender; in small-pairs also the receiver's start, until it listens.
    """
    directory = bench.fast()
    work = Small(bench, directory)
    began = time.monotonic()
    pairs = None
    try:
        with measure.deadline(LIMIT, name):
            if "fork" in receive:
                work.server(SENDS, receive, send)
            else:
                work.pairs(SENDS, receive, send, "OUT" not in receive)
        pairs = time.monotonic() - began
        verdict = "ok" if work.whole == SENDS else "wrong"
    except (measure.Failed, OSError) as failure:
        print(f"bench: small: {name}: {failure}", file=sys.stderr)
        verdict = "failed"
    if not work.whole:
        yield Run("small", name, SIZE, index, ok=verdict)
        return
    count = work.whole
    cpus = work.cpu_send / count, work.cpu_recv / count if work.cpu_recv else None
    yield Run("small", name, SIZE, index, work.sending / count, *cpus, ok=verdict)
    if receive.startswith("PROGRAM"):
        # Of nc this would tell how long we look for its listener.
        yield Run("small-pairs", name, SIZE, index, pairs and pairs / count, *cpus, ok=verdict)


def startup(bench):
    """the start of the program, to print its version (python: with what the script imports)"""
    tools = [tool for tool in bench.tools if tool.version and len(tool.name.split("-")) == 1]
    for index in range(bench.rounds):
        for tool in tools:
            names = peers.Words(bench.program)
            words, _ = names.fill(tool, tool.start or tool.version)
            words[0] = shutil.which(words[0])
            with measure.deadline(LIMIT, shlex.join(words)):
                times = [start(words) for _ in range(STARTS)]
            yield Run("startup", tool.name, 0, index, statistics.median(times))


def start(words):
    began = time.monotonic()
    child = Spawned(words)
    try:
        child.wait()
    finally:
        child.close()
    return time.monotonic() - began


ALL = {"small": small, "startup": startup}
