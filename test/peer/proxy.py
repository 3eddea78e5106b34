"""A proxy for one connection that can damage what passes through it.

usage: proxy.py [options] HOST:PORT

  --flip N     invert all bits of the Nth byte (from 0) of the data
  --cut N      after N bytes of the data end both connections, as cleanly as a proxy does that
               lost its other side: with FIN, not RST
  --reverse    "the data" is what the server sends to the client, not the other way round
  --port N     listen on this port, not on a free one
  --limit S    end after S seconds (300), with status 3

It listens on a port of 127.0.0.1, prints "listening on port 40123", accepts one client,
connects to HOST:PORT and forwards both ways until both directions have ended. Like socat and
ssh -L it turns a reset of one side into a clean end for the other.
"""

import argparse
import os
import signal
import socket
import threading


def forward(source, target, flip=None, cut=None):
    """Copies until the end, or until cut bytes have passed. Returns True if it cut."""
    offset = 0
    try:
        while chunk := bytearray(source.recv(65536)):
            if cut is not None:
                del chunk[max(0, cut - offset):]
            if flip is not None and offset <= flip < offset + len(chunk):
                chunk[flip - offset] ^= 0xFF
            target.sendall(chunk)
            offset += len(chunk)
            if offset == cut:
                return True
    except OSError:
        pass
    return False


def end(connection):
    """A clean end of both directions, whatever state the connection is in."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def carry(source, target, **damage):
    if forward(source, target, **damage):
        end(source)
        end(target)
        return
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--flip", type=int)
    parser.add_argument("--cut", type=int)
    parser.add_argument("--reverse", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--limit", type=float, default=300)
    parser.add_argument("target")
    arguments = parser.parse_args()

    signal.signal(signal.SIGALRM, lambda *_: os._exit(3))
    signal.setitimer(signal.ITIMER_REAL, arguments.limit)
    with socket.create_server(("127.0.0.1", arguments.port)) as listener:
        print("listening on port", listener.getsockname()[1], flush=True)
        client, _ = listener.accept()
    host, _, port = arguments.target.rpartition(":")
    server = socket.create_connection((host.strip("[]"), int(port)))

    damage = {"flip": arguments.flip, "cut": arguments.cut}
    source, target = (server, client) if arguments.reverse else (client, server)
    back = threading.Thread(target=carry, args=(target, source), daemon=True)
    back.start()
    carry(source, target, **damage)
    # In steps, for a main thread in join() with no time limit does not see the signal.
    while back.is_alive():
        back.join(0.1)


main()
