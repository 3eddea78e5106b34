"""Runs a command whose stdout is a terminal that takes some bytes and then no more, as after ^S.

usage: deaf_terminal.py COMMAND...
"""

import os
import pty
import subprocess
import sys
import tty

ours, theirs = pty.openpty()
tty.setraw(theirs)
status = subprocess.run(sys.argv[1:], stdout=theirs, check=False).returncode
os.close(ours)
sys.exit(status)
