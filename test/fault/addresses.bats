#!/usr/bin/env bats
# Faults before there is a connection: names, dead addresses, ports.
# shellcheck disable=SC2154  # address, port: set by the helpers

load ../helper
load fault

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# fails STATUS TEXT ARGUMENT...
fails() {
	local status=$1 text=$2

	shift 2
	ours us "$@"
	finish us "$status"
	one_line us.err
	has us.err "$text"
}

hanging_dns() {
	make_namespace
	echo 'nameserver 127.0.0.1' | replace_in_namespace /etc/resolv.conf
	echo 'hosts: dns' | replace_in_namespace /etc/nsswitch.conf
	drop_in_namespace 'udp dport 53'
}

@test "a name that does not resolve: exit 1, with the name" {
	make_namespace
	echo 'hosts: files' | replace_in_namespace /etc/nsswitch.conf
	fails 1 nosuch.invalid send nosuch.invalid:9 "$BATS_FILE_TMPDIR/data"
	fails 1 nosuch.invalid recv nosuch.invalid:9 out
	[ ! -e out ]
}

@test "a name server that does not answer: exit 3 with -w, soon" {
	local since

	hanging_dns
	clock since
	fails 3 host.example send -w 0.5 host.example:9 "$BATS_FILE_TMPDIR/data"
	soon 4000 "$since"
	clock since
	fails 3 host.example recv -w 0.5 host.example:9 out
	soon 4000 "$since"
}

# The look-up is one thread with two descriptors, and we hold its pipe; what it asks next may take a socket more.
@test "a name server that does not answer: -r waits for one look-up, and leaves none behind with each try" {
	local pid threads descriptors

	hanging_dns
	ours us send -v -w 0.1 -r 60 -s us.example host.example:9 "$BATS_FILE_TMPDIR/data"
	wait_for tried us 3
	pid=${PID[us]}
	threads=$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)
	descriptors=$(find "/proc/$pid/fd" -type l | wc -l)
	wait_for tried us 7
	[ "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)" -le "$threads" ]
	[ "$(find "/proc/$pid/fd" -type l | wc -l)" -le $((descriptors + 1)) ]
	kill -TERM "$pid"
	finish us 143
}

# tried NAME COUNT
tried() {
	[ "$(grep -c 'resolve: timed out; trying again' "$1.err")" -ge "$2" ]
}

@test "a name server that does not answer: ^C works" {
	hanging_dns
	watched us
	connect_as us send host.example:9 "$BATS_FILE_TMPDIR/data"
	wait_for asks_dns
	signal_to us INT
}

asks_dns() {
	[ -s us.pid ] && find "/proc/$(pid_of us)/fd" -lname 'socket:*' | grep -q .
}

# What a process costs to start on this machine is not the race's.
time_of() {
	local before after

	clock before
	ours "$@"
	finish "$1"
	clock after
	elapsed=$((after - before))
}

@test "IPv6 black-holed, IPv4 works: connected within half a second" {
	local directly

	make_namespace
	printf '%s\n' '127.0.0.1 localhost both' '::1 both' | replace_in_namespace /etc/hosts
	echo 'hosts: files' | replace_in_namespace /etc/nsswitch.conf
	drop_in_namespace 'ip6 daddr ::1 tcp flags syn'
	scripted_listen first tcp4 eof
	time_of us send "$address" "$BATS_FILE_TMPDIR/data"
	directly=$elapsed
	scripted_listen second tcp4 eof
	port_of_address
	time_of us send "both:$port" "$BATS_FILE_TMPDIR/data"
	finish first
	finish second
	echo "$directly ms directly, $elapsed ms past the black hole" >&2
	took $((elapsed - directly)) 900 # a SYN is sent again after 1000
	[ "$elapsed" -ge 250 ]
}

@test "a port in use: exit 1, with the address" {
	scripted_listen taken tcp4 eof
	port_of_address
	fails 1 "$port" recv -p "$port" out
	has us.err 'Address already in use'
	fails 1 "$port" send -l "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	[ ! -e out ]
}

@test "port 0: the chosen port is printed, and works" {
	receive out
	[ "$port" -gt 0 ]
	start send "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same out "$BATS_FILE_TMPDIR/data"
}

@test "ports 65536, -1, 80x and none: exit 2" {
	local bad

	for bad in 65536 -1 80x ''; do
		fails 2 port recv -p "$bad" out
		fails 2 port send "127.0.0.1:$bad" "$BATS_FILE_TMPDIR/data"
	done
}

@test "a family that is denied when -C is looked at fails no transfer to several receivers" {
	local one

	need_strace
	random_file in 1000
	ours r1 recv -v -l 127.0.0.1:0 a
	find_address r1
	one=$address
	ours r2 recv -v -l 127.0.0.1:0 b
	find_address r2
	# Without -f: only the first process, which looks, and not the workers, which connect.
	start send strace -qq -o trace -e trace=socket -e inject=socket:error=EAFNOSUPPORT:when=1 \
		"$SOCKXFER" send -V -C reno "$one,$address" in
	finish send
	finish r1
	finish r2
	has trace EAFNOSUPPORT
	[ ! -s send.err ]
	same a in
	same b in
}
