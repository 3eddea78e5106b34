"""Runs a command with a terminal as its stdin and stderr, and prints what it writes there.

usage: terminal.py [--answer PROMPT TEXT] COMMAND...

When the prompt has been shown, the text is typed, and Return.
"""

import os
import pty
import sys

command = sys.argv[1:]
prompt = None
if command[0] == "--answer":
    prompt, answer, command = command[1].encode(), command[2].encode(), command[3:]
shown = b""


def read(terminal):
    global prompt, shown
    data = os.read(terminal, 1024)
    shown += data
    if prompt is not None and prompt in shown:
        prompt = None
        os.write(terminal, answer + b"\r")
    return data


status = pty.spawn(command, read, lambda descriptor: b"")
sys.exit(os.waitstatus_to_exitcode(status))
