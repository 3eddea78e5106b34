#!/usr/bin/env bats
# What a stranger may do to an end that listens: how much may come (--max-size).
# shellcheck disable=SC2154  # address, port: set by the helpers

load helper
load fault/fault

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
