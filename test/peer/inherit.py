"""Starts a command with a socket that has options of its own, as descriptor 3.

usage: inherit.py listen|accept ADDRESS [OPTION=VALUE ...] -- COMMAND [ARGUMENT ...]

ADDRESS is HOST:PORT (port 0 means any free one), unix:PATH or vsock:. Prints "listening on port 40123". With listen
the command gets the listening socket, with accept the first connection; of vsock it gets a socket that listens, or
one that is not connected. The options, SO_RCVLOWAT=1000 for one, are set before. When the command has ended, prints
what they are now, and exits with its status. Where there is no such family the exit status is 77.
"""

import os
import socket
import subprocess
import sys

SO_PEEK_OFF = 42  # socket(7); Python has no name for it


def say(*words):
    print(*words, flush=True)


def listen(text):
    if text.startswith("unix:"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(text[len("unix:"):])
    elif text == "vsock:":
        listener = socket.socket(socket.AF_VSOCK)
        listener.bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))
    else:
        host, _, port = text.rpartition(":")
        listener = socket.socket(socket.AF_INET)
        listener.bind((host, int(port)))
    listener.listen()
    return listener


def open_socket(manner, address):
    """What the command inherits."""
    if (manner, address) == ("accept", "vsock:"):
        return socket.socket(socket.AF_VSOCK)
    listener = listen(address)
    if listener.family == socket.AF_INET:
        say("listening on port", listener.getsockname()[1])
    else:
        say("listening on", address)
    return listener if manner == "listen" else listener.accept()[0]


def option(name):
    """Level and number of an option."""
    if name == "SO_PEEK_OFF":
        return socket.SOL_SOCKET, SO_PEEK_OFF
    level = socket.IPPROTO_TCP if name.startswith("TCP_") else socket.SOL_SOCKET
    return level, getattr(socket, name)


def main():
    manner, address, *rest = sys.argv[1:]
    options = dict(text.split("=") for text in rest[:rest.index("--")])
    command = rest[rest.index("--") + 1:]
    try:
        inherited = open_socket(manner, address)
    except (OSError, AttributeError) as error:
        say(error)
        sys.exit(77)
    for name, value in options.items():
        inherited.setsockopt(*option(name), int(value))
    os.dup2(inherited.fileno(), 3)
    status = subprocess.call(command, pass_fds=[3])
    for name in options:
        say(name, inherited.getsockopt(*option(name)))
    sys.exit(status)


main()
