"""The transfers that sweep.py makes fail: who does what, and whether the end is as it has to be.

In each, one process of ours runs under strace, which can make its calls fail, and those at the other end do not.
"""

import io
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import tarfile
import time

DATA = b"".join(b"%064x\n" % random.Random(n).getrandbits(256) for n in range(4000))
OLD = b"old contents\n"
BEGIN = 100000  # bytes of it that are there already, where a transfer goes on
LIMIT = 60  # seconds: who takes longer hangs; a busy machine takes twenty times as long for everything
PATIENCE = "3"  # seconds, -w: what ends a wait for somebody who has failed
SOON = 0.5  # seconds in which a receiver ends whose sender has failed, or it waits for another
LOST = 5  # seconds in which what is left of a command has to be gone


def wait_for(condition):
    """Waits until the condition is true; returns whether it is, before LIMIT."""
    until = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.002)
    return True


def state_of(pid):
    """What /proc says of a process, by name; nothing if it has gone."""
    try:
        with open("/proc/%d/status" % pid) as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except OSError:
        return {}


def is_listening(path):
    """Whether a unix socket of that path listens."""
    with open("/proc/net/unix") as file:
        return any(" 00010000 " in line and line.endswith(path + "\n") for line in file)


class Result:
    """What became of one run: exit codes by name, what was wrong, and what was said."""

    def __init__(self):
        self.codes, self.wrong, self.said = {}, [], ""

    @property
    def succeeded(self):
        return all(code in (0, 128 + signal.SIGTERM, -signal.SIGTERM) for code in self.codes.values())

    def __str__(self):
        return "%s %s %s" % (self.codes, self.wrong, self.said)


class Stage:
    """A directory, and the processes that run in it."""

    def __init__(self, program, pause, place, fault):
        self.program, self.pause, self.place, self.result = program, pause, place, Result()
        # A command that is executed is left to itself: its faults are not ours.
        self.strace = ["strace", "-f", "-qq", "-b", "execve", "-o", place + "/trace", *fault]
        self.tracer, self.running, self.stopped = None, {}, set()
        self.d = place + "/d"
        shutil.rmtree(self.d, ignore_errors=True)
        os.makedirs(self.d)
        # What a fault of the run before has left is that run's.
        for name in os.listdir(place):
            if name in ("port", "socket", "trace") or name.startswith(".sockxfer"):
                os.unlink(place + "/" + name)
        self.source = place + "/source"
        self.provide(DATA)

    def provide(self, data):
        """Makes the source of these data."""
        self.data = data
        with open(self.source, "wb") as file:
            file.write(data)

    def start(self, name, *arguments, traced=False):
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
        if traced:
            environment["LD_PRELOAD"] = self.pause
        with open(self.path(name, "out"), "wb") as out, open(self.path(name, "err"), "wb") as err:
            self.running[name] = subprocess.Popen(
                [self.program, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                start_new_session=True, cwd=self.d, env=environment,
            )  # fmt: skip
        if traced:
            self.trace(self.running[name].pid)

    def trace(self, pid):
        """Attaches strace to the process, which has stopped before its main(), and lets it go on.

        A process counts its calls, for the fault, from then on; so do those that it forks.
        """
        wait_for(lambda: state_of(pid).get("State", "T").startswith("T"))
        self.tracer = subprocess.Popen([*self.strace, "-p", str(pid)], stdin=subprocess.DEVNULL)
        wait_for(lambda: state_of(pid).get("TracerPid") != "0" or self.tracer.poll() is not None)
        os.kill(pid, signal.SIGCONT)

    def path(self, name, what):
        return "%s/%s.%s" % (self.place, name, what)

    def text(self, name, what):
        with open(self.path(name, what), "rb") as file:
            return file.read().decode(errors="replace")

    def listen(self, name, role, *arguments, traced=False, unix=False):
        """Starts one that listens; returns where, or None if it has ended before."""
        where, told = "127.0.0.1:0", self.place + "/port"
        if unix:
            told = self.place + "/socket"
            where = "unix:" + told
        port = [] if unix else ["--port-file", told]
        if not unix and os.path.exists(told):
            os.unlink(told)
        self.start(name, role, "-w", PATIENCE, "-l", where, *port, *arguments, traced=traced)
        process = self.running[name]
        is_there = is_listening if unix else os.path.exists
        if not wait_for(lambda: is_there(told) or process.poll() is not None):
            self.wrong("%s hangs before it listens" % name)
        if unix or not os.path.exists(told):
            return where if unix and is_listening(told) else None
        with open(told) as port:  # it appears when it is whole
            return "127.0.0.1:" + port.read().strip()

    def wrong(self, text):
        self.result.wrong.append(text)

    def stop(self, name):
        self.stopped.add(name)
        self.running[name].terminate()

    def finish(self, name, limit=LIMIT):
        """Waits for its end. Returns its exit code, or None if it goes on, which is wrong."""
        try:
            code = self.running[name].wait(limit)
        except subprocess.TimeoutExpired:
            self.wrong("%s hangs" % name)
            return None
        self.result.codes[name] = code
        if code < 0 and not (name in self.stopped and -code == signal.SIGTERM):
            self.wrong("%s died of signal %d" % (name, -code))
        if code >= 128 and name not in self.stopped:
            self.wrong("%s ended with %d" % (name, code))
        if code != 0 and name not in self.stopped and not self.text(name, "err").strip():
            self.wrong("silent: %s ended with %d" % (name, code))
        if "anitizer" in self.text(name, "err"):
            self.wrong("%s: a sanitizer" % name)
        return code

    def finish_receiver(self, name, sent):
        """As finish(); one that waits for another sender, since this one has failed, is stopped."""
        if not sent:
            try:
                self.running[name].wait(SOON)
            except subprocess.TimeoutExpired:
                self.stop(name)
        return self.finish(name)

    def left(self):
        """The processes that are left in the sessions of those that were started."""
        sessions = {str(process.pid) for process in self.running.values()}
        found = []
        for entry in os.listdir("/proc"):
            try:
                with open("/proc/%s/stat" % entry) as file:
                    fields = file.read().rsplit(")", 1)[1].split()
            except (OSError, IndexError):
                continue
            if fields[3] in sessions and fields[0] not in "ZX":
                found.append(entry)
        return found

    def end(self):
        """What has to hold in the end whatever the scenario; kills what is left."""
        ended = all(process.poll() is not None for process in self.running.values())
        until = time.monotonic() + LOST
        while ended and self.left() and time.monotonic() < until:
            time.sleep(0.02)
        if ended and self.left():
            self.wrong("processes are left: " + " ".join(self.left()))
        for process in self.running.values():
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        if self.tracer:
            self.tracer.wait(LIMIT)  # it ends with the last that it traces
        for _, directories, files in os.walk(self.place):
            names = directories + files
            self.result.wrong += ["left: " + name for name in names if name.startswith(".sockxfer")]
        if os.path.lexists(self.place + "/socket"):
            self.wrong("the socket is left")
        names = self.running
        said = " / ".join(self.text(name, "err").strip()[-200:] for name in names)
        self.result.said = said.replace("\n", " / ")

    def contents(self, path):
        """Of an output: None if it is not there. Anything but the whole and the old one is wrong."""
        if not os.path.exists(path):
            return None
        with open(path, "rb") as file:
            data = file.read()
        if data not in (self.data, OLD):
            self.wrong("partial: %s, %d bytes" % (os.path.basename(path), len(data)))
        return data

    def judge(self, path, received, sent, old):
        """One output, and the exit codes of its receiver and its sender."""
        data = self.contents(path)
        if old and data is None:
            self.wrong("the old file is gone")
        if received == 0 and data != self.data:
            self.wrong("the receiver's 0 is a lie")
        if sent == 0 and data != self.data:
            self.wrong("the sender's 0 is a lie")
        if received not in (0, None) and data == self.data and not self.is_told_late():
            self.wrong("the receiver's failure is a lie: it is stored")

    def is_told_late(self):
        """Whether what failed is known to come after the file has its name, as the manual says."""
        said = "".join(self.text(name, "err") for name in self.running)
        return any(text in said for text in ("after it got its name", "stdout", "--json"))


def receive(stage, options=(), old=False, unix=False, target="out", command=()):
    """A receiver is made to fail."""
    output = stage.d + "/out"
    if old:
        with open(output, "wb") as file:
            file.write(OLD)
    goal = ["--", *command] if command else [target]
    address = stage.listen("recv", "recv", *options, *goal, traced=True, unix=unix)
    sent = None
    if address:
        stage.start("send", "send", "-V", "-w", PATIENCE, address, stage.source)
        sent = stage.finish("send")
    received = stage.finish_receiver("recv", sent == 0)
    # What a command has done is done, and its failure none of it.
    stage.judge(output, None if command and received != 0 else received, sent, old)


def resume(stage, traced, data=DATA, begin=b""):
    """One end of a transfer that goes on from a part, or makes one, is made to fail."""
    output = stage.d + "/out"
    part = output + ".part"
    stage.provide(data)
    if begin:
        with open(part, "wb") as file:
            file.write(begin)
    address = stage.listen("recv", "recv", "-R", "out", traced=traced == "recv")
    sent = None
    if address:
        stage.start("send", "send", "-R", "-V", "-w", PATIENCE, address, stage.source, traced=traced == "send")
        sent = stage.finish("send")
    received = stage.finish_receiver("recv", sent == 0)
    stage.judge(output, received, sent, False)
    kept = b""
    if os.path.exists(part):
        with open(part, "rb") as file:
            kept = file.read()
        if os.path.exists(output):
            stage.wrong("left: the part of what is stored")
    if not data.startswith(kept):
        stage.wrong("the part is no beginning of the data")
    if not os.path.exists(output) and len(kept) < len(begin):
        stage.wrong("of the part %d bytes are left" % len(kept))


def connect(stage):
    """A receiver that connects is made to fail."""
    address = stage.listen("send", "send", "-V", stage.source)
    stage.start("recv", "recv", "-w", PATIENCE, address, "out", traced=True)
    received = stage.finish("recv")
    if received != 0:
        stage.stop("send")
    stage.judge(stage.d + "/out", received, stage.finish("send"), False)


def inbox(stage):
    """A receiver into a directory, which prints the path, is made to fail."""
    os.mkdir(stage.d + "/in")
    address = stage.listen("recv", "recv", "-S", "in", traced=True)
    sent = None
    if address:
        stage.start("send", "send", "-V", "-w", PATIENCE, address, stage.source)
        sent = stage.finish("send")
    received = stage.finish_receiver("recv", sent == 0)
    judge_inbox(stage, [received], [sent], 1)


def judge_inbox(stage, received, sent, most):
    # A temporary file that is left is looked for at the end of each scenario.
    names = [name for name in os.listdir(stage.d + "/in") if not name.startswith(".sockxfer")]
    whole = sum(stage.contents(stage.d + "/in/" + name) == DATA for name in names)
    paths = stage.text("recv", "out").splitlines()
    if len(names) > most:
        stage.wrong("%d files of %d senders" % (len(names), most))
    if sent.count(0) > whole:
        stage.wrong("a sender's 0 is a lie")
    if most == 1 and received == [0] and (whole, len(paths)) != (1, 1):
        stage.wrong("the receiver's 0 is a lie")
    for path in paths:
        if not os.path.exists(os.path.join(stage.d, path)):
            stage.wrong("a path that is not there: " + path)


def make_tree(stage):
    """Writes an archive of each kind of member; returns what it holds."""
    with tarfile.open(stage.source, "w", format=tarfile.PAX_FORMAT) as archive:
        for path, kind, target, content in TREE:
            member = tarfile.TarInfo(path)
            member.type, member.linkname, member.size = kind, target, len(content)
            member.mode = 0o555 if kind == tarfile.DIRTYPE else 0o444
            archive.addfile(member, io.BytesIO(content))


def tree_below(directory):
    """The modes, targets and contents by path, without a temporary directory, which is looked for in the end."""
    found = {}
    for root, directories, files in os.walk(directory):
        directories[:] = [name for name in directories if not name.startswith(".sockxfer")]
        for name in directories + files:
            path = os.path.join(root, name)
            mode = os.lstat(path).st_mode
            content = b""
            if stat.S_ISLNK(mode):
                content = os.readlink(path).encode()
            elif stat.S_ISREG(mode):
                with open(path, "rb") as file:
                    content = file.read()
            found[os.path.relpath(path, directory)] = (mode, content)
    return found


def tree(stage, into):
    """A receiver of a tree is made to fail, which is to be a new directory, or to go into one that is there."""
    make_tree(stage)
    output = stage.d + "/out"
    if into:
        os.mkdir(output)
    address = stage.listen("recv", "recv", "-S", "-x", "out", traced=True)
    sent = None
    if address:
        stage.start("send", "send", "-V", "-w", PATIENCE, address, stage.source)
        sent = stage.finish("send")
    received = stage.finish_receiver("recv", sent == 0)
    found = tree_below(output)
    is_whole = {path: content for path, (_, content) in found.items()} == TREE_CONTENTS
    if (found or (not into and os.path.exists(output))) and not is_whole:
        stage.wrong("partial: %s" % sorted(found))
    is_told = "took not all modes" in stage.text("recv", "err")
    if is_whole and not is_told and any(mode & 0o777 not in (0o555, 0o444, 0o755, 0o777) for mode, _ in found.values()):
        stage.wrong("wrong modes: %s" % {path: oct(mode) for path, (mode, _) in found.items()})
    if 0 in (received, sent) and not is_whole:
        stage.wrong("a 0 is a lie")
    if received not in (0, None) and is_whole and not stage.is_told_late():
        stage.wrong("the receiver's failure is a lie: it is stored")


def send(stage, options=(), unix=False, source=None, listens=False):
    """A sender is made to fail."""
    output = stage.d + "/out"
    with open(output, "wb") as file:
        file.write(OLD)
    operands = source or [stage.source]
    if listens:
        address = stage.listen("send", "send", "-V", *options, *operands, traced=True, unix=unix)
        received = None
        if address:
            stage.start("recv", "recv", "-w", PATIENCE, address, "out")
            received = stage.finish("recv")
        else:
            stage.finish("send")
            return
        if received != 0:
            stage.stop("send")
        sent = stage.finish("send")
    else:
        address = stage.listen("recv", "recv", "out", unix=unix)
        stage.start("send", "send", "-V", "-w", PATIENCE, *options, address, *operands, traced=True)
        sent = stage.finish("send")
        received = stage.finish_receiver("recv", sent == 0)
    stage.judge(output, received, sent, True)


def server(stage, kind):
    """A server is made to fail; two senders come one after the other, and then TERM."""
    goal = {"inbox": ["-S", "in"], "file": ["out"], "lines": ["-"], "command": ["--", "sh", "-c", TAKE]}[kind]
    if kind == "inbox":
        os.mkdir(stage.d + "/in")
    if kind == "file":
        with open(stage.d + "/out", "wb") as file:
            file.write(OLD)
    address = stage.listen("recv", "recv", "-k", "--grace", "2", *goal, traced=True)
    sent = []
    for name in ("one", "two") if address else ():
        stage.start(name, "send", "-V", "-w", PATIENCE, address, stage.source)
        sent.append(stage.finish(name))
    if stage.running["recv"].poll() is None:
        stage.stop("recv")
    received = stage.finish("recv")
    if kind == "inbox":
        judge_inbox(stage, [received], sent, 2)
    elif kind == "lines":
        judge_lines(stage, sent)
    else:
        data = stage.contents(stage.d + "/out")
        if 0 in sent and data != DATA:
            stage.wrong("a sender's 0 is a lie")
        if kind == "file" and data is None:
            stage.wrong("the old file is gone")


def is_beginning(line):
    return b"\n" + line.rstrip(b"\n") in b"\n" + DATA


def judge_lines(stage, sent):
    lines = stage.text("recv", "out").encode().splitlines(keepends=True)
    known = set(DATA.splitlines(keepends=True))
    torn = [line for line in lines if line not in known]
    # A write that fails may leave the beginning of a line; nobody goes on in it.
    if len(torn) > len(sent) - sent.count(0) or not all(is_beginning(line) for line in torn):
        stage.wrong("%d torn lines" % len(torn))
    if len(lines) < sent.count(0) * len(known):
        stage.wrong("a sender's 0 is a lie")


def serve(stage):
    """A server that sends is made to fail; two receivers come one after the other, and then TERM."""
    address = stage.listen("send", "send", "-k", "--grace", "2", stage.source, traced=True)
    for name in ("one", "two") if address else ():
        stage.start(name, "recv", "-w", PATIENCE, address, name)
        stage.judge(stage.d + "/" + name, stage.finish(name), None, False)
    if stage.running["send"].poll() is None:
        stage.stop("send")
    stage.finish("send")


def several(stage, source=None):
    """A sender to three receivers is made to fail."""
    names = ["one", "two", "three"]
    addresses = [stage.listen(name, "recv", name) for name in names]
    operands = source or [stage.source]
    listed = ",".join(addresses)
    stage.start("send", "send", "-V", "-w", PATIENCE, "--json", listed, *operands, traced=True)
    sent = stage.finish("send")
    results = []
    for line in stage.text("send", "out").splitlines():
        try:
            results.append(json.loads(line)["exit"])
        except ValueError:
            stage.wrong("not JSON: " + line)
    told = results if len(results) == len(names) else [sent] * len(names)
    if sent == 0 and told != [0, 0, 0]:
        stage.wrong("the sender's 0 is not that of all")
    for name, code in zip(names, told):
        received = stage.finish_receiver(name, code == 0)
        stage.judge(stage.d + "/" + name, received, code if code == 0 else None, False)


TAKE = "cat >.taken.$$ && mv .taken.$$ out"  # what it is, if it is whole
GIVE = ["--", "sh", "-c", "cat ../source; exec >&-; sleep 0.05"]

TREE = [
    ("a/b/file", tarfile.REGTYPE, "", DATA[:100000]),
    ("a", tarfile.DIRTYPE, "", b""),
    ("shut", tarfile.DIRTYPE, "", b""),
    ("shut/file", tarfile.REGTYPE, "", b"contents"),
    ("link", tarfile.SYMTYPE, "a/b", b""),
    ("hard", tarfile.LNKTYPE, "a/b/file", b""),
]
TREE_CONTENTS = {"a": b"", "a/b": b"", "a/b/file": DATA[:100000], "hard": DATA[:100000], "link": b"a/b",
                 "shut": b"", "shut/file": b"contents"}  # fmt: skip

SCENARIOS = {
    "recv-new": lambda stage: receive(stage),
    "recv-replace": lambda stage: receive(stage, ["-S"], old=True),
    "recv-exclusive": lambda stage: receive(stage, ["-n"]),
    "recv-unix": lambda stage: receive(stage, old=True, unix=True),
    "recv-command": lambda stage: receive(stage, command=["sh", "-c", TAKE]),
    "recv-inbox": inbox,
    "recv-connect": connect,
    "recv-resume": lambda stage: resume(stage, "recv", begin=DATA[:BEGIN]),
    "recv-part": lambda stage: resume(stage, "recv", data=DATA * 5),  # more than the MiB from which a part is kept
    "tree-new": lambda stage: tree(stage, into=False),
    "tree-into": lambda stage: tree(stage, into=True),
    "send-file": lambda stage: send(stage),
    "send-unix": lambda stage: send(stage, unix=True),
    "send-command": lambda stage: send(stage, source=GIVE),
    "send-resume": lambda stage: resume(stage, "send", begin=DATA[:BEGIN]),
    "send-listen": lambda stage: send(stage, listens=True),
    "server-inbox": lambda stage: server(stage, "inbox"),
    "server-file": lambda stage: server(stage, "file"),
    "server-lines": lambda stage: server(stage, "lines"),
    "server-command": lambda stage: server(stage, "command"),
    "server-send": serve,
    "several-file": lambda stage: several(stage),
    "several-command": lambda stage: several(stage, GIVE),
}
NAMES = list(SCENARIOS)


def run(name, program, pause, place, fault):
    """Runs the scenario with these options of strace; pause is the shim of that name."""
    stage = Stage(program, pause, place, fault)
    try:
        SCENARIOS[name](stage)
    finally:
        stage.end()
    return stage.result
