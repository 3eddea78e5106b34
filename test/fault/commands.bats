#!/usr/bin/env bats
# Commands as ends: what they write is sent, what comes is fed to them, and how they end counts.
# shellcheck disable=SC2154,SC2016  # address, port: set by the helpers; $ is for inner shells

load ../helper
load fault

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# In each test, as the directory is bats' own only then.
data=${BATS_FILE_TMPDIR:-}/data

EATER=("$PYTHON" "$ROOT/test/fault/eater.py")

# sending STATUS TRANSPORT COMMAND...: what the command writes is sent to one of ours over an old file. send ends
# with the status, and recv with 0 or 1 accordingly.
sending() {
	local status=$1 transport=$2

	shift 2
	prepare_output old
	listen_as recv recv "$transport" d/out
	start send "$SOCKXFER" send -V "$address" -- "$@"
	finish send "$status"
	if [ "$status" -eq 0 ]; then
		finish recv
		holds d out
	else
		finish recv 1
		one_line send.err
		output_untouched old
	fi
}

# feeding RECV_STATUS SEND_STATUS TRANSPORT COMMAND...: the command is fed with the data.
feeding() {
	local status=$1 other=$2 transport=$3

	shift 3
	listen_as recv recv "$transport" -- "$@"
	start send "$SOCKXFER" send "$address" "$data"
	finish recv "$status"
	finish send "$other"
}

# feeding_file FILE RECV_STATUS SEND_STATUS COMMAND...: the same with another file.
feeding_file() {
	local file=$1 status=$2 other=$3

	shift 3
	listen_as recv recv tcp4 -- "$@"
	start send "$SOCKXFER" send "$address" "$file"
	finish recv "$status"
	finish send "$other"
}

### Success

@test "what a command writes is sent, over every transport" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		sending 0 "$transport" cat "$data"
		same d/out "$data"
	done
}

@test "what comes is fed to a command, over every transport, and it is stored when the command exits 0" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		rm -f got
		feeding 0 0 "$transport" sh -c 'cat >got'
		[ ! -s send.err ]
		same got "$data"
	done
}

@test "commands where send listens and recv connects" {
	listen_as send send tcp4 -- cat "$data"
	start recv "$SOCKXFER" recv "$address" -- sh -c 'cat >got'
	finish recv
	finish send
	same got "$data"
}

@test "an archive from tar to tar" {
	mkdir from to
	cp "$data" from/data
	listen_as recv recv tcp4 -- tar xf - -C to
	start send "$SOCKXFER" send "$address" -- tar cf - -C from .
	finish send
	finish recv
	same from/data to/data
}

@test "more than a pipe holds, both ways, and a slow command" {
	head -c 5000000 /dev/urandom >large
	listen_as recv recv tcp4 -- sh -c 'sleep 0.2; cat >got'
	start send "$SOCKXFER" send -V "$address" -- sh -c 'head -c 1000000 large; sleep 0.2; tail -c 4000000 large'
	finish send
	finish recv
	same got large
}

@test "a command that writes nothing sends an empty stream, one that gets nothing is run all the same" {
	listen_as recv recv tcp4 -- sh -c 'cat >got'
	start send "$SOCKXFER" send -V "$address" -- true
	finish send
	finish recv
	[ -f got ]
	[ ! -s got ]
}

### The environment of a command

@test "no shell comes between: arguments are passed as they are" {
	sending 0 tcp4 printf '%s|' '$HOME' '`id`' '*' 'a b' '' ';false' $'new\nline' '-x' '--'
	[ "$(cat d/out)" = '$HOME|`id`|*|a b||;false|'$'new\nline|-x|--|' ]
}

@test "options behind -- are the command's" {
	printf 'a\n' >in
	sending 0 tcp4 cat -n -v --show-ends in
	[ "$(cat d/out)" = $'     1\ta$' ]
}

@test "a script without #! is not given to a shell" {
	echo 'echo run by a shell' >script
	chmod +x script
	prepare_output old
	listen_as recv recv tcp4 d/out
	start send "$SOCKXFER" send "$address" -- ./script
	finish send 1
	one_line send.err
	has send.err 'Exec format error'
	stop recv
	[ "$(cat d/out)" = old ]
}

@test "the command of send has our stdin and stderr" {
	prepare_output old
	listen_as recv recv tcp4 d/out
	start send "$SOCKXFER" send "$address" -- sh -c 'echo words >&2; cat' <"$data"
	finish send
	finish recv
	same d/out "$data"
	has send.err words
}

@test "the command of recv has our stdout and stderr" {
	feeding 0 0 tcp4 sh -c 'echo words >&2; cat'
	same recv.out "$data"
	has recv.err words
}

# three_descriptors FILE: in a listing of /proc/self/fd, from ls, which has the directory open as well.
three_descriptors() {
	grep -o '[0-9]* -> .*' "$1" | grep -v '/proc/[0-9]*/fd$' >descriptors
	[ "$(sed 's/ .*//' descriptors | sort | tr '\n' ' ')" = '0 1 2 ' ]
}

# default_signals FILE: nothing is blocked, and PIPE and XFSZ, which we ignore, are not ignored.
default_signals() {
	local mask

	mask=$(sed -n 's/^SigIgn:\t//p' "$1")
	((("0x$mask" & (1 << 12 | 1 << 24)) == 0))
	grep -qE '^SigBlk:[^0-9a-f]0+$' "$1"
}

@test "a command inherits no descriptor but the three" {
	sending 0 tcp4 ls -l /proc/self/fd
	three_descriptors d/out
	feeding 0 0 tcp4 sh -c 'cat >/dev/null; exec ls -l /proc/self/fd'
	three_descriptors recv.out
}

@test "a command has the signals that it would have from a shell" {
	sending 0 tcp4 cat /proc/self/status
	default_signals d/out
	feeding 0 0 tcp4 sh -c 'cat >/dev/null; exec cat /proc/self/status'
	default_signals recv.out
}

### Not there

@test "a command that does not exist is told before anything listens or connects" {
	local role command

	touch plain
	for role in send recv; do
		for command in no-such-command ./no-such-command ./plain; do
			start us "$SOCKXFER" "$role" -p 0 -- "$command" argument
			finish us 1
			one_line us.err
			has_not us.err 'listening on'
			has us.err "$command"
			free_port
			start us "$SOCKXFER" "$role" "127.0.0.1:$port" -- "$command"
			finish us 1
			one_line us.err
			has_not us.err refused
		done
	done
}

@test "a command that is a directory, or has no name, is told before anything listens" {
	local role command

	mkdir directory
	for role in send recv; do
		for command in ./directory ''; do
			start us "$SOCKXFER" "$role" -w 1 -p 0 -- "$command"
			finish us 1
			one_line us.err
			has us.err "$command"
		done
	done
}

@test "usage: nothing behind --, a file beside a command, -n, -S or --no-sync for a command" {
	local role

	for role in send recv; do
		start us "$SOCKXFER" "$role" -p 0 --
		finish us 2
		one_line us.err
		start us "$SOCKXFER" "$role" -p 0 file -- cat
		finish us 2
		one_line us.err
		has us.err file
	done
	start us "$SOCKXFER" recv -n -p 0 -- cat
	finish us 2
	start us "$SOCKXFER" recv -S -p 0 -- cat
	finish us 2
	start us "$SOCKXFER" recv --no-sync -p 0 -- cat
	finish us 2
	has us.err '-n, -S and --no-sync are for a file, not for a command'
}

@test "without a peer no command is started" {
	start us "$SOCKXFER" recv -w 0.2 -p 0 -- touch started
	finish us 3
	start us "$SOCKXFER" send -w 0.2 -p 0 -- touch started
	finish us 3
	free_port
	start us "$SOCKXFER" send "127.0.0.1:$port" -- touch started
	finish us 1
	[ ! -e started ]
}

### A producer that fails

@test "a producer that exits non-zero: send 1 with the status, recv 1 and no file, over every transport" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		sending 1 "$transport" sh -c 'head -c 200000 /dev/zero; exit 3'
		has send.err 'sh: exited with status 3'
		complaint recv
	done
}

@test "a producer that exits non-zero without a byte: send 1; for recv that was nothing, and it waits on" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		prepare_output old
		listen_as recv recv "$transport" d/out
		start send "$SOCKXFER" send "$address" -- false
		finish send 1
		one_line send.err
		has send.err 'false: exited with status 1'
		wait_said recv 'waiting for another'
		start send "$SOCKXFER" send -V "$address" "$data"
		finish send
		finish recv
		same d/out "$data"
	done
}

@test "a producer that exits non-zero without a byte, to a receiver that connected: 1 for both, no file" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		prepare_output old
		listen_as send send "$transport" -- false
		start recv "$SOCKXFER" recv "$address" d/out
		finish send 1
		finish recv 1
		one_line recv.err
		output_untouched old
	done
}

@test "a producer that is killed by a signal: send 1 with the signal, recv 1 and no file" {
	local signal

	for signal in KILL TERM PIPE SEGV; do
		sending 1 tcp4 sh -c "head -c 200000 /dev/zero; kill -$signal \$\$"
		grep -q "sh: .*signal.* $(kill -l "$signal")" send.err
	done
}

@test "a stranger sees a reset when the producer fails" {
	scripted_listen peer tcp4 gone
	start send "$SOCKXFER" send "$address" -- sh -c 'head -c 200000 /dev/zero; exit 3'
	finish send 1
	finish peer
}

@test "a producer that closes its output early: the stream ends then, and its exit status decides" {
	sending 0 tcp4 sh -c 'echo data; exec >&-; sleep 0.3'
	[ "$(cat d/out)" = data ]
	sending 1 tcp4 sh -c 'echo data; exec >&-; sleep 0.3; exit 4'
	has send.err 'exited with status 4'
}

@test "a producer's background child that holds the pipe open: what it writes belongs to the stream" {
	local transport

	for transport in tcp4 unix; do
		rm -f go
		prepare_output old
		listen_as recv recv "$transport" d/out
		start send "$SOCKXFER" send "$address" -- \
			sh -c 'echo first; (until [ -e go ]; do sleep 0.01; done; echo second) & exit 0'
		wait_for arrived recv 6
		pass 0.2
		running send
		touch go
		finish send
		finish recv
		[ "$(cat d/out)" = $'first\nsecond' ]
	done
}

@test "a producer's background child does not hide that the producer failed" {
	prepare_output old
	listen_as recv recv tcp4 d/out
	start send "$SOCKXFER" send "$address" -- \
		sh -c 'echo first; (until [ -e go ]; do sleep 0.01; done; echo second) & exit 5'
	wait_for arrived recv 6
	touch go
	finish send 1
	has send.err 'exited with status 5'
	finish recv 1
	output_untouched old
}

### A consumer that fails

@test "a consumer that exits non-zero: recv 1 with the status, send 6 with that text, over every transport" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		feeding 1 6 "$transport" sh -c 'cat >/dev/null; exit 3'
		complaint recv
		has recv.complaint 'sh: exited with status 3'
		one_line send.err
		has send.err 'exited with status 3'
	done
}

@test "a consumer that is killed by a signal: recv 1 with the signal, send 6 with that text" {
	feeding 1 6 tcp4 sh -c 'cat >/dev/null; kill -SEGV $$'
	grep -q 'sh: .*signal.* 11' recv.err
	grep -q 'sh: .*signal.* 11' send.err
}

@test "the receipt of a consumer that fails: received, then failed, and never stored" {
	need_xxh128
	listen_as recv recv tcp4 -- sh -c 'cat >/dev/null; exit 3'
	scripted peer connect "$address" "file:$data" half gone save:heard
	finish recv 1
	wait_for ended "${PID[peer]}"
	stop peer
	listen_as recv recv tcp4 -- sh -c 'cat >/dev/null; exit 3'
	scripted peer connect "$address" "file:$data" half expect:77 show
	finish recv 1
	has peer.out "sockxfer/1 received 300000 $(digest "$data")"
	has_not peer.out stored
	stop peer
}

@test "a consumer that fails early ends a large transfer at once: send 6 with that text" {
	local transport taken

	truncate -s 2000000000 large
	for transport in "${TRANSPORTS[@]}"; do
		exec 8<large
		listen_as recv recv "$transport" -- sh -c 'head -c 1000 >/dev/null; exit 3'
		start send "$SOCKXFER" send "$address" <&8
		finish recv 1
		finish send 6
		has send.err 'exited with status 3'
		taken=$(awk '$1 == "pos:" { print $2 }' "/proc/$$/fdinfo/8")
		[ "$taken" -lt 100000000 ]
	done
}

@test "a consumer that closes its input early has failed, whatever its status: recv 1, send 6" {
	local transport

	truncate -s 2000000000 large
	for transport in "${TRANSPORTS[@]}"; do
		listen_as recv recv "$transport" -- head -c 10
		start send "$SOCKXFER" send "$address" large
		finish recv 1
		finish send 6
		complaint recv
		has recv.complaint 'closed its input'
		has send.err 'closed its input'
	done
}

@test "a consumer that exits 0 without reading it all has failed, also where a pipe holds the rest: recv 1, send 6" {
	printf 'a few bytes' >small
	local command

	for command in 'true' 'exec <&-; sleep 0.3' 'head -c 3 >/dev/null' 'sleep 0.2'; do
		listen_as recv recv tcp4 -- sh -c "$command"
		start send "$SOCKXFER" send "$address" small
		finish recv 1
		finish send 6
		complaint recv
	done
}

# padded DATA NULS: writes so many bytes of data, and so many NUL bytes.
padded() {
	head -c "$1" /dev/urandom | tr '\0' 1
	head -c "$2" /dev/zero
}

# An archive whose last record is padded as far as tar allows, into a tar that does not read that.
@test "a tar that leaves the padding of an archive unread has taken everything: 0 at both ends" {
	local blocks reader readers=(tar)

	! command -v toybox >/dev/null || readers+=('toybox tar')
	mkdir from to
	cp "$data" from/data
	for reader in "${readers[@]}"; do
		for blocks in 20 126 2000; do
			# shellcheck disable=SC2086  # two words
			listen_as recv recv tcp4 -- $reader xf - -C to
			start send "$SOCKXFER" send -V "$address" -- tar -b "$blocks" -cf - -C from data
			finish send
			finish recv
			same from/data to/data
			rm to/data
		done
	done
}

@test "a consumer that exits 0 may leave NUL bytes at the end, at most 1 MiB of them, whenever they come" {
	local nuls

	for nuls in 1 4096 1048576; do
		padded 100000 "$nuls" >in
		listen_as recv recv tcp4 -- head -c 100000
		start send "$SOCKXFER" send -V "$address" in
		finish send
		finish recv
		head -c 100000 in | cmp - recv.out
	done
	padded 100000 1048577 >in
	feeding_file in 1 6 head -c 100000
	# They come when it has long been gone, and in two pieces.
	listen_as recv recv tcp4 -- sh -c 'head -c 3; echo done >done'
	start send "$SOCKXFER" send -V "$address" -- \
		sh -c 'printf abc; until [ -e done ]; do sleep 0.01; done; printf "\0\0"; sleep 0.1; printf "\0"'
	finish send
	finish recv
}

@test "a consumer that exits 0 and leaves NUL bytes has failed if more data come, or if it exits otherwise" {
	printf 'abc\0\0\0d' >in
	feeding_file in 1 6 head -c 3
	feeding_file in 1 6 head -c 5
	printf 'abc\0\0\0' >in
	feeding_file in 1 6 head -c 2
	feeding_file in 1 6 sh -c 'head -c 3; exit 2'
	has send.err 'exited with status 2'
	listen_as recv recv tcp4 -- sh -c 'head -c 3; echo done >done'
	start send "$SOCKXFER" send "$address" -- \
		sh -c 'printf abc; until [ -e done ]; do sleep 0.01; done; printf "\0\0"; sleep 0.1; printf d'
	finish recv 1
	finish send 6
	has send.err 'closed its input'
}

@test "a consumer's background child that reads the rest: stored when it has read, and the command exited 0" {
	listen_as recv recv tcp4 -- sh -c 'exec 3<&0; cat <&3 >got & exit 0'
	start send "$SOCKXFER" send -V "$address" "$data"
	finish recv
	finish send
	wait_for cmp -s got "$data"
	listen_as recv recv tcp4 -- sh -c 'exec 3<&0; cat <&3 >/dev/null & exit 3'
	start send "$SOCKXFER" send "$address" "$data"
	finish recv 1
	finish send 6
	has send.err 'exited with status 3'
}

@test "a consumer that stops reading is waited for, and -W limits that: recv 3" {
	listen_as recv recv tcp4 -- sh -c 'until [ -e go ]; do sleep 0.01; done; cat >got'
	start send "$SOCKXFER" send -V "$address" "$data"
	pass 0.3
	running send
	touch go
	finish recv
	finish send
	same got "$data"
	launch listen 4 "$SOCKXFER" recv -W 0.7 fd:3 -- sleep 600
	start send "$SOCKXFER" send "$address" "$data"
	finish us 3
	wait_for ended "${PID[send]}"
	stop send
}

@test "-W limits how long a producer may be silent: send 3, and it is stopped" {
	prepare_output old
	listen_as recv recv tcp4 d/out
	start send "$SOCKXFER" send -W 1 "$address" -- sh -c 'echo data; exec sleep 600'
	finish send 3
	finish recv 1
	output_untouched old
}

### A broken stream

# stopped_before_eof STEP...: the sender does this; the command is stopped by TERM and sees no end of its input.
stopped_before_eof() {
	local transport=$1

	shift
	rm -f log
	listen_as recv recv "$transport" -- "${EATER[@]}" log
	scripted peer connect "$address" send:100000 await:go "$@"
	wait_for grep -q start log
	touch go
	finish recv 1
	grep -q '^term ' log
	has_not log eof
	wait_for ended "${PID[peer]}"
	stop peer
	rm go
}

@test "a broken stream stops the consumer by TERM, before its input ends" {
	stopped_before_eof tcp4 reset
	stopped_before_eof tcp6 reset
}

@test "a killed sender on a unix socket stops the consumer by TERM, before its input ends" {
	open_pipe
	listen_as recv recv unix -- "${EATER[@]}" log
	start send "$SOCKXFER" send "$address" <pipe
	head -c 100000 /dev/zero >&8
	wait_for grep -q start log
	kill -KILL "${PID[send]}"
	finish send 137
	finish recv 1
	grep -q '^term ' log
	has_not log eof
}

@test "a timeout stops the consumer by TERM, before its input ends" {
	free_port
	# The silence begins when the command is there.
	reaching peer "127.0.0.1:$port" send:100000 trickle:log gone
	start recv "$SOCKXFER" recv -w 1 -p "$port" -- "${EATER[@]}" log
	finish recv 3
	grep -q '^term ' log
	has_not log eof
	finish peer
}

@test "a digest that does not match stops the consumer by TERM, before its input ends: recv 4, send 6" {
	listen_as recv recv tcp4 -E xxh128:00112233445566778899aabbccddeeff -- "${EATER[@]}" log
	open_pipe
	start send "$SOCKXFER" send "$address" <pipe
	cat "$data" >&8
	wait_for grep -q start log
	exec 8>&-
	finish recv 4
	finish send 6
	grep -q '^term ' log
	has_not log eof
}

@test "a consumer that does not heed TERM is killed, and its input has not ended before" {
	listen_as recv recv tcp4 -- bash -c 'trap "" TERM; cat >/dev/null; echo eof >log'
	scripted peer connect "$address" send:100000 await:go reset
	wait_said peer 'send:100000 done'
	pass 0.1
	touch go
	finish recv 1
	[ ! -e log ]
	finish peer
}

@test "a receiver that breaks the stream stops the producer" {
	local transport

	for transport in tcp4 unix; do
		scripted_listen peer "$transport" expect:1 await:go reset
		start send "$SOCKXFER" send "$address" -- sh -c 'echo; echo $$ >command; exec sleep 600'
		wait_said peer 'expect:1 done'
		wait_for [ -s command ]
		touch go
		finish send 1
		ended "$(cat command)"
		finish peer
		rm -f go command peer.socket
	done
}

@test "a receiver that fails is heard while a producer that has closed its output still runs: send 6" {
	scripted_listen peer tcp4 expect:3 await:go 'text:sockxfer/1 failed no room here\n' gone
	start send "$SOCKXFER" send "$address" -- sh -c 'echo $$ >command; echo hi; exec >&-; exec sleep 600'
	wait_said peer 'expect:3 done'
	touch go
	finish send 6
	has send.err 'no room here'
	ended "$(cat command)"
	finish peer
}

@test "a receiver that fails stops the producer: send 6" {
	scripted_listen peer tcp4 expect:1 'text:sockxfer/1 failed no room here\n' gone
	start send "$SOCKXFER" send "$address" -- sh -c 'echo $$ >command; exec yes'
	finish send 6
	has send.err 'no room here'
	ended "$(cat command)"
	finish peer
}

### Signals

@test "TERM stops the command of send: it is gone when we are" {
	scripted_listen peer tcp4 expect:1 gone
	start send "$SOCKXFER" send "$address" -- sh -c 'echo; echo $$ >command; exec sleep 600'
	wait_said peer 'expect:1 done'
	wait_for [ -s command ]
	kill -TERM "${PID[send]}"
	finish send 143
	ended "$(cat command)"
	finish peer
}

@test "TERM stops the command of recv, by TERM and before its input ends" {
	listen_as recv recv tcp4 -- "${EATER[@]}" log
	scripted peer connect "$address" send:1000 gone
	wait_for grep -q start log
	kill -TERM "${PID[recv]}"
	finish recv 143
	grep -q '^term ' log
	has_not log eof
	finish peer
}

@test "a command that does not heed TERM is killed within the second" {
	local since

	listen_as recv recv tcp4 -- sh -c 'trap "" TERM; echo $$ >command; exec sleep 600'
	scripted peer connect "$address" send:1000 gone
	wait_for [ -s command ]
	clock since
	kill -TERM "${PID[recv]}"
	finish recv 143
	soon 1900 "$since"
	ended "$(cat command)"
	finish peer
}

@test "a parent that ignores SIGCHLD hides nobody's exit status, and a file is replaced" {
	prepare_output old
	random_file in 300000
	start recv env --ignore-signal=CHLD "$SOCKXFER" recv -v -l 127.0.0.1:0 d/out
	find_address recv
	start send env --ignore-signal=CHLD "$SOCKXFER" send -V "$address" -- cat in
	finish send
	finish recv
	same d/out in
	holds d out
}
