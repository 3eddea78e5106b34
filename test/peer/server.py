"""The receiving script that people write first: one connection, 1024 bytes at a time, into a file.

usage: server.py HOST PORT FILE

With PORT 0 it prints the port that it got. Kept as plain as the original: no timeout, no error
handling, so that it shows how such a script gets on with sockxfer.
"""

import socket
import sys

host, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind((host, port))
listener.listen(3)
if port == 0:
    print("listening on port", listener.getsockname()[1], flush=True)

connection, _ = listener.accept()
output = open(path, "wb")
while True:
    chunk = connection.recv(1024)
    if not chunk:
        break
    output.write(chunk)

output.close()
connection.close()
listener.close()
