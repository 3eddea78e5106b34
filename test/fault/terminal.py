"""Runs a command with a terminal as its stdin and stderr, and prints what it writes there.

usage: terminal.py COMMAND...
"""

import os
import pty
import sys

status = pty.spawn(sys.argv[1:], stdin_read=lambda descriptor: b"")
sys.exit(os.waitstatus_to_exitcode(status))
