"""Types at a shell that runs on a terminal of its own, and tells what its command line becomes.

usage: keyboard.py SECONDS STEP... -- SHELL [ARGUMENT...]

A step is one of
    type:KEYS   types them
    see:TEXT    waits until the terminal has shown that since the keys before it were typed
    line        prints the command line, and empties it
The shell's prompt has to be "ready> ". It has to have a key ^G that writes the command line and a null
byte to the descriptor whose number is in KEYBOARD, and empties it. All of it takes SECONDS at the most.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

PROMPT = "ready> "
LINES, COLUMNS = 60, 120


class Keyboard:
    def __init__(self, shell, seconds):
        self.deadline = time.monotonic() + seconds
        self.lines, theirs = os.pipe()
        os.set_inheritable(theirs, True)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", LINES, COLUMNS, 0, 0))
            os.environ["KEYBOARD"] = str(theirs)
            os.execvp(shell[0], shell)
        os.close(theirs)
        self.shown = b""  # since the last keys
        self.written = b""

    def read(self, what):
        """Reads what the shell shows and writes, or fails if nothing comes."""
        left = self.deadline - time.monotonic()
        ready, _, _ = select.select([self.terminal, self.lines], [], [], max(left, 0))
        if not ready:
            raise TimeoutError(f"waited in vain for {what}")
        if self.terminal in ready:
            self.shown += os.read(self.terminal, 65536)
        if self.lines in ready:
            self.written += os.read(self.lines, 65536)

    def see(self, text):
        while text not in plain(self.shown):
            self.read(f'"{text}"')

    def type(self, keys):
        self.shown = b""
        os.write(self.terminal, keys.encode())

    def line(self):
        self.type("\a")
        while b"\0" not in self.written:
            self.read("the command line")
        line, _, self.written = self.written.partition(b"\0")
        return line.decode()

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def plain(shown):
    """What a terminal showed, without the control sequences, and with each run of blanks as one."""
    text = re.sub(r"\x1b(\[[0-?]*[ -/]*[@-~]|[^\[])", "", shown.decode(errors="replace"))
    return re.sub(r"\s+", " ", text)


def main():
    seconds, *arguments = sys.argv[1:]
    end = arguments.index("--")
    keyboard = Keyboard(arguments[end + 1 :], float(seconds))
    try:
        keyboard.see(PROMPT)
        for step in arguments[:end]:
            what, _, text = step.partition(":")
            if what == "type":
                keyboard.type(text)
            elif what == "see":
                keyboard.see(text)
            else:
                print(keyboard.line(), flush=True)
    except (OSError, TimeoutError) as error:
        print(f"keyboard: {error}; shown: {plain(keyboard.shown)}", file=sys.stderr)
        return 1
    finally:
        keyboard.close()
    return 0


sys.exit(main())
