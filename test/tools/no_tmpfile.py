"""Runs a command as if no file system had O_TMPFILE: open with it fails with EOPNOTSUPP.

usage: no_tmpfile.py COMMAND...
       no_tmpfile.py --check       status 0 if this works here

Done by a seccomp filter, which needs no root, holds for every way into the kernel, and works
under sanitizers and valgrind alike, where a preloaded library would not.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

# AUDIT_ARCH_..., and the number of openat(2) there. (open(2) has long been openat in every libc.)
ARCHITECTURES = {
    "x86_64": (0xC000003E, 257),
    "aarch64": (0xC00000B7, 56),
    "riscv64": (0xC00000F3, 56),
}
O_TMPFILE_BIT = 0o20000000

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD, JUMP_EQUAL, JUMP_SET, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
NR, ARCH, FLAGS = 0, 4, 32  # offsets in struct seccomp_data; flags is args[2], its low half


def install():
    if sys.byteorder != "little" or platform.machine() not in ARCHITECTURES:
        sys.exit("no_tmpfile: not written for this architecture")
    arch, openat = ARCHITECTURES[platform.machine()]
    program = b"".join(
        struct.pack("HBBI", *instruction)
        for instruction in [
            (LOAD, 0, 0, ARCH),
            (JUMP_EQUAL, 0, 5, arch),
            (LOAD, 0, 0, NR),
            (JUMP_EQUAL, 0, 3, openat),
            (LOAD, 0, 0, FLAGS),
            (JUMP_SET, 0, 1, O_TMPFILE_BIT),
            (RETURN, 0, 0, FAIL | errno.EOPNOTSUPP),
            (RETURN, 0, 0, ALLOW),
        ]
    )
    code = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("HL", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    unused = ctypes.c_ulong(0)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), unused, unused, unused) != 0:
        sys.exit("no_tmpfile: " + os.strerror(ctypes.get_errno()))
    if libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), fprog, unused, unused) != 0:
        sys.exit("no_tmpfile: " + os.strerror(ctypes.get_errno()))


install()
if sys.argv[1:] == ["--check"]:
    try:
        os.open(".", os.O_TMPFILE | os.O_WRONLY)
    except OSError as error:
        sys.exit(error.errno != errno.EOPNOTSUPP)
    sys.exit("no_tmpfile: the filter does not filter")
os.execvp(sys.argv[1], sys.argv[1:])
