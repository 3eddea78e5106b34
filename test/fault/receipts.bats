#!/usr/bin/env bats
# What the receiver says when the data has ended, and what the sender makes of it: true receipts, none, and what
# only looks like one.
# shellcheck disable=SC2154  # address, port: set by the helpers

load ../helper
load fault

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# The two lines that are the true receipt for the data, with \n for the newlines.
make_receipt() {
	need_xxh128
	received="sockxfer/1 received 300000 $(digest "$BATS_FILE_TMPDIR/data")\\n"
	stored='sockxfer/1 stored\n'
}

# sent_to STATUS TRANSPORT SEND_OPTION... -- STEP...: send ends so, with a scripted receiver that does this.
# What is sent is $source, or the data.
sent_to() {
	local status=$1 transport=$2 options=()

	shift 2
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	rm -f peer.socket
	scripted_listen peer "$transport" "$@"
	start send "$SOCKXFER" send "${options[@]}" "$address" "${source:-$BATS_FILE_TMPDIR/data}"
	finish send "$status"
	finish peer
}

# no_receipt STEP...: what the receiver says once it has everything is no receipt: 0 and "not confirmed", and 5
# with -V.
no_receipt() {
	sent_to 0 tcp4 -- eof "$@"
	one_line send.err
	has send.err ': 300 kB in '
	has send.err ', not confirmed by '
	sent_to 5 tcp4 -V -- eof "$@"
	one_line send.err
}

### What our receiver says

# A receiver's back channel, as a stranger hears it that has sent these bytes.
heard_back() {
	local transport

	need_xxh128
	"$PYTHON" "$PEER/pattern.py" "$1" >in
	receipt in >expected
	for transport in "${TRANSPORTS[@]}"; do
		rm -f out
		listen_as recv recv "$transport" out
		# In the pause nothing may come, neither a greeting nor an end.
		scripted peer connect "$address" "send:$1" quiet:0.3 half eof save:heard
		finish recv
		finish peer
		same expected heard
		same in out
	done
}

@test "the receipt is exactly the two lines, with the value that xxh128sum prints, and nothing before EOF" {
	heard_back 300000
}

@test "the receipt of a single byte" { heard_back 1; }
@test "the receipt of an empty file" { heard_back 0; }

@test "the receipt of a receiver that connects" {
	make_receipt
	scripted_listen peer tcp4 "file:$BATS_FILE_TMPDIR/data" quiet:0.3 half eof save:heard
	start recv "$SOCKXFER" recv "$address" out
	finish recv
	finish peer
	receipt out >expected
	same expected heard
}

@test "'received' is said at EOF, before the commit, and 'stored' after it" {
	make_receipt
	listen_as recv recv tcp4 -- sh -c 'cat >got; until [ -e go ]; do sleep 0.01; done'
	scripted peer connect "$address" "file:$BATS_FILE_TMPDIR/data" half "expect:$((${#received} - 1))" show \
		quiet:0.3 await:said eof show
	wait_said peer 'quiet:0.3 done'
	has peer.out "b'$received'"
	has_not peer.out stored
	touch said go
	finish recv
	finish peer
	has peer.out "b'$received$stored'"
}

@test "a failure is said as exactly one line" {
	[ -c /dev/full ] || skip "needs /dev/full"
	local transport

	printf 'sockxfer/1 failed No space left on device\n' >expected
	for transport in tcp4 tcp6; do
		listen_as recv recv "$transport" /dev/full
		# Behind it, the connection is reset.
		scripted peer connect "$address" send:1000 gone save:heard
		finish recv 1
		finish peer
		same expected heard
	done
}

@test "a failure is said as exactly one line over a unix socket" {
	[ -c /dev/full ] || skip "needs /dev/full"
	printf 'sockxfer/1 failed No space left on device\n' >expected
	listen_as recv recv unix /dev/full
	scripted peer connect "$address" send:1000 "expect:$(stat -c %s expected)" save:heard eof
	finish recv 1
	finish peer
	same expected heard
}

@test "--no-receipt: the receiver says nothing at all, and the data is there" {
	listen_as recv recv tcp4 --no-receipt out
	scripted peer connect "$address" "file:$BATS_FILE_TMPDIR/data" half eof save:heard
	finish recv
	finish peer
	[ ! -s heard ]
	same out "$BATS_FILE_TMPDIR/data"
	listen_as recv recv tcp4 --no-receipt out
	start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	has send.err 'not confirmed'
	listen_as recv recv tcp4 --no-receipt out
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send 5
	finish recv
}

@test "a stranger that closes without reading its receipt has still sent it all" {
	local transport

	"$PYTHON" "$PEER/pattern.py" 300000 >expected
	for transport in "${TRANSPORTS[@]}"; do
		rm -f out
		listen_as recv recv "$transport" out
		scripted peer connect "$address" send:300000 close
		finish recv
		finish peer
		same expected out
	done
}

### A true receipt

@test "with our receiver: stored, nothing to say, exit 0, and -V is content" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		listen_as recv recv "$transport" out
		start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
		finish send
		finish recv
		[ ! -s send.err ]
		same out "$BATS_FILE_TMPDIR/data"
	done
}

@test "a stranger that gives a true receipt is believed" {
	local transport

	make_receipt
	for transport in "${TRANSPORTS[@]}"; do
		sent_to 0 "$transport" -V -- eof "text:$received$stored" close
		[ ! -s send.err ]
	done
}

@test "a receipt in many small pieces is one" {
	local number

	make_receipt
	scripted_listen peer tcp4 eof "text:${received:0:1}" await:go1 "text:${received:1:30}" await:go2 \
		"text:${received:31}" await:go3 text:sockxfer/1 await:go4 'text: stored' await:go5 'text:\n' close
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	wait_said peer "text:${received:0:1} done"
	for number in 1 2 3 4 5; do
		pass 0.02
		touch "go$number"
	done
	finish send
	finish peer
}

# storing_long OPTION...: it takes longer than any pause that the sender would allow otherwise.
storing_long() {
	rm -f go
	scripted_listen peer tcp4 eof "text:$received" await:go "text:$stored" close
	start send "$SOCKXFER" send -V "$@" "$address" "$BATS_FILE_TMPDIR/data"
	wait_said peer "text:$received done"
	pass 1
	running send
	touch go
	finish send
	finish peer
}

@test "a receiver that takes long to store is waited for, whatever -w says" {
	make_receipt
	storing_long
	storing_long -w 0.7
}

@test "send does not wait for the close once it is told that all is stored" {
	make_receipt
	scripted_listen peer tcp4 eof "text:$received$stored" stall
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	running peer
}

@test "two receipts: what comes behind the first changes nothing" {
	make_receipt
	sent_to 0 tcp4 -V -- eof "text:$received$stored$received$stored" close
	sent_to 0 tcp4 -V -- eof "text:$received${stored}sockxfer/1 received 5 xxh128:00112233445566778899aabbccddeeff\\n$stored" close
}

@test "two receipts, the second in the middle of the first, are none" {
	make_receipt
	no_receipt "text:$received$received$stored" close
}

### A receipt that does not match

@test "the wrong size: 4, with -V or without" {
	local bad

	make_receipt
	for bad in 299999 300001 0; do
		sent_to 4 tcp4 -- eof "text:${received/300000/$bad}$stored" close
		one_line send.err
		has send.err "$bad bytes"
		sent_to 4 unix -V -- eof "text:${received/300000/$bad}$stored" close
	done
}

@test "the wrong digest: 4, with -V or without" {
	local wrong

	make_receipt
	wrong="sockxfer/1 received 300000 xxh128:00112233445566778899aabbccddeeff\\n"
	sent_to 4 tcp4 -- eof "text:$wrong$stored" close
	one_line send.err
	has send.err xxh128:00112233445566778899aabbccddeeff
	sent_to 4 unix -V -- eof "text:$wrong$stored" close
}

@test "a byte flipped on the way: send 4" {
	local offset

	for offset in 0 123456 299999; do
		listen_as recv recv tcp4 out
		peer proxy --flip "$offset" "$address"
		wait_port proxy
		start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
		finish send 4
		one_line send.err
		finish recv
		finish proxy
	done
}

@test "a byte flipped on the way to recv -E: recv 4, send 6, the old file intact" {
	need_xxh128
	prepare_output old
	listen_as recv recv tcp4 -E "$(digest "$BATS_FILE_TMPDIR/data")" d/out
	peer proxy --flip 123456 "$address"
	wait_port proxy
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish recv 4
	finish send 6
	finish proxy
	output_untouched old
}

@test "a byte flipped in the receipt is never taken for a true one" {
	local offset status

	# In the first word, the size, the digest, the second line.
	for offset in 0 21 40 70; do
		status=0
		listen_as recv recv tcp4 out
		peer proxy --reverse --flip "$offset" "$address"
		wait_port proxy
		start send "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
		finish recv
		wait_for ended "${PID[send]}"
		wait "${PID[send]}" || status=$?
		echo "at $offset: exit status $status" >&2
		[ "$status" -eq 4 ] || [ "$status" -eq 5 ]
		one_line send.err
		finish proxy
	done
}

### A receiver that fails

@test "failed at once: send 6 with the text, long before the source is read" {
	local transport taken

	truncate -s 2000000000 large
	for transport in "${TRANSPORTS[@]}"; do
		exec 8<large
		scripted_listen peer "$transport" 'text:sockxfer/1 failed no room here\n' expect:1000 stall
		start send "$SOCKXFER" send "$address" <&8
		finish send 6
		one_line send.err
		has send.err 'no room here'
		taken=$(awk '$1 == "pos:" { print $2 }' "/proc/$$/fdinfo/8")
		[ "$taken" -lt 100000000 ]
		stop peer
		rm -f peer.socket
	done
}

@test "failed, with the data unread and the connection closed: send 6 with the text" {
	local transport

	truncate -s 2000000000 large
	for transport in "${TRANSPORTS[@]}"; do
		scripted_listen peer "$transport" expect:1000 'text:sockxfer/1 failed no room here\n' close
		start send "$SOCKXFER" send "$address" large
		finish send 6
		one_line send.err
		has send.err 'no room here'
		finish peer
		rm -f peer.socket
	done
}

@test "failed, while the source is silent: send 6 at once" {
	local transport since

	for transport in "${TRANSPORTS[@]}"; do
		rm -f go
		open_pipe
		scripted_listen peer "$transport" await:go 'text:sockxfer/1 failed no room here\n' stall
		start send "$SOCKXFER" send "$address" <pipe
		wait_said peer 'peer '
		touch go
		clock since
		finish send 6
		soon 1900 "$since"
		has send.err 'no room here'
		stop peer
		exec 8>&-
		rm -f peer.socket
	done
}

@test "failed when the data has ended, and failed after received: send 6 with the text" {
	make_receipt
	sent_to 6 tcp4 -- eof 'text:sockxfer/1 failed no room here\n' close
	one_line send.err
	has send.err 'no room here'
	sent_to 6 tcp4 -- eof "text:${received}sockxfer/1 failed no room here\\n" close
	has send.err 'no room here'
	sent_to 6 unix -V -- eof "text:${received}sockxfer/1 failed no room here\\n" close
	has send.err 'no room here'
}

@test "received and then closed without stored: send 1" {
	make_receipt
	sent_to 1 tcp4 -- eof "text:$received" close
	one_line send.err
	sent_to 1 unix -- eof "text:$received" close
	sent_to 1 tcp4 -V -- eof "text:$received" close
}

@test "received and then reset: send 1" {
	make_receipt
	sent_to 1 tcp4 -- eof "text:$received" reset
	one_line send.err
}

### Strangers that say nothing

@test "a stranger that closes: 0 with one line, not confirmed; with -V 5" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		sent_to 0 "$transport" -- eof close
		one_line send.err
		has send.err ': 300 kB in '
	has send.err ', not confirmed by '
		sent_to 5 "$transport" -V -- eof close
		one_line send.err
	done
}

@test "nc, ncat and socat receive: 0, not confirmed; with -V 5" {
	local program

	for program in 'nc.openbsd -d -l 127.0.0.1' 'ncat --recv-only -l 127.0.0.1' 'socat -u TCP-LISTEN:'; do
		need "${program%% *}"
		free_port
		case $program in
		socat*) program+=$port,bind=127.0.0.1\ CREATE:out ;;
		*) program+=" $port" ;;
		esac
		# shellcheck disable=SC2086  # words
		start stranger $program
		wait_for listening "$port"
		start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
		finish send
		finish stranger
		has send.err 'not confirmed'
		# shellcheck disable=SC2086
		start stranger $program
		wait_for listening "$port"
		start send "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
		finish send 5
		finish stranger
	done
}

@test "a stranger that neither speaks nor closes: -w ends the wait, 0 not confirmed, 5 with -V" {
	local transport since

	for transport in "${TRANSPORTS[@]}"; do
		scripted_listen peer "$transport" eof stall
		clock since
		start send "$SOCKXFER" send -w 0.5 "$address" "$BATS_FILE_TMPDIR/data"
		finish send
		soon 10000 "$since"
		has send.err 'not confirmed'
		stop peer
		rm -f peer.socket
		scripted_listen peer "$transport" eof stall
		start send "$SOCKXFER" send -V -w 0.5 "$address" "$BATS_FILE_TMPDIR/data"
		finish send 5
		stop peer
		rm -f peer.socket
	done
}

@test "--no-receipt: send heeds none" {
	make_receipt
	sent_to 0 tcp4 --no-receipt -- eof "text:$received$stored" close
	has send.err 'not confirmed'
	sent_to 0 tcp4 --no-receipt -- eof 'text:sockxfer/1 failed no room here\n' close
	has send.err 'not confirmed'
}

@test "-V together with --no-receipt is a usage error" {
	start send "$SOCKXFER" send -V --no-receipt 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	finish send 2
	one_line send.err
}

@test "on a terminal send says after two seconds what it waits for, and else it does not" {
	local since

	scripted_listen peer tcp4 eof stall
	start terminal "$PYTHON" "$ROOT/test/fault/terminal.py" \
		"$SOCKXFER" send -w 4 "$address" "$BATS_FILE_TMPDIR/data"
	clock since
	wait_for grep -qi 'wait' terminal.out
	clock now
	[ $((now - since)) -ge 1500 ]
	running terminal
	finish terminal
	stop peer
	scripted_listen peer tcp4 eof stall
	start send "$SOCKXFER" send -w 2.5 "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	one_line send.err
	has send.err 'not confirmed'
}

### Hostile back channels

@test "garbage is no receipt" {
	local garbage

	make_receipt
	no_receipt 'text:hello\n' close
	for garbage in '\x00\x01\xff\xfe\n' '\n' 'sockxfer\n' 'sockxfer/1 \n' 'sockxfer/1 stored'; do
		sent_to 5 tcp4 -V -- eof "text:$garbage" close
	done
}

@test "what is nearly a receipt is none" {
	local good bad

	make_receipt
	good=$received$stored
	for bad in \
		"x$good" " $good" "\\n$good" "hello\\n$good" \
		"${good//sockxfer\/1/sockxfer\/2}" "${good//sockxfer/SOCKXFER}" "${good//\\n/\\r\\n}" \
		"${good/300000/0300000}" "${good/300000/+300000}" "${good/300000/-300000}" \
		"${good/300000/18446744073709851616}" "${good/300000/}" "${good/300000 / 300000 }" \
		"${good/xxh128/md5}" "${good/xxh128:?/xxh128:}" "${good/xxh128:/xxh128:0}" \
		"${good/stored/stored }" "${good/stored/Stored}" "${good/ stored/  stored}" "${good/1 stored/1 stored\\x00}" \
		"$stored" "$stored$good"; do
		echo "$bad" >&2
		sent_to 5 tcp4 -V -- eof "text:$bad" close
	done
}

# That a file has no byte that a terminal could act on.
nothing_raw() {
	if LC_ALL=C grep -qP '[\x00-\x1f\x7f-\x9f]' "$1"; then
		echo "raw bytes in $1:" >&2
		cat -v "$1" >&2
		return 1
	fi
}

@test "escape sequences in a failure's text are never raw on the terminal" {
	local locale

	for locale in C C.UTF-8; do
		LC_ALL=$locale sent_to 6 tcp4 -- eof \
			'text:sockxfer/1 failed \x1b[31mred\x1b]0;title\x07\rcr\x08bs\x9b2J\xc2\x9b2J\x7f\n' close
		one_line send.err
		nothing_raw send.err
		LC_ALL=$locale sent_to 0 tcp4 -- eof 'text:sockxfer/1 failed \x00\x1b[31mred\n' close
		nothing_raw send.err
	done
}

@test "characters that hold the bytes of an escape sequence, beside bytes that are none, are never raw" {
	# U+1B5B, U+1B5D, U+0A0A and U+0641, and then what is no UTF-8.
	LC_ALL=C.UTF-8 sent_to 6 tcp4 -- eof \
		'text:sockxfer/1 failed \xe1\xad\x9b31mred \xe1\xad\x9d0;title\xd9\x81 \xe0\xa8\x8aline \xff\n' close
	one_line send.err
	nothing_raw send.err
	has send.err 31mred
}

@test "escape sequences in a failure's text are shown, encoded" {
	sent_to 6 tcp4 -- eof 'text:sockxfer/1 failed \x1b[31mred\x07\n' close
	one_line send.err
	nothing_raw send.err
	has send.err '[31mred'
	grep -qE '\\(033|e|\^\[|E)|\^\[' send.err
}

@test "escape sequences in garbage are not shown" {
	no_receipt 'text:\x1b[31mred\x1b]0;title\x07\n' close
	nothing_raw send.err
	has_not send.err red
}

@test "a line without an end is no receipt, and takes no memory" {
	need_plain_build
	truncate -s 100M endless
	scripted_listen peer tcp4 eof file:endless await:go close
	start send "$SOCKXFER" send -w 60 "$address" "$BATS_FILE_TMPDIR/data"
	wait_said peer 'file:endless done'
	[ "$(awk '$1 == "VmHWM:" { print $2 }' "/proc/${PID[send]}/status")" -lt 8192 ]
	touch go
	finish send
	finish peer
	has send.err 'not confirmed'
	sent_to 5 tcp4 -V -- eof file:endless close
}

@test "a failure longer than a line may be is no receipt" {
	local long

	printf -v long '%0300d' 0
	no_receipt "text:sockxfer/1 failed $long\\n" close
	# The longest there may be: 256 bytes with its newline.
	printf -v long '%0237d' 0
	sent_to 6 tcp4 -- eof "text:sockxfer/1 failed $long\\n" close
	has send.err "$long"
	printf -v long '%0238d' 0
	no_receipt "text:sockxfer/1 failed $long\\n" close
}

@test "a back channel that never ends does not keep send: -w ends the wait" {
	local transport

	for transport in tcp4 unix; do
		scripted_listen peer "$transport" eof send:1000000000000
		start send "$SOCKXFER" send -w 1 "$address" "$BATS_FILE_TMPDIR/data"
		finish send
		has send.err 'not confirmed'
		finish peer 1
		rm -f peer.socket
		scripted_listen peer "$transport" eof send:1000000000000
		start send "$SOCKXFER" send -V -w 1 "$address" "$BATS_FILE_TMPDIR/data"
		finish send 5
		finish peer 1
		rm -f peer.socket
	done
}

@test "a back channel full of garbage does not keep the data from being sent" {
	random_file in 20000000
	# It speaks first, and reads only then.
	scripted_listen peer tcp4 send:20000000 eof save:out close
	start send "$SOCKXFER" send "$address" in
	finish send
	finish peer
	same in out
}

@test "a true receipt before the data has ended is none" {
	local source=in

	need_xxh128
	# More than the buffers of the sockets take, so that the data cannot have ended.
	truncate -s 50M in
	received="sockxfer/1 received 52428800 $(digest in)\\n"
	stored='sockxfer/1 stored\n'
	sent_to 5 tcp4 -V -- "text:$received$stored" eof close
	sent_to 0 tcp4 -- "text:$received$stored" eof close
	has send.err 'not confirmed'
	# Nor does a second, at the right time, mend it.
	sent_to 5 tcp4 -V -- "text:$received$stored" eof "text:$received$stored" close
	# While the source is silent, too.
	open_pipe
	scripted_listen peer unix "text:$received$stored" eof close
	start send "$SOCKXFER" send -V "$address" <pipe
	cat in >&8
	exec 8>&-
	finish send 5
	finish peer
}

### -E

@test "-E that matches: exit 0, in capitals as well" {
	local digest

	need_xxh128
	digest=$(digest "$BATS_FILE_TMPDIR/data")
	for digest in "$digest" "xxh128:$(tr a-f A-F <<<"${digest#xxh128:}")"; do
		listen_as recv recv tcp4 -E "$digest" out
		start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
		finish send
		finish recv
		same out "$BATS_FILE_TMPDIR/data"
	done
	listen_as recv recv tcp4 --no-receipt --expect "$digest" out
	start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
}

@test "-E that does not match: recv 4, send 6, no file, the old one intact" {
	local transport output

	for transport in "${TRANSPORTS[@]}"; do
		for output in old new; do
			prepare_output "$output"
			listen_as recv recv "$transport" -E xxh128:00112233445566778899aabbccddeeff d/out
			start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
			finish recv 4
			finish send 6
			complaint recv
			has recv.complaint xxh128:00112233445566778899aabbccddeeff
			one_line send.err
			output_untouched "$output"
		done
	done
}

@test "-E that does not match, from a stranger: recv 4, no file" {
	prepare_output new
	listen_as recv recv tcp4 -E xxh128:00112233445566778899aabbccddeeff d/out
	scripted peer connect "$address" send:1000 half gone show
	finish recv 4
	finish peer
	has peer.out "b'sockxfer/1 failed "
	output_untouched new
}

@test "-E finds that a stranger's file is half" {
	need_xxh128
	prepare_output old
	listen_as recv recv tcp4 -E "$(digest "$BATS_FILE_TMPDIR/data")" d/out
	head -c 150000 "$BATS_FILE_TMPDIR/data" >half
	scripted peer connect "$address" file:half close
	finish recv 4
	output_untouched old
	finish peer
}

@test "-E with what is no digest is a usage error, and so it is for send" {
	local bad

	for bad in '' xxh128: xxh128:0011 md5:00112233445566778899aabbccddeeff 00112233445566778899aabbccddeeff \
		xxh128:00112233445566778899aabbccddeefg xxh128:00112233445566778899aabbccddeeff0; do
		start recv "$SOCKXFER" recv -p 0 -E "$bad" out
		finish recv 2
		one_line recv.err
	done
	start send "$SOCKXFER" send -E xxh128:00112233445566778899aabbccddeeff 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	finish send 2
	start recv "$SOCKXFER" recv -V -p 0 out
	finish recv 2
}

### A proxy that ends both sides cleanly after some bytes

@test "a cutting proxy: with -V send is never a success" {
	local offset status

	for offset in 0 1 100000 299999; do
		status=0
		listen_as recv recv tcp4 out
		peer proxy --cut "$offset" "$address"
		wait_port proxy
		start send "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
		wait_for ended "${PID[send]}"
		wait "${PID[send]}" || status=$?
		echo "at $offset: exit status $status" >&2
		[[ $status == [145] ]]
		one_line send.err
		finish proxy
		# After 0 bytes it waits for a transfer still.
		[ "$offset" -gt 0 ] || stop recv
		[ "$offset" -eq 0 ] || finish recv
	done
}

@test "a proxy that cuts the receipt: with -V send is never a success" {
	local offset status

	for offset in 0 1 40 68 69 80; do
		status=0
		listen_as recv recv tcp4 out
		peer proxy --reverse --cut "$offset" "$address"
		wait_port proxy
		start send "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
		wait_for ended "${PID[send]}"
		wait "${PID[send]}" || status=$?
		echo "at $offset: exit status $status" >&2
		[ "$status" -eq 5 ] || [ "$status" -eq 1 ]
		finish proxy
		wait_for ended "${PID[recv]}"
		stop recv
	done
}

@test "a cutting proxy: with -E recv is never a success, and the old file is intact" {
	local offset

	need_xxh128
	for offset in 1 100000 299999; do
		prepare_output old
		listen_as recv recv tcp4 -E "$(digest "$BATS_FILE_TMPDIR/data")" d/out
		peer proxy --cut "$offset" "$address"
		wait_port proxy
		start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
		finish recv 4
		complaint recv
		finish proxy
		wait_for ended "${PID[send]}"
		stop send
		output_untouched old
	done
}
