"""A peer on a unix socket that talks without end on the lifeline, which is passed along with the first byte.

usage: lifeline.py send|recv PATH WORD

As a sender, connects to PATH, passes a lifeline with one byte of data and says WORD on it again and again; as a
receiver, listens there, takes the lifeline that comes and does the same. Ends its stream, says "flooding", and goes on
until the other end of the lifeline is closed; then says "closed". After 300 seconds it ends by SIGALRM.
"""

import array
import signal
import socket
import sys


def say(text):
    print(text, flush=True)


def offer(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    ours, theirs = socket.socketpair()
    connection.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()]))])
    theirs.close()
    return connection, ours


def take(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    say("listening on unix:" + path)
    connection = listener.accept()[0]
    _, [(_, _, descriptors)], _, _ = connection.recvmsg(100, 100)
    return connection, socket.socket(fileno=array.array("i", descriptors)[0])


def main():
    role, path, word = sys.argv[1:]
    signal.alarm(300)
    connection, lifeline = offer(path) if role == "send" else take(path)
    lifeline.setblocking(True)
    lifeline.send(word.encode() * 1000)
    connection.shutdown(socket.SHUT_WR)
    say("flooding")
    try:
        while True:
            lifeline.send(word.encode() * 1000)
    except (BrokenPipeError, ConnectionResetError):
        say("closed")


main()
