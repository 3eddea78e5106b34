"""Prints what inotify(7) tells of a directory, a line an event: its kind, the name
and the size that the file of that name has then ("-": there is none).

usage: watch_directory.py DIRECTORY

The first line is "watching". It ends by a signal.
"""

import ctypes
import os
import struct
import sys

KINDS = {0x2: "MODIFY", 0x8: "CLOSE_WRITE", 0x40: "MOVED_FROM", 0x80: "MOVED_TO", 0x100: "CREATE", 0x200: "DELETE"}
EVENT = struct.Struct("iIII")  # struct inotify_event, without its name

libc = ctypes.CDLL(None, use_errno=True)
watch = libc.inotify_init()
if watch == -1 or libc.inotify_add_watch(watch, os.fsencode(sys.argv[1]), sum(KINDS)) == -1:
    sys.exit("watch_directory: " + os.strerror(ctypes.get_errno()))
print("watching", flush=True)
while True:
    events = os.read(watch, 65536)
    while events:
        _, mask, _, length = EVENT.unpack_from(events)
        name = events[EVENT.size : EVENT.size + length].rstrip(b"\0")
        events = events[EVENT.size + length :]
        for bit, kind in KINDS.items():
            if mask & bit:
                try:
                    size = os.stat(os.path.join(sys.argv[1], os.fsdecode(name))).st_size
                except OSError:
                    size = "-"
                print(kind, os.fsdecode(name), size, flush=True)
