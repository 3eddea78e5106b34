#!/usr/bin/env bats
# Time: what -w and -W limit and what they do not, what is bounded without them, and signals in every wait.
# shellcheck disable=SC2154  # port: wait_port and free_port set it

load helper

# times_out WHAT ARGUMENT...: exit 3 and one line, which has WHAT and says which limit it was.
times_out() {
	local text=$1

	shift
	ours us "$@"
	finish us 3
	grep -v 'listening on' us.err >last.err
	one_line last.err
	has last.err "$text"
	grep -qE 'timed out|-[wW]' last.err
}

# What answers no SYN and no name query. -w would otherwise be seconds to minutes too late.
make_black_hole() {
	make_namespace
	echo 'nameserver 127.0.0.1' | replace_in_namespace /etc/resolv.conf
	echo 'hosts: dns' | replace_in_namespace /etc/nsswitch.conf
	drop_in_namespace 'tcp dport 9009 drop; udp dport 53'
}

# kernel_limit ROLE OPTION...: prints the TCP_USER_TIMEOUT that it sets before a transfer with -w 7, in ms.
kernel_limit() {
	local role=$1

	shift
	rm -f go trace
	free_port
	reaching peer "127.0.0.1:$port" send:10 await:go reset
	start us strace -qq -o trace -e trace=setsockopt "$SOCKXFER" "$role" -w 7 "$@" -p "$port" file
	wait_for grep -qs TCP_USER_TIMEOUT trace
	touch go
	wait_for ended "${PID[us]}"
	finish peer
	sed -n 's/.*TCP_USER_TIMEOUT, \[\([0-9]*\)\].*/\1/p' trace
}

@test "the kernel limits what is unacknowledged as -w says, but not with -R, where an end may read for long" {
	local role

	need strace
	need_plain_build
	strace -o /dev/null true 2>/dev/null || skip "needs ptrace"
	echo data >file
	for role in send recv; do
		[ "$(kernel_limit "$role")" = 7001 ]
		[ "$(kernel_limit "$role" -R)" = 0 ]
	done
}

### Each wait

@test "-W limits the writing to a terminal that takes no more: exit 3" {
	free_port
	reaching peer "127.0.0.1:$port" send:100000 eof
	start us "$PYTHON" "$ROOT/test/fault/deaf_terminal.py" "$SOCKXFER" recv -W 1 -p "$port"
	finish us 3
	has us.err 'stdout: write: timed out'
	stop peer
}

@test "-w limits the connect to an address that does not answer: exit 3" {
	make_black_hole
	times_out 127.0.0.1:9009 send -w 0.3 127.0.0.1:9009 /dev/null
	times_out '[::1]:9009' recv -w 0.3 '[::1]:9009' out
}

@test "-W limits the connect to an address that does not answer: exit 3" {
	make_black_hole
	times_out 127.0.0.1:9009 send -W 0.3 127.0.0.1:9009 /dev/null
}

@test "-w and -W limit a name query that is not answered: exit 3" {
	make_black_hole
	times_out host.example:9 send -w 0.3 host.example:9 /dev/null
	times_out host.example:9 recv -w 0.3 host.example:9 out
	times_out host.example:9 send -W 0.3 host.example:9 /dev/null
	times_out host.example recv -w 0.3 -l host.example:9 out
}

@test "-w and -W limit the wait for a peer to connect: exit 3" {
	times_out '' recv -w 0.3 -p 0 out
	times_out '' send -w 0.3 -p 0 /dev/null
	times_out '' recv -W 0.3 -p 0 out
	times_out '' recv -w 0.3 -l unix:socket out
	[ ! -e socket ]
	[ ! -e out ]
}

@test "-w limits recv's wait for the next bytes, and the peer sees a reset: exit 3" {
	scripted peer listen 127.0.0.1:0 send:1000 gone
	wait_port peer
	times_out "127.0.0.1:$port" recv -w 0.3 "127.0.0.1:$port" out
	finish peer
	[ ! -e out ]
}

@test "-w limits the wait for the first byte, from the accept on: exit 3" {
	free_port
	reaching peer "127.0.0.1:$port" gone
	start us "$SOCKXFER" recv -w 1 -p "$port" out
	finish us 3
	has us.err 'timed out'
	has_not us.err accept
	finish peer
}

@test "-w limits send's wait for a peer that does not read, and the peer sees a reset: exit 3" {
	truncate -s 50M in
	scripted peer listen 127.0.0.1:0 await:go gone
	wait_port peer
	times_out "127.0.0.1:$port" send -w 0.3 "127.0.0.1:$port" in
	touch go
	finish peer
}

@test "-W limits the whole transfer, however much progress it makes: exit 3" {
	scripted peer listen 127.0.0.1:0 slow:1000:0.01
	wait_port peer
	truncate -s 50M in
	times_out "127.0.0.1:$port" send -W 0.5 "127.0.0.1:$port" in
	scripted endless listen 127.0.0.1:0 send:1000000000000
	wait_port endless
	times_out "127.0.0.1:$port" recv -W 0.5 "127.0.0.1:$port" out
	finish endless 1
	[ ! -e out ]
}

@test "-w limits the waits on a unix socket, too: exit 3" {
	scripted peer listen unix:socket send:1000 stall
	wait_said peer 'listening on'
	times_out unix:socket recv -w 0.3 unix:socket out
	[ ! -e out ]
}

@test "-w takes effect when it is due: not at once, not much later" {
	local before after

	clock before
	times_out '' recv -w 0.7 -p 0 out
	clock after
	[ $((after - before)) -ge 700 ]
	took $((after - before)) 3000
}

### What they do not limit

# Bytes with pauses between them, longer in all than -w. In each pause nothing may come from the receiver, not
# even the end of its stream: several peers would stop sending, or lose what they had sent.
@test "-w does not end a slow sender that makes progress, and recv is quiet meanwhile" {
	free_port
	reaching peer "127.0.0.1:$port" send:1000 quiet:0.5 send:1 quiet:0.5 send:1 quiet:0.5 send:1000 \
		quiet:0.5 send:1 half eof
	start us "$SOCKXFER" recv -w 1 -p "$port" out
	finish us
	finish peer
	"$PYTHON" "$PEER/pattern.py" 2003 >expected
	same out expected
}

# slow_reader OPTION...: a receiver that takes longer than a second for the file.
slow_reader() {
	head -c 3000000 /dev/urandom >in
	scripted peer listen 127.0.0.1:0 buffer:60000 slow:50000:0.03 save:out
	wait_port peer
	start us "$SOCKXFER" send "$@" "127.0.0.1:$port" in
	finish us
	finish peer
	same in out
}

@test "a slow reader is waited for without -w" { slow_reader; }
@test "a slow reader that makes progress is waited for with -w" { slow_reader -w 1; }

@test "a reader that stops for a while is waited for without -w" {
	truncate -s 50M in
	# For longer than it takes to fill the buffers of both sides.
	scripted peer listen 127.0.0.1:0 expect:1000 pause:1.5 await:go eof
	wait_port peer
	start us "$SOCKXFER" send "127.0.0.1:$port" in
	wait_said peer 'pause:1.5 done'
	running us
	touch go
	finish us
	finish peer
}

### The end

@test "an early end of the peer's stream is neither failure nor completion for send" {
	head -c 3000000 /dev/urandom >in
	scripted peer listen 127.0.0.1:0 half await:go eof save:out
	wait_port peer
	start us "$SOCKXFER" send "127.0.0.1:$port" in
	wait_said peer 'half done'
	running us
	touch go
	finish us
	finish peer
	has us.err 'not confirmed'
	same in out
}

@test "what the peer says is not taken for anything, nor shown" {
	head -c 3000000 /dev/urandom >in
	scripted peer listen 127.0.0.1:0 'text:\x1b[31mhello\r\nready\n' eof save:out
	wait_port peer
	start us "$SOCKXFER" send -v "127.0.0.1:$port" in
	finish us
	finish peer
	has us.err 'not confirmed'
	has_not us.err hello
	has_not us.err $'\e'
	same in out
}

@test "a reset after all was sent is a failure of send" {
	scripted peer listen 127.0.0.1:0 eof reset
	wait_port peer
	echo data >in
	start us "$SOCKXFER" send "127.0.0.1:$port" in
	finish us 1
	one_line us.err
	finish peer
}

@test "a peer that has all and does not close is waited for as long as -w says, and that is no failure" {
	scripted peer listen 127.0.0.1:0 eof stall
	wait_port peer
	echo data >in
	start us "$SOCKXFER" send -w 0.5 "127.0.0.1:$port" in
	finish us
	has us.err 'not confirmed'
}

@test "send does not end before the peer has taken everything" {
	truncate -s 3M in
	scripted peer listen 127.0.0.1:0 pause:0.5 await:go eof
	wait_port peer
	start us "$SOCKXFER" send "127.0.0.1:$port" in
	wait_said peer 'pause:0.5 done'
	running us
	touch go
	finish us
	finish peer
}

### Signals

# dies_of_term: us, of SIGTERM, soon.
dies_of_term() {
	local since

	clock since
	kill -TERM "${PID[us]}"
	finish us 143
	soon 1900 "$since"
}

@test "TERM ends the wait for a name within a second" {
	make_black_hole
	ours us send host.example:9 /dev/null
	wait_for asks_dns
	dies_of_term
}

# The only socket then is that for the query.
asks_dns() {
	find "/proc/${PID[us]}/fd" -lname 'socket:*' | grep -q .
}

@test "TERM ends the wait for a connection within a second" {
	make_black_hole
	ours us send 127.0.0.1:9009 /dev/null
	wait_for grep -q ': 0100007F:[0-9A-F]* 0100007F:2331 02 ' "/proc/$NS_PID/net/tcp"
	dies_of_term
}

@test "TERM ends the wait for a peer within a second" {
	receive out
	dies_of_term
}

@test "TERM in mid-transfer ends send within a second, and the peer sees a reset" {
	truncate -s 50M in
	scripted peer listen 127.0.0.1:0 expect:1000 await:go gone
	wait_port peer
	start us "$SOCKXFER" send "127.0.0.1:$port" in
	wait_said peer 'expect:1000 done'
	dies_of_term
	touch go
	finish peer
}

@test "TERM in mid-transfer ends recv within a second, and the peer sees a reset" {
	scripted peer listen 127.0.0.1:0 send:1000 await:go gone
	wait_port peer
	start us "$SOCKXFER" recv "127.0.0.1:$port" out
	wait_said peer 'send:1000 done'
	dies_of_term
	touch go
	finish peer
	[ ! -e out ]
}

@test "TERM while stdin is silent ends send within a second" {
	mkfifo silent
	exec 8<>silent
	scripted peer listen 127.0.0.1:0 gone
	wait_port peer
	start us "$SOCKXFER" send "127.0.0.1:$port" <silent
	wait_said peer 'peer 127'
	dies_of_term
	finish peer
}

@test "TERM while the reader of stdout is stopped ends recv within a second" {
	mkfifo full
	exec 8<>full
	truncate -s 10M in
	# shellcheck disable=SC2016  # $0 is for the inner shell
	start us sh -c 'exec "$0" recv -p 0 >full' "$SOCKXFER"
	wait_port us
	start send "$SOCKXFER" send "127.0.0.1:$port" in
	wait_for pipe_is_full
	dies_of_term
	finish send 1
}

# 64 KiB is what a pipe holds: then the writer waits.
pipe_is_full() {
	"$PYTHON" -c 'import array, fcntl, sys, termios
n = array.array("i", [0])
fcntl.ioctl(8, termios.FIONREAD, n)
sys.exit(n[0] < 60000)'
}

@test "-W ends a transfer that never has to wait: exit 3" {
	start send "$SOCKXFER" send -q -B 1 -l 127.0.0.1:0 --port-file port /dev/zero
	wait_for [ -s port ]
	start us "$SOCKXFER" recv -W 1 -B 1 "127.0.0.1:$(<port)" /dev/null
	finish us 3
	has us.err 'the time limit of -W has passed'
	finish send 6
}
