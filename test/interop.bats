#!/usr/bin/env bats
# Whole bytes and an end with the programs that people have at the other end, in both directions and both
# roles. "Listening" and "connecting" are said of the peer; we do the other. What is written after the
# peer's name is its options.
# shellcheck disable=SC2154  # port: wait_port and free_port set it

load helper

# Enough to fill the socket buffers of both sides, so that an end that comes too early shows.
setup_file() {
	head -c 3000000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# Sets command to the peer's command line: direction (sends, receives), role, its name and options.
# The port is $port, where a peer listens a free one.
peer_command() {
	local direction=$1 role=$2 tool=$3 socket=TCP:127.0.0.1:$port

	shift 3
	need "$tool"
	case $tool-$role in
	nc.openbsd-listening | ncat-listening) command=("$tool" "$@" -l "$port") ;;
	nc.openbsd-connecting | ncat-connecting) command=("$tool" "$@" 127.0.0.1 "$port") ;;
	nc.traditional-listening) command=("$tool" "$@" -l -p "$port") ;;
	nc.traditional-connecting) command=("$tool" "$@" 127.0.0.1 "$port") ;;
	busybox-listening | toybox-listening) command=("$tool" nc "$@" -l -p "$port") ;;
	busybox-connecting | toybox-connecting) command=("$tool" nc "$@" 127.0.0.1 "$port") ;;
	socat-*)
		[ "$role" = connecting ] || socket=TCP-LISTEN:$port,reuseaddr
		command=(socat "$@" - "$socket")
		# With -u from left to right only.
		[ "$direction" = sends ] || command=(socat "$@" "$socket" -)
		;;
	esac
	case $tool in
	busybox | toybox) "$tool" --list 2>/dev/null | grep -qx nc || "$tool" | grep -qw nc || skip "needs $tool nc" ;;
	esac
}

# Starts both, the listening one first: "us" with these arguments after the address, and "peer" as
# peer_command has it, with the stdin of this function.
start_both() {
	local ours=$1 options=$2 file=$3 direction=$4 role=$5

	shift 3
	# shellcheck disable=SC2086  # options are words
	if [ "$role" = listening ]; then
		free_port
		peer_command "$@"
		start peer "${command[@]}" <&0
		wait_for listening "$port"
		start us "$SOCKXFER" "$ours" $options "127.0.0.1:$port" "$file"
	elif [ -n "$options" ]; then
		# A limit begins when the peer is there.
		launch listen 4 "$SOCKXFER" "$ours" $options fd:3 "$file"
		peer_command "$@"
		start peer "${command[@]}" <&0
	else
		start us "$SOCKXFER" "$ours" -p 0 "$file"
		wait_port us
		peer_command "$@"
		start peer "${command[@]}" <&0
	fi
}

# peer_sends ROLE PEER...: whole, and both come to an end.
peer_sends() {
	start_both recv '' got sends "$@" <"$BATS_FILE_TMPDIR/data"
	finish us
	same got "$BATS_FILE_TMPDIR/data"
	finish peer
}

# A peer that never says that it has sent all: we have no whole file, and only -w brings an end.
peer_sends_without_end() {
	start_both recv '-w 1' got sends "$@" <"$BATS_FILE_TMPDIR/data"
	finish us 3
	one_line_but_listening us.err
	[ ! -e got ]
	stop peer
}

one_line_but_listening() {
	grep -v 'listening on' "$1" >"$1.rest" || true
	one_line "$1.rest"
}

# The stdins that a receiving peer may have: one that stays open and silent, as a terminal's; /dev/null.
use_stdin() {
	mkfifo silent
	case $1 in
	open) exec 8<>silent ;;
	null) exec 8</dev/null ;;
	esac
}

# peer_receives ROLE STDIN PEER...: whole, and both come to an end without the help of a timeout of
# ours: after 30 seconds of waiting for the peer's FIN, we would say that it did not close.
peer_receives() {
	use_stdin "$2"
	start_both send '' "$BATS_FILE_TMPDIR/data" receives "$1" "${@:3}" <&8
	finish us
	has us.err 'not confirmed'
	has_not us.err 'did not close'
	finish peer
	same peer.out "$BATS_FILE_TMPDIR/data"
}

# A peer that never closes: it gets all, and with -w we come to an end, which is no failure.
peer_receives_without_end() {
	use_stdin "$2"
	start_both send '-w 1' "$BATS_FILE_TMPDIR/data" receives "$1" "${@:3}" <&8
	finish us
	has us.err ', which did not close'
	wait_for same peer.out "$BATS_FILE_TMPDIR/data" >/dev/null
	stop peer
}

# A peer that gives up on its own account, whatever we do, and may exit 0 with a part of the data.
# What we promise: we come to an end; we do not report a failure if it has all; and if we
# report none, then with the remark that nobody confirmed it.
peer_may_truncate_itself() {
	local status=0

	use_stdin "$2"
	start_both send '' "$BATS_FILE_TMPDIR/data" receives "$1" "${@:3}" <&8
	wait_for ended "${PID[us]}"
	wait "${PID[us]}" || status=$?
	unset 'PID[us]'
	finish peer
	case $status in
	0) has us.err 'not confirmed' ;;
	1) one_line_but_listening us.err && ! cmp -s peer.out "$BATS_FILE_TMPDIR/data" ;;
	*) return 1 ;;
	esac
}

### The Python script

@test "the Python client sends the picture to us" {
	picture in.jpg
	start us "$SOCKXFER" recv -p 0 out.jpg
	wait_port us
	peer client 127.0.0.1 "$port" in.jpg
	finish us
	finish client
	same in.jpg out.jpg
}

@test "the Python server receives the picture from us" {
	picture in.jpg
	peer server 127.0.0.1 0 3.jpg
	wait_port server
	start us "$SOCKXFER" send "127.0.0.1:$port" in.jpg
	finish us
	finish server
	has us.err 'not confirmed'
	same in.jpg 3.jpg
}

### The peer sends

@test "nc.openbsd sends, listening: it never ends the stream, -w does" { peer_sends_without_end listening nc.openbsd; }
@test "nc.openbsd sends, connecting: it never ends the stream, -w does" { peer_sends_without_end connecting nc.openbsd; }
@test "nc.openbsd -N sends, listening" { peer_sends listening nc.openbsd -N; }
@test "nc.openbsd -N sends, connecting" { peer_sends connecting nc.openbsd -N; }
@test "nc.openbsd -q0 sends, listening" { peer_sends listening nc.openbsd -q0; }
@test "nc.openbsd -q0 sends, connecting" { peer_sends connecting nc.openbsd -q0; }
@test "nc.openbsd -q1 sends, listening" { peer_sends listening nc.openbsd -q1; }
@test "nc.openbsd -q1 sends, connecting" { peer_sends connecting nc.openbsd -q1; }
@test "nc.openbsd -w1 sends, listening" { peer_sends listening nc.openbsd -w1; }
@test "nc.openbsd -w1 sends, connecting" { peer_sends connecting nc.openbsd -w1; }
@test "nc.traditional sends, listening: it never ends the stream, -w does" { peer_sends_without_end listening nc.traditional; }
@test "nc.traditional sends, connecting: it never ends the stream, -w does" { peer_sends_without_end connecting nc.traditional; }
@test "nc.traditional -q0 sends, listening" { peer_sends listening nc.traditional -q0; }
@test "nc.traditional -q0 sends, connecting" { peer_sends connecting nc.traditional -q0; }
@test "nc.traditional -w1 sends, listening" { peer_sends listening nc.traditional -w1; }
@test "nc.traditional -w1 sends, connecting" { peer_sends connecting nc.traditional -w1; }
@test "ncat sends, listening" { peer_sends listening ncat; }
@test "ncat sends, connecting" { peer_sends connecting ncat; }
@test "ncat --send-only sends, listening" { peer_sends listening ncat --send-only; }
@test "ncat --send-only sends, connecting" { peer_sends connecting ncat --send-only; }
@test "socat sends, listening" { peer_sends listening socat; }
@test "socat sends, connecting" { peer_sends connecting socat; }
@test "socat -u sends, listening" { peer_sends listening socat -u; }
@test "socat -u sends, connecting" { peer_sends connecting socat -u; }
@test "busybox nc sends, listening" { peer_sends listening busybox; }
@test "busybox nc sends, connecting" { peer_sends connecting busybox; }
@test "toybox nc sends, listening" { peer_sends listening toybox; }
@test "toybox nc sends, connecting" { peer_sends connecting toybox; }

### The peer receives, its stdin a terminal or the like

@test "nc.openbsd receives, listening" { peer_receives listening open nc.openbsd; }
@test "nc.openbsd receives, connecting: it never closes, -w ends our wait" { peer_receives_without_end connecting open nc.openbsd; }
@test "nc.openbsd -N receives, listening" { peer_receives listening open nc.openbsd -N; }
@test "nc.openbsd -N receives, connecting: it never closes, -w ends our wait" { peer_receives_without_end connecting open nc.openbsd -N; }
@test "nc.openbsd -q0 receives, listening" { peer_receives listening open nc.openbsd -q0; }
@test "nc.openbsd -q1 receives, listening" { peer_receives listening open nc.openbsd -q1; }
@test "nc.openbsd -d receives, listening" { peer_receives listening open nc.openbsd -d; }
@test "nc.openbsd -d receives, connecting" { peer_receives connecting open nc.openbsd -d; }
@test "nc.traditional receives, listening" { peer_receives listening open nc.traditional; }
@test "nc.traditional receives, connecting" { peer_receives connecting open nc.traditional; }
@test "ncat receives, listening" { peer_receives listening open ncat; }
@test "ncat receives, connecting: it never closes, -w ends our wait" { peer_receives_without_end connecting open ncat; }
@test "ncat --recv-only receives, listening" { peer_receives listening open ncat --recv-only; }
@test "ncat --recv-only receives, connecting" { peer_receives connecting open ncat --recv-only; }
@test "socat receives, listening" { peer_receives listening open socat; }
@test "socat receives, connecting" { peer_receives connecting open socat; }
@test "socat -u receives, listening" { peer_receives listening open socat -u; }
@test "socat -u receives, connecting" { peer_receives connecting open socat -u; }
@test "busybox nc receives, listening" { peer_receives listening open busybox; }
@test "busybox nc receives, connecting" { peer_receives connecting open busybox; }
@test "toybox nc receives, listening" { peer_receives listening open toybox; }
@test "toybox nc receives, connecting" { peer_receives connecting open toybox; }

### The peer receives, its stdin at /dev/null, as under cron, systemd and ssh -n: many send their FIN first

@test "nc.openbsd receives from /dev/null, listening" { peer_receives listening null nc.openbsd; }
@test "nc.openbsd receives from /dev/null, connecting" { peer_receives connecting null nc.openbsd; }
@test "nc.openbsd -N receives from /dev/null, listening" { peer_receives listening null nc.openbsd -N; }
@test "nc.openbsd -N receives from /dev/null, connecting" { peer_receives connecting null nc.openbsd -N; }
@test "nc.openbsd -q0 receives from /dev/null, listening: it gives up, we end" { peer_may_truncate_itself listening null nc.openbsd -q0; }
@test "nc.openbsd -q1 receives from /dev/null, listening: it gives up, we end" { peer_may_truncate_itself listening null nc.openbsd -q1; }
@test "nc.openbsd -d receives from /dev/null, listening" { peer_receives listening null nc.openbsd -d; }
@test "nc.openbsd -d receives from /dev/null, connecting" { peer_receives connecting null nc.openbsd -d; }
@test "nc.traditional receives from /dev/null, listening" { peer_receives listening null nc.traditional; }
@test "nc.traditional receives from /dev/null, connecting" { peer_receives connecting null nc.traditional; }
@test "nc.traditional -q0 receives from /dev/null, listening: it gives up, we end" { peer_may_truncate_itself listening null nc.traditional -q0; }
@test "nc.traditional -q0 receives from /dev/null, connecting: it gives up, we end" { peer_may_truncate_itself connecting null nc.traditional -q0; }
@test "ncat receives from /dev/null, listening" { peer_receives listening null ncat; }
@test "ncat receives from /dev/null, connecting" { peer_receives connecting null ncat; }
@test "ncat --recv-only receives from /dev/null, listening" { peer_receives listening null ncat --recv-only; }
@test "ncat --recv-only receives from /dev/null, connecting" { peer_receives connecting null ncat --recv-only; }
@test "socat receives from /dev/null, listening: it may give up, we end" { peer_may_truncate_itself listening null socat; }
@test "socat receives from /dev/null, connecting: it may give up, we end" { peer_may_truncate_itself connecting null socat; }
@test "socat -u receives from /dev/null, listening" { peer_receives listening null socat -u; }
@test "socat -u receives from /dev/null, connecting" { peer_receives connecting null socat -u; }
@test "busybox nc receives from /dev/null, listening" { peer_receives listening null busybox; }
@test "busybox nc receives from /dev/null, connecting" { peer_receives connecting null busybox; }
@test "toybox nc receives from /dev/null, listening" { peer_receives listening null toybox; }
@test "toybox nc receives from /dev/null, connecting" { peer_receives connecting null toybox; }

### The commands that the manual recommends for the other end, with the picture, as they are written there

# documented_sender COMMAND: with HOST and PORT in it; the picture is in.jpg.
documented_sender() {
	need "${1%% *}"
	picture in.jpg
	start us "$SOCKXFER" recv -p 0 out.jpg
	wait_port us
	start peer sh -c "exec ${1//9009/$port}"
	finish us
	finish peer
	same in.jpg out.jpg
}

# documented_receiver COMMAND: into out.jpg.
documented_receiver() {
	need "${1%% *}"
	picture in.jpg
	free_port
	start peer sh -c "exec ${1//9009/$port}"
	wait_for listening "$port"
	start us "$SOCKXFER" send "127.0.0.1:$port" in.jpg
	finish us
	has us.err 'not confirmed'
	finish peer
	same in.jpg out.jpg
}

@test "documented: OpenBSD nc sends to us" { documented_sender 'nc.openbsd -N 127.0.0.1 9009 <in.jpg'; }
@test "documented: traditional nc sends to us" { documented_sender 'nc.traditional -q0 127.0.0.1 9009 <in.jpg'; }
@test "documented: ncat sends to us" { documented_sender 'ncat --send-only 127.0.0.1 9009 <in.jpg'; }
@test "documented: socat sends to us" { documented_sender 'socat -u FILE:in.jpg TCP:127.0.0.1:9009'; }
@test "documented: busybox nc sends to us" { documented_sender 'busybox nc 127.0.0.1 9009 <in.jpg'; }
@test "documented: toybox nc sends to us" { documented_sender 'toybox nc 127.0.0.1 9009 <in.jpg'; }
@test "documented: OpenBSD nc receives from us" { documented_receiver 'nc.openbsd -d -l 9009 >out.jpg'; }
@test "documented: traditional nc receives from us" { documented_receiver 'nc.traditional -l -p 9009 >out.jpg'; }
@test "documented: ncat receives from us" { documented_receiver 'ncat --recv-only -l 9009 >out.jpg'; }
@test "documented: socat receives from us" { documented_receiver 'socat -u TCP-LISTEN:9009,reuseaddr CREATE:out.jpg'; }
@test "documented: busybox nc receives from us" { documented_receiver 'busybox nc -l -p 9009 </dev/null >out.jpg'; }
@test "documented: toybox nc receives from us" { documented_receiver 'toybox nc -l -p 9009 >out.jpg'; }
