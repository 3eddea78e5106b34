"""Clients of a receiver, good and bad ones: each is a function of a call's Client, and one connection.

It returns what is known of its stream afterwards: that the receiver has to have stored it (WHOLE), that it
cannot have (NONE), or neither (EITHER); and what did not go as it should have, or None.
"""

import dataclasses
import os
import random
import select
import socket
import struct
import subprocess
import time

from server import Failed, environment

WHOLE, EITHER, NONE = "whole", "either", "none"
LIMIT = 300  # seconds that a client may take
STORED, FAILED = b"sockxfer/1 stored\n", b"sockxfer/1 failed"
SOON = 0.03  # seconds: what a short transfer takes where many run


@dataclasses.dataclass
class Client:
    program: str
    port: int
    data: bytes
    chance: random.Random

    def start(self, *options):
        """A real sender, of its stdin."""
        words = [self.program, "send", "-q", *options, "127.0.0.1:%d" % self.port]
        return subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(),
            bufsize=0)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), LIMIT)

    def wait_a_little(self):
        """Rather shorter than longer, but at times longer than the transfer takes."""
        time.sleep(SOON * self.chance.random() ** 3)

    def part(self):
        """Some of the data, but not all."""
        return self.data[:self.chance.randrange(len(self.data))] if self.data else b""


def feed(process, data):
    """Writes into its stdin; False if it does not read on, as it has ended."""
    pipe = process.stdin.fileno()
    os.set_blocking(pipe, False)
    data = memoryview(data)
    while data:
        if not select.select([], [pipe], [], LIMIT)[1]:
            raise Failed("a sender does not read its stdin")
        try:
            data = data[os.write(pipe, data[:1 << 16]):]
        except BrokenPipeError:
            return False
    return True


def kill(process):
    process.kill()
    process.stdin.close()
    process.stderr.close()
    return process.wait()


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def sender(client):
    """A sockxfer that asks for a receipt."""
    process = client.start("-V")
    try:
        feed(process, client.data)
        process.stdin.close()
        errors = process.stderr.read().decode(errors="replace")
        status = process.wait(LIMIT)
    finally:
        kill(process)
    if status == 0:
        return WHOLE, None
    return NONE if status == 6 else EITHER, "a sender: %d: %s" % (status, errors.strip())


def raw_sender(client, pieces=1):
    """A socket that ends its stream and waits for the receipt."""
    said, size = b"", len(client.data) // pieces + 1
    with client.connect() as connection:
        try:
            for start in range(0, len(client.data), size):
                connection.sendall(client.data[start:start + size])
                if pieces > 1:
                    client.wait_a_little()
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(4096):
                said += chunk
        except OSError as error:
            said += b"(%s)" % str(error).encode()
    if STORED in said:
        return WHOLE, None
    return NONE if FAILED in said else EITHER, "a raw sender: %r" % said


def slow_sender(client):
    """The same, with pauses."""
    return raw_sender(client, pieces=10)


def leaving_sender(client):
    """One that closes at once, and hears nothing."""
    with client.connect() as connection:
        try:
            connection.sendall(client.data)
        except OSError as error:
            return NONE, "a raw sender: %s" % error
    return WHOLE, None


def killed_sender(client):
    """Killed before it has read all of its data."""
    process = client.start()
    try:
        feed(process, client.part())
        client.wait_a_little()
    finally:
        kill(process)
    return NONE, None


def killed_ending_sender(client):
    """Killed at any time after it was given all: it may have ended its stream, or not."""
    process = client.start("-V")
    try:
        given = feed(process, client.data)
        process.stdin.close()
        client.wait_a_little()
    finally:
        status = kill(process)
    return WHOLE if status == 0 and given else EITHER, None


def silent(client):
    """Never sends anything. The receiver has to have a -w."""
    with client.connect() as connection:
        try:
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            pass
        except OSError as error:
            return NONE, "a silent client: %s" % error
    return NONE, None


def closing(client):
    client.connect().close()
    return NONE, None


def resetting(client):
    """Sends a part, or even all, or nothing, but not the end."""
    connection = client.connect()
    try:
        connection.sendall(client.chance.choice((b"", client.part(), client.part(), client.data)))
        client.wait_a_little()
    except OSError:
        pass
    reset(connection)
    return NONE, None
