"""Filters that make system calls fail for this process and all that it will start.

Done by seccomp, which needs no root, holds for every way into the kernel, and works under sanitizers
and valgrind alike, where a preloaded library would not.
"""

import ctypes
import os
import platform
import struct
import sys

# AUDIT_ARCH_..., and the numbers of the calls there that differ between the architectures. (open(2) has
# long been openat in every libc.)
GENERIC = {"openat": 56, "sync_file_range": 84, "renameat2": 276, "statx": 291}
ARCHITECTURES = {
    "x86_64": (
        0xC000003E,
        {"openat": 257, "sync_file_range": 277, "renameat2": 316, "statx": 332},
    ),
    "aarch64": (0xC00000B7, GENERIC),
    "riscv64": (0xC00000F3, GENERIC),
}
# Since Linux 5.1 they have the same number everywhere.
NUMBERS = {
    "pidfd_open": 434,
    "clone3": 435,
    "close_range": 436,
    "openat2": 437,
    "faccessat2": 439,
}

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD, JUMP_EQUAL, JUMP_NOT_LESS, JUMP_SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
NR, ARCH, FLAGS = 0, 4, 32  # offsets in struct seccomp_data; flags is args[2], its low half


def architecture():
    if sys.byteorder != "little" or platform.machine() not in ARCHITECTURES:
        sys.exit("seccomp: not written for this architecture")
    return ARCHITECTURES[platform.machine()]


def number(name):
    """The number of a system call on this machine."""
    return {**architecture()[1], **NUMBERS}[name]


def install(instructions):
    """Installs a filter: instructions for a call of this architecture; others are allowed.

    They begin with the number of the call loaded.
    """
    program = b"".join(
        struct.pack("HBBI", *instruction)
        for instruction in [
            (LOAD, 0, 0, ARCH),
            (JUMP_EQUAL, 1, 0, architecture()[0]),
            (RETURN, 0, 0, ALLOW),
            (LOAD, 0, 0, NR),
            *instructions,
        ]
    )
    code = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("HL", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    unused = ctypes.c_ulong(0)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), unused, unused, unused) != 0:
        sys.exit("seccomp: " + os.strerror(ctypes.get_errno()))
    if libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), fprog, unused, unused) != 0:
        sys.exit("seccomp: " + os.strerror(ctypes.get_errno()))
