"""A peer of datagrams.

usage: datagrams.py send PORT TEXT...         each a datagram, \\n and \\0 being written so, to 127.0.0.1
       datagrams.py many HOST PORT COUNT SIZE COUNT datagrams of SIZE bytes, numbered, as fast as possible
       datagrams.py ports PORT COUNT           one datagram from each of COUNT ports
       datagrams.py recv HOST COUNT            says where it listens, and then each datagram, as repr() has it
"""

import socket
import sys


def datagram_socket(host):
    return socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)


def send(port, *texts):
    with datagram_socket("127.0.0.1") as sock:
        for text in texts:
            sock.sendto(text.encode().decode("unicode_escape").encode("latin-1"), ("127.0.0.1", int(port)))


def many(host, port, count, size):
    with datagram_socket(host) as sock:
        sock.connect((host, int(port)))
        for number in range(int(count)):
            sock.send(b"%0*d" % (int(size), number))


def ports(port, count):
    """No two of them have the same address and port."""
    for number in range(int(count)):
        with datagram_socket("127.0.0.1") as sock:
            sock.bind((f"127.0.{1 + number // 5000}.1", 20000 + number % 5000))
            sock.sendto(b"%d" % number, ("127.0.0.1", int(port)))


def recv(host, count):
    with datagram_socket(host) as sock:
        sock.bind((host, 0))
        print("listening on port", sock.getsockname()[1], flush=True)
        for _ in range(int(count)):
            print(sock.recvfrom(65536)[0], flush=True)


{"send": send, "many": many, "ports": ports, "recv": recv}[sys.argv[1]](*sys.argv[2:])
