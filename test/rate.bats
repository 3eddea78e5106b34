#!/usr/bin/env bats
# The limit on the rate (-b), and the congestion control (-C). Speeds are no test; that a limit is kept is one.
# shellcheck disable=SC2154  # port: wait_port sets it; address: find_address

load helper
load fault/fault

# at_least MILLISECONDS SINCE
at_least() {
	local now

	clock now
	echo "$((now - $2)) ms, of at least $1" >&2
	[ $((now - $2)) -ge "$1" ]
}

# limited TRANSPORT LISTENER ROLE: starts "both" of that transport and listener, which move 300,000 bytes with a limit of
# 200,000 a second at that end. The side that connects is timed by itself.
limited() {
	local send_options=(-V) recv_options=() both=$1.$2

	case $3 in
	send) send_options+=(-b 200000) ;;
	recv) recv_options+=(-b 200000) ;;
	esac
	if [ "$2" = recv ]; then
		listen_as "recv.$both" recv "$1" "${recv_options[@]}" "out.$both"
		FRONT=("${TIMED[@]}")
		connect_as "send.$both" send "${send_options[@]}" "$address" in
	else
		listen_as "send.$both" send "$1" "${send_options[@]}" in
		FRONT=("${TIMED[@]}")
		connect_as "recv.$both" recv "${recv_options[@]}" "$address" "out.$both"
	fi
	FRONT=()
}

# What is behind it is run, and the milliseconds that it took are printed.
# shellcheck disable=SC2016  # the inner shell's
TIMED=(bash -c 'since=${EPOCHREALTIME//[.,]/}; "$@" && echo $(((${EPOCHREALTIME//[.,]/} - since) / 1000))' -)

# ends_limited TRANSPORT LISTENER: both have come to their end, whole, and no sooner than they may.
ends_limited() {
	local both=$1.$2 other=send

	[ "$2" = recv ] || other=recv
	finish "send.$both"
	finish "recv.$both"
	same in "out.$both"
	echo "$both: $(<"$other.$both.out") ms" >&2
	[ "$(<"$other.$both.out")" -ge 1300 ]
}

# All of them at once.
limited_everywhere() {
	local transport listener

	random_file in 300000
	for transport in "${TRANSPORTS[@]}"; do
		for listener in recv send; do
			limited "$transport" "$listener" "$1"
		done
	done
	for transport in "${TRANSPORTS[@]}"; do
		for listener in recv send; do
			ends_limited "$transport" "$listener"
		done
	done
}

@test "-b of send is kept, whoever listens, over every transport" { limited_everywhere send; }

@test "-b of recv is kept, whoever listens, over every transport" { limited_everywhere recv; }

@test "-b limits a pipe and a command as well" {
	local since

	mkfifo pipe
	receive out
	clock since
	start send "$SOCKXFER" send -b 100K "127.0.0.1:$port" pipe
	head -c 150000 /dev/zero >pipe
	finish send
	finish us
	at_least 1300 "$since"
	receive out
	clock since
	start send "$SOCKXFER" send -b 100K "127.0.0.1:$port" -- head -c 150000 /dev/zero
	finish send
	finish us
	at_least 1300 "$since"
}

@test "a slow -b is progress to -w at both ends" {
	random_file in 40000
	launch listen 4 "$SOCKXFER" recv -w 0.5 fd:3 out
	start send "$SOCKXFER" send -V -w 0.5 -b 20000 "$address" in
	finish send
	finish us
	same in out
}

# Room for more shows at the sender only when a third of its buffer is free: long after -w. (Without -V, for what is
# acknowledged but lies unread in the receiver's kernel at the end may be more than it reads in the time of -w.)
@test "a receiver with a slow -b is progress to -w of send, over every transport" {
	local transport

	random_file in 6000000
	for transport in "${TRANSPORTS[@]}"; do
		listen_as "recv.$transport" recv "$transport" -b 2M "out.$transport"
		connect_as "send.$transport" send -w 0.5 "$address" in
	done
	for transport in "${TRANSPORTS[@]}"; do
		finish "send.$transport"
		finish "recv.$transport"
		same in "out.$transport"
	done
}

@test "-b does not outlast -W: exit 3" {
	receive out
	random_file in 40000
	start send "$SOCKXFER" send -W 0.5 -b 1 "127.0.0.1:$port" in
	finish send 3
	has send.err 'the time limit of -W has passed'
	finish us 1
	launch listen 4 "$SOCKXFER" recv -W 0.5 -b 1 fd:3 out
	start send "$SOCKXFER" send "$address" in
	finish us 3
	finish send 6
}

@test "a signal ends a transfer that waits for its turn" {
	random_file in 40000
	watched send
	receive out
	connect_as send send -b 1 "127.0.0.1:$port" in
	wait_for [ -s send.pid ]
	wait_for arrived us 1
	signal_to send TERM
	finish us 1
	[ ! -e out ]
}

@test "a sender that waits for its turn hears at once that the receiver has failed" {
	random_file in 40000
	scripted peer listen 127.0.0.1:0 expect:1 'text:sockxfer/1 failed no room\n' eof
	wait_port peer
	start send "$SOCKXFER" send -b 1 "127.0.0.1:$port" in
	finish send 6
	has send.err 'no room'
	stop peer
}

@test "the kernel is asked to pace TCP, over both families and in both roles of the listener" {
	need_strace
	random_file in 1000
	local transport

	for transport in tcp4 tcp6; do
		listen_as recv recv "$transport" out
		inject
		connect_as send send -b 1M "$address" in
		finish send
		finish recv
		grep -q 'SO_MAX_PACING_RATE' trace
		listen_as send send "$transport" -b 1M in
		FRONT=()
		connect_as recv recv "$address" out
		finish send
		finish recv
		grep -q 'SO_MAX_PACING_RATE' trace
	done
}

@test "rates are read strictly: exit 2" {
	local rate

	for rate in 0 -1 +1 1x '' 1.5M 2048T ' 1'; do
		start us "$SOCKXFER" send -b "$rate" 127.0.0.1:9 in
		finish us 2
		has us.err '-b, --rate'
	done
}

### -C

@test "-C sets the congestion control, whoever listens" {
	local name

	need ss
	read -r name _ </proc/sys/net/ipv4/tcp_available_congestion_control
	scripted peer listen 127.0.0.1:0 await:go eof
	wait_port peer
	random_file in 10000000
	start send "$SOCKXFER" send -C "$name" "127.0.0.1:$port" in
	wait_said peer 'peer '
	wait_for controlled "$name"
	stop send
	stop peer
	start send "$SOCKXFER" send -C "$name" -p 0 in
	wait_port send
	scripted peer connect "127.0.0.1:$port" await:go eof
	wait_for controlled "$name"
	stop send
	stop peer
}

# Whether the sender's socket has that congestion control.
controlled() {
	ss -tinp | grep -A 1 "pid=${PID[send]}," | grep -qw "$1"
}

@test "a congestion control that the kernel lacks: exit 2 at once, with those that it has" {
	start us "$SOCKXFER" send -C no-such-thing -p 0 /dev/null
	finish us 2
	one_line us.err
	has us.err "-C, --congestion: this kernel has no \"no-such-thing\"; it has: $(cat /proc/sys/net/ipv4/tcp_available_congestion_control)"
	start us "$SOCKXFER" send -C "$(printf 'x%.0s' {1..300})" 127.0.0.1:9 /dev/null
	finish us 2
	one_line us.err
}

@test "a congestion control for a unix socket, or for recv, is a usage error" {
	start us "$SOCKXFER" send -C reno unix:socket /dev/null
	finish us 2
	has us.err 'only TCP has a congestion control'
	start us "$SOCKXFER" recv -C reno -p 0 out
	finish us 2
	has us.err 'is for send only'
}
