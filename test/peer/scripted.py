"""A peer that does as it is told, step by step, to be as good or as bad as a test needs.

usage: scripted.py [--after PATH] listen|connect|reach ADDRESS STEP...

ADDRESS is HOST:PORT, [V6]:PORT or unix:PATH; port 0 means any free one. To reach is to say "ready" and to connect as
soon as somebody listens there, so that what it takes to start a peer is no part of what somebody waits for. With
--after it says "ready" and begins when that file exists. The steps, in order:

  send:N          send N bytes of the pattern (pattern.py prints the same bytes)
  trickle:PATH    send a byte of it every tenth of a second, until that file has something in it
  upto:N          send of it what is missing in N bytes
  text:STRING     send this text; backslash escapes as in Python (text:hello\\n)
  reply:STRING    the same, where %1, %2 and so on stand for the words of the line that `line` has received
  urgent:STRING   send it as urgent data (MSG_OOB), whose last byte is the urgent one
  file:PATH       send the contents of a file
  expect:N        receive exactly N bytes more; an end before that is a failure
  line            receive a line, no byte behind it, and print it, escaped
  eof             receive until the peer ends its stream, however much comes
  quiet:SECONDS   nothing may come, not even an end, for that long
  gone            the peer resets the connection; data before that is let pass
  slow:N:SECONDS  receive until the end, N bytes at a time with a pause after each
  pause:SECONDS   do nothing for that long
  buffer:N        set both socket buffers to N bytes
  await:PATH      wait until that file exists: how a test holds the peer back
  stall           do nothing for as long as the limit lasts
  half            shutdown(SHUT_WR)
  reset           close with SO_LINGER {1, 0}: the peer sees a reset
  close           close
  save:PATH       write what was received so far to a file
  show            print what was received so far, escaped, at most 4096 bytes of it

What happens is printed on stdout, a line each: "listening on port 40123", "peer 127.0.0.1:5000",
"send:10 done". A step that fails is told on stderr, and the exit status is 1. At the end the
connection is closed. After 300 seconds everything ends, with status 3.
"""

import os
import select
import signal
import socket
import struct
import sys
import time

from pattern import pattern

LIMIT = 300  # seconds


class Failed(Exception):
    """A step did not go as it had to."""


def say(*words):
    print(*words, flush=True)


def split_address(text):
    """The family and the address as the socket module wants them."""
    if text.startswith("unix:"):
        return socket.AF_UNIX, text[len("unix:"):]
    host, _, port = text.rpartition(":")
    if host.startswith("["):
        return socket.AF_INET6, (host.strip("[]"), int(port))
    return socket.AF_INET, (host, int(port))


def address_text(address):
    if isinstance(address, tuple):
        host = "[%s]" % address[0] if ":" in address[0] else address[0]
        return "%s:%d" % (host, address[1])
    return "unix:%s" % os.fsdecode(address)


def wait_for_file(path):
    while not os.path.exists(path):
        time.sleep(0.01)


def listen(text):
    """Accepts one connection and stops listening."""
    family, address = split_address(text)
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind(address)
        listener.listen(1)
        if family == socket.AF_UNIX:
            say("listening on", text)
        else:
            say("listening on port", listener.getsockname()[1])
        connection, peer = listener.accept()
    say("peer", address_text(peer))
    return connection


def connect(text):
    family, address = split_address(text)
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    try:
        say("peer", address_text(connection.getpeername()))
    except OSError:  # it is reset already
        say("peer", text)
    return connection


def reach(text):
    say("ready")
    while True:
        try:
            return connect(text)
        except (ConnectionRefusedError, FileNotFoundError):
            time.sleep(0.005)


class Peer:
    """A connection and the steps that can be done with it: one method a step, named do_STEP."""

    def __init__(self, connection):
        self.connection = connection
        self.received = bytearray()
        self.words = []
        self.sent = 0

    def run(self, step):
        name, _, argument = step.partition(":")
        method = getattr(self, "do_" + name, None)
        if method is None:
            raise Failed("no such step")
        method(*argument.split(":") if name == "slow" else [argument] if argument else [])

    def receive(self, size):
        chunk = self.connection.recv(size)
        self.received += chunk
        return chunk

    def do_send(self, count):
        self.do_upto(self.sent + int(count))

    def do_trickle(self, path):
        while not os.path.exists(path) or os.path.getsize(path) == 0:
            self.do_send(1)
            time.sleep(0.1)

    def do_upto(self, count):
        end = int(count)
        while self.sent < end:
            chunk = pattern(self.sent, min(1 << 20, end - self.sent))
            self.connection.sendall(chunk)
            self.sent += len(chunk)

    def do_text(self, text):
        self.connection.sendall(text.encode().decode("unicode_escape").encode("latin-1"))

    def do_reply(self, text):
        for number, word in enumerate(self.words, 1):
            text = text.replace("%%%d" % number, word)
        self.do_text(text)

    def do_urgent(self, text):
        self.connection.send(text.encode(), socket.MSG_OOB)

    def do_file(self, path):
        with open(path, "rb") as source:
            self.connection.sendfile(source)

    def do_expect(self, count):
        end = len(self.received) + int(count)
        while len(self.received) < end:
            if not self.receive(min(1 << 20, end - len(self.received))):
                raise Failed("the stream ended %d bytes early" % (end - len(self.received)))

    def do_line(self):
        line = bytearray()
        while not line.endswith(b"\n"):
            if not (byte := self.receive(1)):
                raise Failed("the stream ended in a line: %r" % bytes(line))
            line += byte
        self.words = line.decode("latin-1").split()
        say("line", ascii(bytes(line)))

    def do_eof(self):
        while self.receive(1 << 20):
            pass

    def do_quiet(self, seconds):
        if select.select([self.connection], [], [], float(seconds))[0]:
            raise Failed("something came: %r" % self.connection.recv(100))

    def do_gone(self):
        try:
            while self.receive(1 << 20):
                pass
        except (ConnectionResetError, BrokenPipeError):
            return
        raise Failed("the stream ended cleanly")

    def do_slow(self, size, seconds):
        while self.receive(int(size)):
            time.sleep(float(seconds))

    def do_pause(self, seconds):
        time.sleep(float(seconds))

    def do_buffer(self, size):
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            self.connection.setsockopt(socket.SOL_SOCKET, option, int(size))

    def do_await(self, path):
        wait_for_file(path)

    def do_stall(self):
        signal.pause()

    def do_half(self):
        self.connection.shutdown(socket.SHUT_WR)

    def do_reset(self):
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def do_close(self):
        self.connection.close()

    def do_save(self, path):
        with open(path, "wb") as output:
            output.write(self.received)

    def do_show(self):
        say("received", len(self.received), ascii(bytes(self.received[:4096])))


ROLES = {"listen": listen, "connect": connect, "reach": reach}


def main():
    # Not by argparse, which takes a third of the time to start, and most tests start one of these.
    arguments, after = sys.argv[1:], None
    if arguments[:1] == ["--after"]:
        after, arguments = arguments[1], arguments[2:]
    if len(arguments) < 2 or arguments[0] not in ROLES:
        sys.exit(__doc__)
    role, address, *steps = arguments
    signal.signal(signal.SIGALRM, lambda *_: os._exit(3))
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    if after:
        say("ready")
        wait_for_file(after)
    peer = Peer(ROLES[role](address))
    for step in steps:
        try:
            peer.run(step)
        except (OSError, Failed) as error:
            sys.exit("scripted: %s: %s (%d bytes received)" % (step, error, len(peer.received)))
        say(step, "done")
    peer.connection.close()


main()
