"""Many real senders at a time into one directory.

usage: senders.py [--senders N] [--at-once N] [--size BYTES] SOCKXFER

Each sender has data of its own, none like another's anywhere, and asks for a receipt (send -V --json). The
first ones wait in the middle of their data until all that may run at once do, and the memory of the workers
is looked at then, and twenty times a second.

Then there are as many whole files as senders, and as many paths on stdout, which are theirs; each sender has
ended with 0 and "stored"; of the server no child and no descriptor is left.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import threading

from server import Failed, Sampler, Server, environment, is_instrumented, run, wait_for

LIMIT = 900  # seconds for all
STEP = 1031  # bytes by which the data of one sender is shifted against those of the next


class Senders:
    def __init__(self, program, count, at_once, size):
        self.program, self.count, self.at_once, self.size = program, count, min(at_once, count), size
        self.block = os.urandom(size + count * STEP)
        self.half_way = threading.Barrier(self.at_once + 1)
        self.go_on = threading.Barrier(self.at_once + 1)
        self.address = None

    def data(self, number):
        return b"%08d" % number + self.block[number * STEP:number * STEP + self.size - 8]

    def send(self, number):
        """Returns what is wrong with it, or None."""
        data, half = self.data(number), self.size // 2
        words = [self.program, "send", "-V", "-q", "--json", self.address]
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        try:
            process.stdin.write(data[:half])
            process.stdin.flush()
            if number < self.at_once:
                self.half_way.wait(LIMIT)
                self.go_on.wait(LIMIT)
            output, errors = process.communicate(data[half:], LIMIT)
        except BrokenPipeError:
            output, errors = process.communicate(None, LIMIT)
        finally:
            process.kill()
        result = json.loads(output or "{}")
        if process.returncode != 0 or result.get("ended") != "stored" or result.get("bytes") != self.size:
            return "sender %d: %d %s %s" % (number, process.returncode, result.get("ended"), errors.decode())
        return None

    def run(self, server, sampler):
        self.address = server.address
        with concurrent.futures.ThreadPoolExecutor(self.at_once) as pool:
            tasks = [pool.submit(self.send, number) for number in range(self.count)]
            try:
                self.half_way.wait(LIMIT)
                wait_for(lambda: len(server.children()) == self.at_once, "%d workers at once" % self.at_once)
                sampler.sample()
                self.go_on.wait(LIMIT)
                return list(filter(None, [task.result() for task in tasks]))
            except BaseException:
                self.half_way.abort()
                self.go_on.abort()
                server.process.kill()
                pool.shutdown(cancel_futures=True)
                raise

    def check(self, paths):
        """That these, and no others, are in the directory, and are the senders' data, each once."""
        if sorted(paths) != sorted("d/" + name for name in os.listdir("d")):
            raise Failed("the paths on stdout are not those in the directory: %d, %d"
                         % (len(paths), len(os.listdir("d"))))
        numbers = set()
        for path in paths:
            with open(path, "rb") as file:
                content = file.read()
            number = int(content[:8])
            if content != self.data(number):
                raise Failed("%s is not what sender %d sent" % (path, number))
            numbers.add(number)
        if numbers != set(range(self.count)):
            raise Failed("%d of %d files are there" % (len(numbers), self.count))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--senders", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--size", type=int, default=1000000)
    parser.add_argument("program")
    chosen = parser.parse_args()

    senders = Senders(chosen.program, chosen.senders, chosen.at_once, chosen.size)
    os.mkdir("d")
    with open("paths", "wb") as paths, Server(chosen.program, "recv", "d/", stdout=paths) as server:
        sampler = Sampler(server)
        sampler.start()
        wrong = senders.run(server, sampler)
        sampler.end()
        if wrong:
            raise Failed("%d senders: %s" % (len(wrong), "; ".join(wrong[:3])))
        server.settle()
        with open("paths", encoding="ascii") as lines:
            senders.check(lines.read().splitlines())
        server.end()
        if sampler.most > chosen.at_once:
            raise Failed("%d workers at once" % sampler.most)
    kind = "instrumented, " if is_instrumented(chosen.program) else ""
    print("%d senders, %d workers at once: %s%.1f MB of memory together at the most (Pss, %d samples)"
          % (senders.count, sampler.most, kind, sampler.memory / 1e6, sampler.samples))


run(main, LIMIT)
