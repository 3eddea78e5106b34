"""The cases: what is moved from where to where, by which tools, and whether it has arrived."""

import dataclasses
import pathlib
import shutil
import subprocess
import sys
import typing

import link
import measure
from transfer import Job, Run, Transfer

SIZES = [1 << 10, 16 << 10, 256 << 10, 4 << 20, 64 << 20, 1 << 30, 4 << 30, 16 << 30]
BIG, BIG_ROUNDS = 4 << 30, 2  # from that size on, no more rounds than these
ROOM = 2.2  # times the size: the source, and the output or the scratch file of measure.warm
TREE = 512 << 20  # bytes of the tree for tar, at the most
TREE_FILES = [4 << 10, 64 << 10, 1 << 20]


class Skipped(Exception):
    """A case that cannot be done here, and why."""


@dataclasses.dataclass
class Bench:
    """The settings, and the directories on a tmpfs and on a disk (None where there is none)."""

    program: str
    rounds: int
    size: int
    tools: list  # those that are installed and wanted
    memory: typing.Optional[pathlib.Path]
    disk: typing.Optional[pathlib.Path]

    def fast(self):
        """A directory for what is not about files."""
        directory = self.memory or self.disk
        if directory is None:
            raise Skipped("no directory to work in")
        return directory

    def plain(self):
        """The tools that move a file, and no more."""
        return [tool for tool in self.tools if not (tool.sync or tool.command_form or tool.encrypted)]

    def fitting(self, directory, limit=sys.maxsize):
        size = min(self.size, limit)
        while size * ROOM > measure.room(directory):
            size //= 2
        if not size:
            raise Skipped(f"no room in {directory.parent}")
        return size

    def warm(self, size):
        """Before each run, outside of its time."""
        directory = self.fast()
        if size * (ROOM - 1) <= measure.room(directory):
            measure.warm(directory, size)


def same(first, second):
    return subprocess.run(["cmp", "-s", first, second], check=False).returncode == 0


def same_tree(first, second):
    command = ["diff", "-rq", first, second]
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0


def attempt(case, index, job, check):
    """Does one run, and reports what went wrong: that is a result, and not the end of the benchmark."""
    measured, verdict = (), "failed"
    try:
        measured = Transfer(job).run()
        verdict = "ok" if check(job) else "wrong"
    except (measure.Failed, OSError) as failure:
        print(f"bench: {case}: {job.tool.name}: {failure}", file=sys.stderr)
    return Run(case, job.tool.name, job.size, index, *measured)._replace(ok=verdict)


def copies(bench, case, directory, tools, size, rounds=None, unix=False):
    """File to file, in the directory."""
    source, output = directory / "source", directory / "output"
    measure.make_file(source, size)
    try:
        for index in range(rounds or bench.rounds):
            for tool in tools:
                output.unlink(missing_ok=True)
                settle(directory)
                bench.warm(size)
                job = Job(tool, bench.program, directory, size, source, output, unix=unix)
                yield attempt(case, index, job, lambda job: same(job.source, job.output))
    finally:
        output.unlink(missing_ok=True)
        source.unlink()


def settle(directory):
    """On a disk: what the last run left to be written is not to be part of the next one's time."""
    if measure.file_system(directory) not in ("tmpfs", "ramfs"):
        subprocess.run(["sync", "-f", directory], check=True)


def tmpfs(bench):
    """file to file on a tmpfs"""
    if bench.memory is None:
        raise Skipped("no tmpfs")
    size = bench.fitting(bench.memory)
    yield from copies(bench, "tmpfs", bench.memory, bench.plain(), size)


def disk(bench):
    """file to file on a disk"""
    if bench.disk is None:
        raise Skipped("no disk")
    yield from copies(bench, "disk", bench.disk, bench.plain(), bench.fitting(bench.disk))


def sync(bench):
    """file to file on a disk, safe from a power cut"""
    if bench.disk is None:
        raise Skipped("no disk")
    tools = [tool for tool in bench.tools if tool.sync]
    yield from copies(bench, "sync", bench.disk, tools, bench.fitting(bench.disk))


def unix(bench):
    """file to file through a unix socket"""
    directory = bench.fast()
    tools = [tool for tool in bench.plain() if tool.send_unix]
    yield from copies(bench, "unix", directory, tools, bench.fitting(directory), unix=True)


def streaming(bench):
    """The tools that read stdin and write stdout."""
    return [tool for tool in bench.plain() if tool.streams]


class Verifier:
    """A consumer at the end of a pipe that tells whether the bytes are those of the file.

    xxh128sum takes so little time that the pipe is not much slower for it, and the file is read but once;
    cmp, where that is not installed, takes more.
    """

    def __init__(self, source):
        if shutil.which("xxh128sum"):
            self.words = ("xxh128sum",)
            with open(source, "rb") as file:
                done = subprocess.run(self.words, stdin=file, stdout=subprocess.PIPE, check=True)
            self.expected = done.stdout
        else:
            self.words = ("cmp", "-s", "-", str(source))
            self.expected = b""

    def check(self, job):
        return job.report.read_bytes() == self.expected


def null(bench):
    """file to /dev/null"""
    directory = bench.fast()
    size = bench.fitting(directory)
    source = directory / "source"
    measure.make_file(source, size)
    try:
        tools = streaming(bench)
        good = proven(bench, directory, size, source, tools)
        for index in range(bench.rounds):
            for tool in tools:
                job = Job(tool, bench.program, directory, size, source)
                yield attempt("null", index, job, lambda job: job.tool.name in good)
    finally:
        source.unlink()


def proven(bench, directory, size, source, tools):
    """The names of the tools that move the file right.

    What went to /dev/null cannot be looked at, so each tool first does the same once into a pipe.
    """
    verifier = Verifier(source)
    good = set()
    for tool in tools:
        job = Job(tool, bench.program, directory, size, source, consumer=verifier.words)
        if attempt("null", 0, job, verifier.check).ok == "ok":
            good.add(tool.name)
    return good


def sizes(bench):
    """file to file, by size"""
    for size in SIZES:
        rounds = min(bench.rounds, BIG_ROUNDS) if size >= BIG else bench.rounds
        directory = bench.fast()
        if size * ROOM <= measure.room(directory):
            yield from copies(bench, "sizes", directory, bench.plain(), size, rounds)
        elif place := place_for(bench, size):
            yield from into_pipe(bench, place, size, rounds)
        else:
            print(f"  {size >> 20} MB skipped: no room", flush=True)


def place_for(bench, size):
    """Where there is room for the source alone."""
    for directory in (bench.memory, bench.disk):
        if directory and size <= measure.room(directory):
            return directory
    return None


def into_pipe(bench, directory, size, rounds):
    """File to a pipe that is verified, as there is no room for an output; nor for measure.warm."""
    source = directory / "source"
    measure.make_file(source, size)
    try:
        verifier = Verifier(source)
        settle(directory)
        for index in range(rounds):
            for tool in streaming(bench):
                job = Job(tool, bench.program, directory, size, source, consumer=verifier.words)
                yield attempt("sizes-pipe", index, job, verifier.check)
    finally:
        source.unlink()


def pipe(bench):
    """pipe to pipe: tar c | ... | tar x"""
    directory = bench.fast()
    size = bench.fitting(directory, TREE)
    tree, output = directory / "tree", directory / "unpacked"
    size = make_tree(tree, size)
    tools = [tool for tool in bench.tools if tool.streams and not (tool.sync or tool.local or tool.encrypted)]
    try:
        for index in range(bench.rounds):
            for tool in tools:
                shutil.rmtree(output, ignore_errors=True)
                output.mkdir()
                bench.warm(size)
                job = Job(tool, bench.program, directory, size)
                job.producer = ("tar", "cf", "-", "-C", str(tree), ".")
                job.consumer = ("tar", "xf", "-", "-C", str(output))
                yield attempt("pipe", index, job, lambda job: same_tree(tree, output))
    finally:
        shutil.rmtree(output, ignore_errors=True)
        shutil.rmtree(tree)


def make_tree(top, size):
    """Small, middling and large files, about so many bytes; returns how many they are."""
    total = count = 0
    while total < size:
        length = TREE_FILES[count % len(TREE_FILES)]
        folder = top / f"{count // 64:03}"
        folder.mkdir(parents=True, exist_ok=True)
        measure.make_file(folder / f"{count:05}", length)
        total, count = total + length, count + 1
    return total


def links(bench):
    """file to file over a slow link, a fast one, and one that loses packets"""
    tools = [tool for tool in bench.tools if tool.name in ("sockxfer", "nc", "ncat", "socat-1m")]
    directory = bench.fast()
    source, output = directory / "source", directory / "output"
    for kind in link.KINDS:
        measure.make_file(source, kind.size)
        try:
            with link.Link(kind) as made:
                for index in range(bench.rounds):
                    for tool in tools:
                        output.unlink(missing_ok=True)
                        job = Job(tool, bench.program, directory, kind.size, source, output)
                        made.place(job)
                        yield attempt(kind.name, index, job, lambda job: same(source, output))
        except link.NoLink as reason:
            raise Skipped(str(reason)) from None
        finally:
            output.unlink(missing_ok=True)
            source.unlink()


ALL = {case.__name__: case for case in (tmpfs, disk, sync, null, pipe, unix, links, sizes)}
