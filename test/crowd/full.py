"""A server that can take no more: it uses no CPU time, and goes on serving when it can.

usage: full.py [--connects N] jobs|descriptors|accept|fork [ERRNO] SOCKXFER

  jobs          under ulimit -n 32 that many connect and hold their connections, all that -j allows are served,
                the others wait; then they all go away, and a real transfer is stored
  descriptors   the same when the server has not one descriptor left (prlimit(2)), until it gets some again
  accept        accept4(2) fails with ERRNO (by strace), of one server twice, of another one always: who waits
                is served as soon as it does not, and that is said but once
  fork          the same with fork(2)
"""

import argparse
import contextlib
import errno
import os
import resource
import select
import socket
import subprocess
import time

from server import TICK, Failed, Server, environment, run, wait_for

LIMIT = 900  # seconds for all
IDLE = 2.0  # seconds for which it is watched
FILES = 32
JOBS = 64  # the default of -j
FAULTS = 2
TRIES = 12  # a second: how often it may try what does not work
DATA = os.urandom(300000)


def deliver(program, server, limit=120.0):
    """A real transfer, of which the sender is told that it is stored."""
    words = [program, "send", "-V", "-q", server.address]
    try:
        done = subprocess.run(
            words, input=DATA, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=limit,
            env=environment(), check=False)
    except subprocess.TimeoutExpired:
        raise Failed("a real transfer is not served") from None
    if done.returncode != 0:
        raise Failed("a real transfer: %d: %s" % (done.returncode, done.stderr.decode()))


class Crowd:
    """Connections that are held, and say nothing."""

    def __init__(self, port, count):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if most != resource.RLIM_INFINITY and most < count + 100:
            raise Failed("needs %d descriptors, and has %d" % (count + 100, most))
        resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, most))
        self.sockets = []
        for _ in range(count):
            one = socket.socket()
            one.setblocking(False)
            self.sockets.append(one)
            with contextlib.suppress(BlockingIOError):
                one.connect(("127.0.0.1", port))

    def connected(self, limit=5.0):
        """How many are, by now or a little later."""
        poll = select.poll()
        for one in self.sockets:
            poll.register(one, select.POLLOUT)
        deadline = time.monotonic() + limit
        while len(ready := poll.poll(0)) < len(self.sockets) and time.monotonic() < deadline:
            time.sleep(0.05)
        if bad := [event for _, event in ready if event != select.POLLOUT]:
            raise Failed("%d of those who wait were turned away" % len(bad))
        return len(ready)

    def leave(self):
        for one in self.sockets:
            one.close()


def watch_idle(server, when):
    """Returns the CPU time as text."""
    used = server.idle_cpu(IDLE)
    if used > 2.5 * TICK:
        raise Failed("%s it uses %.2f s of CPU time in %.0f s" % (when, used, IDLE))
    return "%.2f s of CPU time in %.0f s" % (used, IDLE)


def stored(count):
    names = os.listdir("d")
    if len(names) != count:
        raise Failed("%d files are there, not %d" % (len(names), count))
    for name in names:
        with open("d/" + name, "rb") as file:
            if file.read() != DATA:
                raise Failed("%s is not what was sent" % name)


def jobs(chosen):
    with Server(chosen.program, "recv", "d/", files=FILES) as server:
        crowd = Crowd(server.port, chosen.connects)
        connected = crowd.connected()
        wait_for(lambda: len(server.children()) == JOBS, lambda: "%d workers" % JOBS)
        used = watch_idle(server, "while full")
        if len(server.children()) != JOBS:
            raise Failed("%d workers" % len(server.children()))
        crowd.leave()
        deliver(chosen.program, server)
        server.settle()
        stored(1)
        server.end()
    print("%d of %d connected: %s while full" % (connected, chosen.connects, used))


def descriptors(chosen):
    with Server(chosen.program, "recv", "d/") as server:
        deliver(chosen.program, server)
        server.settle()
        usual = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        lowest_free = next(number for number in range(usual[0]) if number not in server.before)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (lowest_free, usual[1]))
        crowd = Crowd(server.port, chosen.connects)
        connected = crowd.connected()
        wait_for(lambda: "Too many open files" in server.said(), "what it says")
        used = watch_idle(server, "without a descriptor")
        if server.children():
            raise Failed("it has a worker")
        times = server.said().count("Too many open files")
        if times != 1:
            raise Failed("it says %d times that there are too many open files" % times)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, usual)
        wait_for(server.children, "a worker, once there are descriptors")
        crowd.leave()
        deliver(chosen.program, server)
        server.settle()
        stored(2)
        server.end()
    print("%d of %d connected: %s without a descriptor" % (connected, chosen.connects, used))


def strace(fault):
    """-D: what is started becomes the server itself, and strace is a child of its child."""
    call = fault.partition(":")[0]
    return ["strace", "-D", "-f", "-qq", "-o", "trace", "-e", "trace=" + call, "-e", "inject=" + fault]


def failed_calls(call, error):
    with open("trace", encoding="utf-8", errors="replace") as lines:
        return sum(call + "(" in line and error in line for line in lines)


def faulty(chosen, call):
    """A few at first, then, with another server, no end of them."""
    text = os.strerror(getattr(errno, chosen.error))
    # The first call is for the connection with which the server is warmed up.
    few = strace("%s:error=%s:when=2..%d" % (call, chosen.error, 1 + FAULTS))
    with Server(chosen.program, "recv", "d/", front=few) as server:
        began = time.monotonic()
        deliver(chosen.program, server)
        took = time.monotonic() - began
        deliver(chosen.program, server)
        server.settle()
        stored(2)
        said = server.said().count(text)
        server.end()
    if failed_calls(call, chosen.error) != FAULTS:
        raise Failed("%s failed %d times" % (call, failed_calls(call, chosen.error)))
    if said != 1:
        raise Failed("it says %d times: %s" % (said, text))
    always = strace("%s:error=%s:when=2+" % (call, chosen.error))
    with Server(chosen.program, "recv", "d/", front=always) as server:
        crowd = Crowd(server.port, 5)
        wait_for(lambda: text in server.said(), "what it says")
        before = failed_calls(call, chosen.error)
        time.sleep(IDLE)
        tries = failed_calls(call, chosen.error) - before
        said = server.said().count(text)
        crowd.leave()
        server.end()
    if said != 1:
        raise Failed("it says %d times in %.0f s: %s" % (said, IDLE, text))
    if not 1 <= tries <= TRIES * IDLE:
        raise Failed("it tries %d times in %.0f s" % (tries, IDLE))
    print("%s: %s: served %.1f s later, %d tries in %.0f s" % (call, chosen.error, took, tries, IDLE))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--connects", type=int, default=2000)
    parser.add_argument("what", choices=["jobs", "descriptors", "accept", "fork"])
    parser.add_argument("error", nargs="?")
    parser.add_argument("program")
    chosen = parser.parse_args()

    os.mkdir("d")
    if chosen.what == "jobs":
        jobs(chosen)
    elif chosen.what == "descriptors":
        descriptors(chosen)
    else:
        faulty(chosen, {"accept": "accept4", "fork": "clone"}[chosen.what])


run(main, LIMIT)
