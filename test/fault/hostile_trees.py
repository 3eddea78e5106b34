"""Sends hostile archives to a receiver that unpacks, and looks at what is left of each.

usage: hostile_trees.py SOCKXFER ADDRESS INBOX OUTSIDE

The receiver serves many (-k -x --max-entries 20 --max-size 100000) into the directory INBOX. OUTSIDE is a
directory that no archive may touch, with a file "secret" in it. Of each archive the sender has to be
told why it is refused, INBOX has to be empty afterwards, and OUTSIDE as it was. What went wrong is printed,
a line each, and the exit status is then 1.
"""

import os
import subprocess
import sys
import time

LIMIT = 120  # seconds that anything may take
BLOCK = 512
END = bytes(2 * BLOCK)


def padded(content):
    return content + bytes(-len(content) % BLOCK)


def header(name, kind=b"0", size=0, target=b"", mode=0o644, magic=b"ustar\00000"):
    """A header of ustar; names that are longer are cut."""
    fields = [
        name[:100].ljust(100, b"\0"), b"%07o\0" % mode, b"%07o\0" % 0, b"%07o\0" % 0, b"%011o\0" % size,
        b"%011o\0" % 1000000000, b" " * 8, kind, target[:100].ljust(100, b"\0"), magic,
        bytes(64), b"%07o\0" % 1, b"%07o\0" % 3,
    ]
    block = b"".join(fields).ljust(BLOCK, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def record(key, value):
    size = len(key) + len(value) + 3
    while len(b"%d %s=%s\n" % (size, key, value)) != size:
        size += 1
    return b"%d %s=%s\n" % (size, key, value)


def pax(**values):
    text = b"".join(record(key.encode(), value) for key, value in values.items())
    return header(b"pax", b"x", len(text)) + padded(text)


def file(name, content=b"content", **more):
    return header(name, b"0", len(content), **more) + padded(content)


def directory(name):
    return header(name + b"/", b"5", mode=0o755)


def symlink(name, target):
    return header(name, b"2", target=target)


def hard(name, target):
    return header(name, b"1", target=target)


def long(name):
    return pax(path=name) + file(name)


def hostile(outside):
    """Yields for each archive a name, its members, and what the refusal says."""
    out = outside.encode()
    up = b"../" * 20 + out.lstrip(b"/")

    yield "an absolute path", file(out + b"/new"), "absolute"
    yield "a temporary file of ours", file(b".sockxfer.01.out"), "temporary"
    yield "only a slash", directory(b""), "absolute"
    yield "a path upwards", file(b"../new"), ".."
    yield "a path down and up", file(b"a/../../new"), ".."
    yield "a path to the parent", directory(b"a/.."), ".."
    yield "the parent", directory(b".."), ".."
    yield "upwards by pax", pax(path=up + b"/new") + file(b"x"), ".."
    yield "absolute by pax", pax(path=out + b"/new") + file(b"x"), "absolute"
    yield "upwards by GNU's long name", (
        header(b"L", b"L", len(up) + 5, magic=b"ustar  \0") + padded(up + b"/new\0")
        + file(b"x", magic=b"ustar  \0")), ".."
    yield "an empty name", file(b"a//b"), "empty"
    yield "an empty path", file(b""), "path"
    yield "the tree as a file", file(b"."), "itself"
    yield "the tree as a link", symlink(b"./.", out), "itself"
    yield "a name of 256 bytes", long(256 * b"n"), "255"
    yield "a directory of 256 bytes", long(256 * b"n" + b"/x"), "255"
    yield "a path of more than 64 KiB", long(b"n/" * 32768 + b"n"), "65536 bytes"
    yield "pax headers of more than 1 MiB", pax(comment=bytes(1 << 20)) + file(b"x"), "extended"

    yield "a link out, and a file by it", symlink(b"l", out) + file(b"l/new"), "l"
    yield "a link up, and a file by it", symlink(b"l", up) + file(b"l/new"), "l"
    yield "a link out, and a directory by it", symlink(b"l", out) + directory(b"l/new"), "l"
    yield "a link to a file, and that file", symlink(b"l", out + b"/secret") + file(b"l"), "twice"
    yield "a link in the middle", directory(b"a") + symlink(b"a/l", out) + file(b"a/l/b/new"), "a/l"
    yield "a link over a directory", file(b"a/x") + symlink(b"a", out), "twice"
    yield "two links, and a file by both", symlink(b"a", b".") + symlink(b"b", b"a/..") + file(b"b/new"), "b"
    yield "a link, a hard link to it, a file by that", (
        symlink(b"l", out) + hard(b"h", b"l") + file(b"h/new")), "h"
    yield "a link, a hard link to it, that file", (
        symlink(b"l", out + b"/secret") + hard(b"h", b"l") + file(b"h")), "h"
    yield "a hard link through a link", symlink(b"l", out) + hard(b"h", b"l/secret"), "through"
    yield "a hard link through a link to be", (
        hard(b"h", b"l/secret") + symlink(b"l", out)), "h"
    yield "a hard link below a link", file(b"f") + symlink(b"l", out) + hard(b"l/h", b"f"), "l"
    yield "a hard link out", hard(b"h", out + b"/secret"), "absolute"
    yield "a hard link up", hard(b"h", up + b"/secret"), ".."
    yield "a hard link to what is not there", hard(b"h", b"none"), "not in the archive"
    yield "a hard link to itself", hard(b"h", b"h"), "not in the archive"
    yield "a hard link to a directory", directory(b"a") + hard(b"h", b"a"), "h"
    yield "a hard link to the tree", hard(b"h", b"."), "h"
    yield "a hard link over a file", file(b"f") + file(b"h") + hard(b"h", b"f"), "twice"

    yield "a file twice", file(b"f") + file(b"f"), "twice"
    yield "a file twice, with a dot", file(b"f") + file(b"./f"), "twice"
    yield "a directory twice", directory(b"a") + directory(b"a"), "twice"
    yield "a file over a directory", directory(b"a") + file(b"a"), "twice"
    yield "a file over a directory that is not said", file(b"a/b") + file(b"a"), "twice"
    yield "a directory over a file", file(b"a") + directory(b"a"), "twice"
    yield "a file in a file", file(b"a") + file(b"a/b"), "no directory"
    yield "a directory in a file", file(b"a") + directory(b"a/b"), "no directory"
    yield "a link twice", symlink(b"l", b"x") + symlink(b"l", b"y"), "twice"
    yield "a link over a file", file(b"l") + symlink(b"l", b"y"), "twice"
    yield "a link of more than a path", pax(linkpath=b"n/" * 3000) + symlink(b"l", b"x"), "long"

    yield "a device", header(b"null", b"3"), "device"
    yield "a block device", header(b"sda", b"4"), "device"
    yield "a FIFO", header(b"fifo", b"6"), "FIFO"
    yield "a file of several volumes", header(b"m", b"M", 512) + bytes(512), "volume"
    yield "a sparse file", header(b"s", b"S", 512) + bytes(512), "sparse"
    yield "a sparse file by pax", (
        pax(**{"GNU.sparse.major": b"1", "GNU.sparse.realsize": b"8796093022208"}) + file(b"s")), "sparse"
    yield "a type that nobody knows", header(b"z", b"Z"), "Z"

    yield "more entries than allowed", b"".join(file(b"f%d" % i) for i in range(21)), "max-entries"
    yield "more directories than allowed", long(b"d/" * 30 + b"f"), "max-entries"
    yield "more content than allowed", b"".join(file(b"f%d" % i, bytes(10000)) for i in range(11)), "too large"
    yield "a file of 8 EiB", (
        header(b"f", b"0", 0)[:124] + b"\x80\0\0\0\x7f" + 7 * b"\xff" + bytes(376)), "damaged"
    yield "a file larger than allowed", pax(size=b"9000000000000000000") + header(b"f"), "too large"
    yield "a negative size", pax(size=b"-1") + header(b"f"), "size"


def broken():
    """The same for what is no whole archive; nothing is put around it."""
    whole = file(b"f", bytes(1000)) + directory(b"a")
    yield "text", b"this is no archive\n" * 100, "not a tar archive: the sender needs --named"
    yield "a little text", b"text", "not a tar archive"
    yield "a compressed archive", b"\x1f\x8b\x08" + bytes(600), "compressed by gzip"
    yield "no mark of the end", whole, "end"
    yield "half a mark", whole + bytes(BLOCK), "end"
    yield "a cut in a header", whole + file(b"g")[:300], "header"
    yield "a cut in content", whole + header(b"g", b"0", 5000) + bytes(1024), "g"
    yield "a wrong sum behind a long path", long(b"n/" * 9 + b"n" * 250) + b"x" * BLOCK, "a header that is none"
    yield "a wrong sum", whole + b"x" + file(b"g")[1:], "damaged"
    yield "something behind the mark", whole + END + b"x", "mark"
    yield "another archive behind the mark", whole + END + whole + END, "mark"


def send(program, address, archive):
    return subprocess.run(
        [program, "send", "-w", str(LIMIT), address, "-"],
        input=archive, capture_output=True, timeout=2 * LIMIT, check=False,
    )


def look(directory_path):
    """What is in a directory, and below it, with contents and times of its own."""
    found = []
    for path, names, files in os.walk(directory_path):
        for name in names + files:
            full = os.path.join(path, name)
            status = os.lstat(full)
            found.append((full, status.st_mode, status.st_size, status.st_nlink, status.st_mtime_ns))
    return sorted(found)


def wait_empty(inbox):
    """The refusal is told before all is removed. Returns what is still there at last."""
    deadline = time.monotonic() + LIMIT
    while os.listdir(inbox) and time.monotonic() < deadline:
        time.sleep(0.005)
    return os.listdir(inbox)


def main():
    program, address, inbox, outside = sys.argv[1:]
    before = look(outside)
    failures = 0
    count = 0
    good = file(b"good/file") + file(b"other")
    archives = [(name, good + members + END, why) for name, members, why in hostile(outside)]
    archives += list(broken())
    for name, archive, why in archives:
        count += 1
        sent = send(program, address, archive)
        said = sent.stderr.decode(errors="replace")
        wrong = []
        if sent.returncode != 6 or why not in said.partition("the receiver failed")[2]:
            wrong.append("status %d, %r without %r" % (sent.returncode, said[-300:], why))
        left = wait_empty(inbox)
        if left:
            wrong.append("left: %s" % left)
        if look(outside) != before:
            wrong.append("it wrote outside: %s" % look(outside))
        for what in wrong:
            failures += 1
            print("%s: %s" % (name, what), flush=True)
    print("%d archives, %d failures" % (count, failures))
    sys.exit(failures > 0)


main()
