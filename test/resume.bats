#!/usr/bin/env bats
# -R, --resume, with our program at both ends: a transfer that broke goes on where it was, or says no, and the part
# that is kept meanwhile. fault/resume.bats has strangers, disks that are slow, and ends that die.
# shellcheck disable=SC2154  # address, port, way: set by the helpers

load helper
load fault/fault

SIZE=3000000 # of the data
MIB=1048576

# Over what they speak, and who listens.
WAYS=('tcp4 recv' 'tcp4 send' 'unix recv' 'unix send' 'key recv' 'key send')

setup_file() {
	head -c "$SIZE" /dev/urandom >"$BATS_FILE_TMPDIR/data"
	head -c "$SIZE" /dev/urandom >"$BATS_FILE_TMPDIR/other"
	make_key "$BATS_FILE_TMPDIR/key"
}

# start_both SOURCE: "recv" into d/out, with the options at_recv, and "send" of it, with at_send, over $way.
at_recv=(-R)
at_send=(-R)
start_both() {
	local transport listener key=()

	read -r transport listener <<<"${way:-tcp4 recv}"
	if [ "$transport" = key ]; then
		transport=tcp4
		key=(-K "$BATS_FILE_TMPDIR/key")
	fi
	rm -f ./*.socket
	if [ "$listener" = recv ]; then
		listen_as recv recv "$transport" --json "${key[@]}" "${at_recv[@]}" d/out
		start send "$SOCKXFER" send -v --json "${key[@]}" "${at_send[@]}" "$address" "$1"
	else
		listen_as send send "$transport" --json "${key[@]}" "${at_send[@]}" "$1"
		start recv "$SOCKXFER" recv -v --json "${key[@]}" "${at_recv[@]}" "$address" d/out
	fi
}

# transfer SOURCE [SEND_STATUS [RECV_STATUS]]
transfer() {
	start_both "$1"
	finish send "${2:-0}"
	finish recv "${3:-0}"
}

# in_each_way COMMAND...; in_some_ways does it where all the ways can hardly differ: each transport once, and each listener.
in_each_way() {
	for way in "${WAYS[@]}"; do
		empty_directory
		"$@"
	done
}

in_some_ways() {
	local WAYS=('tcp4 recv' 'unix send' 'key recv')

	in_each_way "$@"
}

empty_directory() {
	rm -rf d
	mkdir d
}

# part FILE BYTES: there is a part, the beginning of that file, and how it looks is remembered.
part() {
	head -c "$2" "$1" >d/out.part
	chmod 600 d/out.part
	remember_part
}

remember_part() {
	cp d/out.part remembered
	looks=$(stat -c '%i %s %y' d/out.part)
}

part_is_untouched() {
	same d/out.part remembered
	[ "$(stat -c '%i %s %y' d/out.part)" = "$looks" ]
}

# arrived_at BYTES: both had the right bytes in the end, of which so many did not have to be sent, and no part is left.
arrived_at() {
	same d/out "$BATS_FILE_TMPDIR/data"
	holds d out
	resumed_at recv "$1"
	resumed_at send "$1"
	has recv.out "\"bytes\": $SIZE,"
	has send.out "\"bytes\": $SIZE,"
}

# resumed_at NAME BYTES: by its JSON.
resumed_at() {
	has "$1.out" "\"resumed_at\": $2,"
}

### What is there already

fresh() {
	transfer "$BATS_FILE_TMPDIR/data"
	arrived_at 0
	[ "$(mode d/out)" = 644 ]
}

@test "where nothing is there yet, all is sent, and no part is left" {
	in_some_ways fresh
}

continued() {
	part "$BATS_FILE_TMPDIR/data" "$1"
	transfer "$BATS_FILE_TMPDIR/data"
	arrived_at "$1"
	[ "$(mode d/out)" = 644 ]
}

@test "where a part is there, only what is missing is sent" {
	in_each_way continued 1000000
}

@test "a part may be of any length: of one byte, all but one, or the whole" {
	local size

	for size in 1 $((SIZE - 1)) "$SIZE"; do
		empty_directory
		continued "$size"
	done
}

@test "an empty part is nothing that is there, and an empty source can be sent" {
	empty_directory
	continued 0
	empty_directory
	: >empty
	transfer empty
	same d/out empty
	holds d out
	# Shorter than the part, too.
	empty_directory
	part "$BATS_FILE_TMPDIR/data" 10
	transfer empty
	same d/out empty
	holds d out
}

longer_part() {
	part "$BATS_FILE_TMPDIR/data" "$SIZE"
	echo more >>d/out.part
	transfer "$BATS_FILE_TMPDIR/data"
	arrived_at 0
}

@test "a part that is longer than the source: all is sent" {
	in_some_ways longer_part
}

part_of_another() {
	echo old >d/out
	part "$BATS_FILE_TMPDIR/other" 1000000
	transfer "$BATS_FILE_TMPDIR/data" 6 4
	part_is_untouched
	[ "$(cat d/out)" = old ]
	holds d out out.part
	has recv.err 'the first 1000000 bytes differ'
	has recv.err 'NAME.part'
	has send.err 'the first 1000000 bytes differ'
	for end in recv send; do
		has "$end.err" 'hint: '
		has "$end.err" 'without -R'
	done
}

@test "a part of another file is no beginning of this one: 4 and 6, with the way out, and it is not touched" {
	in_some_ways part_of_another
}

# flip FILE OFFSET: another byte there.
flip() {
	"$PYTHON" -c '
import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(int(sys.argv[2]))
    byte = file.read(1)[0]
    file.seek(-1, 1)
    file.write(bytes([byte ^ 1]))' "$1" "$2"
}

@test "one byte decides, whether the first that is there or the last" {
	local offset

	empty_directory
	part "$BATS_FILE_TMPDIR/data" 1000000
	for offset in 0 999999; do
		cp "$BATS_FILE_TMPDIR/data" changed
		flip changed "$offset"
		transfer changed 6 4
		part_is_untouched
		holds d out.part
	done
	# What is not there yet may change.
	cp "$BATS_FILE_TMPDIR/data" changed
	flip changed 1000000
	transfer changed
	same d/out changed
}

### At one end only

receiver_only() {
	part "$BATS_FILE_TMPDIR/data" 1000000
	transfer "$BATS_FILE_TMPDIR/data"
	arrived_whole
	resumed_at recv 0
}

# All was sent, and the part is gone.
arrived_whole() {
	same d/out "$BATS_FILE_TMPDIR/data"
	holds d out
	has send.out '"ended": "stored"'
}

@test "-R at the receiver only: all is sent, and both know that it is stored" {
	at_send=(-V)
	in_some_ways receiver_only
}

# It waits ten seconds for the receiver to say what is there, in all ways at once.
@test "-R at the sender only, or to a silent stranger: all is sent, and the part is left alone (slow: 10 s)" {
	local name address recv where

	empty_directory
	part "$BATS_FILE_TMPDIR/data" 1000000
	for way in tcp4 unix key; do
		recv=()
		where=$way
		if [ "$way" = key ]; then
			where=tcp4
			recv=(-K "$BATS_FILE_TMPDIR/key")
		fi
		listen_as "recv-$way" recv "$where" "${recv[@]}" "d/out$([ "$way" = tcp4 ] || echo ".$way")"
		start "send-$way" "$SOCKXFER" send -v -R --json "${recv[@]}" "$address" "$BATS_FILE_TMPDIR/data"
	done
	listen_as send-listens send tcp4 -R --json "$BATS_FILE_TMPDIR/data"
	start recv-listens "$SOCKXFER" recv "$address" d/out.listens
	for name in stranger half; do
		scripted_listen "$name" tcp4 "text:sockxfer/1 have 1" eof save:"$name"
		start "send-$name" "$SOCKXFER" send -v -R --json "$address" "$BATS_FILE_TMPDIR/data"
	done
	# Time that is short is enough.
	scripted_listen hasty tcp4 gone
	start send-hasty "$SOCKXFER" send -v -R -W 5 "$address" "$BATS_FILE_TMPDIR/data"
	for name in tcp4 unix key listens; do
		finish "send-$name"
		finish "recv-$name"
		same "d/out$([ "$name" = tcp4 ] || echo ".$name")" "$BATS_FILE_TMPDIR/data"
		resumed_at "send-$name" 0
		has "send-$name.out" '"ended": "stored"'
	done
	part_is_untouched
	for name in stranger half; do
		finish "send-$name"
		finish "$name"
		same "$name" "$BATS_FILE_TMPDIR/data"
	done
	finish send-hasty 3
	finish hasty
}

@test "a receiver without -R says at its start that there is a part, and leaves it alone" {
	empty_directory
	part "$BATS_FILE_TMPDIR/data" 1000000
	at_recv=()
	at_send=()
	transfer "$BATS_FILE_TMPDIR/data"
	head -n 1 recv.err | grep 'd/out: a part of it is there.*-R'
	part_is_untouched
	start recv "$SOCKXFER" recv -q -l unix:quiet.socket d/out
	wait_for listening_unix quiet.socket
	start send "$SOCKXFER" send unix:quiet.socket "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	[ ! -s recv.err ]
	rm d/out.part
	at_recv=()
	transfer "$BATS_FILE_TMPDIR/data"
	has_not recv.err 'a part'
}

### The part

# receive_from BYTES STEP...: a receiver, "us", with the options at_us, and a sender that has sent so many bytes of the
# pattern, and takes the steps after `go`.
receive_from() {
	local size=$1

	shift
	listen_as us recv tcp4 -R "${at_us[@]}" d/out
	scripted sender connect "$address" line "send:$size" await:go "$@"
	wait_said sender "send:$size done"
	"$PYTHON" "$PEER/pattern.py" "$size" >pattern
}
at_us=()

# Whether the part has that size.
part_has() {
	! ended "${PID[us]}" || return 99
	[ -e d/out.part ] && [ "$(stat -c %s d/out.part)" -eq "$1" ]
}

go() {
	: >go
	finish sender
	rm go
}

@test "a break keeps as NAME.part, mode 0600, what has come, once that is 1 MiB" {
	empty_directory
	umask 0
	receive_from $((MIB + 100000)) reset
	wait_for part_has $((MIB + 100000))
	holds d out.part
	[ "$(mode d/out.part)" = 600 ]
	go
	finish us 1
	holds d out.part
	cmp -n $((MIB + 100000)) pattern d/out.part
	[ "$(stat -c %s d/out.part)" -eq $((MIB + 100000)) ]
	[ "$(mode d/out.part)" = 600 ]
}

@test "below 1 MiB there is no part, neither in between nor after a break" {
	empty_directory
	receive_from $((MIB - 1)) reset
	wait_for arrived us $((MIB - 1))
	holds d
	go
	finish us 1
	holds d
}

@test "the last byte of 1 MiB makes the part" {
	empty_directory
	receive_from "$MIB" reset
	wait_for part_has "$MIB"
	go
	finish us 1
	holds d out.part
}

@test "without -R a break leaves no part, and one that is there as it was" {
	empty_directory
	part "$BATS_FILE_TMPDIR/data" 10
	listen_as us recv tcp4 d/out
	scripted sender connect "$address" "send:$((2 * MIB))" reset
	finish sender
	finish us 1
	part_is_untouched
	holds d out.part
	has us.err '-R'
}

@test "a part that others may read is ours alone as soon as it is continued" {
	empty_directory
	part "$BATS_FILE_TMPDIR/data" 1000
	chmod 666 d/out.part
	listen_as us recv tcp4 -R d/out
	scripted sender connect "$address" line await:go reset
	wait_said sender 'line done'
	[ "$(mode d/out.part)" = 600 ]
	go
	stop us
}

@test "the file has the mode of a new one, or of the one that it replaces, whatever the part's" {
	empty_directory
	umask 027
	part "$BATS_FILE_TMPDIR/data" 2000000
	transfer "$BATS_FILE_TMPDIR/data"
	arrived_at 2000000
	[ "$(mode d/out)" = 640 ]
	chmod 604 d/out
	part "$BATS_FILE_TMPDIR/data" 2000000
	transfer "$BATS_FILE_TMPDIR/data"
	arrived_at 2000000
	[ "$(mode d/out)" = 604 ]
	# And one whose part was made on the way.
	rm d/out
	transfer "$BATS_FILE_TMPDIR/data"
	arrived_at 0
	[ "$(mode d/out)" = 640 ]
}

@test "behind a symlink the part is where the file is" {
	mkdir d elsewhere
	ln -s ../elsewhere/file d/out
	head -c 1000000 "$BATS_FILE_TMPDIR/data" >elsewhere/file.part
	transfer "$BATS_FILE_TMPDIR/data"
	same elsewhere/file "$BATS_FILE_TMPDIR/data"
	holds elsewhere file
	holds d out
	[ -L d/out ]
	resumed_at recv 1000000
}

# refused TEXT: before anything listens.
refused() {
	start us "$SOCKXFER" recv -v -R -p 0 d/out
	finish us 1
	one_line us.err
	has us.err "$1"
	has_not us.err listening
}

@test "what is no file of ours alone is no part, and that is told before anything listens" {
	empty_directory
	mkdir d/out.part
	refused d/out.part
	rmdir d/out.part
	mkfifo d/out.part
	refused d/out.part
	rm d/out.part
	echo target >target
	ln -s ../target d/out.part
	refused d/out.part
	rm d/out.part
	ln target d/out.part
	refused d/out.part
	[ "$(cat target)" = target ]
	rm d/out.part
	ln -s loop d/out.part
	refused d/out.part
}

@test "another user's file is no part, and that is told before anything listens" {
	need_root
	empty_directory
	part "$BATS_FILE_TMPDIR/data" 1000
	chown 1234 d/out.part
	refused d/out.part
	same d/out.part remembered
}

@test "a name that leaves no room for .part is refused before anything listens" {
	local name

	empty_directory
	printf -v name '%0252d' 0
	start us "$SOCKXFER" recv -v -R -p 0 "d/$name"
	finish us 1
	one_line us.err
	has_not us.err listening
	start us "$SOCKXFER" recv -v -p 0 "d/$name"
	wait_said us listening
	stop us
	holds d
}

### Several receivers

@test "a second receiver of one part is refused before it listens, and the first goes on" {
	empty_directory
	receive_from $((2 * MIB)) half eof
	wait_for part_has $((2 * MIB))
	start second "$SOCKXFER" recv -v -R -p 0 d/out
	finish second 1
	one_line second.err
	has second.err 'd/out.part: another receiver is writing to it'
	has_not second.err listening
	go
	finish us
	cmp -n $((2 * MIB)) pattern d/out
	holds d out
}

@test "a part that waits for its sender is another's, too" {
	empty_directory
	part "$BATS_FILE_TMPDIR/data" 1000
	listen_as first recv tcp4 -R d/out
	refused 'd/out.part: another receiver is writing to it'
	stop first
	part_is_untouched
	# It was nobody's as soon as its receiver was gone.
	listen_as first recv tcp4 -R d/out
	stop first
}

# two_at_once STEP...: "one" has made the part, of the pattern, and "two" has got as much of the data, and then STEPs.
two_at_once() {
	local name

	empty_directory
	listen_as two recv tcp4 -R d/out
	scripted other connect "$address" line await:two "file:$BATS_FILE_TMPDIR/data" "$@"
	wait_said other 'line done'
	receive_from $((2 * MIB)) half eof
	wait_for part_has $((2 * MIB))
	remember_part
	: >two
	wait_said other "file:$BATS_FILE_TMPDIR/data done"
}

one_is_whole() {
	go
	finish us
	cmp -n $((2 * MIB)) pattern d/out
	[ "$(stat -c %s d/out)" -eq $((2 * MIB)) ]
	holds d out
}

@test "of two receivers that begin at once one has the part, and both end with their own bytes" {
	two_at_once half eof
	finish other
	finish two
	same d/out "$BATS_FILE_TMPDIR/data"
	part_is_untouched
	one_is_whole
}

@test "of two receivers that begin at once the one that has not the part leaves it alone when it breaks" {
	two_at_once reset
	finish other
	finish two 1
	part_is_untouched
	holds d out.part
	one_is_whole
}

### With other options

@test "-n: a file that appears meanwhile stays, and so does the part, which has all then" {
	local at_us=(-n)

	empty_directory
	receive_from $((2 * MIB)) half gone show
	wait_for part_has $((2 * MIB))
	echo mine >d/out
	go
	finish us 1
	has us.err 'File exists'
	has sender.out 'failed File exists'
	[ "$(cat d/out)" = mine ]
	holds d out out.part
	cmp -n $((2 * MIB)) pattern d/out.part
	start us "$SOCKXFER" recv -v -R -n -p 0 d/out
	finish us 1
	has_not us.err listening
}

@test "-n and -S: a part is continued as without them" {
	empty_directory
	part "$BATS_FILE_TMPDIR/data" 1000000
	at_recv=(-R -n -S)
	transfer "$BATS_FILE_TMPDIR/data"
	arrived_at 1000000
}

@test "-S syncs a part that is continued before it has its name" {
	empty_directory
	part "$BATS_FILE_TMPDIR/data" 1000000
	inject
	at_recv=(-R -S)
	start_both "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	same d/out "$BATS_FILE_TMPDIR/data"
	sed -nE '/(fsync|fdatasync)\(/s/.*/sync/p; /(rename|link)[a-z0-9]*\(.*"out"/s/.*/name/p' trace | uniq >order
	[ "$(xargs <order)" = 'sync name sync' ]
}

@test "-E: the digest is that of the whole file; another's is 4, and keeps the part" {
	need_xxh128
	empty_directory
	part "$BATS_FILE_TMPDIR/data" 1000000
	at_recv=(-R -E "$(digest "$BATS_FILE_TMPDIR/other")")
	transfer "$BATS_FILE_TMPDIR/data" 6 4
	holds d out.part
	cmp -n 1000000 d/out.part "$BATS_FILE_TMPDIR/data"
	at_recv=(-R -E "$(digest "$BATS_FILE_TMPDIR/data")")
	part "$BATS_FILE_TMPDIR/data" 1000000
	transfer "$BATS_FILE_TMPDIR/data"
	arrived_at 1000000
}

@test "--max-size: of the whole file; what is announced to be larger is refused at once, and the part stays" {
	empty_directory
	part "$BATS_FILE_TMPDIR/data" 1000000
	at_recv=(-R --max-size "$((SIZE - 1))")
	transfer "$BATS_FILE_TMPDIR/data" 6 1
	has recv.err 'too large'
	has send.err 'too large'
	part_is_untouched
	holds d out.part
	at_recv=(-R --max-size "$SIZE")
	transfer "$BATS_FILE_TMPDIR/data"
	arrived_at 1000000
}

@test "the receiver's rate limit, and small chunks at both ends, change no byte" {
	empty_directory
	part "$BATS_FILE_TMPDIR/data" 1000001
	at_recv=(-R -b 20M -B 1009)
	at_send=(-R -B 997)
	transfer "$BATS_FILE_TMPDIR/data"
	arrived_at 1000001
}

### A second transfer by hand

@test "a transfer that is broken off is begun again by the same two commands, and goes on" {
	empty_directory
	head -c 2000000 "$BATS_FILE_TMPDIR/data" >begin
	listen_as us recv tcp4 -R d/out
	scripted sender connect "$address" line file:begin await:go reset
	wait_for part_has 2000000
	go
	finish us 1
	transfer "$BATS_FILE_TMPDIR/data"
	arrived_at 2000000
}

@test "a source that has grown since is sent whole, one that has changed is refused" {
	empty_directory
	cp "$BATS_FILE_TMPDIR/data" source
	part source "$SIZE"
	echo more >>source
	transfer source
	same d/out source
	holds d out
	resumed_at recv "$SIZE"
	part "$BATS_FILE_TMPDIR/other" "$SIZE"
	transfer source 6 4
	part_is_untouched
	# As the advice says: once without -R.
	at_recv=()
	at_send=()
	transfer source
	same d/out source
	part_is_untouched
}
