#!/usr/bin/env bats
# What an end that listens takes: from whom (--allow), and how much (--max-size).
#
# Connections come from 127.0.0.1 and, with -s, from other addresses of loopback, 127.0.0.0/8. The inherited sockets
# are those of test/peer/activate.c.
# shellcheck disable=SC2154  # address, port: set by the helpers

load helper
load fault/fault

ACTIVATE=${ACTIVATE:-$ROOT/build/peer/activate}

# sends BYTES ARGUMENT...: so many bytes from one of ours, "send", to what listens at $address.
sends() {
	"$PYTHON" "$PEER/pattern.py" "$1" >data
	start send "$SOCKXFER" send -V "${@:2}" "$address" data
}

# too_large SIZE: "recv" has failed since more came, the sender was told, and the old file is all there is.
too_large() {
	finish send 6
	finish recv 1
	one_line send.err
	has send.err "the receiver failed: too large: more than $1 bytes"
	complaint recv
	has recv.complaint ": too large: more than $1 bytes"
	output_untouched old
	holds d out
}

# fits: "recv" has stored all of it.
fits() {
	finish send
	finish recv
	same d/out data
	holds d out
}

holds_bytes() {
	[ -e "$1" ] && [ "$(stat -c %s "$1")" -eq "$2" ]
}

need_ipv6() {
	grep -q '^0*1 ' /proc/net/if_inet6 2>/dev/null || skip "needs IPv6"
}

### --allow

# listens ROLE ARGUMENT...: "us" listens on every address, and $port.
listens() {
	start us "$SOCKXFER" "$1" -v -p 0 "${@:2}"
	wait_port us
}

# inherits MANNER ADDRESS ARGUMENT...: "us", started by the launcher, and $port.
inherits() {
	[ -x "$ACTIVATE" ] || {
		echo "no launcher at $ACTIVATE: run make programs first" >&2
		return 1
	}
	start us "$ACTIVATE" "$1" "$2" 0 "$SOCKXFER" "${@:3}"
	wait_port us
}

# A stranger who connects and waits for what is said. Linux may tell him of the reset in connect(2) already.
STRANGER='
import socket, sys
try:
    with socket.create_connection((sys.argv[1].strip("[]"), int(sys.argv[2])), 60) as peer:
        heard = peer.recv(100)
except ConnectionResetError:
    sys.exit(0)
sys.exit(f"no reset, but {heard}")'

# turned_away HOST: such a one is reset without a word.
turned_away() {
	start stranger "$PYTHON" -c "$STRANGER" "$1" "$port"
	finish stranger
}

# served HOST [SOURCE]: one who sends from there has all of it stored in "out".
served() {
	"$PYTHON" "$PEER/pattern.py" 100000 >data
	start send "$SOCKXFER" send -V ${2:+-s "$2"} "$1:$port" data
	finish send
	finish us
	same out data
	rm out
}

notes() {
	[ "$(grep -cE "^sockxfer: (recv|send): $1:[0-9]+: not allowed; waiting for another\$" us.err)" -eq "$2" ] || {
		echo "not $2 notes of $1" >&2
		return 1
	}
}

@test "--allow: an IPv4 address from elsewhere is reset at once, and one from there is served" {
	local list

	for list in 127.0.0.2 127.0.0.2/32 127.0.0.2/31 192.0.2.0/24,127.0.0.2 ::ffff:127.0.0.2 ::ffff:127.0.0.2/127; do
		echo "$list"
		listens recv --allow "$list" out
		turned_away 127.0.0.1
		running us
		turned_away 127.0.0.1
		served 127.0.0.1 127.0.0.2
		notes 127.0.0.1 2
		notes 127.0.0.2 0
	done
}

@test "--allow: so it is with IPv6, and neither family is the other" {
	need_ipv6
	listens recv --allow ::1 out
	turned_away 127.0.0.1
	served '[::1]'
	notes 127.0.0.1 1
	listens recv --allow 127.0.0.0/8 out
	turned_away '[::1]'
	served 127.0.0.1
	notes '\[::1\]' 1
	listens recv --allow ::/0 out
	turned_away 127.0.0.1
	served '[::1]'
	listens recv --allow 2001:db8::/32 --allow ::/127 out
	served '[::1]'
	notes '.*' 0
}

@test "--allow: a peer of a dual-stack socket, which has a mapped address, is IPv4" {
	local list

	need_ipv6
	[ "$(</proc/sys/net/ipv6/bindv6only)" = 0 ] || skip "needs dual-stack sockets"
	for list in 127.0.0.2 ::ffff:127.0.0.2 ::ffff:127.0.0.0/120; do
		inherits listen :: recv -v --allow "$list" fd:3 out
		case $list in
		*/120) ;;
		*)
			turned_away 127.0.0.1
			notes 127.0.0.1 1
			;;
		esac
		served 127.0.0.1 127.0.0.2
	done
	# What holds the mapped addresses as IPv6 ones does not hold them.
	inherits listen :: recv -v --allow ::/0 fd:3 out
	turned_away 127.0.0.1
	served '[::1]'
}

@test "--allow given again adds to the list" {
	listens recv --allow 127.0.0.2 --allow 127.0.0.4/30,127.0.0.9 out
	turned_away 127.0.0.1
	served 127.0.0.1 127.0.0.7
	listens recv --allow 127.0.0.2 --allow 127.0.0.4/30,127.0.0.9 out
	served 127.0.0.1 127.0.0.2
}

@test "--allow: one of ours that is turned away fails, and keeps nothing" {
	listens recv --allow 127.0.0.2 out
	picture data
	start send "$SOCKXFER" send -V "127.0.0.1:$port" data
	finish send 1
	grep -q '[Cc]onnection reset' send.err
	running us
	[ ! -e out ]
	served 127.0.0.1 127.0.0.2
}

@test "--allow: a sender that listens serves in the same way" {
	picture data
	listens send --allow 127.0.0.2 data
	turned_away 127.0.0.1
	start recv "$SOCKXFER" recv "127.0.0.1:$port" out
	finish recv 1
	[ ! -e out ]
	running us
	start recv "$SOCKXFER" recv -s 127.0.0.2 "127.0.0.1:$port" out
	finish recv
	finish us
	same out data
	notes 127.0.0.1 2
}

@test "--allow: who is turned away is told of with -v only, and with -q nothing is said at all" {
	receive --allow 127.0.0.2 out
	turned_away 127.0.0.1
	served 127.0.0.1 127.0.0.2
	one_line us.err
	has us.err 'listening on'
	free_port
	start us "$SOCKXFER" recv -q --allow 127.0.0.2 -p "$port" out
	wait_for listening "$port"
	turned_away 127.0.0.1
	served 127.0.0.1 127.0.0.2
	[ ! -s us.err ]
}

@test "--allow: a command is not started for who is turned away" {
	listens recv --allow 127.0.0.2 -- sh -c 'echo started >>log; cat >out'
	turned_away 127.0.0.1
	[ ! -e log ]
	served 127.0.0.1 127.0.0.2
	[ "$(cat log)" = started ]
}

@test "--allow: strays among those allowed are passed over, too" {
	listens recv --allow 127.0.0.1 out
	scripted stray connect "127.0.0.1:$port" close
	finish stray
	wait_said us 'gone without a byte; waiting for another'
	start other "$SOCKXFER" send -s 127.0.0.2 "127.0.0.1:$port" "$ROOT/README"
	finish other 1
	served 127.0.0.1
	notes 127.0.0.2 1
}

@test "--allow: who is turned away does not renew -w, which counts from the beginning of the wait" {
	local since role

	picture data
	for role in recv send; do
		free_port
		# One comes at the beginning, and one near the end.
		start strangers "$PYTHON" -c '
import socket, sys, time
def come():
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as peer:
            sys.exit(f"no reset, but {peer.recv(100)}")
    except ConnectionResetError:
        pass
print("ready", flush=True)
while True:
    try:
        come()
        break
    except ConnectionRefusedError:
        time.sleep(0.005)
time.sleep(2.5)
come()' "$port"
		wait_said strangers ready
		clock since
		start us "$SOCKXFER" "$role" -v -w 3 --allow 127.0.0.2 -p "$port" data
		finish us 3
		soon 5400 "$since"
		finish strangers
		has us.err 'accept: timed out'
		notes 127.0.0.1 2
	done
}

@test "--allow: a flood of strangers puts off neither -w nor -W nor a signal" {
	local limit expected since

	cat >flood.py <<-'END'
		import socket, sys, threading, time
		address = ("127.0.0.1", int(sys.argv[1]))
		seen = threading.Event()
		def connect():
		    while True:
		        try:
		            socket.create_connection(address).close()
		            seen.set()
		        except ConnectionRefusedError:
		            if seen.is_set():
		                break
		            time.sleep(0.005)
		        except ConnectionResetError:
		            seen.set()
		for _ in range(4):
		    threading.Thread(target=connect).start()
		print("ready", flush=True)
	END
	for limit in '-w 1' '-W 1' '-w 30'; do
		free_port
		start flood "$PYTHON" flood.py "$port"
		wait_said flood ready
		clock since
		# shellcheck disable=SC2086  # two words
		start us "$SOCKXFER" recv -v --allow 127.0.0.2 $limit -p "$port" out
		wait_said us 'not allowed'
		expected=3
		[ "$limit" != '-w 30' ] || {
			kill -TERM "${PID[us]}"
			expected=143
		}
		finish us $expected
		soon 15000 "$since"
		finish flood
	done
}

# Else those who wait already when the time is up could be followed by others, without an end.
@test "--allow: when the time is up, one who waits is turned away, and no more are" {
	listens recv --allow 127.0.0.2 -w 2 out
	kill -STOP "${PID[us]}"
	start strangers "$PYTHON" -c '
import socket, sys
them = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(20)]
print("connected", flush=True)
for one in them:
    try:
        assert one.recv(1) == b""
    except ConnectionResetError:
        pass' "$port"
	wait_said strangers connected
	pass 2
	kill -CONT "${PID[us]}"
	finish us 3
	finish strangers
	notes 127.0.0.1 1
}

@test "--allow: an inherited connection from elsewhere is reset and fails, one from there is served" {
	local manner fd

	for manner in accept inetd; do
		fd=3
		[ "$manner" != inetd ] || fd=0
		inherits "$manner" 127.0.0.1 recv --allow 127.0.0.2 "fd:$fd" out
		turned_away 127.0.0.1
		finish us 1
		[ "$manner" = inetd ] || {
			one_line us.err
			grep -qE '^sockxfer: recv: 127.0.0.1:[0-9]+: not allowed$' us.err
		}
		[ ! -e out ]
		inherits "$manner" 127.0.0.1 recv --allow 127.0.0.2 "fd:$fd" out
		served 127.0.0.1 127.0.0.2
		inherits "$manner" 127.0.0.1 send --allow 127.0.0.2 "fd:$fd" "$ROOT/README"
		turned_away 127.0.0.1
		finish us 1
	done
}

@test "--allow: a receiver that fails before it begins tells strangers nothing" {
	local manner

	for manner in listen accept; do
		inherits "$manner" 127.0.0.1 recv --allow 127.0.0.2 fd:3 no/such/out
		turned_away 127.0.0.1
		finish us 1
		inherits "$manner" 127.0.0.1 recv --allow 127.0.0.2 fd:3 no/such/out
		start send "$SOCKXFER" send -s 127.0.0.2 "127.0.0.1:$port" "$ROOT/README"
		finish send 6
		finish us 1
	done
}

# refuses_list LIST MESSAGE
refuses_list() {
	run -2 "$SOCKXFER" recv --allow "$1" -p 0 out
	[ "$output" = "sockxfer: recv: --allow: $2" ] || {
		echo "$output" >&2
		return 1
	}
}

@test "--allow: a bad list is refused, with what to write instead" {
	local bad what='is no address: one of IPv4 or IPv6 is needed, or a network such as 192.0.2.0/24'

	for bad in '' localhost 192.0.2 192.0.2.256 192.0.2.07 ' 192.0.2.7' '192.0.2.7 ' '*' '[::1]' 192.0.2.7:80 \
		2001:db8::g ::1::2 0x7f000001; do
		refuses_list "$bad" "\"$bad\" $what"
	done
	refuses_list 192.0.2.7, "\"\" $what"
	refuses_list 192.0.2.7,,::1 "\"\" $what"
	refuses_list /24 "\"\" $what"
	refuses_list '192.0.2.7, ::1' "\" ::1\" $what"
	refuses_list fe80::1%lo 'fe80::1%lo: an address is taken without its scope, whatever the interface'
	refuses_list 192.0.2.0/ \
		'192.0.2.0/: prefix length: "" is invalid: a whole number from 0 to 32 is needed'
	refuses_list 192.0.2.0/33 \
		'192.0.2.0/33: prefix length: "33" is too large: a whole number from 0 to 32 is needed'
	refuses_list 2001:db8::/129 \
		'2001:db8::/129: prefix length: "129" is too large: a whole number from 0 to 128 is needed'
	refuses_list 192.0.2.0/+24 \
		'192.0.2.0/+24: prefix length: "+24" is invalid: a whole number from 0 to 32 is needed'
	refuses_list 192.0.2.0/255.255.255.0 \
		'192.0.2.0/255.255.255.0: prefix length: "255.255.255.0" is invalid: a whole number from 0 to 32 is needed'
	refuses_list 10.0.0.0/8,192.0.2.7/24 \
		'192.0.2.7/24 has bits set behind its prefix: the network is 192.0.2.0/24, the address alone 192.0.2.7'
	refuses_list 2001:db8::7/32 \
		'2001:db8::7/32 has bits set behind its prefix: the network is 2001:db8::/32, the address alone 2001:db8::7'
	refuses_list "$(printf '192.0.2.%d,' {1..64})::1" '::1 is one too many: up to 64 are possible'
}

@test "--allow is for listening on TCP only" {
	local role

	for role in send recv; do
		run -2 "$SOCKXFER" "$role" --allow ::1 127.0.0.1:9 "$ROOT/README"
		[ "$output" = "sockxfer: $role: --allow: is only for listening on TCP" ]
		run -2 "$SOCKXFER" "$role" --allow ::1 -l unix:socket "$ROOT/README"
		[ "$output" = "sockxfer: $role: --allow: is only for listening on TCP" ]
		run -2 "$SOCKXFER" "$role" --allow ::1 unix:socket "$ROOT/README"
		[ ! -e socket ]
	done
	start us "$ACTIVATE" listen unix socket "$SOCKXFER" recv --allow ::1 fd:3 out
	wait_said us 'listening on'
	scripted stranger connect unix:socket stall
	finish us 2
	stop stranger
	has us.err 'sockxfer: recv: --allow: fd:3 is no TCP socket'
}

### --max-per-peer

@test "--max-per-peer counts the addresses of one /64 as one host, and those of another as another" {
	make_namespace
	"${NS[@]}" ip addr add 2001:db8:1:2::7/128 dev lo
	"${NS[@]}" ip addr add 2001:db8:1:2:8::8/128 dev lo
	"${NS[@]}" ip addr add 2001:db8:1:3::7/128 dev lo
	mkdir d
	ours us recv -v -k -p 0 --max-per-peer 1 d
	wait_port us
	open_pipe
	ours one send -s 2001:db8:1:2::7 "[::1]:$port" <pipe
	wait_said us 'connected to [2001:db8:1:2::7]'
	ours two send -s 2001:db8:1:2:8::8 "[::1]:$port" "$ROOT/README"
	finish two 1
	wait_said us '2001:db8:1:2:8::8]:'
	has us.err 'has as many connections as --max-per-peer allows'
	ours three send -V -s 2001:db8:1:3::7 "[::1]:$port" "$ROOT/README"
	finish three
	exec 8>&-
	finish one
}

### --max-size

@test "--max-size: a stream of that size is stored, one byte more is too large, over each transport and by any chunk" {
	local transport chunk size=1000

	for transport in "${TRANSPORTS[@]}"; do
		for chunk in 1 999 1000 1001 2M; do
			echo "$transport, -B $chunk"
			prepare_output old
			listen_as recv recv "$transport" --max-size $size -B $chunk d/out
			sends $((size - 1)) -B $chunk
			fits
			prepare_output old
			listen_as recv recv "$transport" --max-size $size -B $chunk d/out
			sends $size -B $chunk
			fits
			prepare_output old
			listen_as recv recv "$transport" --max-size $size -B $chunk d/out
			sends $((size + 1)) -B $chunk
			too_large $size
		done
	done
}

@test "--max-size takes one byte, and large sizes with a suffix" {
	prepare_output old
	listen_as recv recv tcp4 --max-size 1 d/out
	sends 1
	fits
	prepare_output old
	listen_as recv recv tcp4 --max-size 1K d/out
	sends 1024
	fits
	prepare_output old
	listen_as recv recv tcp4 --max-size 1K d/out
	sends 1025
	too_large 1024
	prepare_output old
	listen_as recv recv tcp4 --max-size 9223372036854775807 d/out
	sends 3000000
	fits
	listen_as recv recv tcp4 --max-size 1 d/out
	sends 0
	fits
}

@test "--max-size needs a size, and is for recv only" {
	local bad

	for bad in 0 -1 +1 1x ' 1' '' 1.5 9223372036854775808 16E; do
		run -2 "$SOCKXFER" recv --max-size "$bad" -p 0 out
		[[ $output == 'sockxfer: recv: --max-size: '*"$bad"* ]]
	done
	run -2 "$SOCKXFER" send --max-size 5 -p 0 "$ROOT/README"
	[ "$output" = 'sockxfer: send: --max-size: is for recv only' ]
}

@test "--max-size writes not one byte beyond it: standard output has exactly so many" {
	local transport size=100000

	"$PYTHON" "$PEER/pattern.py" $size >expected
	for transport in tcp4 unix; do
		listen_as recv recv "$transport" --max-size $size -
		sends 200000
		finish send 6
		finish recv 1
		same recv.out expected
	done
}

@test "--max-size stops a command that has all but the rest" {
	# shellcheck disable=SC2016  # the inner shell's
	listen_as recv recv tcp4 --max-size 1000 -- sh -c 'echo $$ >pid; cat >got; touch ended; sleep 60'
	scripted send connect "$address" send:1000 await:go send:1 eof
	wait_for holds_bytes got 1000
	touch go
	finish recv 1
	stop send
	complaint recv
	has recv.complaint ': too large: more than 1000 bytes'
	ended "$(cat pid)"
	[ ! -e ended ] # it saw no end of its input
	holds_bytes got 1000
}

@test "--max-size ends an endless sender at once, whether it listens to us or not" {
	local since

	prepare_output old
	listen_as recv recv tcp4 --max-size 1M d/out
	start send "$SOCKXFER" send "$address" /dev/zero
	too_large 1048576
	# One that reads nothing, and would go on for ever, is reset after the two seconds that anybody is given.
	prepare_output old
	listen_as recv recv tcp4 --max-size 1M d/out
	clock since
	start endless "$PYTHON" -c '
import socket, sys
host, port = sys.argv[1].rsplit(":", 1)
peer = socket.create_connection((host, int(port)))
try:
    while True:
        peer.sendall(bytes(65536))
except ConnectionError:
    print("cut off")' "$address"
	finish recv 1
	finish endless
	soon 6000 "$since"
	has endless.out 'cut off'
	complaint recv
	has recv.complaint 'too large: more than 1048576 bytes'
	output_untouched old
	holds d out
}

@test "--max-size fails while the sender still holds the connection open" {
	prepare_output old
	listen_as recv recv tcp4 --max-size 1000 d/out
	scripted send connect "$address" send:1000 pause:0.3 send:1 'expect:49' save:heard stall
	wait_for grep -qx 'sockxfer/1 failed too large: more than 1000 bytes' heard
	stop send
	finish recv 1
	output_untouched old
}

@test "--max-size: the JSON object has the error, and the bytes that there may be" {
	listen_as recv recv unix --json --max-size 1000 out
	sends 5000 --json
	finish send 6
	finish recv 1
	"$PYTHON" - <<-'END'
		import json
		ours = json.load(open("recv.out"))
		theirs = json.load(open("send.out"))
		assert ours["bytes"] == 1000, ours
		assert ours["ended"] == "failed", ours
		assert ours["exit"] == 1, ours
		assert ours["error"].endswith("too large: more than 1000 bytes"), ours
		assert theirs["ended"] == "receiver failed", theirs
		assert theirs["exit"] == 6, theirs
	END
	[ ! -e out ]
}

@test "--max-size goes together with -E, --idle-eof, -b and -n" {
	need_xxh128
	"$PYTHON" "$PEER/pattern.py" 1000 >data
	prepare_output old
	listen_as recv recv tcp4 --max-size 1000 -E "xxh128:$(xxh128sum <data | cut -d ' ' -f 1)" d/out
	sends 1000
	fits
	prepare_output old
	listen_as recv recv tcp4 --max-size 999 -E "xxh128:$(xxh128sum <data | cut -d ' ' -f 1)" d/out
	sends 1000
	too_large 999
	prepare_output old
	listen_as recv recv tcp4 --max-size 1000 --idle-eof 0.3 d/out
	scripted stranger connect "$address" send:1000 eof
	finish recv
	stop stranger
	same d/out data
	prepare_output old
	listen_as recv recv tcp4 --max-size 1000 -b 100K d/out
	sends 5000
	too_large 1000
	listen_as recv recv tcp4 --max-size 1000 --no-receipt -n new
	start send "$SOCKXFER" send "$address" /dev/zero
	finish send 1
	finish recv 1
	[ ! -e new ]
}
