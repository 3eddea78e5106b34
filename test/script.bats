#!/usr/bin/env bats
# What a script needs: a peer that comes later, a port that it did not choose, a stranger that never ends.

load helper

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

### -r

# retries SECONDS ADDRESS ARGUMENT...: starts a sender, "send", that has failed to connect at least once.
retries() {
	local seconds=$1 address=$2

	shift 2
	start send "${NS[@]}" "$SOCKXFER" send -v -r "$seconds" "$@" "$address" "$BATS_FILE_TMPDIR/data"
	wait_said send '; trying again'
}

@test "-r waits for a receiver that comes later, over TCP and a unix socket" {
	local address

	free_port
	for address in "127.0.0.1:$port" unix:late.socket; do
		retries 60 "$address" -V
		start recv "$SOCKXFER" recv -l "$address" out
		finish send
		finish recv
		same out "$BATS_FILE_TMPDIR/data"
		rm out
	done
}

@test "-r waits for a sender that comes later, too" {
	free_port
	start recv "$SOCKXFER" recv -v -r 60 "127.0.0.1:$port" out
	wait_said recv '; trying again'
	start send "$SOCKXFER" send -l "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
}

@test "-r ends after its time with what the last try said, and how many there were" {
	local since now busy fewest=4

	free_port
	clock since
	start send "$SOCKXFER" send -r 1 "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send 1
	clock now
	[ $((now - since)) -ge 1000 ]
	took $((now - since)) 2500
	[ "$(wc -l <send.err)" -eq 1 ] # no line for each try, nor the hint to try again
	# After 0, 0.1, 0.3 and 0.7 s and at the end; fewer where the machine is busy.
	measure_load
	[ "$busy" -eq 1 ] || fewest=2
	grep -qE "^sockxfer: send: gave up after [$fewest-6] tries: 127\.0\.0\.1:$port: connect: Connection refused$" send.err
}

@test "-r pauses for longer and longer, and not for ever" {
	need_plain_build # a leak sanitizer cannot be traced
	need strace
	free_port
	start send strace -f -qq -e trace=connect -r -o trace "$SOCKXFER" send -r 8 "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send 1
	grep -c connect trace >tries
	# 0.1, 0.2, 0.4, 0.8, 1.6, 2, 2 and the rest; fewer where the machine is slow
	[ "$(<tries)" -ge 5 ] && [ "$(<tries)" -le 10 ]
}

# Where the port is the only one that a connection can have at its own end, each try meets itself.
@test "-r to a local port that meets itself leaves that port free for the receiver" {
	need ss
	make_namespace
	set_in_namespace net.ipv4.ip_local_port_range '40001 40001'
	ours send send -v -r 60 127.0.0.1:40001 "$BATS_FILE_TMPDIR/data"
	wait_said send '127.0.0.1:40001: connect: Connection refused; trying again'
	ours send6 send -r 1 '[::1]:40001' "$BATS_FILE_TMPDIR/data"
	finish send6 1
	has send6.err '[::1]:40001: connect: Connection refused'
	wait_for stopped_between_tries
	ours recv recv -p 40001 out
	wait_for listening 40001
	[ -z "$("${NS[@]}" ss -Htan state time-wait)" ]
	kill -CONT "${PID[send]}"
	# Now it cannot come from another port.
	set_in_namespace net.ipv4.ip_local_port_range '40002 50000'
	finish send
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
}

stopped_between_tries() {
	kill -STOP "${PID[send]}"
	wait_for grep -q '^State:.T' "/proc/${PID[send]}/status"
	[ -n "$("${NS[@]}" ss -Htan state connected exclude time-wait)" ] || return 0
	kill -CONT "${PID[send]}"
	return 1
}

@test "-W ends the tries of -r, as a timeout; -w is the limit of one of them" {
	local since

	free_port
	clock since
	start send "$SOCKXFER" send -r 60 -W 0.5 "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send 3
	soon 5000 "$since"
	has send.err 'the time limit of -W has passed'
	has send.err 'Connection refused'
	make_namespace
	drop_in_namespace "tcp dport $port"
	start send "${NS[@]}" "$SOCKXFER" send -v -r 1 -w 0.2 "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send 3
	has send.err 'connect: timed out; trying again'
	has send.err 'gave up after '
}

# black_hole: a namespace where nothing answers at port 9, nor any name server.
black_hole() {
	need nft
	make_namespace
	echo 'nameserver 127.0.0.1' | replace_in_namespace /etc/resolv.conf
	echo 'hosts: dns' | replace_in_namespace /etc/nsswitch.conf
	"${NS[@]}" nft -f - <<-END
		table inet holes {
			chain input {
				type filter hook input priority 0
				tcp dport 9 drop
				udp dport 53 drop
			}
		}
	END
}

# Left to the kernel or to -w, it would take minutes.
@test "-r bounds each try, the first too, whether an answer or a name is waited for" {
	local since

	black_hole
	clock since
	ours send send -r 1 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	finish send 3
	[ "$(head -n 1 send.err)" = 'sockxfer: send: 127.0.0.1:9: connect: timed out' ]
	ours recv recv -r 1 -w 200 127.0.0.1:9 out
	finish recv 3
	ours name send -r 1 -w 200 host.example:9 "$BATS_FILE_TMPDIR/data"
	finish name 3
	[ "$(head -n 1 name.err)" = 'sockxfer: send: host.example:9: resolve: timed out' ]
	soon 20000 "$since"
}

### How long it takes to connect

# told_once NAME: it is, while it waits.
told_once() {
	wait_said "$1" 'connecting to '
	kill -TERM "${PID[$1]}"
	finish "$1" 143
	[ "$(cat "$1.out" "$1.err" | grep -c 'connecting to ')" -eq 1 ]
}

@test "that there is no answer for two seconds is told once, with -v and on a terminal, and not with -q" {
	local on_terminal=("$PYTHON" "$ROOT/test/fault/terminal.py" "$SOCKXFER")

	black_hole
	ours address send -v 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	ours name recv -v host.example:9 out
	ours source send -v -s us.example 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	ours tries send -v -w 3 -r 7 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	ours silent send -w 3 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	ours short send -v -w 1 -r 3 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	start terminal "${NS[@]}" "${on_terminal[@]}" send -w 10 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	start quiet "${NS[@]}" "${on_terminal[@]}" send -q -w 3 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	told_once address
	has address.err 'sockxfer: send: connecting to 127.0.0.1:9 ...'
	told_once name
	has name.err 'sockxfer: recv: connecting to host.example:9 ...'
	told_once source
	finish tries 3
	[ "$(grep -c 'connecting to ' tries.err)" -eq 1 ]
	finish terminal 3
	[ "$(grep -cF 'connecting to 127.0.0.1:9 ...' terminal.out)" -eq 1 ]
	finish silent 3
	has_not silent.err 'connecting to'
	finish short 3
	has_not short.err 'connecting to'
	finish quiet 3
	has_not quiet.out 'connecting to'
}

@test "a unix socket whose backlog is full is told of in the same way" {
	cat >full.py <<-END
		import socket, time
		listener = socket.socket(socket.AF_UNIX)
		listener.bind("socket")
		listener.listen(0)
		waits = socket.socket(socket.AF_UNIX)
		waits.connect("socket")
		print("full", flush=True)
		time.sleep(300)
	END
	start them "$PYTHON" full.py
	wait_said them full
	ours us send -v unix:socket "$BATS_FILE_TMPDIR/data"
	told_once us
	has us.err 'send: connecting to unix:socket ...'
	stop them
}

@test "where there is an answer in time, nothing is said of connecting" {
	free_port
	retries 60 "127.0.0.1:$port"
	pass 2.5
	running send
	ours recv recv -p "$port" out
	finish send
	finish recv
	has_not send.err 'connecting to'
}

@test "what no waiting mends ends -r at once" {
	local since

	clock since
	start send "$SOCKXFER" send -r 60 -s ::1 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	finish send 1
	has send.err 'the source address is of the other family'
	start send "$SOCKXFER" send -r 60 -6 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	finish send 1
	has send.err 'hint: it has no address of the family that -4 or -6 asks for'
	start send "$SOCKXFER" send -r 60 unix:/dev/null/x "$BATS_FILE_TMPDIR/data"
	finish send 1
	start send "$SOCKXFER" send -r 60 -s 192.0.2.7 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	finish send 1
	start send "$SOCKXFER" send -r 60 127.0.0.1:no-such-service "$BATS_FILE_TMPDIR/data"
	finish send 2
	soon 10000 "$since"
}

@test "an address of another family does not end -r for the one that may come" {
	make_namespace
	need nft
	free_port
	printf '127.0.0.5 both\n2001:db8::9 both\n' | replace_in_namespace /etc/hosts
	"${NS[@]}" nft -f - <<-END
		table inet holes {
			chain input {
				type filter hook input priority 0
				tcp dport $port reject with icmpx host-unreachable
			}
		}
	END
	start send "${NS[@]}" "$SOCKXFER" send -v -r 60 -s 127.0.0.1 "both:$port" "$BATS_FILE_TMPDIR/data"
	wait_said send '; trying again'
	"${NS[@]}" nft delete table inet holes
	ours recv recv -v -l "127.0.0.5:$port" out
	finish send
	finish recv
}

@test "where this machine has no address yet, -r waits for one" {
	make_namespace
	"${NS[@]}" ip -6 addr del ::1/128 dev lo
	free_port
	start send "${NS[@]}" "$SOCKXFER" send -v -r 60 "[::1]:$port" "$BATS_FILE_TMPDIR/data"
	wait_said send '; trying again'
	"${NS[@]}" ip -6 addr add ::1/128 dev lo
	ours recv recv -v -l "[::1]:$port" out
	finish send
	finish recv
}

@test "a signal ends -r within its pause" {
	free_port
	start send "$SOCKXFER" send -v -r 60 "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	wait_said send '; trying again'
	kill -TERM "${PID[send]}"
	finish send 143
	[ "$(grep -vc 'trying again' send.err)" -eq 0 ]
}

@test "-r where we listen is a usage error" {
	start recv "$SOCKXFER" recv -r 5 -p 0 out
	finish recv 2
	has recv.err '-r, --retry: is only for connecting'
	start recv "$SOCKXFER" recv -r 5 fd:0 out
	finish recv 2
}

### --port-file

@test "--port-file has the port, whole and once there is somebody at it, and nothing before" {
	local number

	start us "$SOCKXFER" recv -q -p 0 --port-file port out
	wait_for [ -e port ]
	number=$(<port)
	[[ $number =~ ^[1-9][0-9]*$ ]]
	[ "$(wc -l <port)" -eq 1 ]
	listening "$number"
	start send "$SOCKXFER" send "127.0.0.1:$number" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same out "$BATS_FILE_TMPDIR/data"
	[ ! -s us.err ]
	[ "$(<port)" = "$number" ]
}

@test "--port-file is written in one step: whoever sees it sees all of it" {
	need_plain_build
	need strace
	start us strace -f -qq -e trace=openat,linkat,renameat,renameat2,listen -o trace "$SOCKXFER" recv -q -p 0 --port-file port out
	wait_for [ -e port ]
	kill -TERM "$(pgrep -P "${PID[us]}" -x sockxfer)"
	finish us 143
	cat trace
	grep -qE 'O_TMPFILE' trace
	# the name is given after the last listen(2)
	[ "$(grep -nE 'listen\(' trace | tail -n 1 | cut -d : -f 1)" -lt "$(grep -nE '(linkat|renameat2?)\(.*"port"' trace | head -n 1 | cut -d : -f 1)" ]
}

@test "a port that cannot be had leaves no --port-file, and an old one as it was" {
	receive out
	start them "$SOCKXFER" recv -p "$port" --port-file new other
	finish them 1
	[ ! -e new ]
	echo 1234 >old
	start them "$SOCKXFER" recv -p "$port" --port-file old other
	finish them 1
	[ "$(<old)" = 1234 ]
}

@test "--port-file takes a FIFO, and the port of a sender" {
	local number

	mkfifo pipe
	start us "$SOCKXFER" send -p 0 --port-file pipe "$BATS_FILE_TMPDIR/data"
	read -r number <pipe
	start recv "$SOCKXFER" recv "127.0.0.1:$number" out
	finish recv
	finish us
	same out "$BATS_FILE_TMPDIR/data"
}

@test "a --port-file that cannot be, and one for what has no port, are told before anybody listens" {
	start us "$SOCKXFER" recv -p 0 --port-file no/such/port out
	finish us 1
	has us.err '--port-file: no/such/port: No such file or directory'
	has_not us.err 'listening'
	start us "$SOCKXFER" recv -l unix:socket --port-file port out
	finish us 2
	start us "$SOCKXFER" recv --port-file port 127.0.0.1:9 out
	finish us 2
	start us "$SOCKXFER" recv -p 0 --port-file - out
	finish us 2
	[ ! -e socket ]
}

@test "--port-file knows the port of an inherited socket, if it listens and has one" {
	activated listen 4 "$SOCKXFER" recv --port-file file fd:3 out
	finish us
	[ "$(<file)" = "$port" ]
	same out "$BATS_FILE_TMPDIR/data"
	rm file
	activated accept 4 "$SOCKXFER" recv --port-file file fd:3 other
	finish us 2
	has us.err '--port-file: fd:3 is connected already'
	activated listen unix "$SOCKXFER" recv --port-file file fd:3 other
	finish us 2
	has us.err '--port-file: what listens here has no port'
	# nor where nothing comes of it
	activated listen 4 "$SOCKXFER" recv --port-file file fd:3 no/such/output
	finish us 1
	[ ! -e file ] && [ ! -e other ]
}

# activated MANNER TRANSPORT COMMAND...: launch, and a sender that has the command started, and comes to its end.
activated() {
	launch "$@"
	start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
	wait_for ended "${PID[send]}"
}

@test "a --port-file that is the file of the data, by whatever name, is refused and left alone" {
	echo precious >file
	ln -s file link
	ln file twin
	for name in file link twin ./file; do
		start us "$SOCKXFER" recv -p 0 -w 1 --port-file "$name" file
		finish us 2
		has us.err "--port-file: $name is the file of the data, too"
		start us "$SOCKXFER" send -p 0 -w 1 --port-file "$name" file
		finish us 2
		start us "$SOCKXFER" send -p 0 -w 1 --port-file "$name" <file
		finish us 2
	done
	for name in new ./new "$PWD/new"; do
		start us "$SOCKXFER" recv -p 0 -w 1 --port-file "$name" new
		finish us 2
	done
	start us sh -c '"$0" recv -p 0 -w 1 --port-file /dev/stdout | cat' "$SOCKXFER"
	finish us
	[ ! -s us.out ]
	has us.err 'is the file of the data, too'
	[ "$(<file)" = precious ] && [ ! -e new ]
	# but where stdout is not where the data are
	start us sh -c 'exec "$0" send -q -p 0 -w 0.2 --port-file /dev/stdout <file' "$SOCKXFER"
	finish us 3
	grep -qxE '[0-9]+' us.out
}

@test "a descriptor of our own is not to be named, nor the connection" {
	local n

	for n in 3 4 5 6; do
		start us "$SOCKXFER" recv -p 0 -w 0.2 --port-file "/dev/fd/$n" out
		finish us 1
		has us.err "/dev/fd/$n: Bad file descriptor"
	done
	activated accept 4 "$SOCKXFER" recv fd:3 /dev/fd/3
	finish us 2
	has us.err '/dev/fd/3 is the connection itself'
	[ ! -e out ]
}

@test "--port-file /dev/stdout and the like write where the descriptor stands" {
	echo earlier >log
	start us sh -c 'exec "$0" recv -q -p 0 -w 0.2 --port-file /dev/stdout out >>log' "$SOCKXFER"
	finish us 3
	[ "$(head -n 1 log)" = earlier ]
	[[ $(tail -n 1 log) =~ ^[0-9]+$ ]]
	start us sh -c 'exec 5>>log; exec "$0" recv -q -p 0 -w 0.2 --port-file /dev/fd/5 out' "$SOCKXFER"
	finish us 3
	[ "$(wc -l <log)" -eq 3 ]
}

### --idle-eof

@test "-W is not put off by --idle-eof" {
	free_port
	reaching stranger "127.0.0.1:$port" send:1000 gone
	start us "$SOCKXFER" recv -W 0.5 --idle-eof 5 -p "$port" out
	finish us 3
	finish stranger
	[ ! -e out ]
}

@test "--idle-eof takes the silence of a stranger that never ends for its end, and says so" {
	local transport where

	for transport in tcp unix; do
		where=127.0.0.1:0
		[ "$transport" = tcp ] || where=unix:socket
		start us "$SOCKXFER" recv -v --json --idle-eof 0.5 -l "$where" out
		wait_said us 'listening on'
		scripted stranger connect "$(sed -n 's/.*listening on //p' us.err)" send:300000 eof
		finish us
		finish stranger
		"$PYTHON" "$PEER/pattern.py" 300000 | same out -
		has us.err ', ended by silence, not confirmed'
		jq -e '.ended == "ended by silence" and .exit == 0 and .error == null' us.out
		rm out
	done
}

@test "--idle-eof says nothing to the stranger, who may yet speak: no receipt, and what comes then is refused" {
	receive --idle-eof 0.3 out
	scripted stranger connect "127.0.0.1:$port" send:1000 eof save:heard
	finish us
	finish stranger
	[ ! -s heard ]
	rm out
	receive --idle-eof 0.3 out
	scripted stranger connect "127.0.0.1:$port" send:1000 await:over send:1000 pause:0.1 send:1000
	finish us
	touch over
	finish stranger 1
	grep -qE 'Broken pipe|reset' stranger.err
}

@test "--idle-eof does not hurry a stranger: neither before the first byte nor between two" {
	receive --idle-eof 1 out
	scripted stranger connect "127.0.0.1:$port" pause:1.5 send:1000 pause:0.4 send:1000 pause:0.4 send:1000 half eof
	finish stranger
	finish us
	"$PYTHON" "$PEER/pattern.py" 3000 | same out -
	has_not us.err 'silence'
}

@test "--idle-eof does not take one of ours for a stranger over a unix socket, however slow" {
	mkfifo pipe
	exec 8<>pipe
	start us "$SOCKXFER" recv -v --idle-eof 0.3 -l unix:socket out
	wait_said us 'listening on'
	start send "$SOCKXFER" send -V unix:socket <pipe
	echo first >&8
	pass 1
	running us
	echo second >&8
	exec 8>&-
	finish send
	finish us
	[ "$(<out)" = $'first\nsecond' ]
	has_not us.err 'silence'
}

@test "--idle-eof with the digest that was expected is certain; with another it is 4 and no file" {
	need xxh128sum
	"$PYTHON" "$PEER/pattern.py" 1000 >data
	receive --idle-eof 0.3 -E "xxh128:$(xxh128sum <data | cut -d ' ' -f 1)" out
	scripted stranger connect "127.0.0.1:$port" send:1000 eof
	finish us
	finish stranger
	has_not us.err 'not confirmed'
	same out data
	receive --idle-eof 0.3 -E xxh128:00000000000000000000000000000000 other
	scripted stranger connect "127.0.0.1:$port" send:1000 gone
	finish us 4
	[ ! -e other ]
}

@test "a sender of ours that is too slow for --idle-eof over TCP learns that it was not all" {
	mkfifo pipe
	exec 8<>pipe
	receive --idle-eof 0.3 out
	start send "$SOCKXFER" send "127.0.0.1:$port" <pipe
	echo first >&8
	finish us
	has us.err 'ended by silence, not confirmed'
	echo second >&8
	exec 8>&-
	finish send 1
	has send.err 'connection reset'
}

@test "a timeout of -w names --idle-eof, which has to be the shorter of the two" {
	free_port
	reaching stranger "127.0.0.1:$port" send:1000 gone
	start us "$SOCKXFER" recv -w 0.3 -p "$port" out
	finish us 3
	has us.err 'receive: timed out after 1000 bytes'
	has us.err 'hint: is the link up? For nc without -N there is --idle-eof SECONDS'
	[ ! -e out ]
	# Not where nothing came, for that is no end.
	free_port
	reaching stranger "127.0.0.1:$port" gone
	start us "$SOCKXFER" recv -w 0.3 -p "$port" out
	finish us 3
	has_not us.err 'idle-eof'
	start us "$SOCKXFER" recv -w 2 --idle-eof 2 -p 0 out
	finish us 2
	has us.err '--idle-eof: has to be shorter than -w'
}

@test "plain nc, which never ends its stream, is served with --idle-eof" {
	need nc.openbsd
	mkfifo pipe
	exec 8<>pipe
	receive --idle-eof 0.5 out
	"$PYTHON" "$PEER/pattern.py" 300000 >data
	start nc nc.openbsd 127.0.0.1 "$port" <data
	finish us
	same out data
	has us.err ', ended by silence, not confirmed'
	finish nc
}
