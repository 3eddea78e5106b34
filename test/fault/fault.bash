# shellcheck shell=bash
# What the tests of faults share, beyond ../helper.bash: both roles over every transport, data that stops where
# a test wants it to, how a process died, faults injected by strace, a small file system, a link to cut.

TRANSPORTS=(tcp4 tcp6 unix)

# It would make Python write the words of a line one by one, and a test read half of it.
unset PYTHONUNBUFFERED

### Both roles over every transport

# listen_as NAME ROLE TRANSPORT ARGUMENT...: starts sockxfer in that role where it listens, with the stdin of
# the caller, and sets $address to what a peer connects to. ${FRONT[@]} goes in front of it.
FRONT=()
listen_as() {
	local name=$1 role=$2 transport=$3 where

	shift 3
	case $transport in
	tcp4) where=127.0.0.1:0 ;;
	tcp6) where='[::1]:0' ;;
	unix) where=unix:$name.socket ;;
	esac
	start "$name" "${NS[@]}" "${FRONT[@]}" "$SOCKXFER" "$role" -v -l "$where" "$@" <&0
	find_address "$name"
}

# Waits until NAME says where it listens, and sets $address.
find_address() {
	wait_said "$1" 'listening on'
	address=$(sed -n 's/.*listening on //p' "$1.err")
}

# connect_as NAME ROLE ADDRESS ARGUMENT...: the same where it connects.
connect_as() {
	local name=$1

	shift
	start "$name" "${NS[@]}" "${FRONT[@]}" "$SOCKXFER" "$@" <&0
}

# A scripted peer that listens, and $address.
scripted_listen() {
	local name=$1 transport=$2

	shift 2
	case $transport in
	unix)
		scripted "$name" listen "unix:$name.socket" "$@"
		wait_said "$name" 'listening on'
		address=unix:$name.socket
		;;
	tcp6)
		scripted "$name" listen '[::1]:0' "$@"
		wait_port "$name"
		address="[::1]:$port"
		;;
	*)
		scripted "$name" listen 127.0.0.1:0 "$@"
		wait_port "$name"
		address=127.0.0.1:$port
		;;
	esac
}

# $port of $address, for peers that want it by itself.
port_of_address() {
	port=${address##*:}
}

# The stderr of NAME without what -v and port 0 add, so that one_line can tell what is left.
complaint() {
	grep -vE ': (listening on|connected to) |; waiting for another$' "$1.err" >"$1.complaint" || true
	one_line "$1.complaint"
}

### Data that stops

# Makes descriptor 8 the writing end of "pipe", which is a source that ends when 8 is closed.
open_pipe() {
	rm -f pipe
	mkfifo pipe
	exec 8<>pipe
}

# Whether the receiver NAME has written that many bytes to the file that has no name yet: one of its
# descriptors behind the standard ones.
arrived() {
	local descriptor size

	! ended "${PID[$1]}" || return 99
	for descriptor in "/proc/$(pid_of "$1")/fd"/*; do
		[ "${descriptor##*/}" -gt 2 ] && [ -f "$descriptor" ] || continue
		[[ $(readlink "$descriptor") == "$PWD"/* ]] || continue
		size=$(stat -L -c %s "$descriptor") || continue
		[ "$size" -lt "$2" ] || return 0
	done
	return 1
}

# start_transfer TRANSPORT LISTENER OUTPUT: "recv" and "send", in mid-transfer after $sent bytes, from a
# pipe that stays open (descriptor 8). LISTENER is the one that listens.
start_transfer() {
	open_pipe
	if [ "$2" = recv ]; then
		listen_as recv recv "$1" "$3"
		start send "${NS[@]}" "$SOCKXFER" send "$address" <pipe
	else
		listen_as send send "$1" <pipe
		start recv "${NS[@]}" "$SOCKXFER" recv "$address" "$3"
	fi
	head -c "$sent" /dev/urandom >&8
	wait_for arrived recv "$sent"
}

# The directory d with an old file d/out, or, after "new", without one.
prepare_output() {
	rm -rf d
	mkdir d
	[ "$1" = new ] || echo old >d/out
}

# That it is as prepare_output made it.
output_untouched() {
	if [ "$1" = new ]; then
		holds d
	else
		holds d out
		[ "$(cat d/out)" = old ]
	fi
}

### Ends

# watched NAME: whatever listen_as and connect_as start next as NAME is run by watch.py, so that its death can
# be told from an exit, and INT is not ignored.
watched() {
	rm -f "$1.pid" "$1.ended"
	FRONT=("$PYTHON" "$ROOT/test/fault/watch.py" "$1")
}

# The process id of sockxfer itself.
pid_of() {
	if [ -e "$1.pid" ]; then cat "$1.pid"; else echo "${PID[$1]}"; fi
}

# signal_to NAME SIGNAL: it dies of this very signal, within the second that is promised. (Nearly another is for the test
# itself; what our side might wait for longest is two.)
signal_to() {
	local since

	wait_for [ -s "$1.pid" ]
	clock since
	kill -"$2" "$(cat "$1.pid")"
	finish "$1" $((128 + $(kill -l "$2")))
	soon 1900 "$since"
	[ "$(cat "$1.ended")" = "signal $(kill -l "$2")" ] || {
		echo "$1 ended by: $(cat "$1.ended")" >&2
		return 1
	}
}

### Digests and receipts

need_xxh128() {
	need xxh128sum
}

# The digest of a file as the receipt has it.
digest() {
	printf 'xxh128:%s' "$(xxh128sum <"$1" | cut -d ' ' -f 1)"
}

# The receipt that a receiver gives for a file.
receipt() {
	printf 'sockxfer/1 received %s %s\nsockxfer/1 stored\n' "$(stat -c %s "$1")" "$(digest "$1")"
}

### Faults by strace

# Under strace a sanitizer cannot look for leaks, and valgrind is what is traced instead of the program.
need_strace() {
	need strace
	need_plain_build
	strace -o /dev/null true 2>/dev/null || skip "needs ptrace"
}

# inject [FAULT...]: whatever listen_as starts next has these faults (strace -e inject=FAULT), and its calls are
# in the file "trace". Messages for stderr are written by write(2) as well.
inject() {
	local fault

	need_strace
	FRONT=(strace -f -q -s 64 -o trace)
	for fault; do
		FRONT+=(-e "inject=$fault")
	done
}

### A small file system

# small_directory SIZE: d, in a namespace with a file system of that size mounted there, with an old file d/out.
small_directory() {
	make_namespace
	mkdir d
	"${NS[@]}" mount -t tmpfs -o "size=$1" tmpfs d || skip "needs tmpfs"
	small=/proc/$NS_PID/root/$PWD/d
	echo old | "${NS[@]}" tee d/out >/dev/null
}

small_untouched() {
	holds "$small" out
	[ "$(cat "$small/out")" = old ]
}
