"""How each tool is started: as a sender, as a receiver, and to tell its version.

In the words of a command stand PROGRAM (sockxfer), HOST, PORT, PATH (of a unix socket), SOURCE and SINK. The
last two become what the tool has for a file, with IN or OUT as its name, or for stdin or stdout, which
may be nothing at all: then the file is opened for it, as by a shell.
"""

import dataclasses
import pathlib
import shutil
import sys
import typing

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent / "peer"

# The daemon of root would else work as nobody; any other one cannot choose.
RSYNC_OWNER = """\
uid = {uid}
gid = {gid}
"""
RSYNC_CONFIG = """\
use chroot = no
reverse lookup = no
log file = {directory}/rsync.log
[out]
path = {directory}
read only = no
"""


@dataclasses.dataclass(frozen=True)
class Tool:
    """One way to move a file. Without `receive` it is a program that copies by itself."""

    name: str
    send: str
    receive: str = ""
    file_source: str = ""
    file_sink: str = ""
    stream_source: str = ""
    stream_sink: str = ""
    send_unix: str = ""
    receive_unix: str = ""
    after_receive: str = ""  # what the receiver's stdout is piped into
    send_tree: str = ""  # IN and OUT are directories, and OUT is made
    receive_tree: str = ""
    tree_unit: typing.Optional[int] = 1  # nanoseconds, the least that a time in it is kept by; None: it is not
    tree_by_tar: bool = False  # moves what one tar makes and another takes
    version: str = ""
    start: str = ""  # where what tells the version does not start as the tool does
    streams: bool = True  # can do without files
    tells_port: bool = False  # takes port 0, and says which one it has got
    daemon: bool = False  # the receiver does not end by itself: the sender's end is the transfer's
    sync: bool = False  # stores safe from a power cut
    encrypted: bool = False  # needs what encrypted.py makes
    command_form: bool = False  # runs producer and consumer itself, behind --

    @property
    def local(self):
        return not self.receive

    def needs(self):
        """The programs that have to be there."""
        commands = (self.send, self.receive, self.after_receive, self.send_tree)
        return {words.split()[0] for words in commands if words}


def _sockxfer(name, send="", receive="", moves_trees=False, **more):
    if moves_trees:
        more["send_tree"] = f"PROGRAM send {send} HOST:PORT IN"
        more["receive_tree"] = f"PROGRAM recv {receive} -x -l HOST:PORT OUT"
    return Tool(
        name,
        send=f"PROGRAM send {send} HOST:PORT SOURCE",
        receive=f"PROGRAM recv {receive} -l HOST:PORT SINK",
        file_source="IN",
        file_sink="OUT",
        send_unix=f"PROGRAM send {send} unix:PATH SOURCE",
        receive_unix=f"PROGRAM recv {receive} -l unix:PATH SINK",
        version="PROGRAM --version",
        tells_port=True,
        **more,
    )


def _socat_openssl(name, options=""):
    return Tool(
        name,
        send=f"socat -u {options} SOURCE OPENSSL:HOST:PORT,verify=0",
        receive=f"socat -u {options} OPENSSL-LISTEN:PORT,bind=HOST,reuseaddr,cert=SECRETS/certificate.pem,verify=0 SINK",
        file_source="FILE:IN",
        file_sink="CREATE:OUT",
        encrypted=True,
    )


def _socat(name, options=""):
    return Tool(
        name,
        send=f"socat -u {options} SOURCE TCP:HOST:PORT",
        receive=f"socat -u {options} TCP-LISTEN:PORT,bind=HOST,reuseaddr SINK",
        file_source="FILE:IN",
        file_sink="CREATE:OUT",
        stream_source="STDIN",
        stream_sink="STDOUT",
        send_unix=f"socat -u {options} SOURCE UNIX-CONNECT:PATH",
        receive_unix=f"socat -u {options} UNIX-LISTEN:PATH SINK",
        version="socat -V",
    )


NC = Tool(
    "nc",
    send="nc.openbsd -N HOST PORT",
    receive="nc.openbsd -d -l HOST PORT",
    send_unix="nc.openbsd -N -U PATH",
    receive_unix="nc.openbsd -d -l -U PATH",
    version="nc.openbsd -h",
    tree_by_tar=True,
)

ALL = [
    _sockxfer("sockxfer", moves_trees=True),
    _sockxfer("sockxfer-no-receipt", "--no-receipt", "--no-receipt"),
    _sockxfer("sockxfer-command", command_form=True, tree_by_tar=True),
    _sockxfer("sockxfer-sync", "-V", "-S", sync=True),
    _sockxfer("sockxfer-key", "-K SECRETS/key", "-K SECRETS/key", moves_trees=True, encrypted=True),
    NC,
    # It loses data where the end that connects sends, so the other end does: what counts as the sender receives.
    Tool(
        "ncat-ssl",
        send="sh SECRETS/ncat-connect PORT OUT",
        receive="sh SECRETS/ncat-listen PORT IN",
        streams=False,
        encrypted=True,
    ),
    _socat_openssl("socat-openssl"),
    _socat_openssl("socat-openssl-1m", "-b 1048576"),
    Tool(
        "ssh",
        send="sh SECRETS/ssh-send PORT IN OUT",
        receive="/usr/sbin/sshd -D -e -f SECRETS/sshd_config -p PORT",
        send_tree="scp -q -r -F SECRETS/ssh_config -P PORT IN HOST:OUT",
        receive_tree="/usr/sbin/sshd -D -e -f SECRETS/sshd_config -p PORT",
        tree_unit=None,
        version="ssh -V",
        streams=False,
        daemon=True,
        encrypted=True,
    ),
    Tool(
        "ncat",
        send="ncat --send-only HOST PORT",
        receive="ncat --recv-only -l HOST PORT",
        send_unix="ncat --send-only -U PATH",
        receive_unix="ncat --recv-only -l -U PATH",
        version="ncat --version",
    ),
    _socat("socat"),
    _socat("socat-1m", "-b 1048576"),
    Tool(
        "mbuffer",
        send="mbuffer -q SOURCE -O HOST:PORT",
        receive="mbuffer -q -I PORT SINK",
        file_source="-i IN",
        file_sink="-o OUT",
        version="mbuffer --version",
    ),
    Tool(
        "python",
        send="PYTHON CLIENT HOST PORT SOURCE",
        receive="PYTHON SERVER HOST PORT SINK",
        file_source="IN",
        file_sink="OUT",
        stream_source="/dev/stdin",
        stream_sink="/dev/stdout",
        version="PYTHON --version",
        start="PYTHON CLIENT",  # imports what it needs, and then lacks its operands
    ),
    Tool(
        "rsync",
        send="rsync -q --whole-file IN rsync://HOST:PORT/out/NAME",
        receive="rsync --daemon --no-detach --address=HOST --port=PORT --config=CONFIG",
        send_tree="rsync -q -a IN/ rsync://HOST:PORT/out/NAME",
        receive_tree="rsync --daemon --no-detach --address=HOST --port=PORT --config=CONFIG",
        version="rsync --version",
        streams=False,
        daemon=True,
    ),
    Tool("cp", send="cp IN OUT", send_tree="cp -a IN OUT", version="cp --version", streams=False),
    Tool(
        "dd",
        send="dd bs=1M status=none SOURCE SINK",
        file_source="if=IN",
        file_sink="of=OUT",
        version="dd --version",
    ),
    Tool(
        "nc-dd-fsync",
        send=NC.send,
        receive=NC.receive,
        after_receive="dd bs=1M conv=fsync status=none of=OUT",
        streams=False,
        sync=True,
    ),
    Tool(
        "dd-fsync",
        send="dd bs=1M conv=fsync status=none if=IN of=OUT",
        streams=False,
        sync=True,
    ),
]


class Words(typing.NamedTuple):
    """What the words of a command stand for."""

    program: str
    port: int = 0
    path: str = ""
    source: str = ""  # the file; empty for stdin
    sink: str = ""
    host: str = "127.0.0.1"
    config: str = ""
    secrets: str = ""  # a directory

    def fill(self, tool, template):
        """The command as a list, and whether the file that it reads or writes is named in it."""
        chosen = {
            "SOURCE": tool.file_source if self.source else tool.stream_source,
            "SINK": tool.file_sink if self.sink else tool.stream_sink,
        }
        names = {
            "PROGRAM": self.program,
            "PYTHON": sys.executable,
            "CLIENT": str(SCRIPTS / "client.py"),
            "SERVER": str(SCRIPTS / "server.py"),
            "CONFIG": self.config,
            "SECRETS": self.secrets,
            "NAME": pathlib.Path(self.sink).name,
            "HOST": self.host,
            "PORT": str(self.port),
            "PATH": self.path,
            "OUT": self.sink,
            "IN": self.source,
        }
        words, named = [], False
        for word in " ".join(chosen.get(word, word) for word in template.split()).split():
            found = [name for name in names if _stands_for(word, name)]
            named = named or bool({"IN", "OUT"} & set(found))
            for name in found:
                word = word.replace(name, names[name])
            words.append(word)
        return words, named


def _stands_for(word, name):
    """Whether the name stands in the word between punctuation: PORT in :PORT, not in PORTION."""
    before, found, after = word.partition(name)
    return bool(found) and not before[-1:].isalpha() and not after[:1].isalpha()


def missing(tool, program):
    """The programs that the tool needs and that are not installed."""
    stand_for = {"PROGRAM": program, "PYTHON": sys.executable}
    names = (stand_for.get(name, name) for name in tool.needs())
    return [name for name in names if shutil.which(name) is None]
