"""A directory tree to a new place: many small files, and one large file beside the plain transfer of it."""

import dataclasses
import os
import pathlib
import random
import subprocess

import cases
import encrypted
import measure
from transfer import Job

SEED = 14
FILES, DIRECTORIES = 20000, 200
LEAST, MOST = 1 << 10, 20 << 10  # bytes of a small file
MEAN = (LEAST + MOST) // 2
LARGE = 2 << 30  # bytes of the large file, at the most
MODES = [0o600, 0o640, 0o644, 0o755]
ROOM = 4  # times the size, below which there is no room for keeping what arrived
BORN = 1500000000  # when the oldest file was changed
SECOND = 10**9


def make_small(top, size):
    """Makes the tree of many small files, about so many bytes, the same each time. Returns how many they are."""
    chance = random.Random(SEED)
    total = 0
    for number in range(min(FILES, max(1, size // MEAN))):
        folder = top / f"d{number % DIRECTORIES // 10:02}" / f"e{number % 10}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"f{number:05}"
        path.write_bytes(chance.randbytes(chance.randint(LEAST, MOST)))
        path.chmod(chance.choice(MODES))
        stamp(path, chance)
        total += path.stat().st_size
    for folder, _, _ in os.walk(top, topdown=False):
        os.chmod(folder, 0o755)
        stamp(folder, chance)
    return total


def stamp(path, chance):
    when = (BORN + chance.randrange(10**8)) * SECOND + chance.randrange(SECOND)
    os.utime(path, ns=(when, when))


def tree_tools(bench):
    """The tools as they move a tree, those that move a stream between two tars."""
    for tool in bench.tools:
        if tool.send_tree:
            name = tool.name.replace("ssh", "scp")
            yield dataclasses.replace(tool, name=name, send=tool.send_tree, receive=tool.receive_tree)
        elif tool.tree_by_tar:
            name = tool.name if tool.command_form else f"tar-{tool.name}"
            yield dataclasses.replace(tool, name=name, tree_unit=SECOND)


def job_of(bench, tool, directory, size, source):
    job = Job(tool, bench.program, directory, size, source, directory / "output")
    if tool.tree_by_tar:
        job.producer = ("tar", "cf", "-", "-C", str(source), ".")
        job.consumer = ("tar", "xf", "-", "-C", str(job.output))
        job.counts_commands = True
        job.output.mkdir()
    return job


def same(job):
    """Whether all that was sent is there, with its modes, and times as exact as the tool keeps them."""
    if job.source.is_file() and job.output.is_file():
        return cases.same(job.source, job.output)
    source = job.source if job.source.is_dir() else job.source.parent
    if not cases.same_tree(source, job.output):
        return False
    return all(
        same_attributes(path, job.output / path.relative_to(source), job.tool.tree_unit)
        for path in source.rglob("*")
    )


def same_attributes(first, second, unit):
    first, second = first.lstat(), second.lstat()
    return first.st_mode == second.st_mode and (
        unit is None or first.st_mtime_ns // unit == second.st_mtime_ns // unit)


def remove(path):
    """By rm, for Python takes several times as long for a tree."""
    subprocess.run(["rm", "-rf", path], check=True)


def forget(tree):
    """Has the content of the files read from the disk, as far as it is there; names and inodes stay cached.

    /proc/sys/vm/drop_caches would drop those as well, but of the whole machine, and for root only.
    """
    for path in filter(pathlib.Path.is_file, tree.rglob("*")):
        with open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def rounds(bench, case, directory, size, jobs, kept=None, before=lambda: None):
    """Runs each of the jobs (tool, source) once in each round; what is there then is moved to the directory kept."""
    output = directory / "output"
    try:
        for index in range(bench.rounds):
            for tool, source in jobs:
                cases.settle(directory)
                bench.warm(size)
                before()
                yield cases.attempt(case, index, job_of(bench, tool, directory, size, source), same)
                if kept and output.exists() and size * ROOM < measure.room(directory):
                    output.rename(kept / f"{len(os.listdir(kept))}")
                remove(output)
    finally:
        remove(output)


def small_files(bench, kind, directory):
    """As the page cache has them, and on a disk also as it has not.

    What was written there is not deleted meanwhile: ext4 looks at each inode that was deleted a minute ago
    or less, to take another one, and with so many of them a new file takes a hundred times as long.
    """
    top, kept = directory / "tree", directory / "kept"
    top.mkdir()
    kept.mkdir()
    try:
        size = make_small(top, bench.fitting(directory, FILES * MEAN))
        jobs = [(tool, top) for tool in tree_tools(bench)]
        if kind == "disk":
            yield from rounds(bench, "tree-disk", directory, size, jobs, kept)
            yield from rounds(bench, "tree-uncached", directory, size, jobs, kept, lambda: forget(top))
        else:
            yield from rounds(bench, f"tree-{kind}", directory, size, jobs)
    finally:
        remove(top)
        remove(kept)


def large_file(bench, kind, directory):
    """A tree that is one file, and by sockxfer that file alone, as a file and with its name."""
    top = directory / "tree"
    size = bench.fitting(directory, LARGE)
    top.mkdir()
    source = top / "large"
    try:
        measure.make_file(source, size)
        jobs = [(tool, top) for tool in tree_tools(bench)]
        for tool in bench.tools:
            if tool.name == "sockxfer":
                named = tool.send_tree.replace("send", "send --named", 1)
                named = dataclasses.replace(tool, name="sockxfer-named", send=named, receive=tool.receive_tree)
                plain = dataclasses.replace(tool, name="sockxfer-plain")
                jobs += [(named, source), (plain, source)]
        yield from rounds(bench, f"tree-large-{kind}", directory, size, jobs)
    finally:
        remove(top)


def trees(bench):
    """20,000 files of 1 to 20 KB as a tree, and one of 2 GiB, on a tmpfs and on a disk"""
    mask = os.umask(0o022)  # with which what takes the umask off changes none of our modes
    try:
        for kind, directory in (("tmpfs", bench.memory), ("disk", bench.disk)):
            if directory is None:
                print(f"  no {kind}", flush=True)
                continue
            with encrypted.secrets_in(directory, bench.program):
                yield from small_files(bench, kind, directory)
                yield from large_file(bench, kind, directory)
    finally:
        os.umask(mask)


ALL = {"trees": trees}
