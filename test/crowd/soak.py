"""Three servers under random faults, for as long as is wished.

usage: soak.py [--seconds N] [--seed N] SOCKXFER

`recv -k inbox/`, `recv -k -` and `send -k file` run at once, each with clients of its own, good ones, killed,
silent, closing and resetting ones, and with somebody who kills, stops and continues its workers, and sends it
SIGHUP and SIGUSR1. The inbox is on a small file system, where that can be mounted, that is full from time to
time. What is on stdout is read, compared with what was sent, and files are taken away.

In the end: every whole stream was a file, once, and nothing else was in the directory; the merged lines are
whole, those of a client in order, and all of them if it was told that they are stored; who was served got the
whole file or knows that he did not. The server's descriptors, children and memory are those of the beginning,
it uses no CPU time, and SIGTERM ends it. A worker that was killed may leave a torn line, ended by a newline, or
a file whose path was not printed. They are counted, and no more than workers were killed.

Prints a summary and the seed; the same seed gives the same clients and faults, though not the same scheduling.
"""

import argparse
import collections
import contextlib
import hashlib
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import clients
from server import KILLED, TICK, Failed, Server, environment, is_instrumented, memory_of, wait_for

AT_ONCE = 8  # clients of each server
SILENCE = 2  # seconds, the servers' -w
LARGEST = 1 << 20  # bytes of a stream
SERVED = 4 << 20  # bytes of the file that is served
ROOM = 24 << 20  # bytes of the small file system
GRACE = 600  # seconds that it may take to end behind the time that was wished
GROWTH = 1 << 20  # bytes by which the memory of a server may differ in the end
WARM_UP = 0.1  # of the time, or SILENCE at the least, after which its memory is that of the beginning


class Part(threading.Thread):
    """A server, its clients, and who disturbs it. What went wrong is in self.wrong, what happened in self.count."""

    name_of_part, role, operands = "", "", ()

    def __init__(self, chosen, seed):
        super().__init__(daemon=True)
        self.program, self.chance = chosen.program, random.Random("%s %s" % (seed, self.name_of_part))
        self.is_instrumented = is_instrumented(chosen.program)
        self.until = time.monotonic() + chosen.seconds
        self.count, self.wrong, self.lock = collections.Counter(), [], threading.Lock()
        self.server = None

    ### What each part has of its own

    def client(self, number, chance):
        """One client, from its beginning to its end."""
        raise NotImplementedError

    def take(self, chunk):
        """Something is on the server's stdout."""

    def disturb(self, chance):
        """One more kind of fault."""
        self.hurt_worker(chance)

    def check(self):
        """In the end, with the server ended."""

    ### The same for all

    def is_over(self):
        return time.monotonic() > self.until or self.wrong

    def note(self, what, amount=1):
        with self.lock:
            self.count[what] += amount

    def complain(self, text):
        with self.lock:
            self.wrong.append("%s: %s" % (self.name_of_part, text))

    def guarded(self, function, *arguments):
        try:
            function(*arguments)
        except Failed as failure:
            self.complain(failure)
        except Exception:  # pylint: disable=broad-except
            self.complain(traceback.format_exc())

    def thread(self, function, *arguments):
        thread = threading.Thread(target=self.guarded, args=(function, *arguments), daemon=True)
        thread.start()
        return thread

    def open(self):
        """Starts the server; in the main thread, for it lives as long as the thread that started it."""
        self.server = Server(self.program, self.role, "-w", str(SILENCE), *self.operands,
                             name=self.name_of_part, stdout=subprocess.PIPE, is_hurt=True)

    def run(self):
        self.guarded(self.serve)

    def serve(self):
        # A seed each, so that how fast one goes is nothing to the others.
        seeds = [self.chance.random() for _ in range(AT_ONCE + 1)]
        reader = self.thread(self.read)
        begin = time.monotonic()
        threads = [self.thread(self.clients, number, random.Random(seed))
                   for number, seed in enumerate(seeds[1:])]
        threads.append(self.thread(self.disturber, random.Random(seeds[0])))
        time.sleep(max(SILENCE, WARM_UP * (self.until - begin)))
        before = memory_of([self.server.pid], b"Rss:")
        for thread in threads:
            thread.join()
        self.server.settle()
        after = memory_of([self.server.pid], b"Rss:")
        if not self.is_instrumented and after > before + GROWTH:
            raise Failed("its memory grows from %d to %d KB" % (before >> 10, after >> 10))
        self.count["its memory, KB"] = after >> 10
        used = self.server.idle_cpu(2)
        if used > 2.5 * TICK:
            raise Failed("it uses %.2f s of CPU time while idle" % used)
        self.server.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: "serving 0 at once" in self.server.said(), "an answer to SIGUSR1")
        self.server.end()
        reader.join()
        if self.server.said().count(KILLED) > self.count["signals to workers"]:
            raise Failed("more workers were killed by a signal than got one")
        self.check()

    def clients(self, first, chance):
        number = first
        while not self.is_over():
            try:
                self.client(number, chance)
            except ConnectionResetError:
                self.note("workers killed before connect() had returned")
            number += AT_ONCE

    def disturber(self, chance):
        while not self.is_over():
            time.sleep(chance.uniform(0, 0.3))
            kind = chance.random()
            if kind < 0.2:
                self.server.process.send_signal(chance.choice((signal.SIGHUP, signal.SIGUSR1)))
                self.note("HUP and USR1")
            else:
                self.disturb(chance)

    def hurt_worker(self, chance):
        children = self.server.children()
        if not children:
            return
        pid = chance.choice(children)
        # Of a SEGV, a sanitizer or valgrind makes a report, as of a fault of the program's own.
        number = chance.choice((signal.SIGKILL, signal.SIGKILL if self.is_instrumented else signal.SIGSEGV,
                                signal.SIGSTOP))
        with contextlib.suppress(ProcessLookupError):
            self.note("signals to workers")
            os.kill(pid, number)
            if number == signal.SIGSTOP:
                time.sleep(chance.uniform(0, 0.5))
                os.kill(pid, signal.SIGCONT)

    def read(self):
        stdout = self.server.process.stdout.fileno()
        while chunk := os.read(stdout, 1 << 18):
            self.take(chunk)


def digest(data):
    return hashlib.blake2b(data, digest_size=16).digest()


class Inbox(Part):
    """Files in a directory that may be full; each is taken away once its path was printed."""

    name_of_part, role, operands = "inbox", "recv", ("small/inbox",)
    KINDS = [clients.sender, clients.slow_sender] * 8 + [clients.raw_sender, clients.leaving_sender] * 4
    KINDS += [clients.closing, clients.killed_sender, clients.killed_ending_sender, clients.resetting] * 6
    KINDS += [clients.silent]

    def __init__(self, chosen, seed):
        super().__init__(chosen, seed)
        self.is_small = os.path.ismount("small")
        self.known, self.found = {}, collections.Counter()
        self.rest = b""

    def client(self, number, chance):
        kind = chance.choice(self.KINDS)
        size = chance.randrange(LARGEST if chance.random() < 0.3 else 5000)
        data = b"%d " % number + chance.randbytes(size)
        known, wrong = kind(clients.Client(self.program, self.server.port, data, chance))
        if kind is clients.leaving_sender:
            known = clients.EITHER  # it was told nothing, and much may have happened
        with self.lock:
            self.known[digest(data)] = known
        self.note("streams")
        self.note("streams that are whole", known == clients.WHOLE)
        self.note("streams that fail without a fault of the client's", wrong is not None)

    def disturb(self, chance):
        if not self.is_small or chance.random() < 0.9:
            self.hurt_worker(chance)
            return
        self.note("times that the disk is full")
        with open("small/filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(1 << 16))
        time.sleep(chance.uniform(0, 1))
        os.unlink("small/filler")

    def take(self, chunk):
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        for path in lines:
            try:
                content = pathlib.Path(os.fsdecode(path)).read_bytes()
                os.unlink(path)
            except OSError as error:
                raise Failed("a path on stdout: %s" % error) from None
            self.found[digest(content)] += 1
            self.note("files")

    def check(self):
        if self.rest:
            raise Failed("on stdout is left %r" % self.rest)
        for name in os.listdir("small/inbox"):
            content = pathlib.Path("small/inbox", name).read_bytes()
            self.found[digest(content)] += 1
            self.note("files without a path on stdout")
        if self.count["files without a path on stdout"] > self.count["signals to workers"]:
            raise Failed("more paths are missing than workers were killed")
        for of_data, known in self.known.items():
            times = self.found.pop(of_data, 0)
            if times > 1 or (known == clients.WHOLE and not times) or (known == clients.NONE and times):
                raise Failed("a stream that is %s is there %d times" % (known, times))
        if self.found:
            raise Failed("%d files are nobody's stream" % len(self.found))


class Lines(Part):
    """Lines, "CLIENT NUMBER text": a stream's text is made of what the stream is, so they can be compared."""

    name_of_part, role, operands = "lines", "recv", ("-",)
    SPAN = 1 << 16
    LONGEST = 3000
    COUNT = 400
    KINDS = [clients.sender, clients.raw_sender, clients.slow_sender, clients.slow_sender,
             clients.killed_sender, clients.killed_ending_sender, clients.resetting, clients.closing] * 8
    KINDS += [clients.silent]

    def __init__(self, chosen, seed):
        super().__init__(chosen, seed)
        self.text = self.chance.randbytes(self.SPAN + self.LONGEST).replace(b"\n", b"N")
        self.pauses = random.Random(self.chance.random())
        self.streams = {}  # by its name: how many lines there are, and of these came; whether that is all
        self.rest = b""

    def line(self, stream, number):
        mixed = hash((stream, number))
        start, length = mixed % self.SPAN, mixed // self.SPAN % self.LONGEST
        return b"%d %d %s" % (stream, number, self.text[start:start + length])

    def client(self, stream, chance):
        count = chance.randrange(1, self.COUNT)
        data = b"\n".join(self.line(stream, each) for each in range(count)) + chance.choice((b"", b"\n"))
        kind = chance.choice(self.KINDS)
        with self.lock:
            self.streams[stream] = [count, 0]
        known, wrong = kind(clients.Client(self.program, self.server.port, data, chance))
        self.note("streams")
        self.note("streams that are whole", known == clients.WHOLE)
        self.note("streams that fail without a fault of the client's", wrong is not None)
        if known == clients.WHOLE:
            # Its lines were out before it was told so, but may not have been read by us.
            wait_for(lambda: self.streams[stream][1] == count or self.wrong, lambda: "the lines of %d" % stream)

    def take(self, chunk):
        if self.pauses.random() < 0.05:
            time.sleep(0.1 * self.pauses.random())  # so that the pipe is full, and workers wait
        lines = chunk.split(b"\n")
        lines[0] = self.rest + lines[0]
        self.rest = lines.pop()
        for line in lines:
            self.take_line(line)

    def take_line(self, line):
        found = re.match(rb"([0-9]+) ([0-9]+) ", line)
        stream, number = (int(found[1]), int(found[2])) if found else (None, None)
        of_stream = self.streams.get(stream)
        if of_stream and number == of_stream[1] and self.line(stream, number) == line:
            of_stream[1] += 1
            self.note("lines")
            return
        # What a killed worker leaves is the beginning of a line, or nothing of it.
        self.note("torn lines")
        if line and not self.is_begun(line, of_stream, stream):
            raise Failed("a line that nobody sent: %r" % line[:80])
        if self.count["torn lines"] > self.count["signals to workers"]:
            raise Failed("more torn lines than killed workers")

    def is_begun(self, line, of_stream, stream):
        if of_stream:
            return self.line(stream, of_stream[1]).startswith(line)
        return re.fullmatch(rb"[0-9]+( [0-9]*)?", line)

    def check(self):
        if self.rest:
            raise Failed("on stdout is left %r" % self.rest[:80])


class Served(Part):
    """One file to many. Who gets it whole has its digest in the receipt."""

    name_of_part, role, operands = "served", "send", ("served.file",)

    def __init__(self, chosen, seed):
        super().__init__(chosen, seed)
        self.data = self.chance.randbytes(SERVED)
        pathlib.Path("served.file").write_bytes(self.data)

    def client(self, number, chance):
        kinds = (self.receiver, self.receiver, self.killed_receiver, self.plain, self.plain, self.leaving)
        chance.choice(kinds)(number, chance)
        self.note("connections")

    def receive_into(self, path):
        words = [self.program, "recv", "-q", "127.0.0.1:%d" % self.server.port, path]
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, env=environment())

    def receiver(self, number, _):
        path = "received.%d" % (number % AT_ONCE)
        process = self.receive_into(path)
        try:
            errors = process.communicate(timeout=clients.LIMIT)[1]
        finally:
            process.kill()
            process.wait()
        there = os.path.exists(path)
        if there != (process.returncode == 0):
            raise Failed("a receiver: %d, %s: %s" % (process.returncode, there, errors))
        if there:
            whole = pathlib.Path(path).read_bytes() == self.data
            os.unlink(path)
            self.note("files that are whole")
            if not whole:
                raise Failed("a receiver has something else")

    def killed_receiver(self, number, chance):
        path = "received.%d" % (number % AT_ONCE)
        process = self.receive_into(path)
        chance_to_end = clients.SOON * chance.random()
        time.sleep(chance_to_end)
        process.kill()
        process.communicate()
        if os.path.exists(path):
            if pathlib.Path(path).read_bytes() != self.data:
                raise Failed("a killed receiver has something else")
            os.unlink(path)

    def plain(self, _, chance):
        """Reads all; an end that is no reset is the end of the file."""
        got, reset = bytearray(), False
        with socket.create_connection(("127.0.0.1", self.server.port), clients.LIMIT) as connection:
            try:
                while chunk := connection.recv(chance.choice((1000, 1 << 16, 1 << 20))):
                    got += chunk
            except ConnectionResetError:
                reset = True
        if got != self.data[:len(got)] or (not reset and len(got) != len(self.data)):
            raise Failed("a plain receiver has %d bytes, and %s" % (len(got), "a reset" if reset else "an end"))
        self.note("files that are whole", not reset)

    def leaving(self, _, chance):
        """Reads some of it, or nothing; some wait until they are given up, some reset."""
        with socket.create_connection(("127.0.0.1", self.server.port), clients.LIMIT) as connection:
            with contextlib.suppress(ConnectionResetError):
                connection.recv(chance.choice((1, 1 << 16)))
            if chance.random() < 0.05:
                time.sleep(SILENCE + 1)
            elif chance.random() < 0.5:
                clients.reset(connection)


PARTS = (Inbox, Lines, Served)


def soak(chosen, seed):
    """Returns what went wrong."""
    parts = [part(chosen, seed) for part in PARTS]
    try:
        for part in parts:
            part.open()
        for part in parts:
            part.start()
        for part in parts:
            part.join(max(0, part.until - time.monotonic()) + GRACE)
            if part.is_alive():
                part.complain("does not come to its end")
    finally:
        for part in parts:
            if part.server is not None:
                part.server.__exit__(None)
    for part in parts:
        print("%s:" % part.name_of_part, ", ".join("%s %d" % item for item in sorted(part.count.items())))
    return [text for part in parts for text in part.wrong]


def in_namespace(words):
    """The words for running them where a file system can be mounted, or None."""
    for front in (["unshare", "-m"], ["unshare", "-r", "-m"]):
        with contextlib.suppress(OSError):
            streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            if subprocess.run([*front, "true"], check=False, **streams).returncode == 0:
                return [*front, *words]
    return None


def prepare():
    """The directories, in the current one."""
    os.makedirs("small")
    words = ["mount", "-t", "tmpfs", "-o", "size=%d" % ROOM, "tmpfs", "small"]
    with contextlib.suppress(OSError):
        subprocess.run(words, check=False, stderr=subprocess.DEVNULL)
    if not os.path.ismount("small"):
        print("no small file system can be mounted: it is never full", flush=True)
    os.makedirs("small/inbox")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--in-namespace", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("program")
    chosen = parser.parse_args()

    chosen.program = os.path.abspath(chosen.program)
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(1 << 32)
    if not chosen.in_namespace:
        words = [sys.executable, "-B", __file__, "--in-namespace", "--seconds", str(chosen.seconds),
                 "--seed", str(seed), chosen.program]
        words = in_namespace(words)
        if words:
            os.execvp(words[0], words)
    print("%g s, seed %d" % (chosen.seconds, seed), flush=True)
    # So that the servers are ended then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    directory = tempfile.mkdtemp(prefix="soak.")
    os.chdir(directory)
    prepare()
    wrong = soak(chosen, seed)
    for text in wrong:
        print("FAILED", text, flush=True)
    os.chdir("/")
    if wrong:
        print("what the servers said is in", directory)
    else:
        subprocess.run(["umount", directory + "/small"], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(directory)
    # A client that hangs is no reason to wait.
    sys.stdout.flush()
    os._exit(1 if wrong else 0)


main()
