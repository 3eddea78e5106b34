#!/usr/bin/env bats
# Several receivers at once: the same stream for all, what becomes of the others when one fails, and what is said of
# each.
# shellcheck disable=SC2154  # port, address: set by the helpers

load helper
load fault/fault

setup_file() {
	head -c 5000000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
	head -c 64000000 /dev/urandom >"$BATS_FILE_TMPDIR/much"
}

# The receivers so far, as the sender is given them.
to=

add() {
	to=${to:+$to,}$1
}

# receiver NAME TRANSPORT ARGUMENT...: starts one, and adds it.
receiver() {
	listen_as "$1" recv "${@:2}"
	add "$address"
}

# stranger NAME STEP...: a scripted one.
stranger() {
	scripted "$1" listen 127.0.0.1:0 "${@:2}"
	wait_port "$1"
	add "127.0.0.1:$port"
}

# Adds an address at which nobody listens.
nobody() {
	free_port
	add "127.0.0.1:$port"
}

# us ARGUMENT...: starts the sender, with the stdin of the caller.
us() {
	start us "${FRONT[@]}" "$SOCKXFER" send "$@" <&0
}

# The member $2 of the JSON object in line $1 of what the sender printed.
json() {
	sed -n "$1p" us.out | "$PYTHON" -c 'import json, sys
print(json.load(sys.stdin)[sys.argv[1]])' "$2"
}

# objects MEMBER VALUE...: that member of all objects, which are as many, in their order.
objects() {
	local line=0 value

	for value in "${@:2}"; do
		line=$((line + 1))
		[ "$(json $line "$1")" = "$value" ] || {
			echo "$1 of $line is $(json $line "$1"), not $value" >&2
			return 1
		}
	done
	[ "$(wc -l <us.out)" -eq "$line" ]
}

# How often the sender's messages have a text.
says() {
	[ "$(grep -cF -e "$2" us.err)" -eq "$1" ] || {
		echo "not $1 times: $2" >&2
		return 1
	}
}

# The process ids of the children of $1.
children() {
	local stat

	for stat in /proc/[0-9]*/stat; do
		{ read -r stat <"$stat"; } 2>/dev/null || continue
		read -ra fields <<<"${stat##*) }"
		[ "${fields[1]}" != "$1" ] || echo "${stat%% *}"
	done
}

has_children() {
	[ "$(children "$1" | wc -l)" -eq "$2" ]
}

# Starts a sender from the FIFO "pipe" (descriptor 8), and waits until each of the receivers has its first bytes.
in_the_middle() {
	open_pipe
	us "$@" "$to" <pipe
	head -c 300000 "$BATS_FILE_TMPDIR/data" >&8
}

rest() {
	tail -c +300001 "$BATS_FILE_TMPDIR/data" >&8
	exec 8>&-
}

### Equal bytes

three() {
	receiver r1 tcp4 d/1
	receiver r2 tcp6 d/2
	receiver r3 unix d/3
}

# finish_three FILE: all of them have it.
finish_three() {
	local i

	for i in 1 2 3; do
		finish "r$i"
		same "d/$i" "$1"
	done
	holds d 1 2 3
}

@test "a file arrives at three receivers, over IPv4, IPv6 and a unix socket" {
	mkdir d
	three
	us --json -V "$to" "$BATS_FILE_TMPDIR/data"
	finish us
	finish_three "$BATS_FILE_TMPDIR/data"
	[ ! -s us.err ]
	objects ended stored stored stored
	objects exit 0 0 0
	objects bytes 5000000 5000000 5000000
	objects address "${to%%,*}" "$(cut -d , -f 2 <<<"$to")" "${to##*,}"
	[ "$(json 1 digest)" = "$(json 3 digest)" ]
	[ "$(json 2 peer)" = "$(cut -d , -f 2 <<<"$to")" ]
}

@test "what comes on stdin arrives at all, be it a file or a pipe" {
	mkdir d
	three
	us "$to" <"$BATS_FILE_TMPDIR/data"
	finish us
	finish_three "$BATS_FILE_TMPDIR/data"

	to=''
	three
	in_the_middle -V --no-progress
	rest
	finish us
	finish_three "$BATS_FILE_TMPDIR/data"
}

@test "what a command prints arrives at all" {
	mkdir d
	three
	us -V "$to" -- cat "$BATS_FILE_TMPDIR/data"
	finish us
	finish_three "$BATS_FILE_TMPDIR/data"
}

@test "no signal is blocked in a command" {
	mkdir d
	three
	us "$to" -- grep SigBlk /proc/self/status
	finish us
	[ "$(<d/1)" = $'SigBlk:\t0000000000000000' ]
	finish_three d/1
}

@test "an empty file arrives at all" {
	mkdir d
	: >empty
	three
	us -V "$to" empty
	finish us
	finish_three empty
}

@test "without a digest, in small chunks and at a limited rate it is the same" {
	mkdir d
	three
	us --no-receipt -B 1000 -b 20M "$to" "$BATS_FILE_TMPDIR/data"
	finish us
	finish_three "$BATS_FILE_TMPDIR/data"
	says 3 'not confirmed by'
}

@test "a comma in the path of a unix socket is a comma" {
	start r "$SOCKXFER" recv -v -l unix:a,b got
	wait_said r 'listening on'
	us -V unix:a,b "$BATS_FILE_TMPDIR/data"
	finish us
	finish r

	# This one could be two, but is there.
	start r "$SOCKXFER" recv -v -l unix:a,b:9 got
	wait_said r 'listening on'
	us -V unix:a,b:9 "$BATS_FILE_TMPDIR/data"
	finish us
	finish r

	start r "$SOCKXFER" recv unix:a,b:9 got # and with recv there is no other
	finish r 1
	has r.err 'unix:a,b:9: connect: No such file or directory'
}

@test "64 receivers get the same" {
	local i addresses=''

	for i in {1..64}; do
		start "r$i" "$SOCKXFER" recv -q -l "unix:s$i" "got$i"
		addresses+=,unix:s$i
	done
	us -V -r 60 "${addresses#,}" "$ROOT/test/data/picture.jpg"
	finish us
	for i in {1..64}; do
		finish "r$i"
		same "got$i" "$ROOT/test/data/picture.jpg"
	done
}

### One of them fails

@test "one that refuses to be connected to is reported, and the others get everything" {
	mkdir d
	receiver r1 tcp4 d/1
	nobody
	receiver r2 unix d/2
	us --json "$to" "$BATS_FILE_TMPDIR/data"
	finish us 1
	finish r1
	finish r2
	same d/1 "$BATS_FILE_TMPDIR/data"
	same d/2 "$BATS_FILE_TMPDIR/data"
	one_line us.err
	has us.err "sockxfer: send: 127.0.0.1:$port: connect: Connection refused"
	objects ended stored failed stored
	objects exit 0 1 0
	[ "$(json 2 error)" = "127.0.0.1:$port: connect: Connection refused" ]
	[ "$(json 2 local)" = None ]
}

@test "what can be done about several failures of one kind is said once" {
	run "$SOCKXFER" send 127.0.0.1:9,127.0.0.1:10 "$ROOT/test/data/picture.jpg"
	[ "$status" -eq 1 ]
	[ "$(grep -c 'Connection refused' <<<"$output")" -eq 2 ]
	[ "$(grep -c 'hint: ' <<<"$output")" -eq 1 ]
}

@test "one that is killed in mid-stream is reported at once, and the others get everything" {
	mkdir d
	three
	in_the_middle --json
	wait_for arrived r1 300000
	kill -KILL "${PID[r1]}"
	wait_said us "connection reset"
	running us
	rest
	finish us 1
	finish r1 137
	finish r2
	finish r3
	same d/2 "$BATS_FILE_TMPDIR/data"
	same d/3 "$BATS_FILE_TMPDIR/data"
	holds d 2 3
	one_line us.err
	has us.err "sockxfer: send: ${to%%,*}: send: connection reset after 300000 bytes"
	objects exit 1 0 0
}

@test "one that never reads ends by -w, and the others get everything" {
	mkdir d
	receiver r1 tcp4 d/1
	stranger deaf buffer:65536 stall
	receiver r2 tcp6 d/2
	us --json -w 1 "$to" "$BATS_FILE_TMPDIR/much"
	finish us 3
	finish r1
	finish r2
	same d/1 "$BATS_FILE_TMPDIR/much"
	same d/2 "$BATS_FILE_TMPDIR/much"
	one_line us.err
	has us.err 'send: timed out after'
	objects ended stored 'timed out' stored
	objects exit 0 3 0
}

@test "-W limits each of them" {
	stranger one stall
	stranger two eof
	us --json -W 0.5 "$to" /dev/zero
	finish us 3
	says 2 'the time limit of -W has passed'
	objects exit 3 3
}

@test "one that reports a failure is left out with its words, and the others get everything" {
	mkdir d
	receiver r1 tcp4 --max-size 1000 d/1
	receiver r2 unix /dev/full
	receiver r3 tcp6 d/3
	us --json -V "$to" "$BATS_FILE_TMPDIR/data"
	finish us 6
	finish r1 1
	finish r2 1
	finish r3
	holds d 3
	same d/3 "$BATS_FILE_TMPDIR/data"
	says 1 "${to%%,*}: the receiver failed: too large: more than 1000 bytes"
	says 1 'the receiver failed: No space left on device'
	objects peer_text 'too large: more than 1000 bytes' 'No space left on device' None
	objects exit 6 6 0
}

@test "the exit status is that of the first that is not 0, in their order" {
	receiver r1 tcp4 got
	receiver r2 tcp4 --max-size 1000 d
	nobody
	us -q "$to" "$BATS_FILE_TMPDIR/data"
	finish us 6
	finish r1
	finish r2 1

	to=
	nobody
	receiver r2 tcp4 --max-size 1000 d
	us -q "$to" "$BATS_FILE_TMPDIR/data"
	finish us 1
	finish r2 1
}

@test "one of our processes that is killed takes only its own receiver with it" {
	local pid

	mkdir d
	three
	in_the_middle --json
	wait_for arrived r1 300000
	wait_for arrived r2 300000
	wait_for arrived r3 300000
	pid=$(children "${PID[us]}" | sort -n | sed -n 2p)
	kill -KILL "$pid"
	wait_said us 'killed by signal 9 (Killed)'
	rest
	finish us 1
	finish r1
	finish r2 1
	finish r3
	holds d 1 3
	has us.err "$(cut -d , -f 2 <<<"$to"): our process was killed by signal 9 (Killed)"
	objects exit 0 1 0
}

@test "one to whom the stream cannot be passed on is reset, however late it reads, and the others get everything" {
	need_strace
	mkdir d
	receiver slow unix d/1
	receiver r1 tcp4 d/2
	kill -STOP "${PID[slow]}"
	# The third write of the sender, itself only, is the second for the first receiver.
	FRONT=(strace -o trace -e trace=write -e inject=write:error=ENOMEM:when=3)
	us --json "$to" "$BATS_FILE_TMPDIR/data"
	finish r1
	kill -CONT "${PID[slow]}"
	finish slow 1
	finish us 1
	holds d 2
	same d/2 "$BATS_FILE_TMPDIR/data"
	one_line us.err
	has us.err 'data: it ends before it is whole'
	objects ended failed stored
}

@test "strangers among them are not confirmed, by name; with -V that is exit status 5" {
	mkdir d
	receiver r1 tcp4 d/1
	stranger any eof
	us --json "$to" "$BATS_FILE_TMPDIR/data"
	finish us
	finish r1
	finish any
	one_line us.err
	has us.err ", not confirmed by ${to##*,}"
	objects ended stored 'not confirmed'
	objects exit 0 0

	to=
	receiver r1 tcp4 d/2
	stranger any eof
	us --json -V "$to" "$BATS_FILE_TMPDIR/data"
	finish us 5
	finish r1
	finish any
	objects exit 0 5
}

@test "nc and socat may be among them" {
	need nc.openbsd socat
	free_port
	add "127.0.0.1:$port"
	start nc nc.openbsd -d -l 127.0.0.1 "$port"
	wait_for listening "$port"
	free_port
	add "127.0.0.1:$port"
	start socat socat -u "TCP-LISTEN:$port,bind=127.0.0.1" CREATE:socat.got
	wait_for listening "$port"
	receiver r1 tcp4 got
	us "$to" "$BATS_FILE_TMPDIR/data"
	finish us
	finish nc
	finish socat
	finish r1
	same nc.out "$BATS_FILE_TMPDIR/data"
	same socat.got "$BATS_FILE_TMPDIR/data"
	says 2 'not confirmed by'
}

### The beginning

@test "nothing is read, and no command started, before each is connected or has failed" {
	free_port
	receiver r1 tcp4 got1
	add "127.0.0.1:$port"
	us -v -r 60 "$to" -- sh -c 'touch started; echo data'
	wait_said us 'connected to'
	pass 0.3
	[ ! -e started ]
	start r2 "$SOCKXFER" recv -p "$port" -4 got2
	finish us
	finish r1
	finish r2
	[ "$(cat started got1 got2)" = $'data\ndata' ]
}

@test "where nobody can be connected to, nothing is read and no command is started" {
	nobody
	nobody
	us --json "$to" -- touch started
	finish us 1
	[ ! -e started ]
	says 2 'Connection refused'
	objects exit 1 1

	open_pipe
	echo data >&8
	us -q "$to" <pipe
	finish us 1
	read -r line <&8
	[ "$line" = data ]
}

@test "a file that is not there is said once, before anybody is connected to, and is each one's failure" {
	receiver r1 tcp4 got
	nobody
	us --json "$to" no-such-file
	finish us 1
	one_line us.err
	objects error 'no-such-file: No such file or directory' 'no-such-file: No such file or directory'
	objects exit 1 1
	running r1
	stop r1
}

### The pace

# What the file has, when it has stopped to grow.
stands_still() {
	local before size=-1

	for _ in {1..100}; do
		before=$size
		pass 0.3
		size=$(stat -c %s "$1")
		[ "$size" -ne "$before" ] || [ "$size" -le 100000 ] || break
	done
	echo "$size"
}

@test "the slowest sets the pace: the others are ahead by a buffer, and memory is bounded" {
	local got pid memory=0

	need_plain_build
	receiver fast1 tcp4 -
	receiver fast2 unix -
	stranger slow buffer:65536 expect:100000 await:go eof save:slow.got
	us "$to" "$BATS_FILE_TMPDIR/much"
	wait_said slow 'expect:100000 done'
	got=$(stands_still fast1.out)
	echo "ahead by $got bytes"
	[ "$got" -gt 100000 ]
	[ "$got" -lt 16000000 ]
	[ "$(stat -c %s fast2.out)" -lt 16000000 ]
	for pid in "${PID[us]}" $(children "${PID[us]}"); do
		memory=$((memory + $(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status")))
	done
	echo "memory $memory kB"
	[ "$memory" -gt 1000 ]
	[ "$memory" -lt 20000 ]
	touch go
	finish us
	finish slow
	finish fast1
	finish fast2
	same slow.got "$BATS_FILE_TMPDIR/much"
	same fast1.out "$BATS_FILE_TMPDIR/much"
	same fast2.out "$BATS_FILE_TMPDIR/much"
}

### The source fails, or we end

@test "a command that fails is said once, and is a reset for all" {
	mkdir d
	three
	us --json "$to" -- sh -c 'cat "$1"; exit 3' - "$BATS_FILE_TMPDIR/data"
	finish us 1
	finish r1 1
	finish r2 1
	finish r3 1
	holds d
	one_line us.err
	has us.err 'sockxfer: send: sh: exited with status 3'
	objects error 'sh: exited with status 3' 'sh: exited with status 3' 'sh: exited with status 3'
	objects ended failed failed failed
}

@test "a file that becomes shorter is a reset for all, also for one that does not read" {
	mkdir d
	cp "$BATS_FILE_TMPDIR/much" much
	receiver r1 tcp4 d/1
	receiver r2 unix d/2
	stranger slow buffer:65536 expect:100000 await:go gone
	us "$to" much
	wait_said slow 'expect:100000 done'
	truncate -s 40000000 much
	touch go
	finish us 1
	finish slow
	finish r1 1
	finish r2 1
	holds d
	one_line us.err
	has us.err 'much: the file has become shorter'
}

@test "when a source fails that nobody reads, all are reset at once" {
	stranger deaf stall
	stranger silent stall
	us "$to" -- sh -c 'head -c 1000000 /dev/zero; exit 3'
	finish us 1
	one_line us.err
	has us.err 'sh: exited with status 3'
}

@test "killed by KILL in mid-stream: all are reset, there is no file, and no process is left" {
	local workers

	mkdir d
	three
	in_the_middle
	wait_for arrived r1 300000
	wait_for arrived r2 300000
	wait_for arrived r3 300000
	workers=$(children "${PID[us]}")
	[ "$(wc -w <<<"$workers")" -eq 3 ]
	kill -KILL "${PID[us]}"
	finish us 137
	finish r1 1
	finish r2 1
	finish r3 1
	holds d
	has r1.err 'connection reset after 300000 bytes'
	has r2.err 'connection reset after 300000 bytes'
	has r3.err 'the peer is gone after 300000 bytes'
	for pid in $workers; do
		wait_for ended "$pid"
	done
}

@test "a signal in mid-stream is the end within a second: all are reset, no file, no process left" {
	local signal

	for signal in INT TERM HUP; do
		mkdir d
		to=''
		three
		watched us
		in_the_middle --json -r 5
		wait_for arrived r1 300000
		wait_for arrived r2 300000
		wait_for arrived r3 300000
		signal_to us "$signal"
		finish r1 1
		finish r2 1
		finish r3 1
		holds d
		[ ! -s us.err ]
		objects ended interrupted interrupted interrupted
		objects exit $((128 + $(kill -l $signal))){,,}
		FRONT=()
		exec 8>&-
		rmdir d
	done
}

@test "a signal while one is not there yet, while none reads, and while one is waited for in the end" {
	local signal

	for signal in INT TERM; do
		watched us
		to=''
		stranger any gone
		nobody
		us --json -v -r 60 "$to" /dev/zero
		wait_said us 'connected to'
		signal_to us $signal
		finish any
		objects ended interrupted interrupted

		watched us
		to=''
		stranger deaf stall
		stranger silent stall
		us "$to" /dev/zero
		wait_for [ -s us.pid ]
		wait_for has_children "$(cat us.pid)" 2
		pass 0.3
		signal_to us $signal
		stop deaf
		stop silent

		FRONT=()
		to=''
		receiver r1 tcp4 got
		stranger late buffer:65536 expect:1 stall
		watched us
		us --json -w 60 "$to" "$ROOT/test/data/picture.jpg"
		finish r1
		wait_said late 'expect:1 done'
		signal_to us $signal
		objects ended stored interrupted
		objects exit 0 $((128 + $(kill -l $signal)))
		stop late
		FRONT=()
	done
}

@test "INT for all of our processes, as from a terminal, is the end of the whole, not a failure of each" {
	receiver r1 tcp4 got1
	receiver r2 tcp4 got2
	watched us
	in_the_middle --json
	wait_for arrived r1 300000
	wait_for arrived r2 300000
	# shellcheck disable=SC2046  # words
	kill -INT $(cat us.pid) $(children "$(cat us.pid)")
	finish us 130
	[ "$(cat us.ended)" = 'signal 2' ]
	finish r1 1
	finish r2 1
	[ ! -s us.err ]
	objects ended interrupted interrupted
}

@test "INT for one of our processes alone is the end of one receiver" {
	mkdir d
	receiver r1 tcp4 d/1
	receiver r2 tcp4 d/2
	watched us
	in_the_middle --json
	wait_for arrived r1 300000
	wait_for arrived r2 300000
	kill -INT "$(children "$(cat us.pid)" | sort -n | head -n 1)"
	finish r1 1
	rest
	finish us 1
	finish r2
	holds d 2
	one_line us.err
	has us.err "${to%%,*}: interrupted (Interrupt)"
	objects ended failed stored
	objects exit 1 0
}

@test "a signal for one of our processes, whose receiver is lost at that moment, is not taken for the reason" {
	need_strace
	receiver r1 tcp4 d
	receiver r2 tcp4 d
	# The second write to each receiver fails, and the signal comes with it.
	FRONT=(strace -f -o trace -e trace=sendto -e inject=sendto:error=EPIPE:signal=USR2:when=2)
	us --json -B 64k "$to" "$BATS_FILE_TMPDIR/data"
	finish us 1
	finish r1 1
	finish r2 1
	objects ended failed failed
	objects exit 1 1
}

@test "TERM for all of our processes, as from a service manager, is the end of the whole, too" {
	receiver r1 tcp4 got1
	receiver r2 tcp4 got2
	watched us
	in_the_middle --json
	wait_for arrived r1 300000
	wait_for arrived r2 300000
	# shellcheck disable=SC2046  # words
	kill -TERM $(children "$(cat us.pid)") $(cat us.pid)
	finish us 143
	finish r1 1
	finish r2 1
	[ ! -s us.err ]
	objects ended interrupted interrupted
}

### What is said

@test "--peer prints what to run at each, by its address" {
	nobody
	nobody
	us --peer nc "$to" "$BATS_FILE_TMPDIR/data"
	finish us 1
	local first=${to%%,*}
	says 1 "First, at $first: nc -d -l ${first##*:} >"
	says 1 "First, at ${to##*,}: nc -d -l ${to##*:} >"
}

@test "a terminal shows a line for each in the end, and USR1 asks how much is read" {
	mkdir d
	three
	start us "$PYTHON" "$ROOT/test/fault/terminal.py" "$SOCKXFER" send "$to" "$BATS_FILE_TMPDIR/data"
	finish us
	finish_three "$BATS_FILE_TMPDIR/data"
	[ "$(grep -c 'data: 5.0 MB in .*, stored and verified by ' us.out)" -eq 3 ]
	has us.out "stored and verified by ${to%%,*}"

	to=''
	three
	in_the_middle
	wait_for arrived r1 300000
	kill -USR1 "${PID[us]}"
	wait_said us 'stdin: 300 kB'
	rest
	finish us
	finish_three "$BATS_FILE_TMPDIR/data"
}

@test "a name is said with the address that it led to" {
	getent ahostsv4 localhost | grep -q '^127.0.0.1 ' || skip "needs localhost"
	stranger any eof
	stranger other expect:1 reset
	us -4 "${to//127.0.0.1/localhost}" "$BATS_FILE_TMPDIR/data"
	finish us 1
	finish any
	finish other
	says 1 "not confirmed by localhost:$(cut -d , -f 1 <<<"${to//127.0.0.1:/}") (127.0.0.1:"
	says 1 "localhost:${to##*:}: 127.0.0.1:${to##*:}: "
}

@test "JSON that cannot be written is a failure, said once" {
	[ -c /dev/full ] || skip "needs /dev/full"
	receiver r1 tcp4 got1
	receiver r2 tcp4 got2
	# shellcheck disable=SC2016  # the inner shell's
	start us sh -c '"$0" send --json "$@" >/dev/full' "$SOCKXFER" "$to" "$BATS_FILE_TMPDIR/data"
	finish us 1
	finish r1
	finish r2
	one_line us.err
	has us.err '--json: No space left on device'
}

@test "JSON that cannot be written does not hide how it ended" {
	[ -c /dev/full ] || skip "needs /dev/full"
	receiver r1 tcp4 --max-size 1000 d
	receiver r2 tcp4 got
	# shellcheck disable=SC2016  # the inner shell's
	start us sh -c '"$0" send --json "$@" >/dev/full' "$SOCKXFER" "$to" "$BATS_FILE_TMPDIR/data"
	finish us 6
	finish r1 1
	finish r2
	one_line us.err
	has us.err 'the receiver failed: too large'
}
