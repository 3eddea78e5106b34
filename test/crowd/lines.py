"""Lines of many clients, merged on one stdout.

usage: lines.py [--clients N] [--lines N] [--seed N] timely|merge SOCKXFER

  timely   three clients start a third of a second apart, and each sends a line a second, five of them: every line
           is out within a tenth of a second of its sending, and on a machine that is busy still before the next.
           This process is both the clients and the reader, so there is but one clock. Who is late has a second
           try.
  merge    the clients send as fast as they can, lines of 0 to 10,000 bytes, some of them without a newline
           behind the last one; others break off in a line, by reset or killed. The output is whole lines, those
           of each client in their order, all of those who ended their stream, with a newline each, and the whole
           ones of the others.
"""

import argparse
import collections
import os
import random
import select
import signal
import socket
import subprocess
import time

import clients
from server import Failed, Server, dies_with_us, run, times_busy

LIMIT = 900  # seconds for all
WITHIN = 0.1
APART, EACH, PERIOD = 1 / 3, 5, 1.0
NEVER = 120  # seconds after which a line does not come any more
LONGEST = 10000
SPAN = 1 << 20  # bytes, of which each line is a part
BROKEN = 4  # clients that break off
BEFORE = 3  # whole lines that they send before
NOBODY = iter(())


def timely(program):
    """Returns the worst delay in seconds."""
    with Server(program, "recv", "-", stdout=subprocess.PIPE) as server:
        begin = time.monotonic() + 0.2
        plan = [(begin + APART * client + PERIOD * number, client, number)
                for client in range(3) for number in range(EACH)]
        worst = TimelyReader(server).run(sorted(plan))
        server.settle()
        server.end()
    return worst


class TimelyReader:
    """Sends lines as planned, and reads them meanwhile."""

    def __init__(self, server):
        self.port = server.port
        self.stdout = server.process.stdout.fileno()
        self.connections, self.sent, self.worst, self.rest = {}, {}, 0.0, b""

    def run(self, plan):
        for when, client, number in plan:
            self.read_until(when)
            if client not in self.connections:
                self.connections[client] = socket.create_connection(("127.0.0.1", self.port))
            line = b"line %d of client %d" % (number, client)
            self.sent[line] = time.monotonic()
            self.connections[client].sendall(line + b"\n")
            if number == EACH - 1:
                self.connections[client].close()
        self.read_until(time.monotonic() + NEVER, lambda: not self.sent)
        if self.sent or self.rest:
            raise Failed("never came: %s; left over: %r" % (list(self.sent), self.rest))
        return self.worst

    def read_until(self, when, is_enough=lambda: False):
        while (left := when - time.monotonic()) > 0 and not is_enough():
            if not select.select([self.stdout], [], [], left)[0]:
                return
            chunk = os.read(self.stdout, 1 << 16)
            now = time.monotonic()
            *lines, self.rest = (self.rest + chunk).split(b"\n")
            for line in lines:
                if line not in self.sent:
                    raise Failed("not a line that was sent: %r" % line)
                self.worst = max(self.worst, now - self.sent.pop(line))


def text_of(seed):
    """Bytes of which lines are made: any but the newline."""
    return random.Random(seed).randbytes(SPAN + LONGEST).replace(b"\n", b"N")


def lines_of(client, count, seed, text):
    chance = random.Random("%s %s" % (seed, client))
    for number in range(count):
        start, length = int(chance.random() * SPAN), int(chance.random() * (LONGEST + 1))
        yield b"%d %d %s" % (client, number, text[start:start + length])


def send_lines(port, client, count, seed, text):
    """A process that sends them; those of an odd number leave out the last newline."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        dies_with_us()
        connection = socket.create_connection(("127.0.0.1", port))
        batch = []
        for line in lines_of(client, count, seed, text):
            batch += [line, b"\n"]
            if len(batch) == 32:
                last = batch.pop() if client % 2 else b""
                connection.sendall(b"".join(batch))
                batch = [last]
        if client % 2 and batch[-1] == b"\n":
            batch.pop()
        connection.sendall(b"".join(batch))
        connection.shutdown(socket.SHUT_WR)
        said = b""
        while chunk := connection.recv(4096):
            said += chunk
        status = 0 if clients.STORED in said else 2
    finally:
        os._exit(status)


class Broken:
    """A client that breaks off in a line, once the whole ones before are out; a real sender, or a socket."""

    def __init__(self, program, port, client):
        self.lines = [b"%d %d broken" % (client, number) for number in range(BEFORE)]
        data = b"\n".join([*self.lines, b"%d unfinished" % client])
        if client % 2:
            self.sender = clients.Client(program, port, data, None).start()
            clients.feed(self.sender, data)
        else:
            self.sender = None
            self.connection = socket.create_connection(("127.0.0.1", port))
            self.connection.sendall(data)

    def break_off(self):
        if self.sender:
            clients.kill(self.sender)
        else:
            clients.reset(self.connection)


class Merged:
    """Takes the output apart again; clients go by the word that their lines begin with."""

    def __init__(self, expected, broken):
        self.expected, self.broken = expected, broken
        self.count = collections.Counter()
        self.rest, self.bytes = b"", 0

    def take(self, chunk):
        self.bytes += len(chunk)
        lines = chunk.split(b"\n")
        lines[0] = self.rest + lines[0]
        self.rest = lines.pop()
        for line in lines:
            client = line[:line.find(b" ")]
            if next(self.expected.get(client, NOBODY), None) != line:
                raise Failed("not the next line of a client: %r, after %d of %r"
                             % (line[:60], self.count[client], client))
            self.count[client] += 1
            if client in self.broken and self.count[client] == BEFORE:
                self.broken[client].break_off()


def merge(program, count, lines, seed):
    """Returns how many bytes came, and in how many seconds."""
    text = text_of(seed)
    numbers = range(count, count + BROKEN)
    with Server(program, "recv", "-", stdout=subprocess.PIPE) as server:
        stdout = server.process.stdout.fileno()
        broken = {b"%d" % client: Broken(program, server.port, client) for client in numbers}
        merged = Merged({client: iter(one.lines) for client, one in broken.items()}, broken)
        merged.expected.update((b"%d" % client, lines_of(client, lines, seed, text)) for client in range(count))
        began = time.monotonic()
        pids = [send_lines(server.port, client, lines, seed, text) for client in range(count)]
        while sum(merged.count.values()) < count * lines + BROKEN * BEFORE:
            if not select.select([stdout], [], [], 120)[0]:
                raise Failed("%d lines came, and no more" % sum(merged.count.values()))
            if not (chunk := os.read(stdout, 1 << 20)):
                raise Failed("the output ends after %d lines" % sum(merged.count.values()))
            merged.take(chunk)
        seconds = time.monotonic() - began
        wrong = [status for pid in pids if (status := os.waitpid(pid, 0)[1])]
        if wrong:
            raise Failed("%d clients were not told that it is stored" % len(wrong))
        server.settle()
        server.end()
        if rest := merged.rest + server.process.stdout.read():
            raise Failed("left over: %r" % rest[:60])
    return merged.bytes, seconds


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--lines", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("what", choices=["timely", "merge"])
    parser.add_argument("program")
    chosen = parser.parse_args()

    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    if chosen.what == "timely":
        worst = timely(chosen.program)
        if worst > WITHIN:
            print("a line took %.1f ms; once more" % (1000 * worst), flush=True)
            worst = timely(chosen.program)
        print("%d lines: the slowest was out after %.1f ms" % (3 * EACH, 1000 * worst))
        return 0 if worst <= min(WITHIN * times_busy(), PERIOD) else 1
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(1 << 32)
    print("seed", seed, flush=True)
    total, seconds = merge(chosen.program, chosen.clients, chosen.lines, seed)
    print("%d clients, %d lines each: %.1f GB in %.1f s, %.0f MB/s"
          % (chosen.clients, chosen.lines, total / 1e9, seconds, total / 1e6 / seconds))
    return 0


run(main, LIMIT)
