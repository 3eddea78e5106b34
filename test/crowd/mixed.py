"""Clients of all kinds at once, a third of them killed, and what is in the directory then.

usage: mixed.py [--clients N] [--at-once N] [--seed N] SOCKXFER

A third are senders that are killed at random moments, a tenth never send anything, a tenth close at once, a
tenth reset; of the others half are sockxfer and half plain sockets. Exactly the streams that were whole are
files in the directory, once, and nothing else is, no hidden file either; of the server no child and no
descriptor is left, and it goes on serving.

The seed is printed; the same seed gives the same clients, though not the same scheduling.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import os
import random

import clients
from server import Failed, Server, run, times_busy

LIMIT = 900  # seconds for all
LARGEST = 300000  # bytes of a stream
SILENCE = 5  # seconds, the receiver's -w, and more where the machine is busy


def kinds(count, chance):
    """Which client is of which kind, shuffled."""
    chosen = [clients.killed_sender] * (count // 6) + [clients.killed_ending_sender] * (count // 6)
    chosen += [clients.silent, clients.closing, clients.resetting] * (count // 10)
    good = [clients.sender] * 3 + [clients.raw_sender, clients.leaving_sender, clients.slow_sender]
    chosen += [good[number % len(good)] for number in range(count - len(chosen))]
    chance.shuffle(chosen)
    return chosen


def data_of(number, chance):
    """A stream like no other; short ones are as frequent as long ones."""
    size = chance.randrange(1, LARGEST) if chance.random() < 0.5 else chance.randrange(1, 3000)
    return b"%d " % number + chance.randbytes(size)


def digest(data):
    return hashlib.blake2b(data).digest()


def check(streams, paths):
    """streams: (kind, digest of its data, what is known) of each."""
    names = os.listdir("d")
    if sorted(paths) != sorted("d/" + name for name in names):
        raise Failed("the paths on stdout are not those in the directory: %d, %d" % (len(paths), len(names)))
    found = collections.Counter()
    for name in names:
        with open("d/" + name, "rb") as file:
            found[digest(file.read())] += 1
    for kind, of_data, known in streams:
        times = found.pop(of_data, 0)
        if times > 1 or (known == clients.WHOLE and not times) or (known == clients.NONE and times):
            raise Failed("a %s, whose stream is %s, is there %d times" % (kind, known, times))
    if found:
        raise Failed("%d files are nobody's stream" % len(found))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--at-once", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("program")
    chosen = parser.parse_args()

    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(1 << 32)
    print("seed", seed, flush=True)
    chance = random.Random(seed)
    order = kinds(chosen.clients, chance)
    os.mkdir("d")
    with open("paths", "wb") as paths, \
            Server(chosen.program, "recv", "-w", str(SILENCE * min(times_busy(), 6)), "d/", stdout=paths) as server:

        def serve(number, kind, its_seed):
            own = random.Random(its_seed)
            client = clients.Client(chosen.program, server.port, data_of(number, own), own)
            known, wrong = kind(client)
            return (kind.__name__, digest(client.data), known), wrong

        with concurrent.futures.ThreadPoolExecutor(chosen.at_once) as pool:
            tasks = [pool.submit(serve, number, kind, chance.random()) for number, kind in enumerate(order)]
            results = [task.result() for task in tasks]
        server.settle()
        wrong = [text for _, text in results if text]
        if wrong:
            raise Failed("%d clients: %s" % (len(wrong), "; ".join(wrong[:3])))
        last, wrong = serve(len(order), clients.sender, 0)
        if wrong:
            raise Failed("afterwards: %s" % wrong)
        server.settle()
        streams = [stream for stream, _ in results] + [last]
        with open("paths", encoding="ascii") as lines:
            check(streams, lines.read().splitlines())
        server.end()
    count = collections.Counter(known for _, _, known in streams)
    print("%d clients: %d whole, %d files, %d not whole, %d killed at the end of their stream" % (
        len(streams), count[clients.WHOLE], len(os.listdir("d")), count[clients.NONE], count[clients.EITHER]))


run(main, LIMIT)
