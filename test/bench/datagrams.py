"""Datagrams into a file, as fast as our sender sends them: how many arrive."""

import contextlib
import dataclasses
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import measure
from transfer import Run

COUNT, SIZE = 200_000, 300  # of a round; the size is that of a line, whose newline does not travel
HOST = "127.0.0.1"
LIMIT = 300  # seconds for one round


@dataclasses.dataclass(frozen=True)
class Receiver:
    """In the words stand PROGRAM, HOST, PORT and OUT for what they are; without OUT it is stdout."""

    name: str
    words: str
    line: int  # bytes that a datagram becomes


RECEIVERS = [
    Receiver("sockxfer", "PROGRAM recv -q -l udp:HOST:PORT OUT", SIZE),
    Receiver("nc", "nc.openbsd -u -d -l HOST PORT", SIZE - 1),
    Receiver("ncat", "ncat -u --recv-only -l HOST PORT", SIZE - 1),
    Receiver("socat", "socat -u UDP-RECV:PORT,bind=HOST STDOUT", SIZE - 1),
]


def waiting(port):
    """The bytes that wait at the port, or None if no program has it."""
    for line in pathlib.Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(":")[1], 16) == port:
            return int(fields[4].split(":")[1], 16)
    return None


@contextlib.contextmanager
def running(bench, receiver, port, output):
    names = {"PROGRAM": bench.program, "OUT": str(output)}
    words = receiver.words.replace("HOST", HOST).replace("PORT", str(port)).split()
    words = [names.get(word, word) for word in words]
    stdout = subprocess.DEVNULL if str(output) in words else open(output, "wb")
    process = measure.Process(words, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL)
    try:
        measure.wait_for(lambda: process.status is not None or waiting(port) is not None, receiver.name)
        yield process
    finally:
        process.close()
        if stdout is not subprocess.DEVNULL:
            stdout.close()


def one_round(bench, index, receiver, source, output):
    """The row has the bytes that arrived, and the time in which all were sent and taken."""
    port = measure.free_port()
    output.unlink(missing_ok=True)
    with measure.deadline(LIMIT, receiver.name), running(bench, receiver, port, output) as process:
        began = time.monotonic()
        sender = measure.Process([bench.program, "send", "-q", f"udp:{HOST}:{port}", source],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        sender.wait(began + measure.WAIT)
        measure.wait_for(lambda: not waiting(port), "all to be taken")
        seconds = time.monotonic() - began
        process.signal(signal.SIGTERM)
        process.wait(time.monotonic() + measure.WAIT)
        size = output.stat().st_size if output.exists() else 0
        lines = size // receiver.line
        is_good = sender.status == 0 and 0 < lines <= COUNT and lines * receiver.line == size
        return Run("udp", receiver.name, lines * SIZE, index, seconds, sender.cpu, process.cpu, sender.peak,
                   process.peak, "ok" if is_good else "wrong")


def udp(bench):
    """200,000 datagrams of 300 bytes, sent by us at full speed, and how many arrive in a file"""
    directory = bench.fast()
    source, output = directory / "source", directory / "output"
    source.write_text("".join(f"{number:0{SIZE - 1}}\n" for number in range(COUNT)), encoding="ascii")
    wanted = {tool.name.split("-")[0] for tool in bench.tools}
    chosen = [each for each in RECEIVERS if each.name in wanted or each.name == "sockxfer"]
    chosen = [each for each in chosen if each.name == "sockxfer" or shutil.which(each.words.split()[0])]
    try:
        for index in range(bench.rounds):
            for receiver in chosen:
                try:
                    yield one_round(bench, index, receiver, source, output)
                except (measure.Failed, OSError) as failure:
                    print(f"bench: udp: {receiver.name}: {failure}", file=sys.stderr)
                    yield Run("udp", receiver.name, 0, index, ok="failed")
    finally:
        for path in (source, output):
            path.unlink(missing_ok=True)


ALL = {"udp": udp}
