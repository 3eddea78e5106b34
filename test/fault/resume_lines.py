"""Says to one end of a transfer with -R what is not quite the line of the other, and looks what it does.

usage: resume_lines.py SOCKXFER refused|data|cut|plain

The first three are senders, to a receiver that has a part of a file:

  refused   lines with its token that are not as they have to be: 1, or 4 where the digest is another, "failed"
            at both ends, and the part as it was
  data      what is no line, or has not its token: all of the stream is the file
  cut       a stream that ends or breaks in the line: 1, and the part as it was

plain is receivers, to a sender: what is not strictly their line gets the whole data, and nothing else, and comes to no
terminal as it is.

Works in the current directory. What went wrong is printed, a line each, and the exit status is then 1.
"""

import os
import random
import shutil
import socket
import struct
import subprocess
import sys

import aftermath
import killing
from aftermath import LIMIT, said

DATA = random.Random(1).randbytes(300000)
PART = 100000  # bytes of it that are there
BEGIN, REST = DATA[:PART], DATA[PART:]
SIZE = len(DATA)


def digest(data):
    """The digest of the data as lines have it."""
    found = subprocess.run(["xxh128sum"], input=data, capture_output=True, check=True)
    return "xxh128:" + found.stdout.split()[0].decode()


D = digest(BEGIN)
NOTHING = digest(b"")
TOKEN = "0123456789abcdef"  # of a receiver of ours; {} in a line is that of the receiver that it goes to

REFUSED = [
    "sockxfer/1 from 200000 %d {} %s\n" % (SIZE, digest(DATA[:200000])),
    "sockxfer/1 from %d %d {} %s\n" % (PART - 1, SIZE, digest(DATA[:PART - 1])),
    "sockxfer/1 from +%d %d {} %s\n" % (PART, SIZE, D),
    "sockxfer/1 from -%d %d {} %s\n" % (PART, SIZE, D),
    "sockxfer/1 from 0%d %d {} %s\n" % (PART, SIZE, D),
    "sockxfer/1 from %d.0 %d {} %s\n" % (PART, SIZE, D),
    "sockxfer/1 from 0x186a0 %d {} %s\n" % (SIZE, D),
    "sockxfer/1 from 9223372036854775807 9223372036854775807 {} %s\n" % D,
    "sockxfer/1 from 18446744073709651616 %d {} %s\n" % (SIZE, D),  # 2^64 more
    "sockxfer/1 from %d %d {} %s\n" % (PART, PART - 1, D),
    "sockxfer/1 from %d +%d {} %s\n" % (PART, SIZE, D),
    "sockxfer/1 from %d 9223372036854775808 {} %s\n" % (PART, D),
    "sockxfer/1 from %d %d {} %s \n" % (PART, SIZE, D),
    "sockxfer/1 from %d %d {}  %s\n" % (PART, SIZE, D),
    "sockxfer/1 from  %d %d {} %s\n" % (PART, SIZE, D),
    "sockxfer/1 from %d %d {} %s\r\n" % (PART, SIZE, D),
    "sockxfer/1 from %d %d {} %s\0\n" % (PART, SIZE, D),
    "sockxfer/1 from %d %d {} %s\n" % (PART, SIZE, D.upper()),
    "sockxfer/1 from %d %d {} %s\n" % (PART, SIZE, D[len("xxh128:"):]),
    "sockxfer/1 from %d %d {} %s\n" % (PART, SIZE, D[:-1]),
    "sockxfer/1 from %d %d {}\n" % (PART, SIZE),
    "sockxfer/1 from %d {} %s\n" % (PART, D),
    "sockxfer/1 from 0 %d {} %s\n" % (SIZE, D),
    "sockxfer/1 from %d %d {} %s %s\n" % (PART, SIZE, D, 300 * "0"),
]
OTHERS = ["sockxfer/1 from %d %d {} %s\n" % (PART, SIZE, NOTHING)]
AS_DATA = [
    "sockxfer/1 from %d %d %s %s\n" % (PART, SIZE, TOKEN, D),
    "sockxfer/1 from here to there\n",
    "sockxfer/1 from \n",
    "sockxfer/1 fromage {}\n",
    "sockxfer/2 from %d %d {} %s\n" % (PART, SIZE, D),
    " sockxfer/1 from %d %d {} %s\n" % (PART, SIZE, D),
    "SOCKXFER/1 from %d %d {} %s\n" % (PART, SIZE, D),
    "sockxfer/1 have %d {}\n" % PART,
    "sockxfer/1 received %d %s\n" % (PART, D),
    "sockxfer/1 from " + 400 * "0",
    "x\nsockxfer/1 from %d %d {} %s\n" % (PART, SIZE, D),
    "",
]
CUT = [
    "sockxfer/1 fr",
    "sockxfer/1 from ",
    "sockxfer/1 from 1000",
    "sockxfer/1 from %d %d {} " % (PART, SIZE),
    "sockxfer/1 from %d %d {} %s" % (PART, SIZE, D),
]
PLAIN = [
    "sockxfer/1 have +%d %s\n" % (PART, TOKEN),
    "sockxfer/1 have -1 %s\n" % TOKEN,
    "sockxfer/1 have 0%d %s\n" % (PART, TOKEN),
    "sockxfer/1 have 9223372036854775808 %s\n" % TOKEN,
    "sockxfer/1 have 99999999999999999999999999 %s\n" % TOKEN,
    "sockxfer/1 have 1e5 %s\n" % TOKEN,
    "sockxfer/1 have  %s\n" % TOKEN,
    "sockxfer/1 have %d\n" % PART,
    "sockxfer/1 have %d %s0\n" % (PART, TOKEN),
    "sockxfer/1 have %d %s\n" % (PART, TOKEN[:-1]),
    "sockxfer/1 have %d %s\n" % (PART, TOKEN.upper()),
    "sockxfer/1 have %d %s \n" % (PART, TOKEN),
    "sockxfer/1 have %d %s\r\n" % (PART, TOKEN),
    "sockxfer/1 have %d %s\0\n" % (PART, TOKEN),
    "sockxfer/1 have \x1b]0;owned\x07\x1b[2J %s\n" % TOKEN,
    "\x1b[31mhave\x9b2J\n",
    "220 smtp.example.com ESMTP\r\n",
    "\n",
    100000 * "0",
    "sockxfer/1 have " + 100000 * "0",
    5000 * "sockxfer/1 have 1 x\n",
]


class Case(killing.Ends):
    """One program of ours, which listens, and a connection to it."""

    def __init__(self, program, role, transport, *arguments):
        super().__init__(program)
        self.role = role
        if os.path.exists("socket"):
            os.unlink("socket")
        where = "unix:socket" if transport == "unix" else "127.0.0.1:0"
        self.process = self.spawn(role, "-v", "-R", "-l", where, *arguments)
        address = aftermath.read_address(role)
        self.connection = socket.socket(socket.AF_UNIX if transport == "unix" else socket.AF_INET)
        self.connection.settimeout(LIMIT)
        host, _, port = address.rpartition(":")
        self.connection.connect("socket" if transport == "unix" else (host, int(port)))
        self.heard = b""

    def hear(self, until=None):
        """Receives until a line is there, or the end, which may be a reset."""
        try:
            while chunk := self.connection.recv(1 << 16):
                self.heard += chunk
                if until and until in self.heard:
                    break
        except ConnectionError:
            pass

    def say(self, data, reset=False):
        """Sends the data and the end, or a reset. The peer may have had enough before."""
        try:
            self.connection.sendall(data)
            if not reset:
                self.connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def end(self):
        """Closes, and waits. Returns the exit status."""
        self.connection.close()
        if aftermath.wait_for({self.role: self.process}):
            return "none"
        return self.process.returncode


def make_part():
    shutil.rmtree("d", ignore_errors=True)
    os.mkdir("d")
    with open("d/out.part", "wb") as part:
        part.write(BEGIN)
    os.chmod("d/out.part", 0o600)
    return looks()


def looks():
    """What there is in the directory, and how the part looks."""
    state = os.stat("d/out.part") if os.path.exists("d/out.part") else None
    return sorted(os.listdir("d")), state and (state.st_ino, state.st_size, state.st_mtime_ns)


def contents(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def meet_receiver(program, line, transport="tcp4", data=REST, reset=False):
    """Says the line and the data to a receiver. Returns it, when it has ended, its exit status, and what was said."""
    case = Case(program, "recv", transport, "d/out")
    case.hear(b"\n")
    words = case.heard.split()
    if len(words) != 4 or words[:3] != [b"sockxfer/1", b"have", b"%d" % PART]:
        raise SystemExit("the receiver says: %r" % case.heard)
    line = line.replace("{}", words[3].decode()).encode("latin-1")
    case.say(line + data, reset)
    if not reset:
        case.hear()
    return case, case.end(), line


def refused(program, line, status):
    before = make_part()
    case, code, _ = meet_receiver(program, line)
    wrong = [] if code == status else ["exit status %s" % code]
    if looks() != before or contents("d/out.part") != BEGIN:
        wrong.append("the part is not as it was")
    if b"sockxfer/1 failed " not in case.heard:
        wrong.append("the sender is told %r" % case.heard)
    return wrong


def as_data(program, line):
    make_part()
    _, code, line = meet_receiver(program, line)
    wrong = [] if code == 0 else ["exit status %s" % code]
    if contents("d/out") != line + REST or os.listdir("d") != ["out"]:
        wrong.append("the file is another")
    return wrong


def cut(program, line):
    wrong = []
    for transport in ("tcp4", "unix"):
        # On a unix socket there is no reset: who closes has sent all.
        for reset in (False, True) if transport == "tcp4" else (False,):
            before = make_part()
            _, code, _ = meet_receiver(program, line, transport, b"", reset)
            if code != 1:
                wrong.append("exit status %s (%s, reset: %s)" % (code, transport, reset))
            if looks() != before or contents("d/out.part") != BEGIN:
                wrong.append("the part is not as it was")
    return wrong


def plain(program, line):
    case = Case(program, "send", "tcp4", "source")
    case.connection.sendall(line.encode("latin-1"))
    case.hear()
    wrong = [] if case.heard == DATA else ["%d bytes came, beginning %r" % (len(case.heard), case.heard[:80])]
    code = case.end()
    if code != 0:
        wrong.append("exit status %s" % code)
    if "not confirmed" not in said("send"):
        wrong.append("it is said to be confirmed")
    if not said("send").replace("\n", "").isprintable():
        wrong.append("to the terminal comes %r" % said("send"))
    return wrong


def main():
    program, what = sys.argv[1:]
    with open("source", "wb") as source:
        source.write(DATA)
    tried = {
        "refused": [(refused, line, 1) for line in REFUSED] + [(refused, line, 4) for line in OTHERS],
        "data": [(as_data, line) for line in AS_DATA],
        "cut": [(cut, line) for line in CUT],
        "plain": [(plain, line) for line in PLAIN],
    }[what]
    failures = 0
    for function, line, *status in tried:
        for wrong in function(program, line, *status):
            failures += 1
            print("%r: %s; %s" % (line[:200], wrong, said("send" if what == "plain" else "recv")[-300:]))
    print("%d lines, %d failures" % (len(tried), failures))
    sys.exit(failures > 0)


main()
