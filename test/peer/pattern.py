"""The bytes that scripted.py sends: never the same block twice, so that a lost, doubled or
exchanged piece shows.

usage: pattern.py N      prints the first N
"""

import sys

LINE = 16


def pattern(start, count):
    """count bytes of the pattern from offset start: numbered lines of 16 bytes."""
    first = start // LINE
    last = (start + count + LINE - 1) // LINE
    lines = b"".join(b"%015d\n" % number for number in range(first, last))
    skip = start - first * LINE
    return lines[skip:skip + count]


if __name__ == "__main__":
    total = int(sys.argv[1])
    for offset in range(0, total, 1 << 20):
        sys.stdout.buffer.write(pattern(offset, min(1 << 20, total - offset)))
