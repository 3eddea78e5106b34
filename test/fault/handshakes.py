"""Attacks the handshakes of a receiver, a sender and a server of many, by peers that do not have the key.

usage: handshakes.py [--count N] [--seed N] [--memory KIB] SOCKXFER

A real transfer is recorded first, in both directions. Then each peer sends what it makes of that: random bytes,
a beginning of it, all of it again, some of it with bits flipped, records left out, doubled or exchanged, records
whose length is wrong. It ends its stream, resets the connection, or leaves it to the other end to give up. Nine of
ten connect to a program of ours that listens, in turn to a receiver, to a sender and to a receiver with -k; to the
tenth a sender or a receiver of ours connects. What is sent comes from the other end of the recorded transfer, and
now and then from the same end.

- no program ends or crashes but the ones that connect, with status 1, 3 or 7
- no byte is accepted: there is no new file, and the old one is as it was
- no process gets more memory than that, 64 MiB if left out; the workers of -k count, too
- afterwards each of those that listen still serves a peer that has the key

Works in the current directory. What went wrong is printed, a line each, and the exit status is then 1.
"""

import argparse
import contextlib
import os
import random
import re
import resource
import socket
import struct
import subprocess
import sys
import time

LIMIT = 120  # seconds that anything may take
KEY = "a:00112233445566778899aabbccddeeff\n"
SOURCE = b"source " * 3000
SESSION_ID = slice(44, 76)  # of a hello, of either end


class Wrong(Exception):
    """What is to be told."""


def write(path, data, mode=0o600):
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def listen():
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(LIMIT)
    return listening


class Ours:
    """A process of ours that listens."""

    def __init__(self, program, name, *words):
        self.name = name
        with open(f"{name}.err", "wb") as err:
            self.process = subprocess.Popen(
                [program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err)
        self.port = self.find_port()

    def find_port(self):
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            found = re.search(rb"listening on .*?:([0-9]+)", read(f"{self.name}.err"))
            if found:
                return int(found[1])
            time.sleep(0.01)
        raise Wrong(f"{self.name} does not listen")

    def check(self):
        if self.process.poll() is not None:
            raise Wrong(f"{self.name} has ended with {self.process.returncode}")


def record(program):
    """What the client and what the server say in a whole transfer, as bytes, taken by a proxy between them."""
    receiver = Ours(program, "recording", "recv", "-v", "-K", "key", "-p", "0", "recorded")
    listening = listen()
    sender = subprocess.Popen([program, "send", "-K", "key", f"127.0.0.1:{listening.getsockname()[1]}", "source"])
    near, _ = listening.accept()
    far = socket.create_connection(("127.0.0.1", receiver.port))
    sides = {near: far, far: near}
    taken = {near: b"", far: b""}
    for each in sides:
        each.setblocking(False)
    shut = set()
    end = time.monotonic() + LIMIT
    while len(shut) < 2 and time.monotonic() < end:
        for here, there in sides.items():
            try:
                data = here.recv(65536)
            except BlockingIOError:
                time.sleep(0.001)
                continue
            if data:
                taken[here] += data
                there.setblocking(True)
                there.sendall(data)
                there.setblocking(False)
            elif here not in shut:
                shut.add(here)
                with contextlib.suppress(OSError):  # that one may have ended the whole connection
                    there.shutdown(socket.SHUT_WR)
    if sender.wait(LIMIT) or receiver.process.wait(LIMIT):
        raise Wrong("the transfer to be recorded has failed")
    near.close()
    far.close()
    os.remove("recorded")
    return taken[near], taken[far]


def records(stream):
    """The records of a stream (RFC 8446, 5.1), header included."""
    found = []
    while len(stream) >= 5:
        size = 5 + struct.unpack(">H", stream[3:5])[0]
        found.append(stream[:size])
        stream = stream[size:]
    return found


def mangle(rng, recorded, as_client):
    """What a peer without the key may make of a recorded stream, once in eight times of the wrong one."""
    client, server = recorded
    stream = client if as_client == (rng.randrange(8) > 0) else server
    kind = rng.randrange(8)
    if kind == 0:
        return rng.randbytes(rng.randrange(1, 4000))
    if kind == 1:
        return stream[: rng.randrange(1, len(stream))]
    if kind == 2:
        return stream
    if kind == 3:  # some bits flipped, most of them in the handshake
        changed = bytearray(stream)
        for _ in range(rng.randrange(1, 8)):
            at = rng.randrange(min(len(changed), rng.choice((10, 100, 600, len(changed)))))
            changed[at] ^= 1 << rng.randrange(8)
        return bytes(changed)
    parts = records(stream)
    at = rng.randrange(min(4, len(parts)))
    if kind == 4:
        del parts[at]
    elif kind == 5:
        parts.insert(rng.randrange(len(parts)), parts[at])
    elif kind == 6:
        other = rng.randrange(len(parts))
        parts[at], parts[other] = parts[other], parts[at]
    else:
        size = rng.choice((0, 1, 16384, 16640, 16641, 65535, rng.randrange(65536)))
        parts[at] = parts[at][:3] + struct.pack(">H", size) + parts[at][5:]
    return b"".join(parts) or b"\0"


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def attack(rng, connection, recorded, as_client):
    """Sends it in pieces, and ends in one of three ways. The other end may reset the connection at any time."""
    connection.settimeout(LIMIT)
    data = mangle(rng, recorded, as_client)
    way = rng.randrange(3)
    try:
        while data:
            size = rng.choice((1, 5, 100, 1000, len(data)))
            connection.sendall(data[:size])
            data = data[size:]
            if rng.randrange(4) == 0:
                break
        if way == 0:
            connection.shutdown(socket.SHUT_WR)
        elif way == 1:
            reset(connection)
            return
        connection.settimeout(0.05 if way == 2 else LIMIT)
        while connection.recv(65536):
            pass
    except (OSError, TimeoutError):
        pass
    finally:
        connection.close()


def answer(connection, server):
    """A recorded server's words with the session id of the hello that has come (RFC 8446, 4.1.3).

    Without that a client would look no further than its ServerHello.
    """
    hello = connection.recv(SESSION_ID.stop, socket.MSG_WAITALL)
    return server[:SESSION_ID.start] + hello[SESSION_ID] + server[SESSION_ID.stop:]


def attack_connecting(rng, program, recorded):
    """One of ours connects to the attacker."""
    listening = listen()
    sends = rng.randrange(2) == 0
    words = ["send", "-w", "5", "-K", "key"] if sends else ["recv", "-w", "5", "-K", "key"]
    process = subprocess.Popen(
        [program, *words, f"127.0.0.1:{listening.getsockname()[1]}", "source" if sends else "old"],
        stderr=subprocess.DEVNULL)
    connection, _ = listening.accept()
    client, server = recorded
    connection.settimeout(LIMIT)
    attack(rng, connection, (client, answer(connection, server)), as_client=False)
    status = process.wait(LIMIT)
    listening.close()
    if status not in (1, 3, 7):
        raise Wrong(f"{' '.join(words)} has ended with {status}")


def check_files():
    if read("old") != b"old" or os.path.exists("new") or os.listdir("inbox"):
        raise Wrong("a byte was accepted")


def check_memory(limit):
    """Of all our children and theirs, the one that has had most counts."""
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"a process had at most {most} KiB")
    if most > limit:
        raise Wrong(f"more than {limit} KiB")


def run(program, count, seed):
    rng = random.Random(seed)
    write("key", KEY.encode())
    write("source", SOURCE)
    write("old", b"old")
    os.mkdir("inbox")
    recorded = record(program)
    listening = [
        Ours(program, "recv", "recv", "-v", "-K", "key", "-l", "127.0.0.1:0", "old"),
        Ours(program, "send", "send", "-v", "-K", "key", "-l", "127.0.0.1:0", "source"),
        Ours(program, "keep", "recv", "-v", "-k", "-K", "key", "-l", "127.0.0.1:0", "inbox"),
    ]
    try:
        for i in range(count):
            if i % 10 == 9:
                attack_connecting(rng, program, recorded)
                continue
            target = listening[i % 3]
            target.check()
            attack(rng, socket.create_connection(("127.0.0.1", target.port)), recorded, as_client=True)
        check_files()
        for target in listening:
            target.check()
        serve(program, listening)
    finally:
        for target in listening:
            target.process.kill()
            target.process.wait()


def serve(program, listening):
    """A peer with the key is served as if nothing had been."""
    recv, send, keep = listening
    for port in (recv.port, keep.port):
        subprocess.run([program, "send", "-V", "-K", "key", f"127.0.0.1:{port}", "source"], check=True, timeout=LIMIT)
    subprocess.run([program, "recv", "-K", "key", f"127.0.0.1:{send.port}", "new"], check=True, timeout=LIMIT)
    if recv.process.wait(LIMIT) or send.process.wait(LIMIT):
        raise Wrong("a transfer with the key has failed")
    stored = [read("old"), read("new")] + [read(f"inbox/{name}") for name in os.listdir("inbox")]
    if stored != [SOURCE] * 3:
        raise Wrong("what came with the key is not what was sent")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--memory", type=int, default=64 << 10)
    parser.add_argument("program")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    try:
        run(options.program, options.count, options.seed)
        check_memory(options.memory)
    except (Wrong, subprocess.SubprocessError, OSError) as wrong:
        print(f"wrong: {wrong}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
