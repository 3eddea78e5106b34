#!/usr/bin/env bats
# Started for a connection, by systemd's LISTEN_FDS protocol (sd_listen_fds(3)) and by inetd's convention: the
# sockets come from test/peer/activate.c, which tells about its three manners, listen, accept and inetd. The units
# and the line for inetd are those of the manual page.
# shellcheck disable=SC2154  # port: wait_port and free_port set it

load helper

MAN=$ROOT/man/sockxfer.1

setup_file() {
	head -c 3000000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# The transports that this machine has.
transports() {
	echo 4
	if grep -q '^0*1 ' /proc/net/if_inet6 2>/dev/null; then echo 6; fi
	echo unix
}

# receives MANNER WORD...: sockxfer recv WORD... is activated and makes "out" of what is sent; the sender is told.
receives() {
	local transport

	for transport in $(transports); do
		launch "$1" "$transport" "$SOCKXFER" recv "${@:2}"
		start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
		finish send
		finish us
		same "$BATS_FILE_TMPDIR/data" out
		rm out
	done
}

# sends MANNER WORD...: sockxfer send -V WORD... is activated and sends the data.
sends() {
	local transport

	for transport in $(transports); do
		launch "$1" "$transport" "$SOCKXFER" send -V "${@:2}"
		start recv "$SOCKXFER" recv "$address" out
		finish recv
		finish us
		same "$BATS_FILE_TMPDIR/data" out
		rm out
	done
}

### Each manner, either role, all transports

@test "Accept=no: recv fd:3 serves who connects to the listening socket" { receives listen fd:3 out; }
@test "Accept=no: recv -l fd:3 does too" { receives listen -l fd:3 out; }
@test "Accept=yes: recv fd:3 serves the connection" { receives accept fd:3 out; }
@test "inetd: recv fd:0 serves the connection" { receives inetd fd:0 out; }
@test "Accept=no: send fd:3 serves who connects to the listening socket" { sends listen fd:3 "$BATS_FILE_TMPDIR/data"; }
@test "Accept=no: send -l fd:3 does too" { sends listen -l fd:3 "$BATS_FILE_TMPDIR/data"; }
@test "Accept=yes: send fd:3 serves the connection" { sends accept fd:3 "$BATS_FILE_TMPDIR/data"; }
@test "inetd: send fd:0 serves the connection" { sends inetd fd:0 "$BATS_FILE_TMPDIR/data"; }

@test "an activated receiver can feed a command" {
	receives listen fd:3 -- sh -c 'cat >out'
	receives accept fd:3 -- sh -c 'cat >out'
	receives inetd fd:0 -- sh -c 'cat >out; echo noise; echo noise >&2'
}

@test "an activated sender can send what a command prints" {
	sends listen fd:3 -- cat "$BATS_FILE_TMPDIR/data"
	sends accept fd:3 -- cat "$BATS_FILE_TMPDIR/data"
	sends inetd fd:0 -- sh -c 'echo noise >&2; exec cat "$0"' "$BATS_FILE_TMPDIR/data"
}

# A command that held it open would keep the peer from learning that we are gone.
@test "a command does not inherit the socket that activated us" {
	local manner

	# shellcheck disable=SC2016  # the inner shell's
	for manner in 'listen fd:3' 'accept fd:3' 'inetd fd:0'; do
		launch "${manner% *}" 4 "$SOCKXFER" recv "${manner#* }" -- \
			sh -c 'ls -l /proc/$$/fd | sed "s/.*> //" >descriptors; exec cat >out'
		start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
		finish send
		finish us
		[ -s descriptors ]
		has_not descriptors socket:
	done
}

@test "a connected socket that is to listen is a usage error that names it" {
	launch accept 4 "$SOCKXFER" recv -l fd:3 out
	scripted peer connect "$address" gone
	finish us 2
	finish peer
	has us.err fd:3
}

### What the peer sees

# hears FILE: a peer that sends 1000 bytes and notes what comes until the end, however that comes.
hears() {
	scripted peer connect "$address" send:1000 half "$1" save:heard
	finish peer
}

@test "inetd: the peer gets the receipt, and nothing else that is said or printed" {
	launch inetd 4 "$SOCKXFER" recv -v --json fd:0 -- sh -c 'cat >out; echo noise; echo noise >&2'
	hears eof
	finish us
	grep -qxE 'sockxfer/1 received 1000 xxh128:[0-9a-f]{32}' <(head -n 1 heard)
	same <(tail -n +2 heard) <(echo sockxfer/1 stored)
}

@test "inetd: of a receiver that fails the peer gets why, and nothing else that is said or printed" {
	launch inetd 4 "$SOCKXFER" recv -v --json fd:0 /dev/full
	hears gone
	finish us 1
	same heard <(echo sockxfer/1 failed No space left on device)
	launch inetd 4 "$SOCKXFER" recv -v --json fd:0 -- sh -c 'cat; echo noise; echo noise >&2; exit 7'
	hears gone
	finish us 1
	grep -qxE 'sockxfer/1 received 1000 xxh128:[0-9a-f]{32}' <(head -n 1 heard)
	same <(tail -n +2 heard) <(echo sockxfer/1 failed sh: exited with status 7)
}

@test "inetd: the peer of a sender gets the data, and nothing else that is said or printed" {
	launch inetd 4 "$SOCKXFER" send -v --json fd:0 -- sh -c 'echo noise >&2; echo data'
	scripted peer connect "$address" eof save:heard
	finish peer
	finish us
	same heard <(echo data)
}

### Death

# How many bytes the process NAME has written to its output.
written() {
	local descriptor

	for descriptor in "/proc/${PID[$1]}/fd"/*; do
		[[ $(readlink "$descriptor") == "$PWD/d/"* ]] || continue
		grep -qx "pos:[[:space:]]*$2" "${descriptor/fd/fdinfo}" && return
	done
	return 1
}

@test "an activated receiver that is killed leaves no file, and the sender fails" {
	local manner transport

	mkdir d
	mkfifo pipe
	exec 8<>pipe
	for manner in 'listen fd:3' 'listen -l fd:3' 'accept fd:3' 'inetd fd:0'; do
		for transport in $(transports); do
			# shellcheck disable=SC2086  # words
			launch "${manner%% *}" "$transport" "$SOCKXFER" recv ${manner#* } d/out
			start send "$SOCKXFER" send "$address" pipe
			head -c 1000 /dev/zero >&8
			wait_for written us 1000
			kill -KILL "${PID[us]}"
			finish us 137
			finish send 1
			holds d
		done
	done
}

@test "the death of a sender is none of its data for an activated receiver" {
	local manner transport

	mkdir d
	mkfifo pipe
	exec 8<>pipe
	for manner in 'listen fd:3' 'accept fd:3' 'inetd fd:0'; do
		for transport in $(transports); do
			launch "${manner% *}" "$transport" "$SOCKXFER" recv "${manner#* }" d/out
			start send "$SOCKXFER" send "$address" pipe
			head -c 1000 /dev/zero >&8
			wait_for written us 1000
			kill -KILL "${PID[send]}"
			finish send 137
			finish us 1
			holds d
		done
	done
}

### Failure before the transfer

# refuses MANNER WORD... : recv WORD... does not begin, and the sender is told so, whatever he has.
refuses() {
	local transport file

	for transport in $(transports); do
		for file in "$BATS_FILE_TMPDIR/data" /dev/null; do
			launch "$1" "$transport" "$SOCKXFER" recv "${@:2}"
			start send "$SOCKXFER" send "$address" "$file"
			finish us 1
			finish send 6
			has send.err 'the receiver failed: '
		done
	done
}

@test "an activated receiver that cannot store anything tells the sender why" {
	echo before >out
	refuses listen -n fd:3 out
	has us.err 'out: File exists'
	has send.err 'the receiver failed: File exists'
	refuses listen -l fd:3 no/such/out
	has send.err 'the receiver failed: No such file or directory'
	refuses accept -l fd:3 no/such/out
	refuses accept -n fd:3 out
	has us.err 'out: File exists'
	refuses inetd -n fd:0 out
	refuses inetd fd:0 -- no-such-command
	[ "$(<out)" = before ]

	launch inetd 4 "$SOCKXFER" recv -n fd:0 out
	hears gone
	finish us 1
	same heard <(echo sockxfer/1 failed File exists)
	launch inetd 4 "$SOCKXFER" recv --no-receipt -n fd:0 out
	scripted peer connect "$address" gone show
	finish us 1
	finish peer
	has peer.out 'received 0 '
}

@test "an activated sender that has nothing to send resets the connection: it is no empty file" {
	local manner transport

	for manner in 'listen fd:3' 'listen -l fd:3' 'accept fd:3' 'inetd fd:0'; do
		# shellcheck disable=SC2086  # words
		launch "${manner%% *}" 4 "$SOCKXFER" send ${manner#* } no-such-file
		scripted peer connect "$address" gone show
		finish us 1
		finish peer
		has peer.out 'received 0 '
		for transport in $(transports); do
			# shellcheck disable=SC2086  # words
			launch "${manner%% *}" "$transport" "$SOCKXFER" send ${manner#* } no-such-file
			start recv "$SOCKXFER" recv "$address" out
			finish us 1
			finish recv 1
			[ ! -e out ]
		done
	done
}

@test "a sender who cannot be served is not what the next activation is for" {
	echo before >out
	launch '-k 2 listen' 4 "$SOCKXFER" recv -n fd:3 out
	start first "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
	finish first 6
	wait_said us 'exited with 1'
	rm out
	start second "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish second
	finish us
	same "$BATS_FILE_TMPDIR/data" out
	activations 1 0
}

@test "a receiver that inherits a listening socket at which nobody waits fails at once" {
	echo before >out
	start us "$PYTHON" -c 'import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
os.dup2(listener.fileno(), 3) if listener.fileno() != 3 else os.set_inheritable(3, True)
os.execvp(sys.argv[1], sys.argv[1:])' "$SOCKXFER" recv -n fd:3 out
	finish us 1
	one_line us.err
}

@test "inetd: of a usage error the peer gets nothing, and sees no end of data" {
	local words

	for words in 'recv fd:0' 'send fd:0' 'recv -l fd:0 out' 'recv --bogus fd:0 out' 'send fd:0 a b/a' 'send fd:x a' ''; do
		# shellcheck disable=SC2086  # words
		launch inetd 4 "$SOCKXFER" $words
		scripted peer connect "$address" gone show
		finish us 2
		finish peer
		has peer.out 'received 0 '
	done
}

### One activation after the other

# activations STATUS...: how the command ended, each time that it was started.
activations() {
	same <(tail -n +2 us.out) <(printf 'exited with %d\n' "$@")
}

# Whether the launcher NAME has started its command, which is then the process "child".
child_of() {
	PID[child]=$(ps --ppid "${PID[$1]}" -o pid= | tr -d ' ')
	[ -n "${PID[child]}" ]
}

@test "one listening socket activates one transfer after the other" {
	local transport

	picture in.jpg
	for transport in $(transports); do
		launch '-k 2 listen' "$transport" "$SOCKXFER" recv fd:3 out
		start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
		finish send
		same "$BATS_FILE_TMPDIR/data" out
		start send "$SOCKXFER" send -V "$address" in.jpg
		finish send
		finish us
		same in.jpg out
		activations 0 0
	done
}

@test "who connects during an activated transfer is served, in his turn, by the next activation" {
	local transport

	picture in.jpg
	"$PYTHON" "$PEER/pattern.py" 1000 | cat - "$BATS_FILE_TMPDIR/data" in.jpg >expected
	for transport in $(transports); do
		launch '-k 3 listen' "$transport" "$SOCKXFER" recv fd:3 -- sh -c 'exec cat >>out'
		scripted first connect "$address" send:1000 "await:go.$transport" half eof
		wait_said first 'send:1000 done'
		start second "$SOCKXFER" send -v -V "$address" "$BATS_FILE_TMPDIR/data"
		wait_said second 'connected to'
		start third "$SOCKXFER" send -v -V "$address" in.jpg
		wait_said third 'connected to'
		running second
		running third
		touch "go.$transport"
		finish first
		finish second
		finish third
		finish us
		same out expected
		activations 0 0 0
		rm out
	done
}

@test "a transfer that breaks off does not keep the next one from being activated" {
	launch '-k 2 listen' 4 "$SOCKXFER" recv fd:3 out
	scripted first connect "$address" send:1000 reset
	finish first
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same "$BATS_FILE_TMPDIR/data" out
	activations 1 0
}

@test "a receiver that is killed does not keep the next one from being activated" {
	mkdir d
	mkfifo pipe
	exec 8<>pipe
	launch '-k 2 listen' 4 "$SOCKXFER" recv fd:3 d/out
	start first "$SOCKXFER" send "$address" pipe
	head -c 1000 /dev/zero >&8
	wait_for child_of us
	wait_for written child 1000
	start second "$SOCKXFER" send -v -V "$address" "$BATS_FILE_TMPDIR/data"
	wait_said second 'connected to'
	kill -KILL "${PID[child]}"
	finish first 1
	finish second
	finish us
	same "$BATS_FILE_TMPDIR/data" d/out
	has us.out 'killed by 9'
	has us.out 'exited with 0'
}

@test "a port scan activates a receiver, which then waits for a sender" {
	launch listen 4 "$SOCKXFER" recv -v fd:3 out
	scripted scan connect "$address" close
	finish scan
	wait_said us 'gone without a byte'
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same "$BATS_FILE_TMPDIR/data" out
}

@test "systemd's own launcher activates as the one of these tests does" {
	local options

	need systemd-socket-activate
	for options in '' -a '-a --inetd'; do
		free_port
		# shellcheck disable=SC2086  # words
		start us systemd-socket-activate $options -l "127.0.0.1:$port" \
			"$SOCKXFER" recv "fd:$([[ $options == *inetd ]] && echo 0 || echo 3)" out
		wait_for listening "$port"
		start send "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
		finish send
		same "$BATS_FILE_TMPDIR/data" out
		rm out
		if [ -z "$options" ]; then finish us; else stop us; fi
	done
}

### The manual page's

# The literal displays of the section on inetd and systemd whose first line begins with $1.
displays() {
	sed -n '/^\.Ss From inetd and systemd/,/^\.S[hs] [^F]/p' "$MAN" | awk -v first="$1" '
	/^\.Ed/ { here = 0 }
	here == 1 { here = index($0, first) == 1 ? 2 : 3 }
	here == 2
	/^\.Bd -literal/ { here = 1 }' | sed 's/\\e/\\/g; s/\\-/-/g; s/\\&//g'
}

# Writes the units into the directory units, with a program that is there, and their names, from there, into $names.
extract_units() {
	mkdir units
	displays '# /etc/systemd/system/' | sed "s:/usr/local/bin/sockxfer:$SOCKXFER:" | awk '
	/^# \/etc\/systemd\/system\// {
		file = "units/" substr($0, 23)
		if (match(file, /\.d\//)) system("mkdir -p " substr(file, 1, RSTART + 2))
	}
	{ print >file }'
	mapfile -t names < <(cd units && find . -type f | sed 's:^\./::' | sort)
	[ "${names[*]}" = 'sockxfer-.service.d/sandbox.conf sockxfer-dump.service sockxfer-dump.socket sockxfer-inbox.socket sockxfer-inbox@.service' ]
}

# setting UNIT NAME: its value.
setting() {
	sed -n "s/^$2=//p" "units/$1"
}

@test "systemd has nothing to say about the units of the manual page" {
	need systemd-analyze
	extract_units
	SYSTEMD_UNIT_PATH=$PWD/units: run systemd-analyze verify --man=no units/*.socket units/*.service
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "systemd counts the services of the manual page as safe" {
	local unit

	need systemd-analyze
	systemd-analyze --help | grep -q -e --offline || skip "needs systemd 250"
	extract_units
	for unit in units/*.service; do
		SYSTEMD_UNIT_PATH=$PWD/units: run systemd-analyze security --offline=true --threshold=15 "$unit"
		echo "$output"
		[ "$status" -eq 0 ]
	done
}

@test "what the services of the manual page start works as written, again and again" {
	local unit manner words

	extract_units
	for unit in sockxfer-dump sockxfer-inbox@; do
		[[ $(setting "$unit.service" WorkingDirectory) = "%S/$(setting "$unit.service" StateDirectory)" ]]
		manner=listen
		[ "$(setting "${unit%@}.socket" Accept)" != yes ] || manner=accept
		words=$(setting "$unit.service" ExecStart)
		read -ra words <<<"${words//%i/0-127.0.0.1:9010-127.0.0.1:4711}"
		launch "-k 2 $manner" 4 "${words[@]}"
		start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
		finish send
		same "$BATS_FILE_TMPDIR/data" "${words[-1]}"
		has us.err "received 3000000 bytes"
		[ "$manner" = listen ] || mv "${words[-1]}" first
		start send "$SOCKXFER" send -V "$address" /dev/null
		finish send
		finish us
		[ ! -s "${words[-1]}" ]
		activations 0 0
	done
}

@test "a sender that cannot send is not activated again and again for the same peer" {
	launch '-k 2 listen' 4 "$SOCKXFER" send fd:3 no-such-file
	scripted first connect "$address" gone
	finish first
	scripted second connect "$address" gone
	finish second
	finish us
	activations 1 1
}

@test "a usage error resets the connection for which it was started: it is not the end of an empty stream" {
	local words

	for words in 'send fd:3 -w 5m /etc/hostname' 'recv --bogus fd:3 out' 'send -r 3 fd:3 /etc/hostname' 'send fd:3 a b c/a'; do
		# shellcheck disable=SC2086  # words
		launch accept 4 "$SOCKXFER" $words
		scripted peer connect "$address" gone
		finish peer
		finish us 2
	done
}

# What is to be on one line, with the path of this test.
inetd_line() {
	displays '9009 stream' | sed "s:/usr/local/bin/sockxfer:$SOCKXFER:; s:/srv/in/:$PWD/:" | paste -sd ' '
}

@test "inetd's line of the manual page works as written" {
	local words

	inetd_line >line
	has_not line '"' # not every inetd knows them
	has_not line "'"
	read -ra words <line
	[ "${words[*]:1:3}" = 'stream tcp nowait' ]
	[ "${words[6]}" = sockxfer ]
	launch inetd 4 "${words[5]}" "${words[@]:7}"
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same "$BATS_FILE_TMPDIR/data" dump
	launch inetd 4 "${words[5]}" "${words[@]:7}"
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish us 1
	finish send 6
}

@test "the script for inetd of the manual page keeps what is said from the peer" {
	displays '#!/bin/sh' | sed "s:/usr/local/bin/sockxfer:$SOCKXFER:; s:/srv/in/:$PWD/:; s:/var/log/:$PWD/:" >script
	chmod +x script
	echo before >dump
	launch inetd 4 ./script
	hears gone
	finish us 1
	same heard <(echo sockxfer/1 failed File exists)
	has sockxfer 'File exists'
	rm dump
	launch inetd 4 ./script
	hears eof
	finish us
	[ "$(stat -c %s dump)" -eq 1000 ]
}

@test "-l with a descriptor that is no socket says that it cannot listen there, after what is wrong with the port file" {
	run --separate-stderr "$SOCKXFER" recv -l fd:9 out
	[ "$status" -eq 2 ]
	[ "$stderr" = "sockxfer: recv: listen: fd:9: Bad file descriptor" ]
	run --separate-stderr "$SOCKXFER" recv -l fd:9 --port-file no/such/port out
	[ "$status" -eq 1 ]
	[ "$stderr" = "sockxfer: recv: --port-file: no/such/port: No such file or directory" ]
}
