"""The sending script that people write first: connect, 1024 bytes at a time until the file ends.

usage: client.py HOST PORT FILE
"""

import socket
import sys

host, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]

connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
connection.connect((host, port))
picture = open(path, "rb")
while True:
    chunk = picture.read(1024)
    if not chunk:
        break
    # Not sendall: on a blocking socket send takes all of so small a chunk.
    connection.send(chunk)

picture.close()
connection.close()
