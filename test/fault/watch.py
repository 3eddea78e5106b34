"""Runs a command and tells how it ended, as wait(2) has it: a shell cannot tell a death by signal from an
exit with 128 and its number.

usage: watch.py NAME COMMAND...

The command's process id is written to NAME.pid; when it has ended, "signal 15" or "exit 143" to NAME.ended.
The exit status is the shell's. The command gets the default for every signal: to a background process of a
shell, INT would be ignored.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

name, command = sys.argv[1], sys.argv[2:]
pid = os.fork()
if pid == 0:
    # A test that fails ends this process; the command is not to stay behind.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    with open(name + ".new", "w") as file:
        file.write(str(os.getpid()))
    os.rename(name + ".new", name + ".pid")
    os.execvp(command[0], command)
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
with open(name + ".ended", "w") as file:
    print("signal %d" % -status if status < 0 else "exit %d" % status, file=file)
sys.exit(128 - status if status < 0 else status)
