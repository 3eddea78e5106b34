"""Runs a command as on an old kernel, or in a sandbox that does not know newer system calls.

usage: deny.py ERROR CALL[,CALL...] COMMAND...      they fail with ENOSYS, EPERM, ...
       deny.py ERROR since-3.6 COMMAND...           so do all calls that came with Linux 3.6 or later
       deny.py --check                              status 0 if this works here
"""

import ctypes
import errno
import os
import sys

import seccomp

# The first number that came later than Linux 3.5. The generic architectures began with Linux 3.7, and all
# that is newer there but one, renameat2 and its like, came later too.
SINCE_3_6 = {"x86_64": 313, "aarch64": 274, "riscv64": 274}


def deny(error, calls):
    instructions = []
    for call in calls.split(","):
        if call == "since-3.6":
            test = (seccomp.JUMP_NOT_LESS, 0, 1, SINCE_3_6[os.uname().machine])
        else:
            test = (seccomp.JUMP_EQUAL, 0, 1, seccomp.number(call))
        fail = (seccomp.RETURN, 0, 0, seccomp.FAIL | getattr(errno, error))
        instructions += [test, fail]
    seccomp.install([*instructions, (seccomp.RETURN, 0, 0, seccomp.ALLOW)])


if sys.argv[1:] == ["--check"]:
    deny("EXDEV", "pidfd_open")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall(seccomp.number("pidfd_open"), os.getpid(), 0)
    sys.exit(ctypes.get_errno() != errno.EXDEV)
deny(sys.argv[1], sys.argv[2])
os.execvp(sys.argv[3], sys.argv[3:])
