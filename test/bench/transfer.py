"""One timed transfer: from the start of the sender, with the receiver listening, to the end of both."""

import contextlib
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import time
import typing

import measure
import peers

SLOWEST = 5e6  # bytes a second, below which a transfer counts as hanging
DEVNULL = subprocess.DEVNULL


class Run(typing.NamedTuple):
    """One row of the CSV. Bytes and seconds; None where there is no such side, or it is not known.

    What is not "ok" is "wrong", when what arrived is not what was sent, or "failed", when a process was.
    """

    case: str
    tool: str
    size: int
    round: int
    seconds: typing.Optional[float] = None
    cpu_send: typing.Optional[float] = None
    cpu_recv: typing.Optional[float] = None
    rss_send: typing.Optional[int] = None
    rss_recv: typing.Optional[int] = None
    ok: str = "ok"


@dataclasses.dataclass
class Job:
    """What to move. Without an output it is /dev/null, or the consumer's stdin."""

    tool: peers.Tool
    program: str
    directory: pathlib.Path
    size: int
    source: typing.Optional[pathlib.Path] = None
    output: typing.Optional[pathlib.Path] = None
    producer: tuple = ()
    consumer: tuple = ()
    counts_commands: bool = False  # the CPU and the memory of these two as those of the tool
    unix: bool = False
    host: str = "127.0.0.1"  # where the receiver listens
    enter_send: tuple = ()  # what to put before a command, to run it on another host
    enter_receive: tuple = ()
    tables: str = "/proc/net"  # of the receiver's host

    @property
    def report(self):
        """What the consumer prints."""
        return self.directory / "report"


class Side:
    """The processes of one end, joined by pipes. Helpers among them are waited for, but not counted."""

    def __init__(self):
        self.processes = []
        self.counted = []

    def start(self, stages, stdin, stdout, stderr):
        """Starts the stages (words, whether it counts); stdin and stdout are of the first and the last."""
        for index, (words, counts) in enumerate(stages):
            last = index == len(stages) - 1
            after, into = (None, stdout) if last else os.pipe()
            try:
                process = measure.Process(words, stdin=stdin, stdout=into, stderr=stderr)
            finally:
                if not last:
                    os.close(into)
                if index > 0:
                    os.close(stdin)
            self.processes.append(process)
            if counts:
                self.counted.append(process)
            stdin = after

    def wait(self, deadline):
        for process in self.processes:
            process.wait(deadline)

    def close(self):
        for process in self.processes:
            process.close()

    def succeeded(self):
        return all(process.status == 0 for process in self.processes)

    def cpu(self):
        return sum(process.cpu for process in self.counted) if self.counted else None

    def peak(self):
        peaks = [process.peak for process in self.counted]
        return sum(peaks) if peaks and None not in peaks else None


class Transfer:
    """Runs one job."""

    def __init__(self, job):
        self.job = job
        self.sender = Side()
        self.receiver = Side()
        self.messages = job.directory / "messages"
        source = str(job.source) if job.source and not job.producer else ""
        sink = str(job.output) if job.output and not job.consumer else ""
        port = 0 if job.tool.tells_port else measure.free_port()
        path = str(job.directory / "socket")
        secrets = str(job.directory / "secrets")
        self.words = peers.Words(job.program, port, path, source, sink, job.host, secrets=secrets)

    def run(self):
        """Returns seconds, the CPU of both sides, and the peaks of both."""
        pathlib.Path(self.words.path).unlink(missing_ok=True)
        with open(self.messages, "w+b") as messages:
            try:
                if not self.job.tool.local:
                    self._receive(messages)
                self._send(messages)
                return self._finish()
            except measure.Failed as failure:
                messages.seek(0)
                text = messages.read(300).decode(errors="replace").strip()
                raise measure.Failed(f"{failure}: {text}" if text else str(failure)) from None
            finally:
                self.sender.close()
                self.receiver.close()

    def _receive(self, messages):
        tool = self.job.tool
        template = tool.receive_unix if self.job.unix else tool.receive
        if tool.daemon:
            self._configure()
        stages, named = self._receiving(template)
        with self._sink(named) as stdout:
            self.receiver.start(stages, DEVNULL, stdout, messages)
        measure.wait_for(self._listening, f"{tool.name} to listen")

    def _receiving(self, template):
        """The receiver's stages, and whether the file is named in the words of one."""
        words, named = self.words.fill(self.job.tool, template)
        words = [*self.job.enter_receive, *words]
        consumer = list(self.job.consumer)
        if self.job.tool.command_form:
            return [([*words, "--", *consumer], True)], True
        stages = [(words, True)]
        if self.job.tool.after_receive:
            words, named = self.words.fill(self.job.tool, self.job.tool.after_receive)
            stages.append((words, True))
        if consumer:
            stages.append((consumer, self.job.counts_commands))
        return stages, named

    def _sink(self, named):
        if self.job.consumer:
            return open(self.job.report, "wb")
        if named or self.job.tool.daemon:
            return contextlib.nullcontext(DEVNULL)
        return open(self.job.output or os.devnull, "wb")

    def _configure(self):
        path = self.job.directory / "rsync.conf"
        text = peers.RSYNC_CONFIG.format(directory=self.job.output.parent)
        if os.geteuid() == 0:
            text = peers.RSYNC_OWNER.format(uid=0, gid=os.getegid()) + text
        path.write_text(text, encoding="utf-8")
        self.words = self.words._replace(config=str(path))

    def _listening(self):
        if self.receiver.processes[0].status is not None:
            raise measure.Failed(f"{self.job.tool.name} does not listen")
        if self.job.unix:
            return measure.is_listening_unix(self.words.path)
        if self.job.tool.tells_port and not self.words.port:
            found = re.search(rb"listening on .*:([0-9]+)\n", self.messages.read_bytes())
            if found is None:
                return False
            self.words = self.words._replace(port=int(found[1]))
        return measure.is_listening(self.words.port, self.job.tables)

    def _send(self, messages):
        tool = self.job.tool
        template = tool.send_unix if self.job.unix else tool.send
        words, named = self.words.fill(tool, template)
        words = [*self.job.enter_send, *words]
        producer = list(self.job.producer)
        if tool.command_form:
            stages = [([*words, "--", *producer], True)]
        else:
            stages = [(producer, self.job.counts_commands)] if producer else []
            stages.append((words, True))
        if tool.local and self.job.consumer:
            stages.append((list(self.job.consumer), False))
        with contextlib.ExitStack() as stack:
            stdin, stdout = DEVNULL, messages
            if not named and not producer:
                stdin = stack.enter_context(open(self.job.source, "rb"))
            if tool.local:
                stdout = stack.enter_context(self._sink(named and bool(self.job.output)))
            self.sender.start(stages, stdin, stdout, messages)

    def _finish(self):
        """Waits for both sides; when one has failed, the other one may wait for ever."""
        deadline = time.monotonic() + measure.WAIT + self.job.size / SLOWEST
        self.sender.wait(deadline)
        if not self.sender.succeeded():
            deadline = min(deadline, time.monotonic() + 1)
        seconds = self._seconds(self.sender)
        if self.job.tool.daemon:
            self._end_daemon()
        else:
            self.receiver.wait(deadline)
            seconds = max(seconds, self._seconds(self.receiver))
        if not self.sender.succeeded() or not (self.job.tool.daemon or self.receiver.succeeded()):
            statuses = [p.status for p in (*self.sender.processes, *self.receiver.processes)]
            raise measure.Failed(f"exit statuses {statuses}")
        cpus = self.sender.cpu(), self.receiver.cpu()
        return (seconds, *cpus, self.sender.peak(), self.receiver.peak())

    def _seconds(self, side):
        began = self.sender.processes[0].began
        return max((process.ended - began for process in side.processes), default=0)

    def _end_daemon(self):
        """Its CPU is that of its children, too, once it has waited for them."""
        process = self.receiver.processes[0]
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        with contextlib.suppress(OSError):
            measure.wait_for(lambda: not children.read_bytes(), "the daemon's children to end")
        process.signal(signal.SIGTERM)
        process.wait(time.monotonic() + measure.WAIT)
        process.peak = None  # its children's are not known
