"""A command that takes data and tells how its input ended.

usage: eater.py LOG [--limit N] [--slow SECONDS] [--await FILE]

Reads stdin to its end, or N bytes of it, with a pause between blocks. Then "eof N" is added to LOG, or "term N"
if SIGTERM comes instead, and the exit status is 0 or 1. With --await it starts to read when the file is there.
"""

import argparse
import os
import signal
import sys
import time

parser = argparse.ArgumentParser(usage=__doc__)
parser.add_argument("log")
parser.add_argument("--limit", type=int, default=1 << 62)
parser.add_argument("--slow", type=float, default=0)
parser.add_argument("--await", dest="file")
arguments = parser.parse_args()
eaten = 0


def tell(how):
    with open(arguments.log, "a") as log:
        print(how, eaten, file=log)


def on_term(*_):
    tell("term")
    os._exit(1)


signal.signal(signal.SIGTERM, on_term)
tell("start")
while arguments.file and not os.path.exists(arguments.file):
    time.sleep(0.01)
while eaten < arguments.limit:
    block = os.read(0, min(65536, arguments.limit - eaten))
    if not block:
        break
    eaten += len(block)
    time.sleep(arguments.slow)
tell("eof")
