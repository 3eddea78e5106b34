#!/usr/bin/env bats
# The hand-over: what to run at the other end is printed, and works there as it is printed. "There" is a
# directory of that name, in a namespace whose one interface has addresses of both families.
# shellcheck disable=SC2154  # port: free_port sets it

load helper

# Enough to fill the socket buffers of both sides, so that an end that comes too early shows.
setup_file() {
	head -c 3000000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

OTHER='On the other machine: '
HERE='On this machine: '
FIRST='First, at the other end: '

# The namespace with its addresses; the kernel would go by 172.16.0.9 and 2001:db8:7::9 towards the
# internet. v1 is up, but leads nowhere, and v2 is down.
make_machine() {
	local command

	make_namespace
	"${NS[@]}" ip link add v0 type veth peer name w0 2>/dev/null || skip "needs veth"
	while read -r command; do
		# shellcheck disable=SC2086  # words
		"${NS[@]}" ip $command
	done <<-'END'
		link add v1 type veth peer name w1
		link add v2 type veth peer name w2
		link set v0 addrgenmode none
		link set w0 addrgenmode none
		link set v1 addrgenmode none
		link set w2 addrgenmode none
		link set v0 up
		link set w0 up
		link set v1 up
		link set w2 up
		addr add 169.254.7.7/16 dev v0
		addr add 10.0.0.5/8 dev v0
		addr add 172.16.0.9/12 dev v0
		addr add 192.168.1.1/24 dev v1
		addr add 192.168.2.1/24 dev v2
		addr add fe80::7/64 dev v0 nodad
		addr add fd00::5/64 dev v0 nodad
		addr add 2001:db8:7::9/64 dev v0 nodad
		route add default dev v0 src 172.16.0.9
		-6 route add default dev v0 src 2001:db8:7::9
	END
}

# The programs that the commands name, at the other end; fails where this machine does not have $1.
make_tools() {
	mkdir -p bin there
	printf '#!/bin/sh\nexec "%s" "$@"\n' "$SOCKXFER" >bin/sockxfer
	printf '#!/bin/sh\nexec "%s" "$@"\n' "$PYTHON" >bin/python3
	printf '#!/bin/sh\nexec nc.openbsd "$@"\n' >bin/nc
	chmod +x bin/*
	PATH=$PWD/bin:$PATH
	case $1 in
	nc) need nc.openbsd ;;
	python) need "$PYTHON" ;;
	busybox) need busybox && { busybox --list | grep -qx nc || skip "needs busybox nc"; } ;;
	*) need "$1" ;;
	esac
	mkfifo silent
	exec 8<>silent
}

# on_terminal NAME ARGUMENT...: sockxfer, with a terminal for its stdin and messages.
on_terminal() {
	local name=$1

	shift
	start "$name" "${NS[@]}" "$PYTHON" "$ROOT/test/fault/terminal.py" "$SOCKXFER" "$@"
}

# Sets $command to what us has printed behind the text $1.
handed_over() {
	wait_said us "$1"
	command=$(sed -n "s/^$1//p" us.out us.err | tr -d '\r')
	echo "$command"
}

# Runs the command that was handed over, there, by the shell $1, with a stdin like an idle terminal's.
paste() {
	start peer "${NS[@]}" "$1" -c "cd there && $command" <&8
}

# us ROLE TOOL ARGUMENT...: our end, which hands over for that tool: sockxfer does so by itself on a terminal.
us() {
	local role=$1 tool=$2

	shift 2
	case $tool in
	sockxfer) on_terminal us "$role" "$@" ;;
	*) ours us "$role" --peer "$tool" "$@" ;;
	esac
}

# Both ends come to an end by themselves, with 0, and the file that arrived is whole.
arrives() {
	finish us
	finish peer
	same "$1" "$2"
}

# peer_connects TOOL NAME PREFIX ADDRESS...: the tool sends us a file called NAME, and gets one from us. We
# listen as ADDRESS says; PREFIX stands before the command.
peer_connects() {
	local tool=$1 name=$2 prefix=$3

	shift 3
	rm -rf -- "$name" "there/$name"
	cp "$BATS_FILE_TMPDIR/data" "there/$name"
	us recv "$tool" "$@" "./$name"
	handed_over "$prefix"
	paste sh
	arrives "./$name" "there/$name"

	rm -- "there/$name"
	us send "$tool" "$@" "./$name"
	handed_over "$prefix"
	paste sh
	arrives "./$name" "there/$name"
}

# first_listens ARGUMENT...: the other end listens by the command that we print before we fail to connect; then
# we connect indeed.
first_listens() {
	ours us "$@"
	finish us 1
	handed_over "$FIRST"
	paste sh
	wait_for "${listens[@]}"
	ours us "$@"
}

# peer_listens TOOL NAME ADDRESS...: likewise where the tool listens.
peer_listens() {
	local tool=$1 name=$2

	shift 2
	rm -rf -- "$name" "there/$name"
	cp "$BATS_FILE_TMPDIR/data" "there/$name"
	first_listens recv --peer "$tool" "$@" "./$name"
	arrives "./$name" "there/$name"

	# All addresses are this machine's, where the name could be that of the very file.
	first_listens send --peer "$tool" "$@" "./$name"
	arrives "./$name" there/FILE
	rm there/FILE
}

# All of it for one tool, by both families.
by_address() {
	local tool=$1 listens

	make_tools "$tool"
	make_machine
	free_port
	listens=(listening "$port")
	peer_connects "$tool" out.jpg "$OTHER" -4 -p "$port"
	[[ $command == *172.16.0.9* ]]
	peer_connects "$tool" out.jpg "$OTHER" -6 -p "$port"
	[[ $command == *2001:db8:7::9* ]]
	peer_connects "$tool" out.jpg "$OTHER" -l "[fe80::7%v0]:$port"
	[ "$tool" != sockxfer ] || return 0 # it is not for --peer
	peer_listens "$tool" out.jpg "172.16.0.9:$port"
	peer_listens "$tool" out.jpg "[2001:db8:7::9]:$port"
}

@test "sockxfer's command works as printed, sending and receiving, by IPv4 and IPv6" { by_address sockxfer; }
@test "--peer nc: its commands work as printed, in both directions and roles, by IPv4 and IPv6" { by_address nc; }
@test "--peer ncat: its commands work as printed, in both directions and roles, by IPv4 and IPv6" { by_address ncat; }
@test "--peer socat: its commands work as printed, in both directions and roles, by IPv4 and IPv6" { by_address socat; }
@test "--peer busybox: its commands work as printed, in both directions and roles, by IPv4 and IPv6" { by_address busybox; }
@test "--peer python: its commands work as printed, in both directions and roles, by IPv4 and IPv6" { by_address python; }

# odd_names TOOL: names that a shell, an option parser or the tool would take for something else.
odd_names() {
	local name listens

	make_tools "$1"
	make_machine
	free_port
	listens=(listening "$port")
	for name in "it's a photo.jpg" -x 'a b' 'a,b:c!!d' '[a]{b}(c)\d"e' '=$(touch oops)~*' a:80 unix:x; do
		peer_connects "$1" "$name" "$OTHER" -6 -p "$port"
	done
	[ ! -e oops ] && [ ! -e there/oops ]
	[ "$1" != sockxfer ] || return 0
	peer_listens "$1" "it's a photo.jpg" "172.16.0.9:$port"
}

@test "sockxfer's command is right whatever the file is called" { odd_names sockxfer; }
@test "--peer nc: the command is right whatever the file is called" { odd_names nc; }
@test "--peer ncat: the command is right whatever the file is called" { odd_names ncat; }
@test "--peer socat: the command is right whatever the file is called" { odd_names socat; }
@test "--peer busybox: the command is right whatever the file is called" { odd_names busybox; }
@test "--peer python: the command is right whatever the file is called" { odd_names python; }

# by_unix TOOL: over a unix socket, whose path is given from here and used from there.
by_unix() {
	local tool=$1 listens=(listening_unix "$PWD/it's,a:socket")

	make_tools "$tool"
	cp "$BATS_FILE_TMPDIR/data" there/out
	us recv "$tool" -l "unix:it's,a:socket" out
	handed_over "$HERE"
	paste sh
	arrives out there/out

	us send "$tool" -l "unix:it's,a:socket" out
	handed_over "$HERE"
	paste sh
	arrives out there/FILE
	[ "$tool" != sockxfer ] || return 0

	mv there/out there/got
	rm there/FILE
	first_listens recv --peer "$tool" "unix:it's,a:socket" got
	arrives got there/got
	rm -f "it's,a:socket"
	first_listens send --peer "$tool" "unix:it's,a:socket" out
	arrives out there/FILE
}

@test "sockxfer's command works over a unix socket" { by_unix sockxfer; }
@test "--peer nc: its commands work over a unix socket" { by_unix nc; }
@test "--peer ncat: its commands work over a unix socket" { by_unix ncat; }
@test "--peer socat: its commands work over a unix socket" { by_unix socat; }
@test "--peer python: its commands work over a unix socket" { by_unix python; }

@test "with -R, and -r, sockxfer's command has them as well, and works as printed" {
	make_tools sockxfer
	cp "$BATS_FILE_TMPDIR/data" there/data
	free_port
	on_terminal us recv -R -r 20 -l "127.0.0.1:$port" data
	handed_over "$HERE"
	[ "$command" = "sockxfer send -R -r 20 -V 127.0.0.1:$port data" ]
	paste sh
	arrives data there/data

	rm there/data
	on_terminal us send -R -l "127.0.0.1:$port" data
	handed_over "$HERE"
	[ "$command" = "sockxfer recv -R 127.0.0.1:$port FILE" ]
	paste sh
	arrives data there/FILE
}

@test "bash and zsh take the command as sh does" {
	local shell name="it's a photo.jpg"

	make_tools sockxfer
	make_machine
	free_port
	cp "$BATS_FILE_TMPDIR/data" "there/$name"
	for shell in bash zsh; do
		if ! command -v "$shell" >/dev/null; then
			echo "# not on this machine: $shell" >&3
			continue
		fi
		us recv sockxfer -6 -p "$port" "$name"
		handed_over "$OTHER"
		[[ $command == *"'[2001:db8:7::9]:$port' 'it"* ]]
		paste "$shell"
		arrives "$name" "there/$name"
		rm "$name"
	done
}

### What is printed, and when

# prints LINE...: sockxfer with $arguments, on a terminal, prints these lines, and then that nobody came.
prints() {
	# shellcheck disable=SC2086  # words
	on_terminal us $arguments -w 0.2
	finish us 3
	printf '%s\n' "$@" "sockxfer: ${arguments%% *}: accept: timed out" | diff - <(tr -d '\r' <us.out)
}

@test "on a terminal a receiver prints where it listens, the command, and other addresses" {
	local arguments

	make_machine
	free_port
	arguments="recv -p $port dir/out.jpg"
	mkdir dir
	prints "sockxfer: recv: listening on 0.0.0.0:$port, [::]:$port" \
		"On the other machine: sockxfer send -V 172.16.0.9:$port out.jpg" \
		"Or with another address: '[2001:db8:7::9]:$port', 10.0.0.5:$port, '[fd00::5]:$port',\
 169.254.7.7:$port" \
		"Or, with its interface behind %: '[fe80::7%v0]:$port'"
}

@test "for a directory the file of the other end is FILE, for a command it is a command" {
	local arguments

	make_machine
	free_port
	mkdir inbox
	arguments="recv -l 10.0.0.5:$port inbox/"
	prints "sockxfer: recv: listening on 10.0.0.5:$port" \
		"On the other machine: sockxfer send -V 10.0.0.5:$port FILE"
	arguments="recv -w 0.3 -l 10.0.0.5:$port -- cat"
	prints "sockxfer: recv: listening on 10.0.0.5:$port" \
		"On the other machine: sockxfer send -V 10.0.0.5:$port -- COMMAND"
	arguments="send -w 0.3 -l 10.0.0.5:$port -- cat"
	prints "sockxfer: send: listening on 10.0.0.5:$port" \
		"On the other machine: sockxfer recv 10.0.0.5:$port -- COMMAND"
}

@test "a sender that listens prints the same for a receiver" {
	local arguments

	make_machine
	free_port
	picture in.jpg
	arguments="send -4 -p $port in.jpg"
	prints "sockxfer: send: listening on 0.0.0.0:$port" \
		"On the other machine: sockxfer recv 172.16.0.9:$port in.jpg" \
		"Or with another address: 10.0.0.5:$port, 169.254.7.7:$port"
}

@test "-6 restricts the addresses, and one that it is bound to is the only one" {
	local arguments

	make_machine
	free_port
	arguments="recv -6 -p $port --no-receipt /dev/null"
	prints "sockxfer: recv: listening on [::]:$port" \
		"On the other machine: sockxfer send '[2001:db8:7::9]:$port' FILE" \
		"Or with another address: '[fd00::5]:$port'" \
		"Or, with its interface behind %: '[fe80::7%v0]:$port'"
	arguments="recv -l 10.0.0.5:$port -"
	prints "sockxfer: recv: no file given: what arrives is shown here" "sockxfer: recv: listening on 10.0.0.5:$port" \
		"On the other machine: sockxfer send -V 10.0.0.5:$port FILE"
	arguments="recv -l [fe80::7%v0]:$port out"
	prints "sockxfer: recv: listening on [fe80::7%v0]:$port" \
		"On the other machine: sockxfer send -V '[fe80::7%v0]:$port' out" \
		"Behind % belongs the name of that machine's own interface."
}

@test "bound to loopback, or with no other address, it is for this machine" {
	local arguments

	make_namespace
	free_port
	arguments="recv -p $port out"
	prints "sockxfer: recv: listening on 0.0.0.0:$port, [::]:$port" \
		"On this machine: sockxfer send -V 127.0.0.1:$port out"
	arguments="recv -6 -p $port out"
	prints "sockxfer: recv: listening on [::]:$port" \
		"On this machine: sockxfer send -V '[::1]:$port' out"
	echo data >in
	arguments="send -l 127.0.0.1:$port in" # not to be run over: in is here
	prints "sockxfer: send: listening on 127.0.0.1:$port" \
		"On this machine: sockxfer recv 127.0.0.1:$port FILE"
}

@test "no name reaches the terminal as anything but a name" {
	local name=$'\e]0;gotcha\a'

	on_terminal us recv -w 0.2 -l 127.0.0.1:0 "$name"
	finish us 3
	has us.out ' FILE'
	has_not us.out $'\e'
	mkdir "$name"
	cd "$name"
	on_terminal us recv -w 0.2 -l unix:socket out
	finish us 3
	has us.out 'On this machine: '
	has_not us.out $'\e'
}

@test "without a terminal nothing is printed, and with --peer it is" {
	local port=0

	start us "$SOCKXFER" recv -w 0.2 -l unix:socket out
	finish us 3
	one_line us.err # timed out
	start us "$SOCKXFER" recv -w 0.2 -l 127.0.0.1:0 out
	finish us 3
	[ "$(wc -l <us.err)" -eq 2 ] # the port
	start us "$SOCKXFER" recv -w 0.2 --peer nc -l unix:socket out
	finish us 3
	has us.err 'listening on unix:socket'
	has us.err "On this machine: nc -N -U $PWD/socket <out"
	[ "$(wc -l <us.err)" -eq 3 ]
	[ ! -s us.out ]
}

@test "with -q nothing is printed" {
	on_terminal us recv -q -w 0.2 -l 127.0.0.1:0 out
	finish us 3
	one_line us.out
	start us "$SOCKXFER" recv -q -w 0.2 --peer nc -l 127.0.0.1:0 out
	finish us 3
	one_line us.err
	start us "$SOCKXFER" recv -q --peer nc unix:none out
	finish us 1
	one_line us.err
}

# with_socket NAME SOCKET ARGUMENT...: sockxfer that inherits a socket, an expression of Python's, as
# descriptor 3, where it listens.
with_socket() {
	local name=$1 socket=$2

	shift 2
	start "$name" "${NS[@]}" "$PYTHON" -c "import os, socket, sys
listening = $socket
listening.listen()
os.dup2(listening.detach(), 4)
os.dup2(4, 3)
os.execv(sys.argv[1], sys.argv[1:])" "$SOCKXFER" "$@"
}

@test "an inherited socket tells where it listens itself, also where it takes IPv4 and IPv6" {
	local both='socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)'

	make_machine
	with_socket us "$both" recv --peer nc -w 0.2 fd:3 out
	finish us 3
	grep -qE "^On the other machine: nc -N 172.16.0.9 [0-9]+ <out$" us.err
	has us.err "Or with another address: 2001:db8:7::9, 10.0.0.5, fd00::5, 169.254.7.7"
	has us.err "Or, with its interface behind %: fe80::7%v0"
	with_socket us "socket.create_server(('10.0.0.5', 0))" send --peer socat -w 0.2 -l fd:3 "$BATS_FILE_TMPDIR/data"
	finish us 3
	grep -qE "^On the other machine: socat -u TCP:10.0.0.5:[0-9]+ CREATE:data$" us.err
	has_not us.err 'another address'
}

# usage_error TEXT ARGUMENT...: sockxfer ends with 2 and says so, in one line.
usage_error() {
	local text=$1

	shift
	start us "$SOCKXFER" "$@"
	finish us 2
	one_line us.err
	has us.err "$text"
}

@test "--peer with what cannot be is a usage error" {
	local abstract='socket.socket(socket.AF_UNIX); listening.bind("\0handover")'

	usage_error '--peer: "netcat" is none of nc, ncat, socat, busybox, python and openssl' recv --peer netcat -p 0 out
	usage_error '--peer: "sockxfer" is none of' recv --peer sockxfer -p 0 out
	usage_error '--peer: "" is none of' recv --peer '' -p 0 out
	usage_error '-V and --peer exclude each other: ncat gives no receipt' \
		send -V --peer ncat 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	usage_error '--peer: busybox has no unix sockets' recv --peer busybox -l unix:socket out
	[ ! -e socket ]
	with_socket us 'socket.socket(socket.AF_UNIX); listening.bind("socket")' recv --peer busybox fd:3 out
	finish us 2
	has us.err '--peer: busybox has no unix sockets'
	with_socket us "$abstract" recv --peer nc fd:3 out
	finish us 2
	has us.err '--peer: the socket has no path'
	scripted stranger listen 127.0.0.1:0 gone
	wait_port stranger
	start us bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"; exec "${@:2}"' - "$port" \
		"$SOCKXFER" send --peer nc fd:3 "$BATS_FILE_TMPDIR/data"
	finish us 2
	has us.err '--peer: fd:3 is connected already'
	finish stranger
}

@test "a service's name is a number at the other end" {
	start us "$SOCKXFER" recv --peer busybox 127.0.0.1:discard out
	finish us 1
	has us.err "${FIRST}busybox nc -l -p 9 <out"
}
