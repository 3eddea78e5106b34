"""Runs sockxfer and the tools like it through the same faults, and prints who noticed.

usage: compare.py [--only TOOL] [--repeat N] [--limit SECONDS] SOCKXFER

Each tool sends a file of 4 MiB to itself over 127.0.0.1, with the options that its documentation
has for this, while something goes wrong. With --repeat each is done N times, and what was not the
same each time is shown as 0/1. A tool that is not installed is left out; a full disk needs root, or a user
namespace, for a mount of its own.
"""

import argparse
import contextlib
import ctypes
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time

TOTAL = 4 << 20
HALF = TOTAL // 2
DISK = 1 << 20
FLIPPED = 1_000_000  # the offset of the byte
limit = 10.0  # seconds, after which what has not ended counts as hanging
PAUSE = 0.01
PEERS = pathlib.Path(__file__).resolve().parent.parent / "peer"
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000

# The data come on the sender's stdin. OUT is the receiver's file, stdout where it is not named.
TOOLS = {
    "nc": (["nc.openbsd", "-N", "127.0.0.1", "PORT"], ["nc.openbsd", "-d", "-l", "PORT"]),
    "ncat": (
        ["ncat", "--send-only", "127.0.0.1", "PORT"],
        ["ncat", "--recv-only", "-l", "127.0.0.1", "PORT"],
    ),
    "socat": (
        ["socat", "-u", "STDIN", "TCP:127.0.0.1:PORT"],
        ["socat", "-u", "TCP-LISTEN:PORT,reuseaddr", "CREATE:OUT"],
    ),
    "busybox": (["busybox", "nc", "127.0.0.1", "PORT"], ["busybox", "nc", "-l", "-p", "PORT"]),
    "mbuffer": (
        ["mbuffer", "-q", "-s", "128k", "-O", "127.0.0.1:PORT"],
        ["mbuffer", "-q", "-s", "128k", "-I", "PORT", "-o", "OUT"],
    ),
    "sockxfer": (["SOCKXFER", "send", "127.0.0.1:PORT"], ["SOCKXFER", "recv", "-p", "PORT", "OUT"]),
}
VERSIONS = {
    "nc": ["nc.openbsd", "-h"],
    "ncat": ["ncat", "--version"],
    "socat": ["socat", "-V"],
    "busybox": ["busybox"],
    "mbuffer": ["mbuffer", "--version"],
    "sockxfer": ["SOCKXFER", "--version"],
}

LEGEND = """\
Each field: the exit status of the sender, that of the receiver, and what is
then there under the name of the file: a part of it, all of it with one byte
wrong (bad), an empty file, or nothing (-). 0/1: now this, now that. K: killed,
by kill -9, after half of the data. H: still waiting after {limit} seconds. The file
has 4 MiB, the disk 1. "Producer failed" is `sh -c 'cat half; exit 1' | TOOL`,
with sockxfer `sockxfer send host:port -- sh -c 'cat half; exit 1'`."""


class Failed(Exception):
    """The comparison itself went wrong, not a tool."""


class Pair:
    """A sender and a receiver of one tool, in a directory of their own."""

    def __init__(self, tool, program, directory, output_directory=None):
        self.tool = tool
        self.program = program
        self.output = (output_directory or directory) / "out"
        self.errors = open(directory / "messages", "wb")
        self.port = free_port()
        self.processes = []
        self.receiver = None
        self.sender = None

    def words(self, template, port):
        names = {"PORT": str(port), "OUT": str(self.output), "SOCKXFER": self.program}
        return [
            re.sub("PORT|OUT|SOCKXFER", lambda found: names[found[0]], word) for word in template
        ]

    def start(self, words, **streams):
        process = subprocess.Popen(
            words, stderr=self.errors, start_new_session=True, **{"stdout": self.errors, **streams}
        )
        self.processes.append(process)
        return process

    def receive(self):
        template = TOOLS[self.tool][1]
        to_file = any("OUT" in word for word in template)
        with open(os.devnull if to_file else self.output, "wb") as out:
            # A stdin that stays open, as a terminal's: with /dev/null busybox would end at once.
            self.receiver = self.start(
                self.words(template, self.port), stdin=subprocess.PIPE, stdout=out
            )
        wait_for(lambda: is_listening(self.port), f"{self.tool} to listen")

    def send(self, stdin, port=None):
        self.sender = self.start(self.words(TOOLS[self.tool][0], port or self.port), stdin=stdin)

    def send_output(self, script):
        """Sends what a shell script prints, in the way that the tool has for it."""
        words = self.words(TOOLS[self.tool][0], self.port)
        if self.tool == "sockxfer":
            words += ["--", "sh", "-c", script]
        else:
            words = ["sh", "-c", f"({script}) | exec {' '.join(words)}"]
        self.sender = self.start(words, stdin=subprocess.DEVNULL)

    def send_half(self, data):
        """Feeds the sender one half, and waits until the receiver has written that."""
        self.send(subprocess.PIPE)
        self.sender.stdin.write(data[:HALF])
        self.sender.stdin.flush()
        wait_for(lambda: written(self.receiver.pid) >= HALF, f"{self.tool} to pass on one half")

    def result(self, data):
        """What there is to see at the end: two exit statuses and a file."""
        deadline = time.monotonic() + limit
        ends = [end_of(process, deadline) for process in (self.sender, self.receiver)]
        return (*ends, state_of(self.output, data))

    def close(self):
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its own session: it and its children
            process.wait()
            if process.stdin:
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()
        self.errors.close()


def wait_for(condition, what):
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"waited in vain for {what}")
        time.sleep(PAUSE)


def sockets():
    """The local port and the state (as in the kernel's tables) of each TCP socket."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(FileNotFoundError), open(table, encoding="ascii") as lines:
            for line in list(lines)[1:]:
                fields = line.split()
                yield int(fields[1].rpartition(":")[2], 16), fields[3]


def is_listening(port):
    return (port, "0A") in sockets()


def free_port():
    """A port outside the range from which the kernel chooses."""
    taken = {port for port, _ in sockets()}
    while (port := random.randint(20000, 31999)) in taken:
        pass
    return port


def written(pid):
    """How many bytes the process has written to files."""
    for line in pathlib.Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines():
        if line.startswith("wchar: "):
            return int(line.split()[1])
    raise Failed("no wchar in /proc/PID/io")


def end_of(process, deadline):
    try:
        status = process.wait(max(0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return "H"
    if status == -signal.SIGKILL:
        return "K"
    return str(status if status >= 0 else 128 - status)


def state_of(path, data):
    if not path.exists():
        return "-"
    found = path.read_bytes()
    if found == data:
        return "whole"
    if not found:
        return "empty"
    return "part" if found == data[: len(found)] else "bad"


# The faults. Each gets a pair, the data and a directory with the data as files, and returns the result.


def sender_killed(pair, data, _files):
    pair.receive()
    pair.send_half(data)
    pair.sender.kill()
    return pair.result(data)


def receiver_killed(pair, data, _files):
    pair.receive()
    pair.send_half(data)
    pair.receiver.kill()
    pair.receiver.wait()

    def feed():
        with contextlib.suppress(BrokenPipeError):
            pair.sender.stdin.write(data[HALF:])
        with contextlib.suppress(BrokenPipeError):
            pair.sender.stdin.close()

    rest = threading.Thread(target=feed, daemon=True)  # it blocks where the sender takes nothing
    rest.start()
    result = pair.result(data)
    pair.sender.kill()
    rest.join()
    return result


def send_file(pair, data, files):
    pair.receive()
    with open(files / "whole", "rb") as source:
        pair.send(source)
    return pair.result(data)


def byte_flipped(pair, data, files):
    pair.receive()
    proxy = pair.start(
        [sys.executable, PEERS / "proxy.py", "--flip", str(FLIPPED), f"127.0.0.1:{pair.port}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    with proxy.stdout:
        port = int(proxy.stdout.readline().split()[-1])
        with open(files / "whole", "rb") as source:
            pair.send(source, port)
        return pair.result(data)


def producer_failed(pair, data, files):
    pair.receive()
    pair.send_output(f"cat {files / 'half'}; exit 1")
    return pair.result(data)


FAULTS = {
    ("sender", "killed"): sender_killed,
    ("receiver", "killed"): receiver_killed,
    ("receiver's", "disk full"): send_file,
    ("a byte", "flipped"): byte_flipped,
    ("producer", "failed"): producer_failed,
}
FULL_DISK = ("receiver's", "disk full")


@contextlib.contextmanager
def small_disk(parent):
    """A directory with room for DISK bytes, or None where we may not mount one."""
    path = parent / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", path]
    if subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        yield None
        return
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def own_mounts():
    """Mounts that we make are seen by nobody else, and are gone when we are."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNS) != 0 and libc.unshare(CLONE_NEWNS | CLONE_NEWUSER) == 0:
        pathlib.Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
    private = ["mount", "--make-rprivate", "/"]
    return subprocess.run(private, stderr=subprocess.DEVNULL, check=False).returncode == 0


def try_once(tool, fault, program, data, files):
    with tempfile.TemporaryDirectory(prefix="compare.") as name, contextlib.ExitStack() as stack:
        directory = pathlib.Path(name)
        disk = None
        if fault == FULL_DISK:
            disk = stack.enter_context(small_disk(directory))
            if disk is None:
                return None
        pair = Pair(tool, program, directory, disk)
        stack.callback(pair.close)
        return FAULTS[fault](pair, data, files)


def field(results):
    """One field of the table, 13 characters at the most."""
    if results[0] is None:
        return "not tried"
    sender, receiver, state = ("/".join(sorted(set(column))) for column in zip(*results))
    return f"{sender:>3} {receiver:>3} {state}"


def version(tool, program):
    words = [program if word == "SOCKXFER" else word for word in VERSIONS[tool]]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    found = re.search(rb"[0-9]+(\.[0-9]+)+|R?[0-9]{8}", done.stdout)
    return "?" if found is None else found[0].decode().lstrip("R")


def available(tool, program):
    command = TOOLS[tool][0][0]
    return shutil.which(program if command == "SOCKXFER" else command) is not None


def print_row(name, fields):
    print(f"{name:9} {' '.join(f'{text:13}' for text in fields)}".rstrip(), flush=True)


def main():
    global limit  # pylint: disable=global-statement
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--only", choices=TOOLS)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--limit", type=float, default=limit)
    parser.add_argument("sockxfer")
    arguments = parser.parse_args()
    limit = arguments.limit
    program = os.path.abspath(arguments.sockxfer)
    tools = [arguments.only] if arguments.only else list(TOOLS)
    missing = [tool for tool in tools if not available(tool, program)]
    if missing:
        print("not installed:", *missing, file=sys.stderr)
    tools = [tool for tool in tools if tool not in missing]

    if not own_mounts():
        print("no mounts here: the full disk is not tried", file=sys.stderr)
    data = random.Random(2026).randbytes(TOTAL)
    with tempfile.TemporaryDirectory(prefix="compare.") as name:
        files = pathlib.Path(name)
        (files / "whole").write_bytes(data)
        (files / "half").write_bytes(data[:HALF])
        for words in zip(*FAULTS):
            print_row("", words)
        for tool in tools:
            fields = []
            for fault in FAULTS:
                results = [
                    try_once(tool, fault, program, data, files) for _ in range(arguments.repeat)
                ]
                fields.append(field(results))
            print_row(tool, fields)
    print()
    print(LEGEND.format(limit=f"{limit:g}"))
    versions = ", ".join(f"{tool} {version(tool, program)}" for tool in tools)
    print(textwrap.fill(f"Versions: {versions}.", 79))


try:
    main()
except Failed as failure:
    sys.exit(f"compare: {failure}")
