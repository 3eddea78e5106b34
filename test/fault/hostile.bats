#!/usr/bin/env bats
# Peers that mean harm, or behave as if they did: what they send beside the stream, and how they try to keep us.
# shellcheck disable=SC2154  # address, port: set by the helpers

load ../helper
load fault

setup_file() {
	printf x >"$BATS_FILE_TMPDIR/byte"
}

### Beside the stream

# From a peer that does these steps and waits, the receiver "recv" has stored "expected".
stored_whole() {
	finish recv
	finish stranger
	same out expected
	rm out
}

@test "an urgent byte is a byte of the stream, wherever it stands" {
	local transport steps=(urgent:ab! text:cd urgent:? text:e urgent:. half eof)

	printf 'ab!cd?e.' >expected
	for transport in "${TRANSPORTS[@]}"; do
		listen_as recv recv "$transport" out
		scripted stranger connect "$address" "${steps[@]}"
		stored_whole
		scripted_listen stranger "$transport" "${steps[@]}"
		connect_as recv recv "$address" out
		stored_whole
	done
	for transport in 4 6 unix; do
		launch accept "$transport" "$SOCKXFER" recv fd:3 out
		scripted stranger connect "$address" "${steps[@]}"
		finish us
		finish stranger
		same out expected
	done
}

@test "two urgent bytes before we accept are two bytes of the stream" {
	local transport

	printf '!?x' >expected
	for transport in "${TRANSPORTS[@]}"; do
		listen_as recv recv "$transport" out
		kill -STOP "${PID[recv]}"
		scripted stranger connect "$address" urgent:! urgent:? text:x half eof
		wait_said stranger 'half done'
		kill -CONT "${PID[recv]}"
		stored_whole
	done
}

### On the screen

# U+202E turns the order of what follows, U+2066 too; U+200B, U+FEFF and U+E0061 are not seen; U+2028 ends a line; U+E000
# looks like anything.
FORMATS=$'\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf\xf3\xa0\x81\xa1\xe2\x80\xa8\xee\x80\x80'

# No file has one of these characters as it is, and each has the text around them.
encoded() {
	local file

	for file; do
		[ -s "$file" ]
		! LC_ALL=C.UTF-8 grep -P '[\x{202e}\x{2066}\x{200b}\x{feff}\x{e0061}\x{2028}\x{e000}]' "$file" || return 1
		has "$file" 'gpj.'
	done
}

@test "characters that hide or reorder text are encoded in the peer's words" {
	printf 'sockxfer/1 failed %sgpj.\n' "$FORMATS" >words
	scripted_listen stranger tcp4 eof file:words close
	LC_ALL=C.UTF-8 start send "$SOCKXFER" send --json "$address" "$ROOT/README"
	finish send 6
	encoded send.err send.out
	"$PYTHON" -c 'import json, sys; assert json.load(open("send.out"))["peer_text"] == sys.argv[1]' "${FORMATS}gpj."
}

@test "characters that hide or reorder text are encoded in names of files, and the file has its name" {
	local name="${FORMATS}gpj.exe"

	echo data >"$name"
	mkdir d
	LC_ALL=C.UTF-8 start us "$SOCKXFER" recv -v --json -l 127.0.0.1:0 "d/$name"
	wait_port us
	LC_ALL=C.UTF-8 start send "$SOCKXFER" send -v --json "127.0.0.1:$port" "$name"
	finish send
	finish us
	encoded send.err us.err send.out us.out
	same "$name" "d/$name"
	LC_ALL=C.UTF-8 start send "$SOCKXFER" send "127.0.0.1:$port" "no$name"
	finish send 1
	encoded send.err
	# The command for the other end, which people copy, has another name in the place of one that cannot be copied.
	LC_ALL=C.UTF-8 start us "$SOCKXFER" send --peer nc -l 127.0.0.1:0 "$name"
	wait_said us 'nc -d'
	has us.err '>FILE'
	stop us
}

@test "characters that hide or reorder text are encoded in the program's own name" {
	LC_ALL=C.UTF-8 run -2 --separate-stderr bash -c 'exec -a "$0" "$1" recv --gpj.' "${FORMATS}gpj." "$SOCKXFER"
	# shellcheck disable=SC2154  # stderr: set by run
	printf '%s\n' "$stderr" >err
	encoded err
}

### What never ends

@test "a sender that talks without end on the lifeline does not keep us, and has not ended its stream by that" {
	prepare_output old
	listen_as recv recv unix d/out
	peer lifeline send recv.socket X
	finish recv 1
	finish lifeline
	complaint recv
	has recv.err 'the peer is gone after 1 bytes'
	output_untouched old
}

@test "a receiver that talks without end on the lifeline does not keep us, and has not stored anything by that" {
	local word

	for word in X T; do
		rm -f socket
		peer lifeline recv socket "$word"
		wait_said lifeline 'listening on'
		start send "$SOCKXFER" send unix:socket "$BATS_FILE_TMPDIR/byte"
		finish send "$([ $word = T ] && echo 1 || echo 0)"
		finish lifeline
	done
}

# knocks COUNT: so many connections, one after the other, each of which is reset; $seconds becomes how long they took.
knocks() {
	local since now

	clock since
	"$PYTHON" - "$1" "$port" <<-'END'
		import socket, sys
		for _ in range(int(sys.argv[1])):
		    try:
		        with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as peer:
		            assert peer.recv(1) == b""
		    except ConnectionResetError: # maybe in connect(2) already
		        pass
	END
	clock now
	seconds=$(((now - since) / 1000 + 1))
}

@test "many peers that are refused are not as many lines, and with -q none" {
	local keep seconds lines

	mkdir d
	for keep in '' -k; do
		start us "$SOCKXFER" recv $keep -v -l 127.0.0.1:0 --allow 127.0.0.2 d
		wait_port us
		knocks 300
		lines=$(grep -c 'not allowed' us.err)
		[ "$lines" -ge 10 ]
		[ "$lines" -le $((10 + seconds)) ]
		pass 1.1
		knocks 1
		wait_said us 'such lines left out'
		stop us
		start us "$SOCKXFER" recv $keep -v -q -l 127.0.0.1:0 --allow 127.0.0.2 --port-file port d
		wait_for [ -s port ]
		port=$(<port)
		rm port
		knocks 30
		[ ! -s us.err ]
		stop us
	done
}

@test "many connections without a byte are not as many lines" {
	local seconds lines

	receive -v out
	"$PYTHON" - "$port" <<-'END'
		import socket, sys
		for _ in range(100):
		    socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
	END
	start send "$SOCKXFER" send -V "127.0.0.1:$port" "$ROOT/README"
	finish send
	finish us
	lines=$(grep -c 'without a byte' us.err)
	[ "$lines" -ge 10 ]
	[ "$lines" -lt 100 ]
}

### Inherited sockets, whose options whoever started us has chosen

# inheriting MANNER ADDRESS [OPTION=VALUE ...] -- ARGUMENT...: sockxfer, "us", with that socket as descriptor 3.
inheriting() {
	local arguments=("$@") word

	for word in "${!arguments[@]}"; do
		[ "${arguments[word]}" != -- ] || break
	done
	start us "$PYTHON" "$PEER/inherit.py" "${arguments[@]:0:word+1}" "$SOCKXFER" "${arguments[@]:word+1}"
}

@test "the options of an inherited socket are set, not assumed" {
	inheriting accept 127.0.0.1:0 SO_RCVLOWAT=100000 SO_OOBINLINE=0 TCP_NODELAY=0 TCP_CORK=1 TCP_USER_TIMEOUT=500 \
		TCP_LINGER2=-1 -- recv fd:3 out
	wait_port us
	start send "$SOCKXFER" send "127.0.0.1:$port" "$ROOT/README"
	finish us
	finish send
	has us.out 'SO_RCVLOWAT 1'
	has us.out 'SO_OOBINLINE 1'
	has us.out 'TCP_NODELAY 1'
	has us.out 'TCP_CORK 0'
	has us.out 'TCP_USER_TIMEOUT 0'
	has_not us.out 'TCP_LINGER2 -1'
}

@test "bytes are taken as they come, whatever low-water mark an inherited socket has" {
	local manner address

	for manner in listen accept; do
		for address in 127.0.0.1:0 unix:socket; do
			rm -f socket
			inheriting "$manner" "$address" SO_RCVLOWAT=100000 -- recv fd:3 -
			wait_said us 'listening on'
			[[ $address == unix:* ]] || { wait_port us && address=127.0.0.1:$port; }
			scripted stranger connect "$address" text:early await:go half eof
			wait_said us early
			touch go
			finish us
			finish stranger
			rm go
		done
	done
}

@test "a killed sender is no end of the data to a receiver whose inherited socket is set to look further on" {
	open_pipe
	mkdir d
	inheriting accept unix:socket SO_PEEK_OFF=100000 -- recv fd:3 d/out
	wait_said us 'listening on'
	start send "$SOCKXFER" send unix:socket <pipe
	head -c 1000 /dev/urandom >&8
	wait_for arrived_anywhere 1000
	stop send
	finish us 1
	has us.err 'the peer is gone after 1000 bytes'
	holds d
}

# Whether a file without a name in d has that many bytes.
arrived_anywhere() {
	local file

	for file in /proc/[0-9]*/fd/*; do
		[[ $(readlink "$file") == "$PWD/d/"* ]] && [ "$(stat -L -c %s "$file")" -ge "$1" ] && return
	done 2>/dev/null
	return 1
}

@test "an inherited socket of a family whose deaths do not show is refused" {
	local manner role

	for manner in listen accept; do
		for role in send recv; do
			inheriting "$manner" vsock: -- "$role" fd:3 "$ROOT/README"
			wait_for ended "${PID[us]}"
			if wait "${PID[us]}"; then false; elif [ $? -eq 77 ]; then skip "needs vsock"; fi
			finish us 2
			one_line us.err
			has us.err 'fd:3: a socket of another family than IPv4, IPv6 and unix'
		done
	done
}

@test "MPTCP, which resets as TCP does, is as good as TCP" {
	"$PYTHON" - "$SOCKXFER" <<-'END' || { [ $? -eq 77 ] && skip "needs MPTCP"; }
		import os, socket, subprocess, sys
		try:
		    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
		except OSError:
		    sys.exit(77)
		listener.bind(("127.0.0.1", 0))
		listener.listen()
		def pair():
		    ours = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
		    ours.connect(listener.getsockname())
		    return ours, listener.accept()[0]
		ours, peer = pair()
		receiver = subprocess.Popen([sys.argv[1], "recv", "fd:%d" % ours.fileno(), "out"], pass_fds=[ours.fileno()])
		ours.close()
		peer.sendall(b"whole")
		peer.shutdown(socket.SHUT_WR)
		assert receiver.wait(60) == 0
		assert open("out").read() == "whole"
		ours, peer = pair()
		sender = subprocess.Popen([sys.argv[1], "send", "fd:%d" % ours.fileno()], pass_fds=[ours.fileno()],
		                          stdin=subprocess.PIPE)
		ours.close()
		sender.stdin.write(b"half")
		sender.stdin.flush()
		assert peer.recv(4) == b"half"
		sender.kill()
		sender.wait(60)
		try:
		    assert False, peer.recv(1)
		except ConnectionResetError:
		    pass
	END
}

### What cannot be told is never good

# under_trace TRANSPORT STATUS FAULT... -- STEP...: what a receiver that connects makes of a peer that does this, with
# those faults by strace.
under_trace() {
	local faults=() transport=$1 status=$2

	shift 2
	while [ "$1" != -- ]; do
		faults+=("$1")
		shift
	done
	prepare_output old
	scripted_listen stranger "$transport" "${@:2}"
	inject "${faults[@]}"
	connect_as recv recv "$address" d/out
	FRONT=()
	finish recv "$status"
	stop stranger
	rm -f stranger.socket
}

# untold ARGUMENT...: nothing is stored then.
untold() {
	under_trace "$1" 1 "${@:2}"
	output_untouched old
	one_line recv.err
}

@test "a receiver that cannot tell what a socket is, or whether its peer is there, stores nothing" {
	local transport calls call

	for transport in tcp4 unix; do
		under_trace "$transport" 0 -- text:data half eof
		# Which of the calls ask what it is; the others are of no matter here.
		calls=$(grep 'getsockopt(' trace | grep -nE 'SO_DOMAIN|SO_PROTOCOL' | cut -d : -f 1)
		[ -n "$calls" ]
		for call in $calls; do
			untold "$transport" "getsockopt:error=EPERM:when=$call" -- text:data half eof
		done
	done
	untold unix recvmsg:error=ENOMEM -- text:data half eof
	untold unix poll:error=ENOMEM -- half eof
	untold tcp4 ioctl:error=EINVAL -- half eof
}
