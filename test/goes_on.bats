#!/usr/bin/env bats
# A transfer that breaks off: what is said about it, and how it goes on by itself with -R -r.
# shellcheck disable=SC2154  # port: wait_port and free_port set it

load helper

# 3 MB of what scripted.py sends, of which a receiver keeps what has come, as it is more than 1 MiB.
setup_file() {
	"$PYTHON" "$PEER/pattern.py" 3000000 >"$BATS_FILE_TMPDIR/data"
}

data=${BATS_FILE_TMPDIR:-}/data

# What a receiver of 0 bytes says; scripted.py makes a newline of the end.
HAVE='text:sockxfer/1 have 0 0123456789abcdef\n'

# The line of the sender that answers, and some bytes.
ANSWER=expect:100000

ENDED='127\.0\.0\.1:[0-9]+: [a-z ]+: connection reset after [0-9]+ bytes'

# was_interrupted NAME BYTES SECONDS: that it has said so once, of an amount and a time that match.
was_interrupted() {
	[ "$(grep -c ': interrupted at ' "$1.err")" -eq 1 ]
	grep -qE "^sockxfer: [a-z]+: interrupted at $2, trying again for $3: $ENDED\$" "$1.err"
}

# The file has arrived at both ends, us after an interruption and them without one.
arrived() {
	finish us
	finish them
	same out "$data"
	[ ! -e out.part ]
	has us.err ', interrupted 1 time,'
	has_not them.err interrupted
}

# interrupt: a sender connects to us, a receiver, and is reset when there is a part.
interrupt() {
	scripted stranger connect "127.0.0.1:$port" send:2000000 await:go reset
	break_off
}

break_off() {
	wait_for [ -e out.part ]
	touch go
	finish stranger
	wait_said us 'interrupted at'
}

# has_size FILE BYTES
has_size() {
	[ "$(stat -c %s "$1")" -eq "$2" ]
}

# Whether us, a receiver, has got so many bytes; it is asked, so stderr has the answer.
received() {
	kill -USR1 "${PID[us]}"
	grep -q "out: $(($1 / 1000000)).0 MB" us.err
}

### By itself

@test "with -R -r a receiver that listens goes on when its sender is reset, on the same port" {
	receive -v -R -r 60 out
	interrupt
	was_interrupted us '[0-9.]+ [kM]B' '1 min 00 s'
	start them "$SOCKXFER" send -v -R -r 60 "127.0.0.1:$port" "$data"
	arrived
}

@test "with -R -r a receiver that connects goes on when its sender is reset" {
	scripted stranger listen 127.0.0.1:0 send:2000000 await:go reset
	wait_port stranger
	start us "$SOCKXFER" recv -v -R -r 60 "127.0.0.1:$port" out
	break_off
	was_interrupted us '[0-9.]+ [kM]B' '1 min 00 s'
	start them "$SOCKXFER" send -v -R -l "127.0.0.1:$port" "$data"
	arrived
}

@test "with -R -r a sender that listens goes on when its receiver is reset, on the same port" {
	start us "$SOCKXFER" send -v -R -r 60 -p 0 "$data"
	wait_port us
	scripted stranger connect "127.0.0.1:$port" "$HAVE" "$ANSWER" reset
	finish stranger
	wait_said us 'interrupted at'
	was_interrupted us '[0-9.]+ [kM]B' '1 min 00 s'
	start them "$SOCKXFER" recv -v -R -r 60 "127.0.0.1:$port" out
	arrived
}

@test "with -R -r a sender that connects goes on when its receiver is reset" {
	scripted stranger listen 127.0.0.1:0 "$HAVE" "$ANSWER" reset
	wait_port stranger
	start us "$SOCKXFER" send -v -R -r 60 "127.0.0.1:$port" "$data"
	wait_said us 'interrupted at'
	finish stranger
	was_interrupted us '[0-9.]+ [kM]B' '1 min 00 s'
	start them "$SOCKXFER" recv -v -R -l "127.0.0.1:$port" out
	arrived
}

@test "with -R -r both go on over a unix socket" {
	start us "$SOCKXFER" send -v -R -r 60 -l unix:socket "$data"
	wait_for listening_unix socket
	scripted stranger connect unix:socket "$HAVE" "$ANSWER" reset
	finish stranger
	wait_said us 'interrupted at'
	start them "$SOCKXFER" recv -v -R -r 60 unix:socket out
	arrived
	[ ! -e socket ]
}

@test "with -R -r and a key there is a new handshake for each try" {
	make_key key
	start us "$SOCKXFER" send -v -K key -R -r 60 -p 0 -b 2M "$data"
	wait_port us
	start first "$SOCKXFER" recv -K key -R "127.0.0.1:$port" out
	wait_for [ -e out.part ]
	stop first
	wait_said us 'interrupted at'
	start them "$SOCKXFER" recv -v -K key -R -r 60 "127.0.0.1:$port" out
	arrived
	grep -q ', resumed at .*, encrypted, stored' them.err
}

@test "with -R -r -w an end that hears nothing any more counts as broken" {
	receive -v -R -r 60 -w 1 out
	scripted stranger connect "127.0.0.1:$port" send:2000000 stall
	wait_said us 'interrupted at 2.0 MB, trying again for 1 min 00 s: 127.0.0.1:'
	has us.err 'timed out after 2000000 bytes'
	start them "$SOCKXFER" send -v -R -r 60 "127.0.0.1:$port" "$data"
	arrived
	has them.err ', resumed at 2.0 MB, stored'
	stop stranger
}

@test "after an interruption neither the port file nor the invitation comes again, and a stray decides nothing" {
	start us "$SOCKXFER" recv -v --json -R -r 60 -p 0 --port-file port.txt out
	wait_port us
	interrupt
	rm port.txt
	scripted stray reach "127.0.0.1:$port" close
	finish stray
	wait_said us 'waiting for another'
	start them "$SOCKXFER" send -v -R -r 60 "127.0.0.1:$port" "$data"
	arrived
	[ ! -e port.txt ]
	[ "$(grep -c 'listening on' us.err)" -eq 1 ]
	has us.out '"interruptions": 1'
	has us.out '"resumed_at": 0'
	has us.out '"bytes": 3000000'
}

@test "-q leaves out what is said of an interruption" {
	free_port
	start us "$SOCKXFER" recv -q -R -r 60 -p "$port" out
	scripted stranger reach "127.0.0.1:$port" send:2000000 await:go reset
	wait_for [ -e out.part ]
	touch go
	finish stranger
	start them "$SOCKXFER" send -r 60 -R "127.0.0.1:$port" "$data"
	finish them
	finish us
	[ ! -s us.err ]
	same out "$data"
}

@test "USR1 tells of an interruption until the ends have met again" {
	receive -R -r 60 out
	interrupt
	kill -USR1 "${PID[us]}"
	wait_for grep -qE '^sockxfer: recv: out: interrupted at [0-9.]+ [kM]B, trying again$' us.err
	stop us
}

### The end of it

@test "with -R -r it ends when SECONDS have passed without progress, and says how often it was interrupted" {
	receive --json -R -r 1 out
	interrupt
	finish us 3
	[ "$(tail -n 1 us.err)" = 'sockxfer: recv: interrupted 1 time: accept: timed out' ]
	has us.out '"interruptions": 1'
	has us.out '"ended": "timed out"'
	[ -e out.part ]
	[ ! -e out ]

	scripted stranger listen 127.0.0.1:0 "$HAVE" "$ANSWER" reset
	wait_port stranger
	start us "$SOCKXFER" send --json -R -r 1 "127.0.0.1:$port" "$data"
	finish us 1
	finish stranger
	tail -n 1 us.err | grep -qE '^sockxfer: send: interrupted 1 time: gave up after [0-9]+ tries: .*: connect: Connection refused$'
	has us.out '"ended": "failed"'
}

@test "a signal ends the wait after an interruption, and the part stays" {
	receive -R -r 60 out
	interrupt
	kill -TERM "${PID[us]}"
	finish us 143
	holds . go out.part stranger.err stranger.out us.err us.out
}

@test "-W ends the wait after an interruption" {
	free_port
	reaching stranger "127.0.0.1:$port" send:2000000 await:go reset
	start us "$SOCKXFER" recv -R -r 60 -W 8 -p "$port" out
	break_off
	finish us 3
	has us.err 'interrupted 1 time'
}

@test "bytes that differ are not tried again, at either end" {
	head -c 1500000 /dev/zero >out.part
	cp out.part before
	receive -R -r 60 out
	start them "$SOCKXFER" send -R -r 60 "127.0.0.1:$port" "$data"
	finish them 6
	finish us 4
	has us.err 'the first 1500000 bytes differ'
	has them.err 'the receiver failed: the first 1500000 bytes differ'
	has_not us.err 'trying again'
	has_not them.err 'trying again'
	same out.part before
	[ ! -e out ]
}

@test "a source that has changed between two tries is not mixed with what was there" {
	cp "$data" in
	start us "$SOCKXFER" send -R -r 60 -b 1M -p 0 in
	wait_port us
	start first "$SOCKXFER" recv -R "127.0.0.1:$port" out
	wait_for [ -e out.part ]
	tr 0 1 <"$data" >other
	mv other in
	stop first
	wait_said us 'interrupted at'
	start them "$SOCKXFER" recv -R -r 60 "127.0.0.1:$port" out
	finish us 6
	finish them 4
	has them.err 'bytes differ'
	[ ! -e out ]
}

@test "a disk that is full is not tried again, at either end" {
	make_namespace
	mkdir disk
	"${NS[@]}" mount -t tmpfs -o size=2m tmpfs disk 2>/dev/null || skip "needs tmpfs"
	ours us recv -R -r 60 -p 0 disk/out
	wait_port us
	ours them send -R -r 60 "127.0.0.1:$port" "$data"
	finish them 6
	finish us 1
	has them.err 'No space left on device'
	has_not us.err 'trying again'
	has_not them.err 'trying again'
}

@test "to a receiver of another kind nothing is sent twice" {
	scripted stranger listen 127.0.0.1:0 half expect:100000 reset
	wait_port stranger
	start us "$SOCKXFER" send -R -r 60 "127.0.0.1:$port" "$data"
	finish us 1
	finish stranger
	has us.err 'connection reset'
	has_not us.err 'trying again'
}

@test "a sender that was interrupted sends nothing to whoever does not resume, and waits for one that does" {
	scripted first listen 127.0.0.1:0 "$HAVE" "$ANSWER" reset
	wait_port first
	start us "$SOCKXFER" send -v -R -r 60 "127.0.0.1:$port" "$data"
	wait_said us 'interrupted at'
	finish first
	scripted second listen "127.0.0.1:$port" half gone save:second.bin
	wait_said us 'the receiver does not resume, but has done so before'
	finish second
	[ ! -s second.bin ]
	start them "$SOCKXFER" recv -v -R -l "127.0.0.1:$port" out
	finish us
	finish them
	same out "$data"
	has us.err ', interrupted 1 time, stored'
}

### Advice

@test "a break without -R of what could resume says so in a line, at either end" {
	receive out
	scripted stranger connect "127.0.0.1:$port" send:2000000 await:go reset
	wait_for received 2000000
	touch go
	finish us 1
	finish stranger
	has us.err 'hint: with -R at both ends it would go on from where it broke off'
	[ ! -e out.part ]

	scripted receiver listen 127.0.0.1:0 expect:2000000 reset
	wait_port receiver
	start us "$SOCKXFER" send "127.0.0.1:$port" "$data"
	finish us 1
	finish receiver
	has us.err 'hint: with -R at both ends it would go on from where it broke off'
}

@test "a break of what cannot resume, or of little, has no such advice" {
	receive -
	scripted stranger connect "127.0.0.1:$port" send:2000000 await:went reset
	wait_for has_size us.out 2000000
	touch went
	finish us 1
	finish stranger
	has_not us.err -R

	receive out
	scripted stranger connect "127.0.0.1:$port" send:1000 await:there reset
	wait_said stranger 'send:1000 done'
	touch there
	wait_for ended "${PID[us]}"
	has_not us.err -R
	stop us
	finish stranger

	scripted receiver listen 127.0.0.1:0 expect:2000000 reset
	wait_port receiver
	start us "$SOCKXFER" send "127.0.0.1:$port" <"$data"
	finish us 1
	finish receiver
	has_not us.err -R
}

@test "a break with -R and without -r says how it goes on" {
	start us "$SOCKXFER" send -R -p 0 "$data"
	wait_port us
	scripted receiver connect "127.0.0.1:$port" "$HAVE" expect:2000000 reset
	finish us 1
	finish receiver
	has us.err 'hint: started again, both go on from there; by themselves with -r 60'
}

@test "a receiver without -R says that a part is there, leaves it alone, and is quiet with -q" {
	head -c 1500000 "$data" >out.part
	receive out
	has us.err "hint: out: a part of it is there, which -R at both ends would go on with"
	start them "$SOCKXFER" send -V "127.0.0.1:$port" "$data"
	finish them
	finish us
	same out "$data"
	head -c 1500000 "$data" | same out.part -

	free_port
	reaching them "127.0.0.1:$port" send:1000 half eof
	start us "$SOCKXFER" recv -q -p "$port" out
	finish us
	finish them
	[ ! -s us.err ]
}

@test "a file that is no regular one is a usage error with -R, at either end" {
	mkdir directory
	mkfifo fifo
	for file in directory fifo /dev/null; do
		for role in send recv; do
			start us "$SOCKXFER" "$role" -R -p 0 "$file"
			finish us 2
			one_line us.err
			has us.err "$file: only a regular file can be resumed (-R)"
		done
	done
}
