#!/usr/bin/env bats
# -R, --resume: strangers at the other end, friendly and not, parts and sources that change, disks that are slow, and
# ends that die and come back. KILLS in the environment is how many kills of either end there are (20), and KILL_SEED
# makes the points the same again.
# shellcheck disable=SC2154  # address, port: set by the helpers

load ../helper
load fault

SHIM=${SHIM:-$ROOT/build/shim}
SIZE=3000000 # of the data
PART=1000000 # of that, what is there already
TOKEN=0123456789abcdef
NOTHING_DIGEST=xxh128:99aa06d3014798d86001c324468d497f

TRANSPORTS=(tcp4 unix)

setup_file() {
	head -c "$SIZE" /dev/urandom >"$BATS_FILE_TMPDIR/data"
	head -c "$SIZE" /dev/urandom >"$BATS_FILE_TMPDIR/other"
	head -c "$PART" "$BATS_FILE_TMPDIR/data" >"$BATS_FILE_TMPDIR/begin"
	tail -c +$((PART + 1)) "$BATS_FILE_TMPDIR/data" >"$BATS_FILE_TMPDIR/rest"
}

# Sets what the tests of lines need: the digest of the part.
prepare() {
	need_xxh128
	data=$BATS_FILE_TMPDIR/data
	rest=$BATS_FILE_TMPDIR/rest
	[ "$NOTHING_DIGEST" = "$(digest /dev/null)" ]
	begin_digest=$(digest "$BATS_FILE_TMPDIR/begin")
	make_part
}

# A directory with a part only, of $PART bytes.
make_part() {
	rm -rf d
	mkdir d
	cp "$BATS_FILE_TMPDIR/begin" d/out.part
	chmod 600 d/out.part
	looks=$(stat -c '%i %s %y' d/out.part)
}

# That there is no file, and the part as it was.
untouched() {
	holds d out.part
	same d/out.part "$BATS_FILE_TMPDIR/begin"
	[ "$(stat -c '%i %s %y' d/out.part)" = "$looks" ]
}

### A stranger that sends

# meets TRANSPORT STEP...: a receiver, "recv", with the options at_recv, and a sender, "stranger", with these steps.
# After "listening" it is the sender that listens.
meets() {
	local transport=$1

	shift
	rm -f ./*.socket
	if [ "$1" = listening ]; then
		shift
		scripted_listen stranger "$transport" "$@"
		start recv "$SOCKXFER" recv -v -R "${at_recv[@]}" "$address" d/out
	else
		listen_as recv recv "$transport" -R "${at_recv[@]}" d/out
		scripted stranger connect "$address" "$@"
	fi
}
at_recv=()

# ends_with STATUS: the receiver does; a sender whose receiver fails may fail, too.
ends_with() {
	finish recv "$1"
	wait_for ended "${PID[stranger]}"
	wait "${PID[stranger]}" || [ "$1" -ne 0 ]
	unset "PID[stranger]"
}

# sends STATUS TRANSPORT STEP...: the same with a sender that first hears the receiver's line, until the end.
sends() {
	if [ "$3" = listening ]; then
		meets "$2" listening line "${@:4}"
	else
		meets "$2" line "${@:3}"
	fi
	ends_with "$1"
}

@test "the receiver says at once how much is there, with 16 new digits each time, and not a byte more" {
	local transport broken

	prepare
	broken="reply:sockxfer/1 from %3 $SIZE %4 $begin_digest\\n"
	for transport in "${TRANSPORTS[@]}"; do
		sends 1 "$transport" quiet:0.3 "$broken" half
		grep -qE "^line b'sockxfer/1 have $PART [0-9a-f]{16}\\\\n'\$" stranger.out
		cat stranger.out >>lines
		untouched
	done
	sends 1 tcp4 listening quiet:0.3 "$broken" half
	cat stranger.out >>lines
	rm d/out.part
	sends 1 tcp4 quiet:0.3 "reply:sockxfer/1 from 0 $SIZE %4 $NOTHING_DIGEST\\n" half
	grep -qE "^line b'sockxfer/1 have 0 [0-9a-f]{16}\\\\n'\$" stranger.out
	cat stranger.out >>lines
	[ "$(sed -n "s/^line b.* \\([0-9a-f]*\\)\\\\n'\$/\1/p" lines | sort -u | wc -l)" -eq 4 ]
	holds d
}

@test "a stranger that goes on from what is there is no worse than our sender" {
	local transport listening

	prepare
	for transport in "${TRANSPORTS[@]}"; do
		for listening in '' listening; do
			make_part
			# shellcheck disable=SC2086
			sends 0 "$transport" $listening "reply:sockxfer/1 from %3 $SIZE %4 $begin_digest\\n" \
				"file:$rest" half eof save:heard
			same d/out "$data"
			holds d out
			tail -n 2 heard >receipt
			receipt "$data" | same receipt -
		done
	done
}

@test "a line that comes byte by byte, and one that comes with all that follows it, are lines" {
	local steps=() i line

	prepare
	line="sockxfer/1 from %3 $SIZE %4 $begin_digest\\n"
	sends 0 tcp4 "reply:${line:0:1}" pause:0.01 "reply:${line:1:11}" pause:0.01 "reply:${line:12:20}" pause:0.01 \
		"reply:${line:32:30}" pause:0.01 "reply:${line:62}" pause:0.01 "file:$rest" half eof
	same d/out "$data"
	# In one segment, and the whole of what is missing.
	make_part
	head -c $((SIZE - 5)) "$data" >d/out.part
	sends 0 tcp4 "reply:sockxfer/1 from %3 $SIZE %4 $(digest d/out.part)\\n12345" half eof
	cmp -n $((SIZE - 5)) d/out "$data"
	[ "$(tail -c 5 d/out)" = 12345 ]
}

@test "a stranger that begins at 0 replaces what is there, once all has come" {
	prepare
	sends 0 tcp4 "reply:sockxfer/1 from 0 $SIZE %4 $NOTHING_DIGEST\\n" "file:$BATS_FILE_TMPDIR/other" half eof
	same d/out "$BATS_FILE_TMPDIR/other"
	holds d out
}

@test "a stranger that knows nothing of it and ends its stream has sent a whole file" {
	local transport listening

	prepare
	for transport in "${TRANSPORTS[@]}"; do
		for listening in '' listening; do
			make_part
			# shellcheck disable=SC2086
			sends 0 "$transport" $listening "file:$BATS_FILE_TMPDIR/other" half eof
			same d/out "$BATS_FILE_TMPDIR/other"
			holds d out
		done
	done
}

# lines KIND: see resume_lines.py.
lines() {
	need_xxh128
	"$PYTHON" "$ROOT/test/fault/resume_lines.py" "$SOCKXFER" "$1"
}

@test "a line with our token that is not the one that we know is a failure at both ends, and changes nothing" {
	lines refused
}

@test "what only looks like a line, without our token, is data" {
	lines data
}

@test "a stream that ends, or breaks, in the line is no file, and changes nothing" {
	lines cut
}

@test "a digest that is not that of what is there is 4, and is said at both ends with the number of bytes" {
	prepare
	sends 4 tcp4 "reply:sockxfer/1 from $PART $SIZE %4 $NOTHING_DIGEST\\n" "file:$rest" half gone show
	untouched
	complaint recv
	has stranger.out "sockxfer/1 failed the first $PART bytes differ"
	has recv.err "the first $PART bytes differ"
	has recv.err 'NAME.part'
	has recv.err 'hint: '
}

# breaks_after LINE FILE SIZE: a sender of this, or of the file only, is reset when all of it has come; the part has that
# size then.
breaks_after() {
	make_part
	meets tcp4 line ${1:+"reply:$1"} "file:$2" await:go reset
	wait_said stranger "file:$2 done"
	wait_for all_read
	: >go
	ends_with 1
	rm go
	holds d out.part
	[ "$(stat -c %s d/out.part)" -eq "$3" ]
}

# Whether the receiver has read all that there is: its socket, the only one of the port that is connected, has no more.
all_read() {
	local port

	port_of_address
	awk -v port="$(printf :%04X "$port")" '$2 ~ port && $4 == "01" { split($5, queue, ":"); if (queue[2] != 0) exit 1 }
		$3 ~ port && $4 == "01" { split($5, queue, ":"); if (queue[1] != 0) exit 1 }' /proc/net/tcp
}

@test "what comes after a good line and then breaks is kept: behind what was there, or in its place where it is longer" {
	local line from_0

	prepare
	line="sockxfer/1 from $PART $SIZE %4 $begin_digest\\n"
	from_0="sockxfer/1 from 0 $SIZE %4 $NOTHING_DIGEST\\n"
	head -c 500000 "$rest" >some
	breaks_after "$line" some $((PART + 500000))
	cmp -n $((PART + 500000)) d/out.part "$data"
	printf more >some
	breaks_after "$from_0" some "$PART"
	untouched
	head -c 999999 "$BATS_FILE_TMPDIR/other" >some
	breaks_after "$from_0" some "$PART"
	untouched
	head -c 2000000 "$BATS_FILE_TMPDIR/other" >some
	breaks_after "$from_0" some 2000000
	same d/out.part some
	[ "$(mode d/out.part)" = 600 ]
	# A stranger that knows nothing of it.
	breaks_after '' some 2000000
	same d/out.part some
}

@test "a stranger that sends and closes with our line unread fails, and is told to leave out -R" {
	local transport

	prepare
	for transport in "${TRANSPORTS[@]}"; do
		make_part
		# It sends as long as it likes, and has read nothing.
		meets "$transport" "text:a few bytes" await:said close
		wait_for said_to_stranger
		: >said
		ends_with 1
		untouched
		has recv.err 'hint: '
		has recv.err 'leave out -R'
		rm said
	done
	# Whole files, too; they are a part then.
	rm d/out.part
	meets tcp4 "file:$data" close
	ends_with 1
	[ ! -e d/out ]
	[ ! -e d/out.part ] || cmp -n "$(stat -c %s d/out.part)" d/out.part "$data"
}

said_to_stranger() {
	said recv 'connected to'
}

@test "data beyond the size that was told is data" {
	local size

	prepare
	for size in "$PART" $((SIZE - 1)); do
		make_part
		sends 0 tcp4 "reply:sockxfer/1 from $PART $size %4 $begin_digest\\n" "file:$rest" half eof
		same d/out "$data"
		holds d out
	done
}

@test "a stream that ends before the size that was told is no file, but a part" {
	local size transport

	prepare
	for transport in "${TRANSPORTS[@]}"; do
		for size in $((SIZE + 1)) 9223372036854775807; do
			make_part
			sends 1 "$transport" "reply:sockxfer/1 from $PART $size %4 $begin_digest\\n" "file:$rest" half
			same d/out.part "$data"
			holds d out.part
			has recv.err "$SIZE of $size bytes"
		done
	done
}

@test "a port scan and a health check are no senders, and change nothing" {
	local transport

	prepare
	for transport in "${TRANSPORTS[@]}"; do
		make_part
		rm -f ./*.socket
		listen_as recv recv "$transport" -R d/out
		for steps in close reset 'line close' 'line reset' 'half close'; do
			# shellcheck disable=SC2086
			scripted stray connect "$address" $steps
			finish stray
		done
		untouched
		start send "$SOCKXFER" send -R "$address" "$data"
		finish send
		finish recv
		same d/out "$data"
		holds d out
	done
}

### A stranger that receives

# takes STATUS STEP...: a sender, with the options at_send, ends so, with a receiver that takes these steps.
takes() {
	local status=$1

	shift
	rm -f ./*.socket
	scripted_listen stranger "${transport:-tcp4}" "$@"
	start send "$SOCKXFER" send -v "${at_send[@]}" "$address" "$data"
	finish send "$status"
	wait_for ended "${PID[stranger]}"
	wait "${PID[stranger]}" || [ "$status" -ne 0 ]
	unset "PID[stranger]"
}
at_send=(-R)

@test "the sender's first line is exactly what the receiver needs, and then come the bytes that it has not" {
	local transport line

	prepare
	line="sockxfer/1 from $PART $SIZE $TOKEN $begin_digest"
	at_send=(-R -V)
	for transport in "${TRANSPORTS[@]}"; do
		takes 0 "text:sockxfer/1 have $PART $TOKEN\\n" eof save:got "text:$(receipt "$data")\\n"
		{ echo "$line" && cat "$rest"; } | same got -
	done
	# Where the receiver connects.
	listen_as send send tcp4 -R -V "$data"
	scripted stranger connect "$address" "text:sockxfer/1 have $PART $TOKEN\\n" eof save:got \
		"text:$(receipt "$data")\\n"
	finish stranger
	finish send
	{ echo "$line" && cat "$rest"; } | same got -
	transport=tcp4
	takes 0 "text:sockxfer/1 have 0 $TOKEN\\n" eof save:got "text:$(receipt "$data")\\n"
	{ echo "sockxfer/1 from 0 $SIZE $TOKEN $NOTHING_DIGEST" && cat "$data"; } | same got -
	takes 0 "text:sockxfer/1 have $SIZE $TOKEN\\n" eof save:got "text:$(receipt "$data")\\n"
	echo "sockxfer/1 from $SIZE $SIZE $TOKEN $(digest "$data")" | same got -
}

@test "to a receiver that has more than there is, or claims it, all is sent, from 0" {
	local have

	prepare
	at_send=(-R -V)
	for have in $((SIZE + 1)) 9223372036854775807; do
		takes 0 "text:sockxfer/1 have $have $TOKEN\\n" eof save:got "text:$(receipt "$data")\\n"
		{ echo "sockxfer/1 from 0 $SIZE $TOKEN $NOTHING_DIGEST" && cat "$data"; } | same got -
	done
}

@test "what is not strictly the receiver's line gets the whole data, and no line, and comes to no terminal as it is" {
	lines plain
}

# Over TCP, for on a unix socket that may be its death.
@test "a receiver that ends its side before it says anything gets the whole data" {
	prepare
	takes 0 half eof save:got
	same got "$data"
	takes 0 "text:sockxfer/1 have $PART $TOKEN" half eof save:got
	same got "$data"
}

@test "a receiver that refuses in the place of its line is heard, and one that goes away fails the transfer" {
	prepare
	takes 6 "text:sockxfer/1 failed no room\\n" eof
	has send.err 'no room'
	takes 1 reset
	takes 1 "text:sockxfer/1 have $PART $TOKEN\\n" line expect:1000 reset
	takes 6 "text:sockxfer/1 have $PART $TOKEN\\nsockxfer/1 failed no room\\n" eof
	has send.err 'no room'
}

@test "the receipt has to be that of the whole file" {
	prepare
	takes 4 "text:sockxfer/1 have $PART $TOKEN\\n" eof "text:$(receipt "$rest")\\n"
	takes 4 "text:sockxfer/1 have $PART $TOKEN\\n" eof "text:$(receipt "$BATS_FILE_TMPDIR/other")\\n"
	at_send=(-R -V)
	takes 5 "text:sockxfer/1 have $PART $TOKEN\\n" eof
	# One line is all that comes before it.
	takes 5 "text:sockxfer/1 have $PART $TOKEN\\nsockxfer/1 have $PART $TOKEN\\n" eof "text:$(receipt "$data")\\n"
}

@test "a sender without -R skips one line of a receiver with it, no more and nothing else, and heeds the receipt" {
	local line="sockxfer/1 have $PART $TOKEN\\n"

	prepare
	at_send=(-V)
	takes 0 "text:$line" eof save:got "text:$(receipt "$data")\\n"
	same got "$data"
	takes 5 "text:$line$line" eof "text:$(receipt "$data")\\n"
	takes 5 "text:sockxfer/1 have +$PART $TOKEN\\n" eof "text:$(receipt "$data")\\n"
	takes 6 "text:${line}sockxfer/1 failed no room\\n" eof
	# Also one that comes late, for a small file.
	takes 0 eof "text:$line$(receipt "$data")\\n"
}

### Slow disks, and what changes meanwhile

# slow FILE RATE: what start starts next with "${SLOW[@]}" reads that file with so many bytes a second, and makes the
# file "hashing" when it begins to.
slow() {
	need_plain_build
	[ -e "$SHIM/slow.so" ] || {
		echo "no $SHIM/slow.so: run make programs first" >&2
		return 1
	}
	rm -f hashing
	SLOW=(env LD_PRELOAD="$SHIM/slow.so" SLOW_NAME="$1" SLOW_RATE="$2" SLOW_BEGUN=hashing)
}

# slow_transfer NAME TRANSPORT SOURCE END: "recv-NAME", into d-NAME, and "send-NAME", with -w 1. That end, recv or send,
# takes three seconds to read what is there.
slow_transfer() {
	local name=$1 at_recv=() at_send=()

	mkdir "d-$name"
	cp "$BATS_FILE_TMPDIR/begin" "d-$name/out.part"
	slow "$([ "$4" = recv ] && echo out.part || echo "${3##*/}")" $((PART / 3))
	if [ "$4" = recv ]; then at_recv=("${SLOW[@]}"); else at_send=("${SLOW[@]}"); fi
	FRONT=("${at_recv[@]}")
	listen_as "recv-$name" recv "$2" -R -w 1 "d-$name/out"
	FRONT=()
	start "send-$name" "${at_send[@]}" "$SOCKXFER" send -v -R -w 1 "$address" "$3"
}

# One of them has more to send than all socket buffers hold, so that the sender is held back meanwhile.
@test "a disk that takes longer than -w to read what is there, at either end, ends nothing" {
	local data=$BATS_FILE_TMPDIR/data since now name

	head -c $((PART + 200000)) "$data" >few
	truncate -s $((PART + (24 << 20))) many
	dd if="$data" of=many bs="$PART" count=1 conv=notrunc status=none
	clock since
	slow_transfer many tcp4 many recv
	slow_transfer tcp tcp4 "$data" recv
	slow_transfer unix unix few recv
	slow_transfer sender tcp4 few send
	slow_transfer sender-unix unix few send
	for name in many tcp unix sender sender-unix; do
		finish "send-$name"
		finish "recv-$name"
		has "recv-$name.err" 'resumed at 1.0 MB'
		holds "d-$name" out
	done
	clock now
	[ $((now - since)) -ge 3000 ]
	same d-many/out many
	same d-tcp/out "$data"
	for name in unix sender sender-unix; do same "d-$name/out" few; done
}

# hashing_receiver SOURCE: a receiver, "recv", that would read its part for minutes, and has begun to. It reads little at
# once, for a read is not interrupted.
hashing_receiver() {
	make_part
	slow out.part "${rate:-10000}"
	FRONT=("${SLOW[@]}")
	listen_as recv recv "${transport:-tcp4}" -R -B 4K d/out
	FRONT=()
	start send "$SOCKXFER" send -v -R "$address" "$1"
	wait_for [ -e hashing ]
}

@test "a sender that dies while the receiver reads its part is found, and the part is as it was" {
	local transport since

	for transport in tcp4 unix; do
		rm -f ./*.socket
		hashing_receiver "$BATS_FILE_TMPDIR/data"
		clock since
		stop send
		finish recv 1
		soon 20000 "$since"
		untouched
	done
}

@test "a receiver that reads its part ends at a signal, and keeps it" {
	hashing_receiver "$BATS_FILE_TMPDIR/data"
	kill -TERM "${PID[recv]}"
	finish recv 143
	finish send 1
	untouched
}

@test "a receiver that dies while the sender reads what is there already is found" {
	local transport since

	for transport in tcp4 unix; do
		rm -f ./*.socket
		make_part
		cp "$BATS_FILE_TMPDIR/data" source
		slow source 10000
		listen_as recv recv "$transport" -R d/out
		start send "${SLOW[@]}" "$SOCKXFER" send -v -R -B 4K "$address" source
		wait_for [ -e hashing ]
		clock since
		stop recv
		finish send 1
		soon 20000 "$since"
		untouched
	done
}

@test "-W limits the time in which either end reads what is there" {
	make_part
	cp "$BATS_FILE_TMPDIR/data" source
	slow source 10000
	head -c 1000000 source >d/other.part
	listen_as other recv tcp4 -R d/other
	start slow-send "${SLOW[@]}" "$SOCKXFER" send -R -W 2 -B 4K "$address" source
	slow out.part 10000
	FRONT=("${SLOW[@]}")
	listen_as recv recv tcp4 -R -W 2 -B 4K d/out
	FRONT=()
	start send "$SOCKXFER" send -R "$address" "$BATS_FILE_TMPDIR/data"
	finish slow-send 3
	finish recv 3
	wait_for ended "${PID[send]}"
	stop send
	# Its sender has not sent a byte, so another may come.
	running other
	stop other
	rm d/other.part
	untouched
}

@test "a part that grows while it is read is a failure at both ends, and stays as it is" {
	rate=$((PART * 2))
	hashing_receiver "$BATS_FILE_TMPDIR/data"
	echo more >>d/out.part
	finish send 6
	finish recv 1
	complaint recv
	has recv.err 'out.part'
	holds d out.part
	{ cat "$BATS_FILE_TMPDIR/begin" && echo more; } | same d/out.part -
}

@test "a part that becomes shorter while it is read is a failure at both ends" {
	rate=$((PART * 2))
	hashing_receiver "$BATS_FILE_TMPDIR/data"
	truncate -s 1000 d/out.part
	finish send 6
	finish recv 1
	[ "$(stat -c %s d/out.part)" -eq 1000 ]
	holds d out.part
}

@test "a part that is replaced or removed while it is read is a failure at both ends, and the new one stays" {
	rate=$((PART * 2))
	hashing_receiver "$BATS_FILE_TMPDIR/data"
	echo mine >d/mine
	mv d/mine d/out.part
	finish send 6
	finish recv 1
	holds d out.part
	[ "$(cat d/out.part)" = mine ]
	hashing_receiver "$BATS_FILE_TMPDIR/data"
	rm d/out.part
	finish send 6
	finish recv 1
	holds d
}

# changed_later COMMAND...: what is done to the part when half of the rest has come. Then that comes, too.
changed_later() {
	make_part
	meets tcp4 line "reply:sockxfer/1 from $PART $SIZE %4 $begin_digest\\n" file:some await:go file:others half gone show
	wait_for part_has $((PART + 500000))
	"$@"
	: >go
	ends_with 1
	rm go
	has recv.err 'the part was changed by another program'
	has stranger.out 'failed '
	[ ! -e d/out ]
}

part_has() {
	[ "$(stat -c %s d/out.part)" -eq "$1" ]
}

@test "a part that another program changes, replaces or removes while it grows is a failure at both ends" {
	prepare
	head -c 500000 "$rest" >some
	tail -c +500001 "$rest" >others
	changed_later dd if=/dev/zero of=d/out.part bs=1 count=5 seek=4000000 conv=notrunc status=none
	holds d out.part
	changed_later mv some d/out.part
	holds d out.part
	cmp -n 500000 "$rest" d/out.part
	head -c 500000 "$rest" >some
	changed_later rm d/out.part
	holds d
}

### On and on

# going_on TRANSPORT LISTENER: "recv" and "send", which go on by themselves (-R -r), of "source", a copy of the data, and
# more than a third of it has come. `again NAME` starts one of them by the same command.
going_on() {
	rm -rf d ./*.socket
	mkdir d
	cp "$BATS_FILE_TMPDIR/data" source
	slowly=(-b 4M)
	if [ "$2" = recv ]; then
		listen_as recv recv "$1" -R -r 60 --json d/out
		reach_recv=(-l "$address") reach_send=("$address")
		again send
	else
		listen_as send send "$1" -R -r 60 "${slowly[@]}" --json source
		reach_send=(-l "$address") reach_recv=("$address")
		again recv
	fi
	wait_for [ -s d/out.part ]
	slowly=()
}

again() {
	if [ "$1" = recv ]; then
		start recv "${NS[@]}" "$SOCKXFER" recv -v -R -r "${patience:-60}" --json "${reach_recv[@]}" d/out
	else
		start send "${NS[@]}" "$SOCKXFER" send -v -R -r "${patience:-60}" "${slowly[@]}" --json "${reach_send[@]}" source
	fi
}

# went_on NAME OTHER: both have done it; the one that went on says how often it was interrupted, and the one that came
# back what was there.
went_on() {
	finish recv
	finish send
	same d/out source
	holds d out
	has_not "$1.out" '"interruptions": 0,'
	grep -qE '"resumed_at": [1-9][0-9]{6},' "$2.out"
	has "$1.err" 'interrupted at '
	has "$1.err" 'trying again'
}

@test "a receiver that is ended or killed and comes back, as by systemd: the file arrives, whoever listens" {
	going_on tcp4 recv
	kill -TERM "${PID[recv]}"
	finish recv 143
	holds d out.part
	again recv
	went_on send recv
	going_on unix send
	stop recv
	holds d out.part
	again recv
	went_on send recv
}

@test "a sender that is killed and comes back: the file arrives, whoever listens" {
	going_on unix recv
	stop send
	again send
	went_on recv send
	going_on tcp4 send
	stop send
	again send
	went_on recv send
}

@test "a receiver that systemd starts on its socket, ends and starts again goes on" {
	local first

	mkdir d
	cp "$BATS_FILE_TMPDIR/data" source
	launch '-k 2 listen' 4 "$SOCKXFER" recv -R fd:3 d/out
	start send "$SOCKXFER" send -v -R -r 60 -b 4M --json "$address" source
	wait_for [ -s d/out.part ]
	read -r first <"/proc/${PID[us]}/task/${PID[us]}/children" || [ -n "$first" ] || skip "needs a list of children"
	kill -TERM "$first"
	wait_said us 'killed by 15'
	finish us
	has us.out 'exited with 0'
	finish send
	same d/out source
	holds d out
	has_not send.out '"interruptions": 0,'
}

@test "a source that changes between two tries is refused by the second, which is the last" {
	going_on tcp4 recv
	cp "$BATS_FILE_TMPDIR/other" other
	mv other source
	stop recv
	cp d/out.part kept
	again recv
	finish send 6
	finish recv 4
	same d/out.part kept
	holds d out.part
	has send.err 'bytes differ'
}

@test "a part of another file is not tried again, at either end" {
	local since

	make_part
	cp "$BATS_FILE_TMPDIR/other" source
	clock since
	listen_as recv recv tcp4 -R -r 600 d/out
	start send "$SOCKXFER" send -v -R -r 600 "$address" source
	finish send 6
	finish recv 4
	soon 10000 "$since"
	untouched
	has_not recv.err 'trying again'
	has_not send.err 'trying again'
}

@test "a full disk is not tried again, at either end, and the part keeps what went onto it" {
	local since

	small_directory 2500K
	clock since
	listen_as recv recv tcp4 -R -r 600 d/new
	start send "${NS[@]}" "$SOCKXFER" send -v -R -r 600 "$address" "$BATS_FILE_TMPDIR/data"
	finish send 6
	finish recv 1
	soon 10000 "$since"
	has recv.err 'No space left'
	has send.err 'No space left'
	has_not recv.err 'trying again'
	has_not send.err 'trying again'
	holds "$small" out new.part
	cmp -n "$(stat -c %s "$small/new.part")" "$small/new.part" "$BATS_FILE_TMPDIR/data"
}

@test "a refusal is not tried again by the sender" {
	local since

	clock since
	scripted_listen stranger tcp4 "text:sockxfer/1 have 0 $TOKEN\\nsockxfer/1 failed no room\\n" eof
	start send "$SOCKXFER" send -v -R -r 600 "$address" "$BATS_FILE_TMPDIR/data"
	finish send 6
	wait_for ended "${PID[stranger]}"
	stop stranger
	soon 10000 "$since"
	has_not send.err 'trying again'
}

@test "-r: who finds nobody for so long after a break gives up, and says so, and the part stays" {
	local end other

	for end in send recv; do
		other=recv
		[ "$end" = send ] || other=send
		patience=1
		going_on tcp4 "$([ "$end" = send ] && echo recv || echo send)"
		stop "$other"
		finish "$end" 1
		has "$end.err" 'interrupted at '
		holds d out.part
		cmp -n "$(stat -c %s d/out.part)" d/out.part source
		# Where it listens, too: but there nobody else knows that it does.
	done
}

@test "without -r one break is the end, at both ends" {
	make_part
	meets tcp4 line "reply:sockxfer/1 from 0 $SIZE %4 $NOTHING_DIGEST\\n" send:2000000 await:go reset
	wait_said stranger 'send:2000000 done'
	: >go
	ends_with 1
	has_not recv.err 'trying again'
	scripted_listen stranger tcp4 "text:sockxfer/1 have 0 $TOKEN\\n" expect:2000000 reset
	start send "$SOCKXFER" send -v -R "$address" "$BATS_FILE_TMPDIR/data"
	finish send 1
	finish stranger
	has_not send.err 'trying again'
}

### Kill -9

@test "kill -9 of either end at random offsets, until it is done: the right bytes, and sent twice is only what was in flight" {
	local seed=()

	need_plain_build
	make_key key
	if [ -n "${KILL_SEED:-}" ]; then seed=(--seed "$KILL_SEED"); fi
	"$PYTHON" "$ROOT/test/fault/kill_resuming.py" --kills "${KILLS:-20}" "${seed[@]}" "$SOCKXFER"
}
