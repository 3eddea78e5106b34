#!/usr/bin/env bats
# The main job, between two of our own: both roles, every family, files and streams, all sizes.
# shellcheck disable=SC2154  # port: wait_port and free_port set it

load helper

setup_file() {
	head -c 3000000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# open_listener FAMILY ROLE ARGUMENT...: starts the side that listens, called after its role, with the stdin of
# this function, and sets $address to where it can be reached.
open_listener() {
	local family=$1 role=$2

	shift 2
	case $family in
	tcp4) start "$role" "$SOCKXFER" "$role" -l 127.0.0.1:0 "$@" <&0 ;;
	tcp6) start "$role" "$SOCKXFER" "$role" -l '[::1]:0' "$@" <&0 ;;
	unix) start "$role" "$SOCKXFER" "$role" -v -l unix:socket "$@" <&0 ;;
	esac
	wait_said "$role" 'listening on'
	address=$(sed -n 's/.*listening on //p' "$role.err")
}

# move FAMILY LISTENER SOURCE OUTPUT [OPTION...]: one transfer, both sides with the options. SOURCE - is
# the file "in" on stdin; OUTPUT - is recv.out.
move() {
	local family=$1 listener=$2 source=$3 output=$4 input=/dev/null

	shift 4
	[ "$source" != - ] || input=in
	if [ "$listener" = recv ]; then
		open_listener "$family" recv "$@" "$output"
		start send "$SOCKXFER" send "$@" "$address" "$source" <"$input"
	else
		open_listener "$family" send "$@" "$source" <"$input"
		start recv "$SOCKXFER" recv "$@" "$address" "$output"
	fi
	finish recv
	finish send
}

# The same for all families and both roles.
move_everywhere() {
	local family listener

	for family in tcp4 tcp6 unix; do
		for listener in recv send; do
			rm -f out
			move "$family" "$listener" in out "$@"
			same in out
		done
	done
	# And without receipts and digests.
	rm -f out
	open_listener unix recv "$@" out
	start send "$SOCKXFER" send --no-receipt "$@" "$address" in
	finish recv
	finish send
	same in out
}

### Both roles, every family, files and streams

# picture FAMILY LISTENER
move_picture() {
	picture in
	move "$1" "$2" in out
	same in out
	move "$1" "$2" - -
	same in recv.out
}

@test "recv -p listens, send connects: the picture arrives" {
	picture in.jpg
	receive out.jpg
	start send "$SOCKXFER" send "localhost:$port" in.jpg
	finish send
	finish us
	same in.jpg out.jpg
}

@test "send -p listens, recv connects: the picture arrives" {
	picture in.jpg
	start send "$SOCKXFER" send -p 0 in.jpg
	wait_port send
	start recv "$SOCKXFER" recv "localhost:$port" out.jpg
	finish recv
	finish send
	same in.jpg out.jpg
}

@test "IPv4, recv listens: file to file, stdin to stdout" { move_picture tcp4 recv; }
@test "IPv4, send listens: file to file, stdin to stdout" { move_picture tcp4 send; }
@test "IPv6, recv listens: file to file, stdin to stdout" { move_picture tcp6 recv; }
@test "IPv6, send listens: file to file, stdin to stdout" { move_picture tcp6 send; }
@test "unix, recv listens: file to file, stdin to stdout" { move_picture unix recv; }
@test "unix, send listens: file to file, stdin to stdout" { move_picture unix send; }

@test "no file operand is stdin and stdout" {
	picture in
	start recv "$SOCKXFER" recv -p 0
	wait_port recv
	start send "$SOCKXFER" send "127.0.0.1:$port" <in
	finish send
	finish recv
	same in recv.out
}

@test "a pipe is sent as its bytes come, not when a chunk is full" {
	mkfifo pipe
	exec 8<>pipe
	start recv "$SOCKXFER" recv -p 0
	wait_port recv
	start send "$SOCKXFER" send "127.0.0.1:$port" <pipe
	echo 'a line' >&8
	wait_for grep -q 'a line' recv.out
	echo 'another line' >&8
	wait_for grep -q 'another line' recv.out
	running send
	exec 8>&-
	finish send
	finish recv
	[ "$(cat recv.out)" = $'a line\nanother line' ]
}

@test "a FIFO by its name is a source" {
	mkfifo pipe
	receive out
	start send "$SOCKXFER" send "127.0.0.1:$port" pipe
	cat "$BATS_FILE_TMPDIR/data" >pipe
	finish send
	finish us
	same "$BATS_FILE_TMPDIR/data" out
}

@test "a reader of stdout that goes away is a failure of recv, not its death by SIGPIPE" {
	mkfifo pipe
	start reader head -c 1 pipe
	# shellcheck disable=SC2016  # $0 is for the inner shell
	start us sh -c 'exec "$0" recv -p 0 >pipe' "$SOCKXFER"
	wait_port us
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish reader
	finish us 1
	has us.err 'Broken pipe'
	finish send 6
}

@test "a receiver that is gone is a failure of send, not its death by SIGPIPE" {
	scripted peer listen 127.0.0.1:0 expect:100000 reset
	wait_port peer
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send 1
	one_line send.err
	grep -q "^sockxfer: send: 127\.0\.0\.1:$port: " send.err
}

# With our own proxy, which the tests of damage use; socat and ssh -L are the same to us.
@test "through a proxy the same bytes arrive, in both roles" {
	start us "$SOCKXFER" recv -l 127.0.0.1:0 out
	wait_port us
	peer proxy "127.0.0.1:$port"
	wait_port proxy
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	finish proxy
	same "$BATS_FILE_TMPDIR/data" out
	start send "$SOCKXFER" send -l 127.0.0.1:0 "$BATS_FILE_TMPDIR/data"
	wait_port send
	peer proxy --reverse "127.0.0.1:$port"
	wait_port proxy
	start us "$SOCKXFER" recv "127.0.0.1:$port" out2
	finish us
	finish send
	finish proxy
	same "$BATS_FILE_TMPDIR/data" out2
}

### Sizes

@test "an empty file arrives, in both roles, over every family" {
	: >in
	move_everywhere
}

@test "a file of one byte arrives, in both roles, over every family" {
	printf x >in
	move_everywhere
}

@test "a file of 1 MiB less a byte arrives, in both roles, over every family" {
	random_file in 1048575
	move_everywhere
}

@test "chunks of a byte, of 3, of 1K and of 1M carry the same bytes" {
	local size

	random_file in 20001
	for size in 1 3 1K 1M; do
		move_everywhere -B "$size"
	done
}

@test "without receipts the same bytes arrive, whatever their number and the chunk" {
	local family size chunk

	for family in tcp4 unix; do
		for size in 0 1 1048575 2097152 3000000; do
			head -c "$size" "$BATS_FILE_TMPDIR/data" >in
			for chunk in 64K 2M; do
				rm -f out
				open_listener "$family" recv out
				start send "$SOCKXFER" send --no-receipt -B "$chunk" "$address" in
				finish send
				finish recv
				same in out
			done
		done
	done
}

@test "stdin that is a file is sent from where it stands" {
	open_listener unix recv out
	# shellcheck disable=SC2016  # $0 and $@ are for the inner shell
	start send sh -c 'dd bs=1000 count=1 status=none >/dev/null; exec "$0" "$@"' \
		"$SOCKXFER" send --no-receipt -B 64K "$address" <"$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	tail -c +1001 "$BATS_FILE_TMPDIR/data" | cmp - out
}

@test "the two ends may have different chunks" {
	random_file in 100001
	start recv "$SOCKXFER" recv -p 0 -B 7 out
	wait_port recv
	start send "$SOCKXFER" send -B 64K "127.0.0.1:$port" in
	finish send
	finish recv
	same in out
}

# block_device IMAGE: sets $device, over the image. It lasts as long as the test, which holds it open.
block_device() {
	need_root
	need losetup
	device=$(losetup --find --show "$1" 2>/dev/null) || skip "needs a loop device"
	exec 8<"$device"
	losetup -d "$device"
}

@test "a block device has a size: how much of it is sent can be told, and all of it arrives" {
	head -c 1000000 /dev/urandom >image
	truncate -s 64M image # more than the buffers between us take
	block_device image
	scripted peer listen 127.0.0.1:0 expect:200000 await:go eof
	wait_port peer
	ours us send "127.0.0.1:$port" "$device"
	wait_said peer 'expect:200000 done'
	kill -USR1 "${PID[us]}"
	wait_said us ' of 67 MB ('
	touch go
	finish us
	finish peer
	receive out
	ours send send -V "127.0.0.1:$port" "$device"
	finish send
	finish us
	same out image
}

@test "a block device that is stdin is sent from where it stands" {
	head -c 1048576 /dev/urandom >image
	block_device image
	receive out
	# shellcheck disable=SC2016  # the inner shell's
	start send sh -c 'head -c 4096 >/dev/null && exec "$0" send -V "$1"' "$SOCKXFER" "127.0.0.1:$port" <"$device"
	finish send
	finish us
	tail -c +4097 image >rest
	same out rest
}

### A source that changes

# A receiver that holds the sender back until the file "go" exists.
hold_sender() {
	random_file in 50000000
	cp in before
	scripted peer listen 127.0.0.1:0 await:go "$1" save:out
	wait_port peer
	start send "$SOCKXFER" send "127.0.0.1:$port" in
	wait_said peer 'peer 127'
}

@test "a source that grows while it is sent arrives as it was" {
	hold_sender eof
	echo more >>in
	touch go
	finish send
	finish peer
	same before out
}

@test "a source that grows before anybody connects arrives as it was" {
	random_file in 3000000
	start send "$SOCKXFER" send -v --no-receipt -l unix:send.socket in
	wait_said send 'listening on'
	printf more >>in
	start recv "$SOCKXFER" recv unix:send.socket out
	finish send
	finish recv
	head -c 3000000 in | cmp - out
}

@test "a file that ends before the size that it says it has is an error that tells what to do" {
	local file=/sys/kernel/mm/transparent_hugepage/enabled

	[ -r "$file" ] && [ "$(stat -c %s "$file")" -gt "$(wc -c <"$file")" ] || skip "needs such a file in /sys"
	receive out
	start send "$SOCKXFER" send "127.0.0.1:$port" "$file"
	finish send 1
	has send.err 'that it says it has; to send it as it is, pipe it in'
	finish us 1
	receive out
	cat "$file" | "$SOCKXFER" send "127.0.0.1:$port"
	finish us
	cmp out "$file"
}

@test "a source that shrinks while it is sent is a failure that the peer sees" {
	hold_sender gone
	truncate -s 40000000 in
	touch go
	finish send 1
	one_line send.err
	has send.err 'in: the file has become shorter: 40000000 of 50000000 bytes could be read'
	finish peer
}
