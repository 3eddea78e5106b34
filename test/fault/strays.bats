#!/usr/bin/env bats
# Who connects to a receiver and is no sender, and who comes second.
# shellcheck disable=SC2154  # address, port: set by the helpers

load ../helper
load fault

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# The real transfer, after whatever came before, with nothing lost.
then_the_transfer() {
	running recv
	output_untouched old
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	same d/out "$BATS_FILE_TMPDIR/data"
	holds d out
}

# stray STEP...: three connections, one after the other, that do this; then the real one.
strays() {
	local transport number

	for transport in "${TRANSPORTS[@]}"; do
		prepare_output old
		listen_as recv recv "$transport" d/out
		for number in 1 2 3; do
			scripted stray connect "$address" "$@"
			finish stray
			wait_for noted "$number"
		done
		then_the_transfer
	done
}

# noted N: the receiver has told of that many strays.
noted() {
	[ "$(grep -c 'waiting for another' recv.err)" -ge "$1" ]
}

@test "connect-and-close is not a transfer: recv notes it with -v and goes on waiting" { strays close; }
@test "a reset without a byte is not a transfer: recv goes on waiting" { strays reset; }

@test "strays that come all at once are no transfer: recv goes on waiting" {
	local transport number

	for transport in "${TRANSPORTS[@]}"; do
		prepare_output old
		listen_as recv recv "$transport" d/out
		for number in 1 2 3 4 5; do
			scripted "stray$number" connect "$address" close
		done
		for number in 1 2 3 4 5; do
			finish "stray$number"
		done
		then_the_transfer
	done
}

@test "a stray between the connect and the accept of the real sender does not harm it" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		prepare_output old
		listen_as recv recv "$transport" d/out
		# The first is accepted and silent, and the others wait behind it.
		scripted first connect "$address" await:go close
		wait_said recv 'connected to'
		start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
		pass 0.1
		touch go
		finish first
		finish send
		finish recv
		same d/out "$BATS_FILE_TMPDIR/data"
		rm go
	done
}

@test "a port scan (nc -z) is not a transfer: recv goes on waiting" {
	local transport

	need nc.openbsd
	for transport in tcp4 tcp6; do
		prepare_output old
		listen_as recv recv "$transport" d/out
		port_of_address
		case $transport in
		tcp4) nc.openbsd -z 127.0.0.1 "$port" ;;
		tcp6) nc.openbsd -z ::1 "$port" ;;
		esac
		then_the_transfer
	done
}

@test "without -v nothing is said of strays" {
	receive out
	scripted stray connect "127.0.0.1:$port" close
	finish stray
	scripted stray connect "127.0.0.1:$port" reset
	finish stray
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	one_line us.err
	has us.err 'listening on'
}

@test "a command is not started for strays" {
	listen_as recv recv tcp4 -- sh -c 'echo started >>log; cat >got'
	scripted stray connect "$address" close
	finish stray
	wait_for noted 1
	[ ! -e log ]
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	[ "$(cat log)" = started ]
	same got "$BATS_FILE_TMPDIR/data"
}

@test "a connection that is silent at first and then sends is the transfer" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		rm -f out
		listen_as recv recv "$transport" out
		scripted peer connect "$address" quiet:0.5 send:1000 half eof save:heard
		finish recv
		finish peer
		[ "$(stat -c %s out)" -eq 1000 ]
	done
}

@test "strays do not prolong -W, and each wait for a peer has all of -w" {
	local since now

	free_port
	reaching stray "127.0.0.1:$port" pause:1.6 close
	clock since
	start recv "$SOCKXFER" recv -v -W 2 -p "$port" out
	finish recv 3
	soon 3500 "$since"
	finish stray
	noted 1
	reaching stray "127.0.0.1:$port" pause:0.7 close
	clock since
	start recv "$SOCKXFER" recv -v -w 1 -p "$port" out
	finish recv 3
	clock now
	[ $((now - since)) -ge 1600 ]
	finish stray
	noted 1
}

@test "a stray that connects to a sender is no success of it" {
	local end

	truncate -s 50M large
	for end in close reset; do
		listen_as send send tcp4 large
		scripted stray connect "$address" "$end"
		finish stray
		finish send 1
		complaint send
	done
}

### Empty files

@test "an empty file from a living sender is a file, over every transport and in both roles" {
	local transport

	: >in
	for transport in "${TRANSPORTS[@]}"; do
		prepare_output old
		listen_as recv recv "$transport" d/out
		start send "$SOCKXFER" send -V "$address" in
		finish send
		finish recv
		same in d/out
		prepare_output old
		listen_as send send "$transport" -V in
		start recv "$SOCKXFER" recv "$address" d/out
		finish send
		finish recv
		same in d/out
	done
}

@test "an empty file from a stranger that half-closes and waits is a file" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		prepare_output old
		listen_as recv recv "$transport" d/out
		scripted peer connect "$address" half eof
		finish recv
		finish peer
		[ ! -s d/out ]
		holds d out
	done
}

@test "an empty stdin from nc -N is a file" {
	need nc.openbsd
	prepare_output old
	listen_as recv recv tcp4 d/out
	port_of_address
	start nc nc.openbsd -N 127.0.0.1 "$port"
	finish recv
	[ ! -s d/out ]
	finish nc
}

### The second sender

# no_listener TRANSPORT: a connection to $address is refused.
no_listener() {
	if [ "$1" = unix ]; then
		[ ! -e recv.socket ]
	else
		port_of_address
		! listening "$port"
	fi
}

@test "the listener is closed with the first byte, and not before" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		listen_as recv recv "$transport" out
		scripted peer connect "$address" quiet:0.3 await:go send:1 await:on half eof
		wait_said peer 'quiet:0.3 done'
		wait_for listens "$transport"
		touch go
		wait_for no_listener "$transport"
		running recv
		touch on
		finish recv
		finish peer
		rm go on
	done
}

listens() {
	if [ "$1" = unix ]; then
		listening_unix recv.socket
	else
		port_of_address
		listening "$port"
	fi
}

@test "a second sender is refused: exit 1" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		sent=1000
		start_transfer "$transport" recv out
		start second "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
		finish second 1
		one_line second.err
		head -c 1000 /dev/zero >&8
		exec 8>&-
		finish send
		finish recv
		[ "$(stat -c %s out)" -eq 2000 ]
	done
}

# It has connected while the first one was silent, and may have sent all that it has by then.
@test "a second sender that waits behind the first is refused, not swallowed: exit 1" {
	local transport size

	for transport in "${TRANSPORTS[@]}"; do
		for size in 1000 50000000; do
			truncate -s "$size" second.in
			listen_as recv recv "$transport" out
			scripted first connect "$address" await:go send:1000 half eof
			wait_said recv 'connected to'
			start second "$SOCKXFER" send -v "$address" second.in
			wait_said second 'connected to'
			touch go
			finish first
			finish recv
			finish second 1
			complaint second
			[ "$(stat -c %s out)" -eq 1000 ]
			rm go
		done
	done
}

@test "a second stranger that waits behind the first is reset" {
	listen_as recv recv tcp4 out
	scripted first connect "$address" await:go send:1000 half eof
	wait_said recv 'connected to'
	scripted second connect "$address" send:1000 gone
	wait_said second 'send:1000 done'
	touch go
	finish first
	finish recv
	finish second
	[ "$(stat -c %s out)" -eq 1000 ]
}

@test "a second receiver of a sender that listens is refused" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		sent=1000
		start_transfer "$transport" send out
		start second "$SOCKXFER" recv "$address" third
		finish second 1
		one_line second.err
		[ ! -e third ]
		exec 8>&-
		finish send
		finish recv
	done
}

@test "where recv connects, a peer that accepts and closes at once is gone: exit 1, the old file intact" {
	local transport

	for transport in tcp4 tcp6 unix; do
		prepare_output old
		scripted_listen peer "$transport" close
		start recv "$SOCKXFER" recv -w 5 "$address" d/out
		finish recv 1
		has recv.err 'the peer is gone after 0 bytes'
		output_untouched old
		stop peer
	done
}
