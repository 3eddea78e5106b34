#!/usr/bin/env bats
# A link that is cut, slow or lossy, and peers that do nothing: between two namespaces joined by a pair of veth
# devices, the receiver in one (10.0.0.1), the sender in the other (10.0.0.2). CUT_SECONDS in the environment is for how
# long the link is cut that a transfer outlasts by -R (2).
# shellcheck disable=SC2154  # address, port: set by the helpers

load ../helper
load fault

setup_file() {
	head -c 3000000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# The namespace of the receiver is the helper's; the other is made within it.
make_link() {
	local enter=(-n -m --wd)

	make_namespace
	need nft tc
	[ "$(id -u)" -eq 0 ] || enter+=(-U --preserve-credentials)
	start far "${NS[@]}" unshare -n -m sleep 600
	wait_for grep -qx sleep "/proc/${PID[far]}/comm"
	FAR=(nsenter -t "${PID[far]}" "${enter[@]}" --)
	"${NS[@]}" ip link add near type veth peer name far netns "${PID[far]}" || skip "needs veth"
	"${NS[@]}" ip addr add 10.0.0.1/24 dev near
	"${NS[@]}" ip link set near up
	"${FAR[@]}" ip addr add 10.0.0.2/24 dev far
	"${FAR[@]}" ip link set far up
	"${FAR[@]}" ip link set lo up
}

# start_far NAME COMMAND...
start_far() {
	local name=$1

	shift
	start "$name" "${FAR[@]}" "$@"
}

# Everything that comes is dropped, on both sides, and no error tells of it.
cut_by_filter() {
	drop near 'ip saddr 10.0.0.0/24'
	drop far 'ip saddr 10.0.0.0/24'
}

# drop near|far EXPRESSION: what comes there and fits.
drop() {
	local enter=("${NS[@]}")

	[ "$1" = near ] || enter=("${FAR[@]}")
	"${enter[@]}" nft -f - <<-END || skip "needs nft"
		table inet holes {
			chain input { type filter hook input priority 0; $2 drop; }
		}
	END
}

undrop() {
	local enter=("${NS[@]}")

	[ "$1" = near ] || enter=("${FAR[@]}")
	"${enter[@]}" nft delete table inet holes
}

cut_by_link() {
	"${NS[@]}" ip link set near down
}

# slow_link RATE: in the direction of the data.
slow_link() {
	"${FAR[@]}" tc qdisc add dev far root tbf rate "$1" burst 32k latency 200ms 2>/dev/null || skip "needs tbf"
}

# across OUTPUT SEND_ARGUMENT... [-- RECV_OPTION...]: both start; the sender's stdin is the caller's. A receiver with
# options starts when the sender is there, for a limit begins then.
across() {
	local output=$1 options=()

	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	if [ $# -eq 0 ]; then
		start recv "${NS[@]}" "$SOCKXFER" recv -l 10.0.0.1:0 "$output"
	else
		start recv "${NS[@]}" "$ACTIVATE" listen 10.0.0.1 0 "$SOCKXFER" recv "${@:2}" fd:3 "$output"
	fi
	wait_port recv
	start_far send "$SOCKXFER" send "10.0.0.1:$port" "${options[@]}" <&0
}

### Cut for good

# cut_while_sending HOW: both end within -w.
cut_while_sending() {
	local since

	make_link
	prepare_output old
	slow_link 50mbit
	truncate -s 1G large
	across d/out -w 2 large -- -w 2
	wait_for arrived recv 1000000
	"$1"
	clock since
	finish recv 3
	soon 15000 "$since"
	finish send 3
	soon 15000 "$since"
	one_line recv.err
	one_line send.err
	grep -q 'after [0-9]* bytes' recv.err
	output_untouched old
}

@test "link cut for good while sending: both end within -w, exit 3, nothing left" { cut_while_sending cut_by_filter; }
@test "link set down for good while sending: both end within -w, exit 3, nothing left" { cut_while_sending cut_by_link; }

# A sender whose source is silent waits for that, which -w does not limit; what it sends next does.
@test "link cut for good while idle: recv ends within -w, and so does send once it has something to send" {
	local since

	make_link
	prepare_output old
	open_pipe
	across d/out -w 2 -- -w 2 <pipe
	head -c 100000 /dev/zero >&8
	wait_for arrived recv 100000
	cut_by_filter
	clock since
	finish recv 3
	soon 15000 "$since"
	running send
	clock since
	head -c 1000 /dev/zero >&8
	finish send 3
	soon 15000 "$since"
	output_untouched old
}

# The only test that takes so long: keepalive has no shorter setting than the program's own.
@test "link cut for good while idle, without -w: both end within about a minute (slow: 60 s)" {
	local since

	need_plain_build # the minute is the kernel's
	make_link
	allow 300
	prepare_output old
	open_pipe
	across d/out <pipe
	head -c 100000 /dev/zero >&8
	wait_for arrived recv 100000
	cut_by_filter
	clock since
	finish recv 1
	finish send 1
	soon 75000 "$since"
	has recv.err 'after 100000 bytes'
	has send.err 'after 100000 bytes'
	output_untouched old
}

@test "link cut for good while send waits for the receipt: -W ends it, exit 3" {
	make_link
	start recv "${NS[@]}" "$SOCKXFER" recv -l 10.0.0.1:0 -- sh -c 'cat >got; until [ -e go ]; do sleep 0.01; done'
	wait_port recv
	start_far send "$SOCKXFER" send -V -W 3 "10.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	wait_for cmp -s got "$BATS_FILE_TMPDIR/data"
	cut_by_filter
	finish send 3
	touch go
	wait_for ended "${PID[recv]}"
	stop recv
}

### Cut for some seconds

# A transfer over a slow link, of which half a megabyte is across, with the options of across.
half_across() {
	make_link
	slow_link 20mbit
	open_pipe
	across out -V "$@" <pipe
	head -c 500000 "$BATS_FILE_TMPDIR/data" >&8
	wait_for arrived recv 500000
}

# The rest is written while the link is cut, and read when it is not.
rest_across() {
	# shellcheck disable=SC2016  # the inner shell's
	start rest sh -c 'exec tail -c +500001 "$0" >pipe' "$BATS_FILE_TMPDIR/data"
	wait_for rest_is_open
	exec 8>&-
}

rest_is_open() {
	[ "/proc/${PID[rest]}/fd/1" -ef pipe ] || ended "${PID[rest]}"
}

all_across() {
	finish rest
	finish send
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
}

# interrupted HOW UNDO...: a transfer over a slow link that is cut in the middle.
interrupted() {
	half_across
	"$1"
	rest_across
	pass 2
	running send
	running recv
	"${@:2}"
	all_across
}

undo_filter() {
	undrop near
	undrop far
}

undo_link() {
	"${NS[@]}" ip link set near up
}

@test "link cut for some seconds: the transfer goes on and the bytes are right" { interrupted cut_by_filter undo_filter; }
@test "link set down for some seconds: the transfer goes on and the bytes are right" { interrupted cut_by_link undo_link; }

@test "link cut for less than -w: the transfer goes on and the bytes are right" {
	half_across -w 10 -- -w 10
	cut_by_filter
	rest_across
	pass 1
	undo_filter
	all_across
}

# Whether NAME has said so many times that it was interrupted.
interrupted_times() {
	! ended "${PID[$1]}" || return 99
	[ "$(grep -c 'interrupted at ' "$1.err")" -ge "$2" ]
}

# The part has that size, or more.
part_has() {
	! ended "${PID[recv]}" || return 99
	[ -e d/out.part ] && [ "$(stat -c %s d/out.part)" -ge "$1" ]
}

# The second cut comes when the sender goes on from a part, and sets itself no limit, for the receiver may still read
# that; the receiver's reset tells it, once the link is there again.
@test "link cut twice for longer than -w: with -R -r at both ends the transfer goes on by itself, and the bytes are right" {
	make_link
	slow_link 10mbit
	mkdir d
	start recv "${NS[@]}" "$SOCKXFER" recv -l 10.0.0.1:0 -v -R -r 60 -w 1 --json d/out
	wait_port recv
	start_far send "$SOCKXFER" send -v -V -R -r 60 -w 1 --json "10.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	wait_for part_has 1048576
	cut_by_filter
	wait_for interrupted_times recv 1
	wait_for interrupted_times send 1
	pass "${CUT_SECONDS:-2}"
	running send
	running recv
	undo_filter
	wait_for part_has $(($(stat -c %s d/out.part) + 100000))
	cut_by_filter
	wait_for interrupted_times recv 2
	undo_filter
	finish send
	finish recv
	same d/out "$BATS_FILE_TMPDIR/data"
	holds d out
	grep -qE '"interruptions": [2-9]' recv.out
	grep -qE '"interruptions": [2-9]' send.out
}

### Slow and lossy

@test "a slow link: completes, whatever it takes, also with a -w that is shorter than the whole" {
	local since

	make_link
	slow_link 8mbit
	clock since
	across out -V -w 1 "$BATS_FILE_TMPDIR/data" -- -w 1
	finish send
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
	clock now
	[ $((now - since)) -gt 2000 ]
}

@test "a lossy link: completes, and the bytes are right" {
	make_link
	slow_link 50mbit
	drop near 'numgen random mod 100 < 5 counter'
	drop far 'numgen random mod 100 < 5 counter'
	across out -V "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
	# It really was lossy.
	"${NS[@]}" nft list table inet holes | grep -q 'counter packets [1-9]'
}

### The end

@test "send does not end before its FIN is acknowledged" {
	make_link
	printf 'a few bytes' >in
	drop near 'tcp flags & fin == fin'
	scripted peer listen 10.0.0.1:0 expect:11 eof show
	wait_port peer
	start_far send "$SOCKXFER" send "10.0.0.1:$port" in
	wait_said peer 'expect:11 done'
	# Longer than it takes where the FIN comes through.
	pass 1
	running send
	has_not peer.out 'eof done'
	undrop near
	finish send
	finish peer
	has send.err 'not confirmed'
}

@test "a FIN that is never acknowledged is no success: -w ends it, exit 3" {
	make_link
	printf 'a few bytes' >in
	drop near 'tcp flags & fin == fin'
	scripted peer listen 10.0.0.1:0 expect:11 stall
	wait_port peer
	start_far send "$SOCKXFER" send -w 1 "10.0.0.1:$port" in
	wait_said peer 'expect:11 done'
	finish send 3
	one_line send.err
}

@test "a sender killed while its FIN is under way is no end of the file" {
	make_link
	prepare_output old
	printf 'a few bytes' >in
	drop near 'tcp flags & fin == fin'
	across d/out in
	wait_for arrived recv 11
	kill -KILL "${PID[send]}"
	finish send 137
	finish recv 1
	output_untouched old
}

### A peer that does nothing

# A receiver of ours that is stopped, as by ^Z, or whose machine is too slow.
stopped() {
	local transport=$1

	shift
	truncate -s 50M large
	listen_as recv recv "$transport" out
	kill -STOP "${PID[recv]}"
	start send "$SOCKXFER" send "$@" "$address" large
}

@test "a peer that never reads: send waits, and goes on when it does" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		stopped "$transport"
		pass 1
		running send
		kill -CONT "${PID[recv]}"
		finish send
		finish recv
		cmp large out
		rm out
	done
}

@test "a peer that never reads: send 3 with -w" {
	local transport since

	for transport in "${TRANSPORTS[@]}"; do
		clock since
		stopped "$transport" -w 0.7
		finish send 3
		soon 10000 "$since"
		one_line send.err
		kill -CONT "${PID[recv]}"
		finish recv 1
		[ ! -e out ]
	done
}

@test "a peer that stops reading in the middle: send waits without -w, and 3 with it" {
	truncate -s 50M large
	scripted_listen peer tcp4 expect:1000000 await:go eof
	start send "$SOCKXFER" send "$address" large
	wait_said peer 'expect:1000000 done'
	pass 1
	running send
	touch go
	finish send
	finish peer
	rm go
	scripted_listen peer tcp4 expect:1000000 await:go gone
	start send "$SOCKXFER" send -w 0.7 "$address" large
	finish send 3
	touch go
	finish peer
}

@test "a peer that connects and never sends: recv 3 with -w, counted from the accept" {
	local transport since now where

	for transport in "${TRANSPORTS[@]}"; do
		free_port
		case $transport in
		tcp4) where=127.0.0.1:$port ;;
		tcp6) where='[::1]':$port ;;
		unix) where=unix:socket ;;
		esac
		# It comes when half of the time has gone.
		scripted peer --after go connect "$where" stall
		wait_said peer ready
		start recv "$SOCKXFER" recv -v -w 1.5 -l "$where" out
		find_address recv
		pass 0.5
		clock since
		touch go
		finish recv 3
		clock now
		[ $((now - since)) -ge 1500 ]
		soon 10000 "$since"
		has recv.err 'connected to'
		complaint recv
		stop peer
		rm go
	done
	[ ! -e out ]
}

@test "a peer that connects and never sends is waited for without -w" {
	listen_as recv recv tcp4 out
	scripted peer connect "$address" await:go send:1000 half eof
	wait_said recv 'connected to'
	pass 1
	running recv
	touch go
	finish recv
	finish peer
}
