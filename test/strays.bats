#!/usr/bin/env bats
# Who has met a receiver by mistake: what begins as a stray's stream is stored only if the sender stays to hear of
# it, and so is an empty one, also behind a proxy.
# shellcheck disable=SC2154  # port: wait_port and free_port set it

load helper

REQUEST='GET / HTTP/1.1\r\nHost: host:9009\r\n\r\n'

# awaits ARGUMENT...: a receiver, "us", that would replace the last good file, d/out.
awaits() {
	mkdir -p d
	echo good >good
	cp good d/out
	receive -v "$@" d/out
}

# One receiver closes its listening sockets with the first byte.
has_bytes() {
	! listening "$port"
}

# gives_up NAME: ends what waits for our answer.
gives_up() {
	wait_for has_bytes
	stop "$1"
}

# refused WORDS: us says what it was, and the last good file is there.
refused() {
	finish us 1
	has us.err "looks like $1, from a sender that is gone after "
	same d/out good
	holds d out
}

# behind_proxy: a proxy to us; $port is then the proxy's.
behind_proxy() {
	local ours=$port

	need socat
	free_port
	start proxy socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork" "TCP:127.0.0.1:$ours"
	wait_for listening "$port"
}

### What talks first

@test "curl: its request is not stored" {
	need curl
	awaits
	start stray curl -s "http://127.0.0.1:$port/"
	gives_up stray
	refused 'an HTTP request'
}

@test "curl that sends a file: neither it nor the request is stored" {
	need curl
	awaits
	random_file in 100000
	start stray curl -s -T in "http://127.0.0.1:$port/"
	wait_said us 'connected to'
	gives_up stray
	refused 'an HTTP request'
}

@test "ssh: its banner is not stored" {
	need ssh
	awaits
	start stray ssh -F /dev/null -o BatchMode=yes -p "$port" 127.0.0.1
	gives_up stray
	refused 'an SSH banner'
}

@test "openssl s_client: its ClientHello is not stored" {
	need openssl
	awaits
	start stray openssl s_client -connect "127.0.0.1:$port"
	gives_up stray
	refused 'a TLS ClientHello'
}

@test "a request that comes in pieces, or ends without a pause, is not stored" {
	awaits
	scripted stray connect "127.0.0.1:$port" 'text:GE' pause:0.1 'text:T / HT' pause:0.1 'text:TP/1.0\r\n\r\n' close
	finish stray
	refused 'an HTTP request'
	awaits
	scripted stray connect "127.0.0.1:$port" "text:$REQUEST" close
	finish stray
	refused 'an HTTP request'
}

@test "a request is not stored either where we connect, or inherit the connection, or over a unix socket" {
	mkdir d
	echo good >good
	cp good d/out
	scripted stray listen 127.0.0.1:0 'text:SSH-2.0-x\r\n' close
	wait_port stray
	ours us recv "127.0.0.1:$port" d/out
	refused 'an SSH banner'
	launch inetd 4 "$SOCKXFER" recv fd:0 d/out
	scripted stray connect "$address" "text:$REQUEST" close
	finish stray
	finish us 1
	same d/out good
	ours us recv -l unix:socket d/out
	wait_for listening_unix socket
	scripted stray connect unix:socket "text:$REQUEST" close
	finish stray
	refused 'an HTTP request'
}

@test "a request through a proxy is not stored" {
	need curl
	awaits
	behind_proxy
	start stray curl -s "http://127.0.0.1:$port/"
	wait_said us 'connected to'
	pass 0.3
	stop stray
	refused 'an HTTP request'
}

@test "a request whose sender stays is stored, whatever it says, from ours and from others" {
	awaits
	printf %b "$REQUEST" >in
	ours sender send -V "127.0.0.1:$port" in
	finish sender
	finish us
	same d/out in
	awaits
	scripted other connect "127.0.0.1:$port" "text:$REQUEST" half eof show
	finish us
	finish other
	same d/out in
	has other.out 'sockxfer/1 stored'
	awaits -E "xxh128:$(xxh128sum <in | cut -d' ' -f1)"
	scripted other connect "127.0.0.1:$port" "text:$REQUEST" close
	finish us
	same d/out in
}

# sent_at_once OPTION...: over a unix socket. Five pieces of a line take 600 ms whenever they are written, so it is
# enough that one of five transfers is faster, however busy the machine is.
sent_at_once() {
	local since now tries

	for tries in 1 2 3 4 5; do
		ours us recv "$@" -l unix:socket out
		wait_for listening_unix socket
		clock since
		ours sender send "$@" -V unix:socket in
		finish sender
		finish us
		same out in
		rm out
		clock now
		[ $((now - since)) -ge 590 ] || return 0
	done
	echo "none of $tries transfers was at once" >&2
	return 1
}

@test "a request over a unix socket, from our sender, is stored at once" {
	printf %b "$REQUEST" >in
	sent_at_once
}

@test "without receipts a request is not stored where others may come" {
	awaits --no-receipt
	scripted stray connect "127.0.0.1:$port" "text:$REQUEST" half gone
	finish stray
	refused 'an HTTP request'
}

@test "what a command or stdout has had of a request is not taken back, and the result is a failure" {
	receive -- sh -c 'cat >got; echo whole >>log'
	scripted stray connect "127.0.0.1:$port" "text:$REQUEST" close
	finish us 1
	has us.err 'looks like an HTTP request'
	[ ! -e log ]
	receive -
	scripted stray connect "127.0.0.1:$port" "text:$REQUEST" close
	finish us 1
	has us.err 'looks like an HTTP request'
	has us.out 'GET / HTTP/1.1'
}

@test "-k: who comes after a request is served, and --json tells of it" {
	need jq
	mkdir d
	receive -k --json d
	scripted stray connect "127.0.0.1:$port" "text:$REQUEST" close
	finish stray
	wait_said us 'looks like an HTTP request'
	echo data >in
	ours sender send -V "127.0.0.1:$port" in
	finish sender
	kill -TERM "${PID[us]}"
	finish us 143
	[ "$(find d -type f | wc -l)" -eq 1 ]
	jq -es 'map(.ended) == ["failed", "stored"]' us.out
}

### Nothing at all

@test "a port scan through a proxy empties no file, and the next one is served" {
	awaits
	behind_proxy
	scripted scan connect "127.0.0.1:$port" close
	finish scan
	wait_said us 'gone without a byte; waiting for another'
	same d/out good
	: >empty
	ours sender send -V "127.0.0.1:$port" empty
	finish sender
	finish us
	same d/out empty
}

@test "a port scan through two proxies empties no file" {
	awaits
	behind_proxy
	PID[first]=${PID[proxy]}
	unset 'PID[proxy]'
	behind_proxy
	scripted scan connect "127.0.0.1:$port" close
	finish scan
	wait_said us 'gone without a byte; waiting for another'
	same d/out good
}

@test "a port scan through a proxy to a unix socket empties no file" {
	need socat
	mkdir d
	echo good >d/out
	ours us recv -v -l unix:socket d/out
	wait_for listening_unix socket
	free_port
	start proxy socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork" UNIX-CONNECT:socket
	wait_for listening "$port"
	scripted scan connect "127.0.0.1:$port" close
	finish scan
	wait_said us 'gone without a byte; waiting for another'
	has d/out good
}

@test "an empty file is confirmed to our sender within its -w, however short" {
	: >empty
	awaits
	ours sender send -V -w 0.3 "127.0.0.1:$port" empty
	finish sender
	finish us
	same d/out empty
}

@test "an empty file with a key is stored at once" {
	: >in
	"$SOCKXFER" key >key
	chmod 600 key
	sent_at_once -K key
}
