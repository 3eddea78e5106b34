#!/usr/bin/env bats
# Serving many (-k): each connection has a process of its own, and what goes wrong in one touches no other.
# shellcheck disable=SC2154  # port: wait_port sets it

load helper
load fault/fault

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/other"
}

# serves ROLE ARGUMENT...: starts a server, "us", and sets $port.
serves() {
	start us env --default-signal=INT,QUIT "$SOCKXFER" "$1" -k -p 0 "${@:2}"
	wait_port us
}

send_data() {
	start "$1" "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish "$1"
}

# A sender, NAME, that stops after 100,000 bytes until "go" exists, and then sends as many.
half_sender_called() {
	scripted "$1" connect "127.0.0.1:$port" send:100000 await:go send:100000 half eof
	wait_said "$1" 'send:100000 done'
	"$PYTHON" "$PEER/pattern.py" 200000 >expected
}

workers() {
	pgrep -P "${PID[us]}" || true
}

# Whether the workers have written that many bytes together, to files that may have no name.
workers_have() {
	local pid descriptor all=0 position

	for pid in $(workers); do
		for descriptor in "/proc/$pid/fd"/*; do
			[ "${descriptor##*/}" -gt 2 ] && [[ $(readlink "$descriptor") == "$PWD"/* ]] || continue
			position=$(sed -n 's/^pos:[[:space:]]*//p' "${descriptor/fd/fdinfo}")
			all=$((all + position))
		done
	done
	[ "$all" -eq "$1" ]
}

has_workers() {
	[ "$(workers | wc -l)" -eq "$1" ]
}

# That us has as many descriptors open as before; $descriptors is set by the first call.
check_descriptors() {
	local now

	now=$(find "/proc/${PID[us]}/fd" -mindepth 1 | wc -l)
	[ "${descriptors:=$now}" -eq "$now" ] || {
		echo "$now descriptors, not $descriptors" >&2
		return 1
	}
}

# What ends every test of a server: it has no worker and no descriptor more than at first, and ends by TERM.
ends_well() {
	wait_for has_workers 0
	wait_for check_descriptors
	kill -TERM "${PID[us]}"
	finish us 143
}

### Receiving into a directory

@test "recv -k into a directory: each stream is a file of its own, and its path a line, as it is stored" {
	local i senders=() path

	mkdir d
	serves recv d/
	check_descriptors
	for i in {1..8}; do
		head -c $((i * 50000)) /dev/urandom >"in.$i"
		start "send$i" "$SOCKXFER" send -V "127.0.0.1:$port" "in.$i"
	done
	for i in {1..8}; do finish "send$i"; done
	wait_for eval '[ "$(wc -l <us.out)" -eq 8 ]'
	while read -r path; do [ -f "$path" ]; done <us.out
	sort us.out | diff - <(printf '%s\n' d/* | sort)
	sha256sum d/* | cut -d ' ' -f 1 | sort | diff - <(sha256sum in.* | cut -d ' ' -f 1 | sort)
	[[ $(head -n 1 us.out) =~ ^d/[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-127\.0\.0\.1-[0-9]+$ ]]
	has us.err 'listening on'
	[ "$(wc -l <us.err)" -eq 1 ]
	ends_well
}

@test "recv -k into a directory is a pipeline: a path is there to be read while the server runs" {
	mkdir d
	# shellcheck disable=SC2016  # $f is the shell's that is started
	start us env PROGRAM="$SOCKXFER" bash -c '"$PROGRAM" recv -k -p 0 d/ | while read -r f; do
		sha256sum <"$f"; kill -TERM $(pgrep -P $$ -x sockxfer); done'
	wait_port us
	send_data send
	finish us
	[ "$(cut -d ' ' -f 1 us.out)" = "$(sha256sum <"$BATS_FILE_TMPDIR/data" | cut -d ' ' -f 1)" ]
}

@test "recv -k: a stream that breaks off leaves nothing, and the others are stored" {
	mkdir d
	serves recv d
	check_descriptors
	half_sender_called whole
	scripted broken connect "127.0.0.1:$port" send:1000 await:reset reset
	wait_for has_workers 2
	touch reset
	finish broken
	wait_said us 'connection reset after 1000 bytes'
	touch go
	finish whole
	wait_for [ -s us.out ]
	same "$(<us.out)" expected
	ends_well
	holds d "$(basename "$(<us.out)")"
}

@test "recv -k: a sender of ours that is killed leaves nothing" {
	mkdir d
	mkfifo fifo
	serves recv d
	start send "$SOCKXFER" send "127.0.0.1:$port" fifo
	exec 8>fifo
	head -c 50000 "$BATS_FILE_TMPDIR/data" >&8
	wait_for has_workers 1
	kill -KILL "${PID[send]}"
	finish send 137
	wait_said us 'connection reset after'
	exec 8>&-
	send_data other
	ends_well
	holds d "$(basename "$(<us.out)")"
}

### Receiving into a file

@test "recv -k FILE: each whole transfer replaces it, two at once never mix, and a broken one changes nothing" {
	serves recv out
	check_descriptors
	half_sender_called one
	send_data two
	same out "$BATS_FILE_TMPDIR/data"
	touch go
	finish one
	wait_for cmp -s out expected
	scripted three connect "127.0.0.1:$port" send:5000 reset
	finish three
	wait_said us 'after 5000 bytes'
	same out expected
	ends_well
	holds . out expected go us.out us.err one.out one.err two.out two.err three.out three.err
}

@test "recv -k -n FILE: the first is stored, and the others are told that it exists" {
	serves recv -n out
	send_data one
	start two "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/other"
	finish two 6
	has two.err 'the receiver failed: File exists'
	same out "$BATS_FILE_TMPDIR/data"
	ends_well
}

@test "recv -k: what is wrong with the output is found before it listens" {
	run "$SOCKXFER" recv -k -p 0 no/such/
	[ "$status" -eq 1 ]
	[[ $output == 'sockxfer: recv: no/such/: No such file or directory' ]]
	run "$SOCKXFER" recv -k -p 0 -- no-such-command
	[ "$status" -eq 1 ]
	run "$SOCKXFER" recv -k --json -p 0 no/such/
	[[ $output == *'"exit": 1'* ]]
}

@test "recv -k: an output that is gone later is told to each sender, and is good again when it is back" {
	mkdir d
	serves recv d
	rmdir d
	start one "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish one 6
	has one.err 'the receiver failed: No such file or directory'
	[ ! -e d ]
	mkdir d
	send_data two
	wait_for [ -s us.out ]
	[[ $(<us.out) == d/* ]]
	ends_well
}

### Merging lines

@test "recv -k -: the streams of all are merged by whole lines, the last one ended if it was not" {
	serves recv -
	check_descriptors
	scripted a connect "127.0.0.1:$port" 'text:a1\na2 begins' await:b text:', ends\n' 'text:a3 without end' half eof
	wait_said a 'begins'
	wait_for has us.out a1
	scripted b connect "127.0.0.1:$port" 'text:b1\nb2\nb3' await:a 'text: ends\n' half eof
	wait_for has us.out b2
	diff us.out <(printf 'a1\nb1\nb2\n')
	touch b
	finish a
	diff us.out <(printf 'a1\nb1\nb2\na2 begins, ends\na3 without end\n')
	touch a
	finish b
	diff us.out <(printf 'a1\nb1\nb2\na2 begins, ends\na3 without end\nb3 ends\n')
	ends_well
}

@test "recv -k -: of a client that breaks off, the whole lines are there, and half a line is not" {
	serves recv -
	scripted a connect "127.0.0.1:$port" 'text:whole\nhalf' await:go reset
	wait_for has us.out whole
	touch go
	finish a
	wait_said us 'connection reset after 10 bytes'
	send_line next
	diff us.out <(printf 'whole\nnext\n')
	ends_well
}

send_line() {
	printf '%s\n' "$1" >line
	start line "$SOCKXFER" send -V "127.0.0.1:$port" line
	finish line
}

@test "recv -k -j 1 -: one client after another, in whole" {
	serves recv -j 1 -
	scripted a connect "127.0.0.1:$port" 'text:a1\n' await:a 'text:a2\na3' half eof
	wait_for has us.out a1
	scripted b connect "127.0.0.1:$port" 'text:b1\nb2\n' half eof
	wait_said b "text:"
	pass 0.3
	diff us.out <(echo a1)
	touch a
	finish a
	finish b
	diff us.out <(printf 'a1\na2\na3\nb1\nb2\n')
	ends_well
}

@test "recv -k -: a line that is longer than what is held back is whole, too, and so are those of others meanwhile" {
	"$PYTHON" -c 'print("x" * 5000000)' >long
	serves recv -
	scripted a connect "127.0.0.1:$port" file:long 'text:short\nbegun' await:a 'text: ended' half eof
	wait_for has us.out short
	send_line other
	{
		cat long
		echo short
		echo other
	} | cmp - us.out
	head -c 3000000 long >half
	scripted b connect "127.0.0.1:$port" file:half await:b reset
	wait_said b 'file:half done'
	wait_for eval '[ "$(stat -c %s us.out)" -gt 6000000 ]'
	touch b
	finish b
	wait_said us 'connection reset after'
	touch a
	finish a
	# What was written of the line that broke off is ended by a newline.
	tail -n 1 us.out | diff - <(echo begun ended)
	[ "$(wc -l <us.out)" -eq 5 ]
	ends_well
}

@test "recv -k --json -: what was written of a line that broke off is ended before the next line, and not in the results" {
	"$PYTHON" -c 'print("x" * 2000000, end="")' >half
	serves recv --json -
	scripted a connect "127.0.0.1:$port" file:half await:a reset
	wait_for eval '[ "$(stat -c %s us.out)" -eq 2000000 ]'
	touch a
	finish a
	wait_for has us.err '"ended": "failed"'
	send_line next
	{
		cat half
		printf '\nnext\n'
	} | cmp - us.out
	wait_for eval '[ "$(grep -c "^{" us.err)" -eq 2 ]'
	[ "$(grep -c '^$' us.err)" -eq 0 ]
	ends_well
}

@test "recv -k -: a worker that is killed in the middle of writing does not keep the others from it" {
	mkfifo pipe
	start us "$SOCKXFER" recv -k -p 0 pipe
	exec 8<>pipe
	wait_port us
	# More than a pipe holds: the worker waits in its turn.
	"$PYTHON" -c 'print("x" * 3000000)' >long
	scripted a connect "127.0.0.1:$port" file:long half eof
	wait_for has_workers 1
	wait_for pipe_is_full
	kill -KILL "$(workers)"
	wait_said us 'was killed by signal 9'
	start reader cat pipe
	wait_for reads reader
	exec 8>&-
	send_line next
	wait_for has reader.out next
	tail -n 1 reader.out | diff - <(echo next)
	wait_for has_workers 0
	kill -TERM "${PID[us]}"
	finish us 143
	finish reader
	stop a
}

# That the cat called $1 has opened "pipe". Before it is cat, it is a shell with the test's own 8.
reads() {
	[ "$(<"/proc/${PID[$1]}/comm")" = cat ] && [ -n "$(find "/proc/${PID[$1]}/fd" -lname "$PWD/pipe")" ]
}

# That hardly anything more fits into the pipe that descriptor 8 is.
pipe_is_full() {
	"$PYTHON" -c 'import fcntl, struct, sys, termios
unread = struct.unpack("i", fcntl.ioctl(8, termios.FIONREAD, b"1234"))[0]
sys.exit(unread < fcntl.fcntl(8, fcntl.F_GETPIPE_SZ) - 65536)'
}

@test "recv -k: the reader of a FIFO sees no end between two clients" {
	mkfifo pipe
	start reader cat pipe
	start us "$SOCKXFER" recv -k -p 0 pipe
	wait_port us
	send_line one
	wait_for has reader.out one
	pass 0.2
	running reader
	send_line two
	wait_for has reader.out two
	kill -TERM "${PID[us]}"
	finish us 143
	finish reader
	diff reader.out <(printf 'one\ntwo\n')
}

@test "recv -k: without a reader of what it prints it ends, with an error and after what is under way" {
	local output grace

	mkdir d
	for output in d -; do
		rm -f go
		mkfifo pipe
		exec 8<>pipe
		grace=60
		[ "$output" != - ] || grace=1
		start us bash -c "exec \"\$0\" \"\$@\" >pipe" "$SOCKXFER" recv -k --grace $grace -p 0 "$output"
		wait_port us
		half_sender_called one
		wait_for has_workers 1
		exec 8>&-
		wait_for eval '! listening "$port"'
		[ "$output" = - ] || touch go
		finish us 1
		has us.err 'sockxfer: recv: stdout: Broken pipe'
		stop one
		rm pipe
	done
	[ "$(find d -type f | wc -l)" -eq 1 ]
}

# Until nothing more fits into the pipe that descriptor 8 is.
fill_pipe() {
	"$PYTHON" -c 'import os
os.set_blocking(8, False)
try:
    while True:
        os.write(8, b"x" * 4095 + b"\n")
except BlockingIOError:
    os.set_blocking(8, True)'
}

@test "recv -k into a directory: the path of what was stored comes out also if it is taken after the grace only" {
	local name

	mkdir d
	mkfifo pipe
	exec 8<>pipe
	start us bash -c "exec \"\$0\" \"\$@\" >pipe" "$SOCKXFER" recv -k --grace 0.1 -p 0 d
	wait_port us
	fill_pipe
	for name in one two; do
		send_data "$name"
	done
	wait_for has_workers 2
	kill -TERM "${PID[us]}"
	pass 0.5
	running us
	start reader timeout 60 cat pipe
	wait_for has reader.out x
	exec 8>&-
	finish us 143
	finish reader
	grep -v x reader.out | sort | diff - <(find d -type f | sort)
	[ "$(wc -l < <(grep -v x reader.out))" -eq 2 ]
	has_not us.err stdout
}

@test "recv -k into a directory: a worker that is killed before its path is out leaves no empty line" {
	need_strace
	mkdir d
	serves recv d
	start strace strace -f -qq -o trace -P "$PWD/us.out" -e trace=write -e inject=write:signal=KILL:when=1 \
		-p "${PID[us]}"
	wait_for eval 'grep -q "^TracerPid:.*[1-9]" /proc/${PID[us]}/status'
	send_data one
	wait_said us 'was killed by signal 9'
	kill -TERM "${PID[strace]}"
	wait_for ended "${PID[strace]}"
	stop strace
	send_data two
	wait_for has_workers 0
	[ "$(grep -c . us.out)" -eq "$(wc -l <us.out)" ]
	[[ $(tail -n 1 us.out) == d/2* ]]
	ends_well
}

@test "recv -k: a worker has no descriptor of the server's" {
	mkfifo pipe
	start reader timeout 60 cat pipe
	start us "$SOCKXFER" recv -k -p 0 pipe
	wait_port us
	half_sender_called one
	wait_for has_workers 1
	[ "$(find "/proc/$(workers)/fd" -lname "$PWD/pipe" | wc -l)" -eq 1 ]
	[ "$(find "/proc/$(workers)/fd" -lname 'socket:*' | wc -l)" -eq 1 ]
	[ "$(find "/proc/$(workers)/fd" -lname 'anon_inode:*' | wc -l)" -eq 0 ]
	touch go
	finish one
	ends_well
	finish reader
}

### Commands

@test "recv -k -- command: one for each connection, told by its environment whose it is" {
	local name

	# shellcheck disable=SC2016  # variables of the shell that is started
	serves recv -- sh -c 'cat >"$SOCKXFER_PEER"; printf "%s\n" "$SOCKXFER_LOCAL" >"$SOCKXFER_PEER.local"'
	check_descriptors
	start one "$SOCKXFER" send --json -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	start two "$SOCKXFER" send --json -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/other"
	finish one
	finish two
	for name in one two; do
		sed -E 's/.*"local": "([^"]*)".*/\1/' "$name.out" >"$name.local"
		[ "$(<"$(<"$name.local").local")" = "127.0.0.1:$port" ]
	done
	same "$(<one.local)" "$BATS_FILE_TMPDIR/data"
	same "$(<two.local)" "$BATS_FILE_TMPDIR/other"
	ends_well
}

@test "a command is told whose connection it is without -k as well, sending and receiving, and not of another one" {
	export SOCKXFER_PEER=old SOCKXFER_LOCAL=old
	start us "$SOCKXFER" recv -p 0 -- sh -c 'cat >data; env | grep ^SOCKXFER_ | sort >ours'
	wait_port us
	start send "$SOCKXFER" send "127.0.0.1:$port" -- sh -c 'env | grep ^SOCKXFER_ | sort'
	finish send
	finish us
	unset SOCKXFER_PEER SOCKXFER_LOCAL
	grep -vx "SOCKXFER=.*" ours >ours.ends
	grep -vx "SOCKXFER=.*" data >their.ends
	diff ours.ends <(sed -e 's/_LOCAL/_X/; s/_PEER/_LOCAL/; s/_X/_PEER/' their.ends | sort)
	[[ $(grep LOCAL ours.ends) == "SOCKXFER_LOCAL=127.0.0.1:$port" ]]
	[ "$(wc -l <ours.ends)" -eq 2 ]
}

### Sending

@test "send -k: whoever connects gets the file, all at once, as it is then" {
	local i

	cp "$BATS_FILE_TMPDIR/data" file
	serves send file
	check_descriptors
	start slow "$SOCKXFER" recv -b 300K "127.0.0.1:$port" slow
	wait_for has_workers 1
	for i in 1 2 3; do start "recv$i" "$SOCKXFER" recv "127.0.0.1:$port" "out.$i"; done
	for i in 1 2 3; do
		finish "recv$i"
		same "out.$i" "$BATS_FILE_TMPDIR/data"
	done
	cp "$BATS_FILE_TMPDIR/other" new
	mv new file
	start recv4 "$SOCKXFER" recv "127.0.0.1:$port" out.4
	finish recv4
	same out.4 "$BATS_FILE_TMPDIR/other"
	finish slow
	same slow "$BATS_FILE_TMPDIR/data"
	ends_well
}

@test "send -k -- command: run anew for each, and told whose connection it is" {
	# shellcheck disable=SC2016  # variables of the shell that is started
	serves send -- sh -c 'echo "$SOCKXFER_PEER"'
	start one "$SOCKXFER" recv --json "127.0.0.1:$port" out.1
	finish one
	start two "$SOCKXFER" recv --json "127.0.0.1:$port" out.2
	finish two
	has one.out "\"local\": \"$(<out.1)\""
	has two.out "\"local\": \"$(<out.2)\""
	ends_well
}

@test "send without -k serves the first alone" {
	start us "$SOCKXFER" send -p 0 "$BATS_FILE_TMPDIR/data"
	wait_port us
	start one "$SOCKXFER" recv "127.0.0.1:$port" out
	finish one
	finish us
	run "$SOCKXFER" recv "127.0.0.1:$port" out
	[ "$status" -eq 1 ]
	[[ $output == *'Connection refused'* ]]
}

@test "send -k: what can be read only once is refused" {
	mkfifo pipe
	run "$SOCKXFER" send -k -p 0
	[ "$status" -eq 2 ]
	[[ $output == *'stdin can be read once only'* ]]
	run "$SOCKXFER" send -k -p 0 -
	[ "$status" -eq 2 ]
	run "$SOCKXFER" send -k -p 0 pipe
	[ "$status" -eq 1 ]
	[[ ${lines[0]} == 'sockxfer: send: pipe: with -k it has to be read for each anew, which a pipe cannot be' ]]
}

@test "send -k: a file that is gone is an error of that one, who sees a reset" {
	cp "$BATS_FILE_TMPDIR/data" file
	serves send file
	mv file elsewhere
	start one "$SOCKXFER" recv "127.0.0.1:$port" out
	finish one 1
	wait_said us 'file: No such file or directory'
	mv elsewhere file
	start two "$SOCKXFER" recv "127.0.0.1:$port" out
	finish two
	same out file
	ends_well
}

### So many, and of whom

@test "-j: further ones wait in the backlog until it is their turn" {
	mkdir d
	serves recv -j 2 d
	half_sender_called one
	half_sender_called two
	wait_for has_workers 2
	start three "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	pass 0.3
	running three
	has_workers 2
	touch go
	finish one
	finish two
	finish three
	wait_for eval '[ "$(wc -l <us.out)" -eq 3 ]'
	ends_well
}

@test "-j: those who wait over IPv4 and over IPv6 take turns" {
	local i

	serves recv -j 1 -
	half_sender_called one
	for i in 1 2 3 4; do
		scripted "four$i" connect "127.0.0.1:$port" 'text:four\n' half eof
		scripted "six$i" connect "[::1]:$port" 'text:six\n' half eof
		wait_said "four$i" "text:"
		wait_said "six$i" "text:"
	done
	touch go
	finish one
	for i in 1 2 3 4; do
		finish "four$i"
		finish "six$i"
	done
	wait_for has_workers 0
	[ "$(tail -n 8 us.out | uniq | wc -l)" -eq 8 ]
	ends_well
}

@test "--max-per-peer: from one address so many at once, the next is reset, others are served" {
	mkdir d
	serves recv -v --max-per-peer 1 d
	half_sender_called one
	wait_for has_workers 1
	scripted two connect "127.0.0.1:$port" gone
	finish two
	wait_said us 'has as many connections as --max-per-peer allows'
	start three "$SOCKXFER" send -V -s 127.0.0.2 "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish three
	touch go
	finish one
	wait_for has_workers 0
	send_data four
	ends_well
}

@test "-k with --allow and --max-size: who may not is reset, what is too large is not kept, and the others are served" {
	mkdir d
	serves recv -v --allow 127.0.0.2 --max-size 1K d
	check_descriptors
	scripted one connect "127.0.0.1:$port" gone
	finish one
	wait_said us 'not allowed'
	start two "$SOCKXFER" send -V -s 127.0.0.2 "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish two 6
	has two.err 'too large'
	echo small >small
	start three "$SOCKXFER" send -V -s 127.0.0.2 "127.0.0.1:$port" small
	finish three
	wait_for [ -s us.out ] # the sender is told before
	same "$(<us.out)" small
	ends_well
	[ "$(find d -type f | wc -l)" -eq 1 ]
}

@test "-k: strays are no transfers, and not worth a word without -v" {
	mkdir d
	serves recv d
	check_descriptors
	scripted one connect "127.0.0.1:$port" close
	finish one
	scripted two connect "127.0.0.1:$port" reset
	finish two
	: >empty
	start three "$SOCKXFER" send -V "127.0.0.1:$port" empty
	finish three
	wait_for has_workers 0
	[ "$(wc -l <us.err)" -eq 1 ]
	[ "$(wc -l <us.out)" -eq 1 ]
	same "$(<us.out)" empty
	ends_well
	has_not us.err byte
}

@test "-k: -w and -W end a silent or a slow one, and not the server" {
	local limit

	mkdir d
	for limit in -w -W; do
		serves recv $limit 0.5 d
		scripted silent connect "127.0.0.1:$port" gone
		scripted slow connect "127.0.0.1:$port" send:10 gone
		finish silent
		finish slow
		wait_said us 'after 10 bytes'
		pass 0.6
		send_data one
		ends_well
	done
}

@test "recv -k: who has been silent longest, and for 10 s, makes room for another when all places are taken" {
	local since

	mkdir d
	clock since
	serves recv -j 2 d
	scripted silent connect "127.0.0.1:$port" gone
	wait_said silent peer
	wait_for has_workers 1
	scripted talks connect "127.0.0.1:$port" trickle:go half eof
	wait_for has_workers 2
	send_data one
	clock now
	[ $((now - since)) -ge 10000 ]
	finish silent
	has us.err 'aborted after 0 bytes: it was silent longest, and another waits for its place'
	running talks
	echo >go
	finish talks
	ends_well
}

@test "recv -k: no silence ends a transfer while there are places, nor over a unix socket, nor one of send -k" {
	mkdir d
	serves recv -j 2 d
	scripted one connect "127.0.0.1:$port" send:1 await:go half eof
	start local_us "$SOCKXFER" recv -k -j 1 -l unix:socket d
	wait_for listening_unix socket
	scripted two connect unix:socket send:1 await:go half eof
	wait_said two 'send:1 done'
	scripted three connect unix:socket send:1 half eof
	start sends "$SOCKXFER" send -k -j 1 -p 0 "$BATS_FILE_TMPDIR/data"
	wait_port sends
	scripted four connect "127.0.0.1:$port" await:go eof
	wait_said four peer
	scripted five connect "127.0.0.1:$port" eof
	pass 11
	running one
	running three
	running five
	: >go
	finish one
	finish two
	finish three
	finish four
	finish five
	[ ! -s local_us.err ]
	has_not us.err aborted
	has_not sends.err aborted
}

@test "-k over a unix socket: many are served, and its file is gone at the end" {
	mkdir d
	start us "$SOCKXFER" recv -k -l unix:socket d
	wait_for listening_unix socket
	[ "$(mode socket)" = 700 ]
	start one "$SOCKXFER" send -V unix:socket "$BATS_FILE_TMPDIR/data"
	start two "$SOCKXFER" send -V unix:socket "$BATS_FILE_TMPDIR/other"
	finish one
	finish two
	[ -S socket ]
	run "$SOCKXFER" recv -k -l unix:socket d
	[ "$status" -eq 1 ]
	[[ $output == *'Address already in use'* ]]
	wait_for has_workers 0
	kill -KILL "${PID[us]}"
	finish us 137
	[ -S socket ]
	start us "$SOCKXFER" recv -k -l unix:socket d
	wait_for listening_unix socket
	start three "$SOCKXFER" send -V unix:socket "$BATS_FILE_TMPDIR/data"
	finish three
	kill -TERM "${PID[us]}"
	finish us 143
	[ ! -e socket ]
	[ "$(find d -type f | wc -l)" -eq 3 ]
}

@test "-k over a unix socket: of several that start at once over a stale one, one serves and the others are told" {
	local i name alive

	mkdir d
	for i in {1..8}; do
		rm -f socket
		"$PYTHON" -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
		for name in a b c d; do start "$name" "$SOCKXFER" recv -k -l unix:socket d; done
		wait_for eval '[ "$(cat ?.err | grep -c "Address already in use")" -eq 3 ]'
		start send "$SOCKXFER" send -V unix:socket "$BATS_FILE_TMPDIR/data"
		finish send
		alive=
		for name in a b c d; do
			if ended "${PID[$name]}"; then finish "$name" 1; else alive+=$name; fi
		done
		[ "${#alive}" -eq 1 ]
		kill -TERM "${PID[$alive]}"
		finish "$alive" 143
	done
	[ "$(find d -type f | wc -l)" -eq 8 ]
}

@test "-k over IPv4 and IPv6 at once" {
	mkdir d
	serves recv d
	start one "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	start two "$SOCKXFER" send -V "[::1]:$port" "$BATS_FILE_TMPDIR/data"
	finish one
	finish two
	wait_for eval '[ "$(wc -l <us.out)" -eq 2 ]'
	grep -q -- '-127.0.0.1-1$' us.out
	grep -q -- '-__1-1$' us.out
	ends_well
}

@test "-k on an inherited socket that listens serves many; one that is connected is refused" {
	mkdir d
	launch listen 4 "$SOCKXFER" recv -k fd:3 d
	start one "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish one
	start two "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/other"
	finish two
	[ "$(find d -type f | wc -l)" -eq 2 ]
	pkill -TERM -P "${PID[us]}" -x sockxfer || kill -TERM "${PID[us]}"
	wait_for ended "${PID[us]}"
	stop us
	launch accept 4 "$SOCKXFER" recv -k fd:3 d
	start three "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	wait_for ended "${PID[three]}"
	wait_for ended "${PID[us]}"
	has us.err 'fd:3: the socket does not listen'
	[ "$(find d -type f | wc -l)" -eq 2 ]
	stop three
	stop us
}

@test "-k: a command finds something to read where we were given the listening socket as standard input" {
	launch listen 4 bash -c 'exec "$@" <&3 3<&-' - "$SOCKXFER" \
		send -k -l fd:0 -- sh -c 'if [ -e /proc/$$/fd/0 ]; then cat; echo open; else echo closed; fi'
	start one "$SOCKXFER" recv "$address" -
	finish one
	echo open | diff - one.out
	stop us
}

### Results

@test "-k --json: one object a line for each transfer, of failures, too, and none of strays" {
	mkdir d
	serves recv --json d
	send_data one
	scripted two connect "127.0.0.1:$port" send:1000 reset
	finish two
	wait_said us 'after 1000 bytes'
	scripted three connect "127.0.0.1:$port" close
	finish three
	wait_for has_workers 0
	"$PYTHON" - us.out <<-'END'
		import json, sys
		one, two = [json.loads(line) for line in open(sys.argv[1])]
		assert one["ended"] == "stored" and one["exit"] == 0 and one["path"].startswith("d/2"), one
		assert two["ended"] == "failed" and two["exit"] == 1 and two["bytes"] == 1000, two
	END
	ends_well
}

@test "-k --json: a transfer that fails before it begins has its two ends in the result" {
	mkdir d
	serves recv --json d
	rmdir d
	start one "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish one 6
	wait_for has us.out '"peer": "127.0.0.1:'
	has us.out "\"local\": \"127.0.0.1:$port\""
	ends_well
}

@test "-k -v says who is connected and what became of it; USR1 how many there are" {
	mkdir d
	serves recv -v d
	send_data one
	wait_for has_workers 0
	half_sender_called two
	wait_for has_workers 1
	kill -USR1 "${PID[us]}"
	wait_said us 'serving 1 at once, 1 done, 0 failed'
	kill -WINCH "${PID[us]}"
	kill -KILL "$(workers)"
	wait_said us 'the process that served it was killed by signal 9 (Killed)'
	kill -USR1 "${PID[us]}"
	wait_said us 'serving 0 at once, 1 done, 1 failed'
	has us.err 'received 300000 bytes'
	stop two
	ends_well
}

### The end

@test "-k: SIGTERM accepts no more, and those under way come to their end" {
	mkdir d
	serves recv d
	half_sender_called one
	wait_for has_workers 1
	kill -TERM "${PID[us]}"
	wait_for eval '! listening "$port"'
	running us
	kill -USR1 "${PID[us]}"
	wait_said us 'serving 1 at once, 0 done, 0 failed'
	touch go
	finish one
	finish us 143
	same "$(<us.out)" expected
}

@test "-k: who has not come to an end when the grace is over is aborted, and leaves nothing" {
	mkdir d
	serves recv --json --grace 0.5 d
	half_sender_called one
	wait_for workers_have 100000
	kill -TERM "${PID[us]}"
	finish us 143
	has us.err 'aborted after 100000 bytes: the server ends'
	has us.out '"ended": "failed"'
	has us.out '"exit": 1}'
	touch go
	finish one 1
	holds d
}

@test "-k: SIGINT, --grace 0 and a second SIGTERM leave no time" {
	local how since

	mkdir d
	for how in INT 'TERM 0' 'TERM TERM'; do
		rm -f go
		serves recv --grace "$([ "$how" = 'TERM 0' ] && echo 0 || echo 30)" d
		half_sender_called one
		wait_for has_workers 1
		clock since
		kill -"${how% *}" "${PID[us]}"
		if [ "$how" = 'TERM TERM' ]; then
			wait_for eval '! listening "$port"'
			pass 0.3
			running us
			kill -TERM "${PID[us]}"
		fi
		finish us $((128 + $(kill -l "${how% *}")))
		soon 8000 "$since"
		touch go
		finish one 1
		holds d
	done
}

@test "-k: SIGTERM for all its processes, as a service manager sends it, leaves those under way their time" {
	mkdir d
	serves recv d
	half_sender_called one
	wait_for has_workers 1
	# shellcheck disable=SC2046  # words
	kill -TERM $(workers) "${PID[us]}"
	wait_for eval '! listening "$port"'
	touch go
	finish one
	finish us 143
	same "$(<us.out)" expected
}

@test "-k: SIGHUP is survived, by the server and by a transfer under way" {
	mkdir d
	serves recv d
	check_descriptors
	half_sender_called one
	wait_for has_workers 1
	# shellcheck disable=SC2046  # words
	kill -HUP $(workers) "${PID[us]}"
	send_data two
	touch go
	finish one
	wait_for eval '[ "$(wc -l <us.out)" -eq 2 ]'
	same "$(tail -n 1 us.out)" expected
	ends_well
}

@test "-k: a command gets the default of SIGHUP, or ignores it where we were to, as under nohup" {
	local how

	# shellcheck disable=SC2016  # the variable of the shell that is started
	for how in : 'trap "" HUP'; do
		start us env --default-signal=HUP bash -c "$how"'; exec "$0" recv -k -p 0 -- grep -h "^SigIgn" - /proc/self/status' "$SOCKXFER"
		wait_port us
		send_line line
		wait_for has us.out SigIgn
		[ $((0x$(cut -f 2 us.out) & 1)) -eq "$([ "$how" = : ] && echo 0 || echo 1)" ]
		ends_well
	done
}

@test "-k: a worker is told to end also where whoever started us had blocked the signal" {
	mkdir d
	start us env --block-signal=USR2 "$SOCKXFER" recv -k --grace 0.1 -p 0 d
	wait_port us
	half_sender_called one
	wait_for workers_have 100000
	kill -TERM "${PID[us]}"
	finish us 143
	has us.err 'aborted after 100000 bytes: the server ends'
	touch go
	finish one 1
	holds d
}

@test "-k: as the first process of a container it leaves no zombies of what commands left running" {
	local init

	need unshare
	unshare -Urpf true 2>/dev/null || skip "needs user and pid namespaces"
	start outer unshare -Urpf --kill-child "$SOCKXFER" recv -k -p 0 -- \
		sh -c 'cat >/dev/null; (setsid sleep 0.1 &)'
	wait_port outer
	init=$(pgrep -P "${PID[outer]}")
	send_line one
	send_line two
	wait_for eval '[ -z "$(pgrep -P '"$init"')" ]'
	kill -TERM "$init"
	finish outer 143
}

@test "-k: with the server killed, its workers end, their peers are reset, and nothing is left" {
	local pid

	mkdir d
	serves recv d
	half_sender_called one
	wait_for has_workers 1
	pid=$(workers)
	kill -KILL "${PID[us]}"
	finish us 137
	wait_for ended "$pid"
	touch go
	finish one 1
	holds d
}

@test "-k: a worker that crashes touches no other transfer" {
	local pid

	need_plain_build
	mkdir d
	serves recv d
	check_descriptors
	half_sender_called one
	wait_for has_workers 1
	pid=$(workers)
	half_sender_called two
	wait_for has_workers 2
	kill -SEGV "$pid"
	wait_said us 'the process that served it was killed by signal 11'
	touch go
	finish one 1
	finish two
	wait_for [ -s us.out ]
	same "$(<us.out)" expected
	ends_well
	[ "$(find d -type f | wc -l)" -eq 1 ]
}

@test "-k: a worker that a signal ends says which, its temporary file is gone, and the server goes on" {
	need_tmpfile_filter
	mkdir d
	start us "$PYTHON" "$TOOLS/no_tmpfile.py" "$SOCKXFER" recv -k -p 0 d
	wait_port us
	half_sender_called one
	wait_for has_workers 1
	kill -XCPU "$(workers)"
	wait_said us 'bytes: CPU time limit exceeded'
	holds d
	running us
	touch go
	finish one 1
}

@test "-k: a command under way is stopped with its transfer" {
	serves recv --grace 0 -- sh -c 'cat >/dev/null; touch end; sleep 600'
	half_sender_called one
	wait_for has_workers 1
	wait_for eval '[ -n "$(pgrep -P "$(workers)")" ]'
	pid=$(pgrep -P "$(workers)")
	kill -TERM "${PID[us]}"
	finish us 143
	ended "$pid"
	[ ! -e end ]
	stop one
}

### Mistakes

@test "-k and what goes with it: mistakes are told before anything is done" {
	local line words message count=0

	while IFS='|' read -r words message; do
		# shellcheck disable=SC2086  # words
		run "$SOCKXFER" $words
		echo "$words: $status: $output"
		[ "$status" -eq 2 ]
		[[ ${lines[0]} == "sockxfer: ${words%% *}: $message"* ]]
		count=$((count + 1))
	done <<-'END'
		recv -k 127.0.0.1:9 out|-k, --keep-open: is only for listening
		send -k 127.0.0.1:9 out|-k, --keep-open: is only for listening
		recv -j 2 -p 0 out|-j, --jobs: is only for -k
		recv --grace 2 -p 0 out|--grace: is only for -k
		recv --max-per-peer 2 -p 0 out|--max-per-peer: is only for -k
		recv -k -j 0 -p 0 out|-j, --jobs: "0"
		recv -k -j x -p 0 out|-j, --jobs: "x"
		recv -k -j -1 -p 0 out|-j, --jobs: "-1"
		recv -k -j 999999999 -p 0 out|-j, --jobs: "999999999"
		recv -k --grace -1 -p 0 out|--grace: "-1"
		recv -k --max-per-peer 0 -p 0 out|--max-per-peer: "0"
		recv -k --max-per-peer 2 -l unix:socket out|--max-per-peer: is only for listening on TCP
		recv -k -r 2 -p 0 out|-r, --retry: is only for connecting
	END
	[ "$count" -eq 13 ]
	[ ! -e socket ]
}
