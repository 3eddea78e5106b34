#!/usr/bin/env bats
# INT, TERM and HUP, in every state and both roles, and all other signals that end a program: the end comes within
# a second, by that very signal, and the peer, the output and the old file are as after any other failure.
# shellcheck disable=SC2154  # address, port: set by the helpers

load ../helper
load fault

SIGNALS=(INT TERM HUP)

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# every_signal FUNCTION ARGUMENT...: runs it with each of the signals behind the arguments, over an old file.
every_signal() {
	local signal

	for signal in "${SIGNALS[@]}"; do
		prepare_output old
		"$@" "$signal"
		output_untouched old
	done
}

### Resolving

make_black_hole() {
	make_namespace
	echo 'nameserver 127.0.0.1' | replace_in_namespace /etc/resolv.conf
	echo 'hosts: dns' | replace_in_namespace /etc/nsswitch.conf
	drop_in_namespace 'tcp dport 9009 drop; udp dport 53'
}

# The only socket then is that for the query.
asks_dns() {
	[ -s us.pid ] && find "/proc/$(pid_of us)/fd" -lname 'socket:*' | grep -q .
}

resolving() {
	local signal=${*: -1}

	watched us
	connect_as us "${@:1:$#-1}"
	wait_for asks_dns
	signal_to us "$signal"
}

@test "a signal while send resolves a name, which hangs" {
	make_black_hole
	every_signal resolving send host.example:9 "$BATS_FILE_TMPDIR/data"
}

@test "a signal while recv resolves a name, which hangs" {
	make_black_hole
	every_signal resolving recv host.example:9 d/out
	every_signal resolving recv -l host.example:9 d/out
}

### Connecting

connects_to_nowhere() {
	grep -q ': 0100007F:[0-9A-F]* 0100007F:2331 02 ' "/proc/$NS_PID/net/tcp"
}

no_connection() {
	! connects_to_nowhere
}

connecting() {
	local signal=${*: -1}

	watched us
	wait_for no_connection
	connect_as us "${@:1:$#-1}"
	wait_for connects_to_nowhere
	signal_to us "$signal"
}

@test "a signal while send connects to a black hole" {
	make_black_hole
	every_signal connecting send 127.0.0.1:9009 "$BATS_FILE_TMPDIR/data"
}

@test "a signal while recv connects to a black hole" {
	make_black_hole
	every_signal connecting recv 127.0.0.1:9009 d/out
}

### Listening

# listening_for_signal ROLE FILE SIGNAL
listening_for_signal() {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		watched us
		listen_as us "$1" "$transport" "$2"
		signal_to us "$3"
		[ ! -e us.socket ]
	done
}

@test "a signal while send listens; a unix socket is removed" { every_signal listening_for_signal send "$BATS_FILE_TMPDIR/data"; }
@test "a signal while recv listens; a unix socket is removed" { every_signal listening_for_signal recv d/out; }

silent_peer() {
	watched recv
	listen_as recv recv "$1" d/out
	scripted peer connect "$address" eof
	wait_said recv 'connected to'
	signal_to recv "$2"
	# Nothing was sent, so a clean end misleads nobody, and a reset is as good.
	wait_for ended "${PID[peer]}"
	stop peer
}

@test "a signal while recv waits for the first byte" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		every_signal silent_peer "$transport"
	done
}

### Moving data

# moving VICTIM TRANSPORT SIGNAL: the source is silent in mid-transfer; the other side fails.
moving() {
	local victim=$1 other=recv

	[ "$victim" = send ] || other=send
	sent=700001
	open_pipe
	watched recv
	listen_as recv recv "$2" d/out
	watched send
	connect_as send send "$address" <pipe
	head -c "$sent" /dev/urandom >&8
	wait_for arrived recv "$sent"
	signal_to "$victim" "$3"
	finish "$other" 1
	complaint "$other"
	exec 8>&-
}

@test "a signal to send in mid-transfer: recv 1, nothing left, over IPv4" { every_signal moving send tcp4; }
@test "a signal to send in mid-transfer: recv 1, nothing left, over IPv6" { every_signal moving send tcp6; }
@test "a signal to send in mid-transfer: recv 1, nothing left, over a unix socket" { every_signal moving send unix; }
@test "a signal to recv in mid-transfer: send 1, nothing left, over IPv4" { every_signal moving recv tcp4; }
@test "a signal to recv in mid-transfer: send 1, nothing left, over IPv6" { every_signal moving recv tcp6; }
@test "a signal to recv in mid-transfer: send 1, nothing left, over a unix socket" { every_signal moving recv unix; }

# at_full_speed VICTIM SIGNAL: with as much to send as it takes.
at_full_speed() {
	local other=recv

	[ "$1" = send ] || other=send
	watched recv
	listen_as recv recv tcp4 d/out
	watched send
	connect_as send send "$address" large
	wait_for arrived recv 1000000
	signal_to "$1" "$2"
	finish "$other" 1
}

@test "a signal to either at full speed: the other fails, nothing left" {
	truncate -s 100G large
	every_signal at_full_speed send
	every_signal at_full_speed recv
}

blocked() {
	scripted_listen peer "$1" expect:1000 await:go gone
	watched send
	connect_as send send "$address" large
	wait_said peer 'expect:1000 done'
	signal_to send "$2"
	touch go
	# On a unix socket, a reset is only seen where something was unread at the other side.
	wait_for ended "${PID[peer]}"
	if [ "$1" = unix ]; then stop peer; else finish peer; fi
	rm -f go peer.socket
}

@test "a signal to send while the peer does not read: the peer sees a reset" {
	truncate -s 100M large
	every_signal blocked tcp4
	every_signal blocked unix
}

# A temporary file with a name of its own is removed as well.
named_temporary() {
	watched recv
	FRONT+=("$PYTHON" "$TOOLS/no_tmpfile.py")
	listen_as recv recv tcp4 d/out
	scripted peer connect "$address" send:200000 gone
	wait_for arrived recv 200000
	[ "$(find d -type f | wc -l)" -eq 2 ]
	signal_to recv "$1"
	finish peer
}

@test "a signal in mid-transfer where there is no O_TMPFILE: the temporary file is gone" {
	need_tmpfile_filter
	every_signal named_temporary
}

@test "any other signal that ends a program in mid-transfer: the temporary file is gone, and it dies of it" {
	need_tmpfile_filter
	ulimit -c 0
	SIGNALS=(QUIT ALRM XCPU USR2 VTALRM PROF IO PWR STKFLT ABRT RTMIN RTMIN+1 RTMAX)
	every_signal named_temporary
}

@test "a time limit of the processor (ulimit -t) leaves no temporary file" {
	need_tmpfile_filter
	prepare_output old
	watched recv
	# shellcheck disable=SC2016  # $@ is for the inner shell
	FRONT+=("$PYTHON" "$TOOLS/no_tmpfile.py" sh -c 'ulimit -c 0; ulimit -St 1; exec "$@"' -)
	listen_as recv recv tcp4 -B 1 d/out
	FRONT=()
	truncate -s 1T endless
	connect_as send send "$address" endless
	finish recv $((128 + $(kill -l XCPU)))
	finish send 1
	output_untouched old
}

### Waiting for the receipt

# waiting TRANSPORT TEXT SIGNAL: the peer has everything, and has said that. Our stream has ended by then, so
# that it shows only where the peer speaks that there is nobody any more.
waiting() {
	scripted_listen peer "$1" eof "text:$2" await:go text:more
	watched send
	connect_as send send -V "$address" "$BATS_FILE_TMPDIR/data"
	wait_said peer "text:$2 done"
	signal_to send "$3"
	touch go
	finish peer 1
	grep -q 'text:more: .*\(Broken pipe\|reset\)' peer.err
	rm -f go peer.socket
}

@test "a signal to send while it waits for the receipt: the peer sees a reset" {
	every_signal waiting tcp4 sock
	every_signal waiting unix sock
}

@test "a signal to send while it waits for 'stored': the peer sees a reset" {
	local received

	need_xxh128
	received="sockxfer/1 received 300000 $(digest "$BATS_FILE_TMPDIR/data")\\n"
	every_signal waiting tcp4 "$received"
	every_signal waiting unix "$received"
}

### Storing

storing() {
	watched recv
	listen_as recv recv "$1" -- sh -c 'cat >got; exec sleep 600'
	FRONT=()
	connect_as send send "$address" "$BATS_FILE_TMPDIR/data"
	wait_for cmp -s got "$BATS_FILE_TMPDIR/data"
	signal_to recv "$2"
	finish send 1
	one_line send.err
	rm got
}

@test "a signal to recv while its command stores: send 1, the command is stopped" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		every_signal storing "$transport"
	done
}

# A FIFO that nobody reads from takes the first 64 KiB.
storing_slowly() {
	rm -f fifo
	mkfifo fifo
	exec 8<>fifo
	watched recv
	listen_as recv recv tcp4 fifo
	FRONT=()
	connect_as send send "$address" large
	wait_for grep -q 'do_poll\|poll_schedule' "/proc/$(pid_of recv)/wchan"
	pass 0.1
	signal_to recv "$1"
	finish send 1
	exec 8>&-
}

@test "a signal to recv while its output takes no more: send 1" {
	truncate -s 100M large
	every_signal storing_slowly
}

### Waiting for the source

silent_command() {
	scripted_listen peer tcp4 expect:1 gone
	watched send
	connect_as send send "$address" -- sh -c 'echo; exec sleep 600'
	wait_said peer 'expect:1 done'
	signal_to send "$1"
	finish peer
}

@test "a signal to send while its command is silent: the peer sees a reset, the command is stopped" {
	every_signal silent_command
}

### What is ignored stays so

@test "a signal that was ignored at the start, as by nohup, stays ignored" {
	local signal

	for signal in HUP INT TERM QUIT ALRM USR2 XCPU; do
		rm -f out
		watched recv
		FRONT+=(env "--ignore-signal=$signal")
		listen_as recv recv tcp4 out
		kill -"$signal" "$(pid_of recv)"
		FRONT=()
		connect_as send send -V "$address" "$BATS_FILE_TMPDIR/data"
		finish send
		finish recv
		same out "$BATS_FILE_TMPDIR/data"
	done
}

@test "the first signal decides, and a second does not spoil the clean-up" {
	prepare_output old
	watched recv
	listen_as recv recv tcp4 -- sh -c 'trap "" TERM; cat >/dev/null; exec sleep 600'
	scripted peer connect "$address" send:1000 half eof
	wait_said peer 'half done'
	kill -TERM "$(pid_of recv)"
	kill -TERM "$(pid_of recv)" 2>/dev/null || true
	finish recv 143
	[ "$(cat recv.ended)" = 'signal 15' ]
	stop peer
}
