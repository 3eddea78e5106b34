#!/usr/bin/env bats
# Standard descriptors that are closed, and no /dev/null to take their place, as in a chroot.
# shellcheck disable=SC2154  # port: wait_port sets it

load ../helper

no_null() {
	make_namespace
	"${NS[@]}" mount -t tmpfs tmpfs /dev || skip "needs tmpfs"
	echo data >in
}

# closed REDIRECTION ARGUMENT...: starts sockxfer as "us" with these descriptors closed.
closed() {
	local redirection=$1

	shift
	start us "${NS[@]}" sh -c 'exec "$@" '"$redirection" - "$SOCKXFER" "$@"
}

REASON='is closed, and /dev/null cannot be opened: No such file or directory'

@test "a closed descriptor that cannot be replaced is told on stderr: exit 1" {
	local arguments

	no_null
	for arguments in --version 'recv -p 0 out' 'send -p 0 in' 'recv --json -p 0 d' ''; do
		# shellcheck disable=SC2086  # words
		closed '<&-' $arguments
		finish us 1
		[ "$(cat us.err)" = "sockxfer: descriptor 0 $REASON" ]
		[ ! -s us.out ]
		# shellcheck disable=SC2086
		closed '>&-' $arguments
		finish us 1
		[ "$(cat us.err)" = "sockxfer: descriptor 1 $REASON" ]
	done
	[ ! -e out ]
}

@test "where stderr is closed, too, it is told on stdout" {
	no_null
	closed '2>&-' recv -p 0 out
	finish us 1
	[ "$(cat us.out)" = "sockxfer: descriptor 2 $REASON" ]
	closed '<&- 2>&-' recv -p 0 out
	finish us 1
	[ "$(cat us.out)" = "sockxfer: descriptor 0 $REASON" ]
	closed '<&- >&- 2>&-' recv -p 0 out
	finish us 1
}

@test "where only stdin is open, it is told on a terminal, and no file to be sent is written to" {
	no_null
	closed '<>in >&- 2>&-' send -p 0
	finish us 1
	[ "$(cat in)" = data ]
	# shellcheck disable=SC2016  # $0 is the inner shell's
	start us "$PYTHON" -c 'import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
said = b""
try:
    while piece := os.read(terminal, 1000):
        said += piece
except OSError:
    pass
print(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' \
		"${NS[@]}" sh -c 'exec "$0" --version >&- 2>&-' "$SOCKXFER"
	finish us 1
	has us.out "sockxfer: descriptor 1 $REASON"
}

# told_nothing STATUS ARGUMENT...: the peer that has it started is reset without a word.
told_nothing() {
	local status=$1

	shift
	start us "${NS[@]}" "$ACTIVATE" inetd 127.0.0.1 0 "$SOCKXFER" "$@"
	wait_port us
	scripted peer connect "127.0.0.1:$port" gone save:said
	finish peer
	finish us "$status"
	[ ! -s said ]
}

@test "what has the connection for its descriptors, as under inetd, says nothing to the peer" {
	no_null
	told_nothing 1 recv fd:0 out
	told_nothing 1 recv --json fd:0 out
	told_nothing 1 send fd:0 in
	told_nothing 2 recv fd:0 --nosuch
	[ ! -e out ]
}
