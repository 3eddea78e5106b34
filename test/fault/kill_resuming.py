"""Kills the sender or the receiver by SIGKILL, at random points of a transfer that goes on by itself, until it is done.

usage: kill_resuming.py [--kills N] [--seed N] SOCKXFER

Both ends have -R -r, and the one that is killed is started anew by the same command, some times in each transfer. The
receiver or the sender listens. Three transfers of four go through a proxy, which counts what is sent, hands a reset
on, and kills when so many bytes of the content are through. The others are direct, over a unix socket or encrypted,
and the kills come at any time. Then:

- in the end there is the whole file, and nothing beside it; until then there is none, or the old one
- both ends have status 0; but for a sender whose receiver was killed when it had stored the file
- what a killed receiver has kept is what the next one says that it has, and the sender goes on from just there
- what is sent twice after a kill is no more than was in flight: what socket buffers hold, and the first MiB, before
  which nothing is kept. What has reached a receiver whose sender was killed is not sent twice at all.

Works in the current directory, where "key" is a key file. What went wrong is printed, a line each, and the exit
status is then 1. The seed is printed; the same seed gives the same points, though not the same scheduling.
"""

import array
import fcntl
import itertools
import os
import socket
import struct
import sys
import termios
import threading
import time

import aftermath
import killing
from aftermath import LIMIT, said

SIZE = 6 << 20
RATE = 24 << 20  # bytes per second
MIB = 1 << 20  # before that much has come there is no part
PIECE = 16 << 10  # what the proxy passes on at once
# What the sockets of the proxy and of the receiver hold, and a chunk: at that rate no more than this.
IN_FLIGHT = 2 << 20
PART = "out/file.part"
PATIENCE = "60"  # seconds, -r
GRACE = 1  # seconds in which who has done all ends
SAID = 1000  # characters of what each has said, for who looks for the reason
CLOSED = 7  # a state of TCP: TCP_CLOSE
WAYS = ("proxy", "proxy", "proxy", "direct")


def size_of_part():
    try:
        return os.stat(PART).st_size
    except FileNotFoundError:
        return 0


class Connection:
    """What went through one connection: what the receiver had, from where the sender went on, and how far it came."""

    def __init__(self, client, target):
        self.client, self.target = client, target
        self.have = self.begin = None
        self.content = 0  # bytes of it behind the sender's line
        self.ended = set()  # ways of which one side has ended its stream
        self.victim = self.kept = None  # who was killed meanwhile, and how much there was then
        self.head = {"data": b"", "back": b""}

    def is_reset(self, end):
        """Whether what looks like its end is a reset, of which the thread of the other way has been told already."""
        try:
            state = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        except OSError:
            return True
        return state == CLOSED and not self.ended

    @property
    def reached(self):
        return (self.begin or 0) + self.content

    def hear(self, way, chunk):
        """Notes what one side says in its first line."""
        head = self.head[way]
        if head.endswith(b"\n"):
            rest = chunk
        else:
            line, newline, rest = (head + chunk).partition(b"\n")
            self.head[way] = line + newline
            if not newline:
                return
            words = line.split()
            if way == "back" and words[:2] == [b"sockxfer/1", b"have"]:
                self.have = int(words[2])
            if way == "data" and words[:2] == [b"sockxfer/1", b"from"]:
                self.begin = int(words[2])
        if way == "data":
            self.content += len(rest)


class Proxy:
    """Passes connections on to an address, one after the other, and does something at an offset of the content."""

    def __init__(self, address, is_client_sender):
        host, _, port = address.rpartition(":")
        self.target = (host, int(port))
        self.is_client_sender = is_client_sender
        self.connections = []
        self.offset = self.act = None  # where to do what
        self.lock = threading.Lock()  # of these
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.server.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            try:
                target = socket.socket()
                for end in (client, target):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * PIECE)
                target.connect(self.target)
            except OSError:
                reset(client)
                continue
            connection = Connection(client, target)
            self.connections.append(connection)
            for source, to, is_sender in ((client, target, True), (target, client, False)):
                way = "data" if is_sender == self.is_client_sender else "back"
                threading.Thread(target=self.carry, args=(connection, source, to, way), daemon=True).start()

    def carry(self, connection, source, to, way):
        try:
            while chunk := source.recv(PIECE):
                to.sendall(chunk)
                connection.hear(way, chunk)
                if way == "data":
                    self.look_where(connection)
            if connection.is_reset(source):
                raise ConnectionResetError
            connection.ended.add(way)
            to.shutdown(socket.SHUT_WR)
        except OSError:
            # All that has come is handed on before the reset is.
            until = time.monotonic() + LIMIT
            while unacknowledged(to) and time.monotonic() < until:
                time.sleep(0.001)
            reset(source)
            reset(to)

    def look_where(self, connection):
        """Acts if it is time to."""
        with self.lock:
            if self.offset is not None and connection.reached >= self.offset:
                self.offset = None
                self.act(connection)

    def stop(self):
        self.server.close()
        for connection in self.connections:
            for end in (connection.client, connection.target):
                reset(end)


def unacknowledged(connection):
    size = array.array("i", [0])
    try:
        fcntl.ioctl(connection, termios.TIOCOUTQ, size)
    except (OSError, ValueError):
        return 0
    return size[0]


def reset(connection):
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)  # wakes the other thread, so that close is one
    except OSError:
        pass
    connection.close()


class Run(killing.Ends):
    """One transfer, whose ends are killed and started anew."""

    def __init__(self, program, listener, way, encrypted, old):
        super().__init__(program)
        self.listener, self.old = listener, old
        self.proxy, self.wrong = None, []
        self.is_stored, self.kept = False, 0  # by a receiver that was killed then; in the part
        self.last_victim = None
        aftermath.prepare(old)
        where = "unix:%s/socket" % os.getcwd() if way == "direct" and not encrypted else "127.0.0.1:0"
        common = ["-v", "-R", "-r", PATIENCE] + (["-K", "key"] if encrypted else [])
        self.commands = {"recv": (common, ["out/file"]), "send": (common + ["-b", str(RATE)], ["source"])}
        self.addresses = {listener: ["-l", where]}
        self.start(listener)
        address = aftermath.read_address(listener)
        self.addresses[listener] = ["-l", address]
        if way == "proxy":
            self.proxy = Proxy(address, listener == "recv")
            address = self.proxy.address
        self.connector = "send" if listener == "recv" else "recv"
        self.addresses[self.connector] = [address]
        self.begin = time.monotonic()
        self.start(self.connector)

    def start(self, role):
        options, operands = self.commands[role]
        setattr(self, role, self.spawn(role, *options, *self.addresses[role], *operands))

    def has_ended(self, role):
        return getattr(self, role).poll() is not None

    def kill_at(self, victim, offset):
        """Kills it when so much of the content has gone by. Returns whether that came about."""
        done = threading.Event()

        def act(connection):
            self.kill(victim)
            connection.victim, connection.kept = victim, size_of_part()
            done.set()

        with self.proxy.lock:
            self.proxy.act, self.proxy.offset = act, offset
        until = time.monotonic() + LIMIT
        while not done.wait(0.002) and not self.has_ended("recv") and time.monotonic() < until:
            pass
        with self.proxy.lock:
            self.proxy.offset = None
        return done.is_set()

    def kill_after(self, victim, delay):
        time.sleep(delay)
        if self.has_ended("recv") or self.has_ended("send"):
            return False
        self.kill(victim)
        return True

    def begin_again(self, victim):
        """Looks at what was left, and starts the one that was killed."""
        left = self.left()
        self.is_stored |= left == "whole"
        if left == "part" or left == ("none" if self.old else "old"):
            self.wrong.append("after a kill the file is: " + left)
        kept = b""
        if not self.is_stored and os.path.exists(PART):
            with open(PART, "rb") as part:
                kept = part.read()
        if kept != SOURCE[:len(kept)]:
            self.wrong.append("the part is no beginning of the file")
        if len(kept) < self.kept and not self.is_stored:
            self.wrong.append("a part of %d bytes became one of %d" % (self.kept, len(kept)))
        self.kept = len(kept)
        self.last_victim = victim
        self.start(victim)

    def finish(self):
        """Waits for both. One that was started when the other had all done already waits in vain, and is stopped."""
        until = time.monotonic() + LIMIT
        alone_since = None
        stopped = set()
        while not (self.has_ended("recv") and self.has_ended("send")) and time.monotonic() < until:
            if self.has_ended("recv") or self.has_ended("send"):
                alone_since = alone_since or time.monotonic()
                role = "send" if self.has_ended("recv") else "recv"
                is_in_vain = self.left() == "whole" and (self.is_stored or self.last_victim == "send")
                if is_in_vain and time.monotonic() > alone_since + GRACE:
                    self.kill(role)
                    stopped.add(role)
            time.sleep(0.002)
        self.wrong += self.end()
        if self.proxy:
            self.proxy.stop()
        left = self.left()
        self.wrong += aftermath.faults(left, self.old)
        if left != "whole":
            self.wrong.append("in the end the file is: " + left)
        for role in {"send", "recv"} - stopped:
            code = getattr(self, role).returncode
            if code != 0 and not (role == "send" and self.is_stored):
                self.wrong.append("%s: exit status %d" % (role, code))
        if self.proxy:
            self.check_connections()

    def check_connections(self):
        """What the proxy has seen: that each connection went on where the one before it was."""
        spoken = [connection for connection in self.proxy.connections if connection.have is not None]
        for connection in spoken:
            if connection.begin not in (None, connection.have):
                self.wrong.append("from %s, though %s were there" % (connection.begin, connection.have))
        for before, after in zip(spoken, spoken[1:]):
            if self.is_stored:
                break
            lost = before.reached - after.have
            if before.victim is None:
                self.wrong.append("broke by itself at %d" % before.reached)
            if before.victim == "recv" and after.have != before.kept:
                self.wrong.append("%d were kept, and %d said to be there" % (before.kept, after.have))
            # A receiver that was still comparing what is there has read nothing of what came meanwhile.
            if before.victim == "send" and lost != 0 and after.have != before.have and before.reached >= MIB:
                self.wrong.append("of %d that had come %d are there" % (before.reached, after.have))
            if lost > IN_FLIGHT + (MIB if after.have == 0 else 0):
                self.wrong.append("%d bytes were sent twice" % lost)
            LOST.append(lost)

    @staticmethod
    def left():
        return aftermath.left(SOURCE)


def transfer(chance, arguments, number):
    """One transfer, with some kills. Returns it, and how many they were."""
    way = WAYS[number % len(WAYS)]
    listener = ("recv", "send")[number // 2 % 2]
    encrypted = way == "direct" and number // len(WAYS) % 2 == 1
    run = Run(arguments.program, listener, way, encrypted, old=number % 3 == 1)
    kills = offset = 0
    for _ in range(chance.randrange(1, 5)):
        victim = chance.choice(("send", "recv"))
        if way == "proxy":
            offset = chance.randrange(offset, SIZE + 1)
            came_about = run.kill_at(victim, offset)
        else:
            came_about = run.kill_after(victim, chance.uniform(0, SIZE / RATE))
        if not came_about:
            break
        kills += 1
        run.begin_again(victim)
    run.finish()
    run.what = "%s, %s listens, %d kills" % (way, listener, kills)
    return run, kills


def main():
    arguments = aftermath.parser_of(__doc__, "kills", 20).parse_args()

    chance = aftermath.chance_of(arguments)
    kills = failures = 0
    for number in itertools.count():
        if kills >= arguments.kills:
            break
        run, more = transfer(chance, arguments, number)
        kills += more
        for what in run.wrong:
            failures += 1
            print("transfer %d, %s: %s" % (number, run.what, what), flush=True)
        if run.wrong:
            print("recv: %s; send: %s" % (said("recv")[-SAID:].strip(), said("send")[-SAID:].strip()), flush=True)
    print(
        "%d kills of %d transfers, at most %d bytes sent twice after one, %d failures"
        % (kills, number, max(LOST, default=0), failures)
    )
    sys.exit(failures > 0)


SOURCE = os.urandom(SIZE)
LOST = []
with open("source", "wb") as source:
    source.write(SOURCE)
main()
