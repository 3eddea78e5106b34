"""Runs a command as if no file system had O_TMPFILE: open with it fails with EOPNOTSUPP.

usage: no_tmpfile.py COMMAND...
       no_tmpfile.py --check       status 0 if this works here
"""

import errno
import os
import sys

import seccomp

O_TMPFILE_BIT = 0o20000000

seccomp.install(
    [
        (seccomp.JUMP_EQUAL, 0, 3, seccomp.number("openat")),
        (seccomp.LOAD, 0, 0, seccomp.FLAGS),
        (seccomp.JUMP_SET, 0, 1, O_TMPFILE_BIT),
        (seccomp.RETURN, 0, 0, seccomp.FAIL | errno.EOPNOTSUPP),
        (seccomp.RETURN, 0, 0, seccomp.ALLOW),
    ]
)
if sys.argv[1:] == ["--check"]:
    try:
        os.open(".", os.O_TMPFILE | os.O_WRONLY)
    except OSError as error:
        sys.exit(error.errno != errno.EOPNOTSUPP)
    sys.exit("no_tmpfile: the filter does not filter")
os.execvp(sys.argv[1], sys.argv[1:])
