"""One server and many at once: small transfers into it, and one file out of it."""

import concurrent.futures
import contextlib
import dataclasses
import hashlib
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import measure
from quick import Spawned
from transfer import Run

HOST = "127.0.0.1"
SIZE = 1 << 10  # of a small file
SENDS, AT_ONCE = 400, 8  # in a round
FILE = 256 << 20  # of the one that is served, at the most
RECEIVERS = 20
LIMIT = 300  # seconds for one round
CHUNK = 1 << 20


@dataclasses.dataclass(frozen=True)
class Way:
    """A server, and a client that is natural to it; in the words names stand for what they do in peers.py, OUT for a directory."""

    name: str
    serve: str
    client: str
    each: bool = True  # into the server: each transfer becomes a file of its own
    http: bool = False


LISTEN = "TCP-LISTEN:PORT,bind=HOST,reuseaddr,fork,backlog=128"
INTO = [
    Way("sockxfer", "PROGRAM recv -k -l HOST:PORT OUT", "PROGRAM send -q -V HOST:PORT IN"),
    Way("socat-fork", f"socat -u {LISTEN} OPEN:OUT/all,creat,append", "socat -u FILE:IN TCP:HOST:PORT", each=False),
    Way("socat-fork-cat", f"socat -u {LISTEN} SYSTEM:'cat >OUT/$$'", "socat -u FILE:IN TCP:HOST:PORT"),
    Way("ncat-cat", "ncat -k --sh-exec 'cat >OUT/$$' -l HOST PORT", "ncat --send-only HOST PORT"),
]
# -U: the second address is opened by each child, so that each has an offset of its own.
OUT_OF = [
    Way("sockxfer", "PROGRAM send -k -q -l HOST:PORT IN", "PROGRAM recv -q HOST:PORT"),
    Way("socat-fork", f"socat -U {LISTEN} FILE:IN", "socat -u TCP:HOST:PORT STDOUT"),
    Way("socat-fork-1m", f"socat -U -b 1048576 {LISTEN} FILE:IN", "socat -u -b 1048576 TCP:HOST:PORT STDOUT"),
    Way("ncat-cat", "ncat -k --sh-exec 'cat IN' -l HOST PORT", "ncat --recv-only HOST PORT"),
    Way("http.server", "PYTHON -m http.server -b HOST -d OUT PORT", "curl -s http://HOST:PORT/source", http=True),
]


class Many:
    """One way, its server and the directory that it works in."""

    def __init__(self, bench, way, directory):
        self.way = way
        self.source, self.output = directory / "source", directory / "out"
        self.names = {
            "PROGRAM": bench.program, "PYTHON": sys.executable, "HOST": HOST, "PORT": str(measure.free_port()),
            "IN": str(self.source), "OUT": str(self.output),
        }
        self.port = int(self.names["PORT"])

    def words(self, template):
        names = "|".join(self.names)
        words = [re.sub(rf"(?<![A-Z])({names})(?![A-Z])", lambda found: self.names[found[1]], word)
                 for word in shlex.split(template)]
        return [shutil.which(words[0]) or words[0], *words[1:]]

    @contextlib.contextmanager
    def server(self):
        server = measure.Process(self.words(self.way.serve), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            measure.wait_for(lambda: server.status is not None or measure.is_listening(self.port), self.way.name)
            yield server
        finally:
            server.close()

    def end(self, server):
        """Its CPU seconds with those of its children."""
        children = pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/children")
        with contextlib.suppress(OSError):
            measure.wait_for(lambda: not children.read_bytes(), "the server's children to end")
        server.signal(signal.SIGTERM)
        server.wait(time.monotonic() + measure.WAIT)
        return server.cpu

    def client(self, stdout=os.devnull):
        child = Spawned(self.words(self.way.client), stdin=str(self.source), stdout=stdout)
        try:
            return child.wait()
        finally:
            child.close()


def installed(bench, ways):
    """Those of tools that are installed and wanted."""
    wanted = {tool.name.split("-")[0] for tool in bench.tools}
    return [way for way in ways if way.name.split("-")[0] in wanted
            or way.http and "python" in wanted and shutil.which("curl")]


### Small transfers into a server


def many(bench):
    """small files of 1 KB into one server, eight senders at once, and as plain sockets (many-raw)"""
    for index in range(bench.rounds):
        for way in installed(bench, INTO):
            for case in ("many", "many-raw"):
                yield small_round(bench, index, way, case)


def small_round(bench, index, way, case):
    """One row for SENDS sends: the time and the server's CPU are of one, on the average."""
    directory = bench.fast()
    work = Many(bench, way, directory)
    measure.make_file(work.source, SIZE)
    work.output.mkdir()
    try:
        with measure.deadline(LIMIT, way.name):
            send = plain_sender(work) if case == "many-raw" else work.client
            seconds, cpu, good = send_many(work, send)
            verdict = "ok" if good and is_stored(work) else "wrong"
        return Run(case, way.name, SIZE, index, seconds / SENDS, None, cpu / SENDS, ok=verdict)
    except (measure.Failed, OSError) as failure:
        print(f"bench: {case}: {way.name}: {failure}", file=sys.stderr)
        return Run(case, way.name, SIZE, index, ok="failed")
    finally:
        shutil.rmtree(work.output)
        work.source.unlink()


def send_many(work, send):
    """Returns the seconds until all is there, the server's CPU, and whether all senders were content."""
    with work.server() as server, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        began = time.monotonic()
        try:
            statuses = list(pool.map(lambda _: send(), range(SENDS)))
        except BaseException:
            server.close()  # which ends the senders, for which the pool waits
            raise
        # A sender that gets no receipt may have ended before it was even accepted.
        measure.wait_for(lambda: arrived(work), "all to arrive")
        seconds = time.monotonic() - began
        return seconds, work.end(server), not any(statuses)


def arrived(work):
    return sum(entry.stat().st_size for entry in os.scandir(work.output)) >= SENDS * SIZE


def plain_sender(work):
    """The same for all servers: ends its stream, and waits until the server has closed."""
    data = work.source.read_bytes()

    def send():
        with socket.create_connection((HOST, work.port), LIMIT) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass

    return send


def is_stored(work):
    """Whether it is all right, too."""
    data = work.source.read_bytes()
    if not work.way.each:
        return (work.output / "all").read_bytes() == data * SENDS
    files = list(work.output.iterdir())
    return len(files) == SENDS and all(file.read_bytes() == data for file in files)


### One file to many receivers


def serve(bench):
    """one file of 256 MB to 20 receivers at once, which are all alike, and as is usual (serve-own)"""
    directory = bench.fast()
    size = bench.fitting(directory, FILE)
    output = directory / "out"
    output.mkdir()
    source = output / "source"
    measure.make_file(source, size)
    expected = hashlib.sha1(source.read_bytes()).digest()
    try:
        for index in range(bench.rounds):
            for way in installed(bench, OUT_OF):
                for case in ("serve", "serve-own"):
                    work = Many(bench, way, directory)
                    work.source, work.names["IN"] = source, str(source)
                    yield serve_round(work, index, case, size, None if index else expected)
    finally:
        shutil.rmtree(output)


def serve_round(work, index, case, size, expected):
    """In the first round, one more receiver compares the bytes: the others only count them."""
    way = work.way
    receive = work.client if case == "serve-own" else lambda: plain_receiver(work, size)
    try:
        with measure.deadline(LIMIT, way.name), work.server() as server:
            right = expected is None or digest_of(work) == expected
            seconds, good = receive_all(server, receive)
            cpu = work.end(server)
        return Run(case, way.name, size, index, seconds, cpu, ok="ok" if right and good else "wrong")
    except (measure.Failed, OSError) as failure:
        print(f"bench: {case}: {way.name}: {failure}", file=sys.stderr)
        return Run(case, way.name, size, index, ok="failed")


def receive_all(server, receive):
    """Returns the seconds from the start of the first to the end of the last, and whether all have got it."""
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(receive()), daemon=True) for _ in range(RECEIVERS)]
    began = time.monotonic()
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
    except BaseException:
        server.close()
        raise
    return time.monotonic() - began, statuses == [0] * RECEIVERS


def connect(work):
    """What to read the file from; of HTTP/1.0, which ends with the connection, behind the header."""
    connection = socket.create_connection((HOST, work.port), LIMIT)
    if not work.way.http:
        return connection, b""
    connection.sendall(b"GET /source HTTP/1.0\r\n\r\n")
    begin = b""
    while b"\r\n\r\n" not in begin and (chunk := connection.recv(4096)):
        begin += chunk
    return connection, begin.partition(b"\r\n\r\n")[2]


def plain_receiver(work, size):
    """Reads and forgets: the interpreter lets go of its lock meanwhile, so threads are no worse than processes."""
    buffer = bytearray(CHUNK)
    connection, begin = connect(work)
    count = len(begin)
    with connection:
        while got := connection.recv_into(buffer):
            count += got
    return 0 if count == size else 1


def digest_of(work):
    """Of what one receiver gets."""
    connection, begin = connect(work)
    digest = hashlib.sha1(begin)
    with connection:
        while chunk := connection.recv(CHUNK):
            digest.update(chunk)
    return digest.digest()


ALL = {"many": many, "serve": serve}
