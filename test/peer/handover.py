"""Starts a command with a socket that it inherits, as inetd and systemd do.

usage: handover.py inetd|systemd PORT COMMAND...

inetd:    accepts one connection and hands it over as descriptors 0 and 1
systemd:  hands over the listening socket as descriptor 3, with LISTEN_FDS and LISTEN_PID

With PORT 0 the system chooses; the port is printed on stderr as "listening on port 40123".
The command takes the place of this process, so it has the same process id.
"""

import os
import socket
import sys

manner, port, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(("127.0.0.1", port))
listener.listen(1)
print("listening on port", listener.getsockname()[1], file=sys.stderr, flush=True)

if manner == "inetd":
    connection, _ = listener.accept()
    os.dup2(connection.fileno(), 0)
    os.dup2(connection.fileno(), 1)
else:
    # dup2 of a descriptor to itself would leave it close-on-exec.
    if listener.fileno() == 3:
        os.set_inheritable(3, True)
    else:
        os.dup2(listener.fileno(), 3)
    os.environ["LISTEN_FDS"] = "1"
    os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(command[0], command)
