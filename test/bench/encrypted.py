"""File to file over an encrypted connection, by tools of which each has its own kind of key."""

import contextlib
import os
import pwd
import shutil
import subprocess

import cases
import measure

SSHD_CONFIG = """\
ListenAddress 127.0.0.1
HostKey {0}/ssh_key
AuthorizedKeysFile {0}/ssh_key.pub
PasswordAuthentication no
StrictModes no
PidFile none
Subsystem sftp internal-sftp
"""
SSH_CONFIG = """\
Host *
User {1}
IdentityFile {0}/ssh_key
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
LogLevel ERROR
Ciphers aes128-gcm@openssh.com
"""
SSH_SEND = """\
#!/bin/sh
exec ssh -F {0}/ssh_config -p "$1" 127.0.0.1 "exec cat >'$3'" <"$2"
"""
NCAT_LISTEN = """\
#!/bin/sh
exec ncat --ssl --ssl-cert {0}/certificate.pem --ssl-key {0}/certificate.pem --send-only -l 127.0.0.1 "$1" <"$2"
"""
NCAT_CONNECT = """\
#!/bin/sh
exec ncat --ssl --recv-only 127.0.0.1 "$1" >"$2"
"""
FILES = {
    "sshd_config": SSHD_CONFIG, "ssh_config": SSH_CONFIG, "ssh-send": SSH_SEND,
    "ncat-listen": NCAT_LISTEN, "ncat-connect": NCAT_CONNECT,
}


@contextlib.contextmanager
def secrets_in(directory, program):
    """The keys of all of them, for as long as they are needed."""
    place = directory / "secrets"
    place.mkdir(mode=0o700)
    try:
        make_secrets(place, program)
        yield
    finally:
        shutil.rmtree(place)


def make_secrets(place, program):
    key = subprocess.run([program, "key"], stdout=subprocess.PIPE, check=True).stdout
    write(place / "key", key)
    make_certificate(place)
    if shutil.which("ssh-keygen"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / "ssh_key"], check=True)
    user = pwd.getpwuid(os.geteuid()).pw_name
    for name, text in FILES.items():
        write(place / name, text.format(place, user).encode())
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # or sshd does not start


def make_certificate(place):
    if not shutil.which("openssl"):
        return
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    subprocess.run([*words.split(), "-keyout", place / "private.pem", "-out", place / "public.pem"],
                   stderr=subprocess.DEVNULL, check=True)
    write(place / "certificate.pem", (place / "private.pem").read_bytes() + (place / "public.pem").read_bytes())


def write(path, data):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def encrypted(bench):
    """file to file, encrypted; sockxfer without a key beside it"""
    directory = bench.fast()
    tools = [tool for tool in bench.tools if tool.encrypted or tool.name in ("sockxfer", "cp")]
    with secrets_in(directory, bench.program):
        yield from cases.copies(bench, "encrypted", directory, tools, bench.fitting(directory))


ALL = {"encrypted": encrypted}
