"""What loops share that kill one end of a transfer: the two processes, and how the sender is fed."""

import os
import select
import subprocess
import time

import aftermath
from aftermath import ENVIRONMENT, LIMIT

CALIBRATION = 5
# Small pieces: more moments at which something can be half done.
CHUNK = "8K"
# Of what was written into the sender's stdin, the pipe, which it widens, holds 1 MiB and the sender one chunk.
UNSENT = (1 << 20) + (64 << 10)


class Ends:
    """The two processes of a transfer, recv and send, and what they say, in the file of that name."""

    def __init__(self, program):
        self.program = program
        self.recv = self.send = None

    def spawn(self, role, *arguments, stdin=subprocess.DEVNULL):
        with open(role + ".err", "wb") as errors:
            return subprocess.Popen(
                [self.program, role, *arguments],
                stdin=stdin, stdout=subprocess.DEVNULL, stderr=errors, env=ENVIRONMENT, bufsize=0,
            )

    def kill(self, victim):
        process = getattr(self, victim)
        process.kill()
        process.wait()

    def end(self):
        """Waits for both. Returns what does not end."""
        return aftermath.wait_for({"send": self.send, "recv": self.recv})


class Pair(Ends):
    """A receiver with these arguments, and a sender of the file source; or of its contents by a pipe, if pipe."""

    def __init__(self, program, receiver, source, pipe):
        super().__init__(program)
        self.recv = self.spawn("recv", *receiver)
        self.address = aftermath.read_address("recv")
        self.begin = time.monotonic()
        self.send = self.spawn(
            "send", "-B", CHUNK, self.address, "-" if pipe else source,
            stdin=subprocess.PIPE if pipe else subprocess.DEVNULL,
        )

    def feed(self, data):
        """Writes the data into the sender's stdin."""
        pipe = self.send.stdin.fileno()
        os.set_blocking(pipe, False)
        written = 0
        while written < len(data):
            if not select.select([], [pipe], [], LIMIT)[1]:
                raise SystemExit("the sender does not read its stdin")
            written += os.write(pipe, data[written:written + (64 << 10)])

    def wait_until(self, delay):
        time.sleep(max(0, self.begin + delay - time.monotonic()))

    def kill(self, victim):
        super().kill(victim)
        if self.send.stdin and victim == "send":
            self.send.stdin.close()

    def end(self):
        """Waits for both. Returns what does not end."""
        hung = super().end()
        if self.send.stdin:
            self.send.stdin.close()
        return hung
