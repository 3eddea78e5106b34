"""Cuts and damages encrypted transfers, at random offsets, over and over.

usage: cut_loop.py [--cuts N] [--seed N] SOCKXFER WAY

The ways: fin, reset, flip and swallow are done by a proxy between the two ends, at an offset of the bytes on the
wire, in either direction: it ends both connections by FIN or by RST, inverts a byte, or lets one get lost. kill is
SIGKILL of either end, at an offset of the data or at any time; kill-proxy is the same with a proxy between them,
which makes a clean end of a death, and kill-socat with socat for that proxy. The sender or the receiver listens,
and there is an old file with the output's name or none. After each:

- there is the whole new file, the old one as it was, or none; and nothing else beside it
- an end that lives ends by itself, with status 0 only if the whole file is there, and with 0 or the word "stored"
  of a sender only then, too
- if the encrypted data was damaged, or cut before its last byte, no end has status 0 and the old file is there
- an end that goes on listening, because it takes what happened for a stray's, serves the next that comes

Works in the current directory, where "key" is a key file. What went wrong is printed, a line each, and the exit
status is then 1. The seed is printed; the same seed gives the same offsets, though not the same scheduling.
"""

import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time

import aftermath
from aftermath import ENVIRONMENT, LIMIT, read_address, said

SIZE = 3 << 20
# What a record adds, and what a handshake and the receipt are at least.
ON_THE_WIRE = {"data": SIZE + 4000, "back": 300}
HANDSHAKE = 600  # no more, in either direction
IN_PROXY = ("fin", "reset", "flip", "swallow")


class Proxy:
    """Passes one connection on to a port. Damage is done once, at an offset of one direction."""

    def __init__(self, port, way=None, offset=0, of_client=True):
        self.port, self.way, self.offset, self.of_client = port, way, offset, of_client
        self.has_damaged = False
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.server.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        try:
            self.client, _ = self.server.accept()
            self.server.close()
            self.target = socket.create_connection(("127.0.0.1", self.port))
        except OSError:
            return
        back = threading.Thread(target=self.carry, args=(self.target, self.client, not self.of_client), daemon=True)
        back.start()
        self.carry(self.client, self.target, self.of_client)
        back.join(LIMIT)
        for connection in (self.client, self.target):
            connection.close()

    def carry(self, source, to, is_victim):
        passed = 0
        try:
            while chunk := source.recv(16384):
                at = self.offset - passed
                passed += len(chunk)
                if is_victim and self.way and 0 <= at < len(chunk):
                    self.has_damaged = True
                    chunk = self.damage(bytearray(chunk), at, to)
                    if chunk is None:
                        return
                to.sendall(chunk)
        except OSError:
            pass
        try:
            to.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def damage(self, chunk, at, to):
        if self.way == "flip":
            chunk[at] ^= 1 << (self.offset % 8)
            return chunk
        if self.way == "swallow":
            del chunk[at]
            return chunk
        to.sendall(chunk[:at])
        for connection in (self.client, self.target):
            if self.way == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RD)  # wakes the other thread, so that close is one
                connection.close()
            else:
                connection.shutdown(socket.SHUT_RDWR)
        return None

    def stop(self):
        self.server.close()


class Run:
    """One receiver and one sender, and what they left."""

    def __init__(self, program, listener, old, pipe, way, offset=0, direction="data"):
        self.program, self.listener, self.old, self.pipe = program, listener, old, pipe
        self.proxy = self.socat = None
        self.fed = 0
        aftermath.prepare(old)
        self.ends = {}
        self.spawn(listener, "-l", "127.0.0.1:0")
        self.address = read_address(listener)
        port = int(self.address.rpartition(":")[2])
        address = self.address
        if way in IN_PROXY or way == "kill-proxy":
            of_client = (direction == "data") == (listener == "recv")
            self.proxy = Proxy(port, way if way in IN_PROXY else None, offset, of_client)
            address = self.proxy.address
        if way == "kill-socat":
            self.socat = subprocess.Popen(
                ["socat", "-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1", "TCP:" + address],
                stdin=subprocess.DEVNULL, stderr=open("socat.err", "wb"),
            )
            address = read_address("socat")
        self.begin = time.monotonic()
        self.spawn("send" if listener == "recv" else "recv", address)

    def spawn(self, role, *address):
        arguments = [self.program, role, "-v", "-w", "8", "-K", "key", *address]
        stdin = subprocess.DEVNULL
        if role == "send" and self.pipe:
            arguments.append("-")
            stdin = subprocess.PIPE
        else:
            arguments.append("source" if role == "send" else "out/file")
        with open(role + ".err", "wb") as errors:
            self.ends[role] = subprocess.Popen(arguments, stdin=stdin, stderr=errors, env=ENVIRONMENT, bufsize=0)

    def await_connection(self):
        deadline = time.monotonic() + LIMIT
        while any("connected to" not in said(role) for role in self.ends):
            if time.monotonic() > deadline:
                raise SystemExit("they do not connect")
            time.sleep(0.001)

    def feed(self, size):
        """Writes the bytes of the source up to size into the sender's stdin, as long as it is there."""
        pipe = self.ends["send"].stdin.fileno()
        os.set_blocking(pipe, False)
        while self.fed < size:
            if not select.select([], [pipe], [], LIMIT)[1]:
                raise SystemExit("the sender does not read its stdin")
            try:
                self.fed += os.write(pipe, SOURCE[self.fed:min(size, self.fed + (64 << 10))])
            except BrokenPipeError:
                return

    def kill(self, victim):
        self.ends[victim].kill()
        self.ends[victim].wait()
        if victim == "send" and self.pipe:
            self.ends["send"].stdin.close()

    def serve_again(self):
        """Whether the listener still listens, and serves the next."""
        connector = self.ends["send" if self.listener == "recv" else "recv"]
        try:
            connector.wait(LIMIT)
            self.ends[self.listener].wait(0.05)
            return False
        except subprocess.TimeoutExpired:
            pass
        role, file = ("send", "source") if self.listener == "recv" else ("recv", "out/file")
        again = subprocess.Popen(
            [self.program, role, "-q", "-w", "60", "-K", "key", self.address, file],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT,
        )
        if self.listener == "send" and self.pipe:
            self.feed(SIZE)
            self.ends["send"].stdin.close()
        return again.wait(LIMIT) == 0

    def end(self):
        """Waits for all. Returns what does not end."""
        hung = aftermath.wait_for(self.ends)
        if self.pipe and not self.ends["send"].stdin.closed:
            self.ends["send"].stdin.close()
        if self.proxy:
            self.proxy.stop()
        if self.socat:
            self.socat.kill()
            self.socat.wait()
        return hung

    @staticmethod
    def left():
        return aftermath.left(SOURCE)


def check(run, again, victim, is_data_damaged):
    """Waits for the end. Returns what is wrong with it, in words."""
    wrong = run.end()
    left = run.left()
    wrong += aftermath.faults(left, run.old)
    for role, process in run.ends.items():
        status = process.returncode
        if role == victim:
            continue
        if status == 0 and left != "whole":
            wrong.append("%s: exit status 0 without the whole file" % role)
        if status == 0 and is_data_damaged and not (again and role == run.listener):
            wrong.append("%s: exit status 0 though the data did not arrive whole" % role)
        if status not in (0, 1, 3, 6, 7):
            wrong.append("%s: exit status %d" % (role, status))
    if ", stored" in said("send") and left != "whole":
        wrong.append("stored, said the sender")
    if is_data_damaged and left == "whole" and not again:
        wrong.append("stored, though the data was damaged")
    if again and run.ends[run.listener].returncode != 0:
        wrong.append("the one that came next was told success")
    return wrong


def one_of(chance, arguments, number, usual):
    """Does one. Returns the run, its victim, what was done as text, and whether the data was damaged."""
    way = arguments.way
    listener = chance.choice(["recv", "send"])
    old = number % 2 == 1
    if way in IN_PROXY:
        direction = "back" if number % 4 == 3 else "data"
        # One of five of the data at its beginning: in the handshake.
        limit = 400 if chance.random() < 0.2 else ON_THE_WIRE[direction]
        offset = chance.randrange(limit)
        run = Run(arguments.program, listener, old, False, way, offset, direction)
        what = "byte %d of the %s, %s listens" % (offset, direction, listener)
        again = run.serve_again()
        # In what is not encrypted, the version of a record is ignored (RFC 8446, 5.1).
        is_ignored = way == "flip" and offset < HANDSHAKE
        return run, None, what, run.proxy.has_damaged and direction == "data" and not is_ignored, again
    victim = chance.choice(["send", "recv"])
    pipe = number % 4 != 3
    run = Run(arguments.program, listener, old, pipe, way)
    if pipe:
        offset = chance.randrange(SIZE)
        # One of five in the handshake, as far as it has come.
        if chance.random() < 0.8:
            run.await_connection()
            run.feed(offset)
        else:
            time.sleep(chance.uniform(0, usual))
        what = "%s at %d bytes, %s listens" % (victim, offset, listener)
    else:
        delay = chance.uniform(0, 1.2 * usual)
        time.sleep(max(0, run.begin + delay - time.monotonic()))
        what = "%s after %.1f ms, %s listens" % (victim, delay * 1000, listener)
    run.kill(victim)
    again = victim != listener and run.serve_again()
    # From a pipe that has not ended there is no whole stream.
    return run, victim, what, pipe, again


def calibrate(arguments):
    """Seconds that an undisturbed transfer usually takes."""
    times = []
    for number in range(4):
        way = arguments.way if arguments.way.startswith("kill") else "kill-proxy"
        run = Run(arguments.program, ("recv", "send")[number % 2], False, False, way)
        hung = run.end()
        times.append(time.monotonic() - run.begin)
        if hung or any(end.returncode != 0 for end in run.ends.values()) or run.left() != "whole":
            raise SystemExit("an undisturbed transfer fails: %s%s" % (said("send"), said("recv")))
    return sorted(times)[2]


def main():
    parser = aftermath.parser_of(__doc__, "cuts", 20)
    parser.add_argument("way", choices=IN_PROXY + ("kill", "kill-proxy", "kill-socat"))
    arguments = parser.parse_args()

    chance = aftermath.chance_of(arguments)
    usual = calibrate(arguments)

    failures = damaged = whole = 0
    for number in range(arguments.cuts):
        run, victim, what, is_data_damaged, again = one_of(chance, arguments, number, usual)
        wrong = check(run, again, victim, is_data_damaged)
        damaged += is_data_damaged
        whole += run.left() == "whole"
        for text in wrong:
            failures += 1
            print(
                "%d, %s: %s: %s; recv (%s): %s; send (%s): %s"
                % (number, arguments.way, what, text, run.ends["recv"].returncode, said("recv").strip(),
                   run.ends["send"].returncode, said("send").strip()),
                flush=True,
            )
    print("%d cuts, %d of unfinished data, %d whole files, %d failures" % (arguments.cuts, damaged, whole, failures))
    sys.exit(failures > 0)


SOURCE = os.urandom(SIZE)
with open("source", "wb") as source:
    source.write(SOURCE)
main()
