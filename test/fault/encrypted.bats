#!/usr/bin/env bats
# Faults and attacks on an encrypted transfer: cuts and changes on the way, kills, strays, silent peers, and what the
# wire tells a stranger. CUTS in the environment is how often each way is tried (20; for 200 allow some minutes each),
# CUT_SEED makes the offsets the same again.
# shellcheck disable=SC2154  # address, port: set by the helpers

load ../helper
load fault

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# The offsets are the same in every run, unless more are asked for.
cut_loop() {
	local cuts=${CUTS:-20} seed=${CUT_SEED:-13}

	if [ -n "${CUTS:-}" ] && [ -z "${CUT_SEED:-}" ]; then seed=$RANDOM; fi
	make_key key
	"$PYTHON" "$ROOT/test/fault/cut_loop.py" --cuts "$cuts" --seed "$seed" "$SOCKXFER" "$1"
}

### At random offsets, in both directions, whoever listens

@test "cut by FIN anywhere: never stored, never exit 0, nothing kept" { cut_loop fin; }
@test "cut by RST anywhere: never stored, never exit 0, nothing kept" { cut_loop reset; }
@test "a bit changed anywhere: never stored, never exit 0, nothing kept" { cut_loop flip; }
@test "a byte lost anywhere: never stored, never exit 0, nothing kept" { cut_loop swallow; }
@test "either end killed by SIGKILL: never stored, never exit 0, nothing kept" { cut_loop kill; }
@test "either end killed behind a proxy that makes a clean end of it: never stored, nothing kept" { cut_loop kill-proxy; }

@test "either end killed behind socat: never stored, nothing kept" {
	need socat
	cut_loop kill-socat
}

### What is said

# through_proxy OPTION...: a transfer of the data to d/out, where an old file is, through proxy.py with these options.
through_proxy() {
	make_key key
	prepare_output old
	listen_as recv recv tcp4 -K key d/out
	peer proxy "$@" "$address"
	wait_port proxy
	start send "$SOCKXFER" send -K key "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
}

@test "a stream that is cut off by a clean FIN is said to be: exit 1, and the old file stays" {
	through_proxy --cut 100000
	finish recv 1
	complaint recv
	grep -qE 'receive: cut off after [0-9]+ bytes' recv.err
	finish send 1
	output_untouched old
}

@test "a stream that is changed on its way is said to be: exit 1, and the old file stays" {
	through_proxy --flip 100000
	finish recv 1
	complaint recv
	has recv.err 'the encrypted stream was changed on its way'
	wait_for ended "${PID[send]}"
	! wait "${PID[send]}" || return 1
	unset 'PID[send]'
	output_untouched old
}

@test "a sender that waits for the receipt when the connection ends without close_notify has failed: exit 1" {
	local way

	make_key key
	for way in proxy socat; do
		rm -f go ended
		listen_as recv recv tcp4 -K key -- sh -c 'cat >got; touch ended; until [ -e go ]; do sleep 0.01; done'
		if [ $way = socat ]; then
			command -v socat >/dev/null || continue
			free_port
			start way socat "TCP-LISTEN:$port,bind=127.0.0.1" "TCP:$address"
			wait_for listening "$port"
		else
			start way "$PYTHON" "$PEER/proxy.py" "$address"
			wait_port way
		fi
		start send "$SOCKXFER" send -v -K key "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
		wait_for [ -e ended ]
		same got "$BATS_FILE_TMPDIR/data"
		stop way
		finish send 1
		grep -qE 'cut off after 300000 bytes|reset after 300000 bytes' send.err
		touch go
		wait_for ended "${PID[recv]}"
		stop recv
	done
}

@test "the text of a receiver's failure reaches the sender: exit 6" {
	[ -c /dev/full ] || skip "needs /dev/full"
	local transport

	make_key key
	for transport in "${TRANSPORTS[@]}"; do
		listen_as recv recv "$transport" -K key /dev/full
		start send "$SOCKXFER" send -K key "$address" "$BATS_FILE_TMPDIR/data"
		finish recv 1
		finish send 6
		one_line send.err
		has send.err 'the receiver failed: No space left on device'
		listen_as send send "$transport" -K key "$BATS_FILE_TMPDIR/data"
		start recv "$SOCKXFER" recv -K key "$address" /dev/full
		finish recv 1
		finish send 6
		has send.err 'the receiver failed: No space left on device'
	done
}

@test "a full disk in the middle of much data: the sender is told, and the old file stays" {
	make_key key
	small_directory 2M
	truncate -s 50M large
	start recv "${NS[@]}" "$SOCKXFER" recv -K key -l 127.0.0.1:0 d/out
	wait_port recv
	start send "${NS[@]}" "$SOCKXFER" send -K key "127.0.0.1:$port" large
	finish recv 1
	has recv.err 'No space left on device'
	finish send 6
	has send.err 'the receiver failed: No space left on device'
	small_untouched
}

### Strays, while a listener waits

# The true peer gets in, and the old file is there until then.
then_the_transfer() {
	running recv
	output_untouched old
	start send "$SOCKXFER" send -V -K key "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	same d/out "$BATS_FILE_TMPDIR/data"
	holds d out
}

noted() {
	[ "$(grep -c 'waiting for another' recv.err)" -ge "$1" ]
}

# strays TRANSPORT TEXT STEP...: two that do so; of each it is noted, with this text.
strays() {
	local number

	make_key key
	prepare_output old
	listen_as recv recv "$1" -K key d/out
	for number in 1 2; do
		scripted stray connect "$address" "${@:3}"
		wait_for ended "${PID[stray]}"
		wait_for noted "$number"
	done
	[ "$(grep -c -e "$2" recv.err)" -eq 2 ]
	then_the_transfer
}

@test "a port scan takes nothing and keeps nobody out, over every transport" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		strays "$transport" 'handshake: cut off' close
	done
}

@test "a scan that resets takes nothing and keeps nobody out" { strays tcp4 'handshake: ' reset; }
@test "a stray that talks HTTP takes nothing and keeps nobody out" { strays tcp4 'does not encrypt' 'text:GET / HTTP/1.1\r\nHost: a\r\n\r\n' gone; }
@test "a stray that talks SSH takes nothing and keeps nobody out" { strays tcp4 'does not encrypt' 'text:SSH-2.0-OpenSSH_9.2p1\r\n' gone; }
@test "a stray that sends a file in plain and ends takes nothing and keeps nobody out" { strays tcp4 'does not encrypt' send:200000 gone; }
@test "a stray that sends zeros takes nothing and keeps nobody out" { strays tcp4 'handshake: ' 'text:\0\0\0\0\0\0\0\0\0\0\0\0' gone; }
@test "a stray that sends half a hello of TLS and ends takes nothing and keeps nobody out" { strays tcp4 'handshake: cut off' 'text:\x16\x03\x01\x00\xf0\x01\x00\x00\xec' close; }

@test "an empty plain stream, which could be an empty file, takes nothing" { strays tcp6 'handshake: cut off' half gone; }

# A client of TLS that has no key at all, as a browser or a scanner is.
@test "a client of TLS without a key takes nothing and keeps nobody out" {
	need openssl
	make_key key
	prepare_output old
	listen_as recv recv tcp4 -K key d/out
	start stray openssl s_client -quiet -connect "$address"
	finish stray 1
	wait_said recv 'handshake: it offers no key; waiting for another'
	then_the_transfer
}

# silent N: so many strays that say nothing, or half a hello, and stay.
silent() {
	make_key key
	prepare_output old
	listen_as recv recv tcp4 -K key d/out
	start strays "$PYTHON" -c "$SILENT" "${address##*:}" "$1"
	wait_said strays 'all are there'
	then_the_transfer
	touch go
	finish strays
}

# Connects so often, says nothing or half a hello, and waits for the file "go".
SILENT='import os, socket, sys, time
strays = []
for number in range(int(sys.argv[2])):
    strays.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
    if number % 2:
        strays[-1].sendall(bytes.fromhex("16030100f001"))
print("all are there", flush=True)
while not os.path.exists("go"):
    time.sleep(0.01)
'

@test "a silent stray does not keep the true sender out" { silent 1; }
@test "16 silent strays do not keep the true sender out" { silent 16; }
@test "more than 16 silent strays do not keep the true sender out" { silent 24; }

@test "silent strays do not keep the true receiver from a sender that listens" {
	local number

	make_key key
	listen_as send send tcp4 -V -K key "$BATS_FILE_TMPDIR/data"
	for number in 1 2 3; do
		scripted "stray$number" connect "$address" await:go
		wait_said "stray$number" peer
	done
	scripted talker connect "$address" 'text:hello there\n' gone
	finish talker
	start recv "$SOCKXFER" recv -K key "$address" out
	finish recv
	finish send
	same out "$BATS_FILE_TMPDIR/data"
	touch go
}

@test "of 16 that are pending, the oldest goes when one more comes" {
	make_key key
	listen_as recv recv tcp4 -K key out
	start strays "$PYTHON" -c "$OLDEST" "${address##*:}"
	finish strays
	has recv.err 'gave way to others that came later; waiting for another'
	[ "$(grep -c 'gave way' recv.err)" -eq 1 ]
	stop recv
}

# The first of 16 is not closed but when there is one more, and then no other is.
OLDEST='import select, socket, sys
strays = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(16)]
assert not select.select(strays, [], [], 0.5)[0]
strays.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
assert select.select(strays, [], [], 60)[0] == strays[:1]
assert not select.select(strays[1:], [], [], 0.5)[0]
'

@test "a silent stray has 10 seconds for the handshake, and the listener goes on waiting" {
	local since now

	make_key key
	prepare_output old
	listen_as recv recv tcp4 -K key d/out
	clock since
	scripted stray connect "$address" gone
	wait_said recv 'handshake: timed out; waiting for another'
	clock now
	[ $((now - since)) -ge 9900 ]
	took $((now - since)) 14000
	finish stray
	then_the_transfer
}

@test "where we connect, the other end has 10 seconds for the handshake, or -w, or what is left of -W: exit 3" {
	local since now

	make_key key
	clock since
	for name in long short total recv; do
		scripted "silent_$name" listen 127.0.0.1:0 gone
		wait_port "silent_$name"
		case $name in
		long) start long "$SOCKXFER" send -w 60 -K key "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data" ;;
		short) start short "$SOCKXFER" send -w 1 -K key "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data" ;;
		total) start total "$SOCKXFER" send -W 1 -K key "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data" ;;
		recv) start recv "$SOCKXFER" recv -w 1 -K key "127.0.0.1:$port" out ;;
		esac
	done
	finish short 3
	finish recv 3
	finish total 3
	running long
	one_line short.err
	has short.err 'handshake: timed out'
	has recv.err 'handshake: timed out'
	finish long 3
	has long.err 'handshake: timed out'
	clock now
	[ $((now - since)) -ge 9900 ]
	[ ! -e out ]
}

@test "-w and -W end the wait of a listener whom only strays come to: exit 3" {
	make_key key
	prepare_output old
	free_port
	start recv "$SOCKXFER" recv -v -W 2 -K key -l "127.0.0.1:$port" d/out
	wait_for listening "$port"
	scripted stray connect "127.0.0.1:$port" await:go
	finish recv 3
	output_untouched old
	touch go
}

@test "-k: a silent peer has 10 seconds, or -w, and is told of" {
	make_key key
	start us "$SOCKXFER" recv -v -k -w 1 -K key -p 0 /dev/null
	wait_port us
	scripted stray connect "127.0.0.1:$port" gone
	wait_said us 'handshake: timed out'
	finish stray
	start send "$SOCKXFER" send -V -K key "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	kill -TERM "${PID[us]}"
	finish us 143
}

### What a stranger sees on the wire

# hello_of NAME: what openssl s_client with the key of the file NAME sees of the listener: its messages.
hello_of() {
	"$SOCKXFER" key --openssl "$1" >"$1.pem"
	start "$1" openssl s_client -msg -tls1_3 -psk_session "$1.pem" -psk_identity "$(cut -d : -f 1 "$1")" \
		-connect "$address"
	wait_for ended "${PID[$1]}"
	stop "$1"
	# Each message of the listener's has a line, and its bytes below it.
	awk '/^<<</ { shown = 1 } /^>>>|^---|^[A-Za-z]/ { shown = 0 } shown' "$1.out" >"$1.seen"
	[ -s "$1.seen" ]
}

@test "a wrong key and an unknown identity look alike on the wire, the listener's log tells them apart" {
	need openssl
	make_key right backup
	make_key wrong backup
	make_key unknown stranger
	listen_as recv recv tcp4 -K right out
	hello_of wrong
	hello_of unknown
	has wrong.seen 'Alert'
	same wrong.seen unknown.seen
	has recv.err 'its key is not the one called backup here'
	has recv.err 'no key here has the identity that it names'
	stop recv
}

# PARSE FILE: the parts of a ClientHello, a line each.
PARSE='import sys
record = open(sys.argv[1], "rb").read()
assert record[0] == 22 and record[5] == 1
at = 9 + 2 + 32
at += 1 + record[at]
size = int.from_bytes(record[at:at + 2], "big")
print("suites", record[at + 2:at + 2 + size].hex(" ", 2))
at += 2 + size
at += 1 + record[at]
end = at + 2 + int.from_bytes(record[at:at + 2], "big")
at += 2
while at < end:
    kind, size = (int.from_bytes(record[at + i:at + i + 2], "big") for i in (0, 2))
    print("extension", kind, record[at + 4:at + 4 + size].hex())
    at += 4 + size
'

@test "our hello offers TLS 1.3 alone, two suites, the key with forward secrecy, no early data and no protocols" {
	make_key key
	scripted recorder listen 127.0.0.1:0 gone save:heard
	wait_port recorder
	start send "$SOCKXFER" send -w 0.5 -K key "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send 3
	finish recorder
	"$PYTHON" -c "$PARSE" heard | tee parts
	grep -qE '^suites 1301 1303( 00ff)?$' parts
	grep -qx 'extension 43 020304' parts # supported_versions
	grep -qx 'extension 45 0101' parts   # psk_key_exchange_modes: psk_dhe_ke
	grep -q '^extension 41 ' parts       # pre_shared_key
	grep -q '^extension 51 ' parts       # key_share
	! grep -qE '^extension (42|16|35) ' parts || return 1 # early_data, ALPN, session_ticket
}

@test "a listener takes the suite that it prefers, gives no tickets, and forward secrecy" {
	need openssl
	make_key key alice
	"$SOCKXFER" key --openssl key >key.pem
	listen_as recv recv tcp4 --json -K key out
	start peer openssl s_client -msg -tls1_3 -psk_session key.pem -psk_identity alice -allow_no_dhe_kex \
		-ciphersuites TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256 -no_ign_eof -nocommands \
		-connect "$address" < <(sleep 1; echo hello)
	finish recv
	finish peer
	has recv.out '"encrypted": "TLS_AES_128_GCM_SHA256"'
	has_not peer.out NewSessionTicket
	has peer.out 'Server Temp Key'
	listen_as recv recv tcp4 --json -K key out
	start peer openssl s_client -quiet -tls1_3 -psk_session key.pem -psk_identity alice \
		-ciphersuites TLS_CHACHA20_POLY1305_SHA256 -no_ign_eof -nocommands -connect "$address" < <(sleep 1; echo hello)
	finish recv
	finish peer
	has recv.out '"encrypted": "TLS_CHACHA20_POLY1305_SHA256"'
}

@test "a client that offers AES-256 before the others is served" {
	need openssl
	make_key key alice
	"$SOCKXFER" key --openssl key >key.pem
	listen_as recv recv tcp4 --json -K key out
	start peer openssl s_client -quiet -tls1_3 -psk_session key.pem -psk_identity alice \
		-ciphersuites TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256 -no_ign_eof -nocommands \
		-connect "$address" < <(sleep 1; echo hello)
	finish recv
	finish peer
	[ "$(<out)" = hello ]
}
