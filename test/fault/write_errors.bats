#!/usr/bin/env bats
# Write errors, also those that the kernel tells of only once: none is lost, in any kind of output.
# shellcheck disable=SC2154  # address, port: set by the helpers

load ../helper
load fault

setup_file() {
	head -c 20000000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

send_data() {
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
}

# fails TEXT: recv 1, with that text, and send 6, with the reason in it.
fails() {
	finish recv 1
	finish send 6
	complaint recv
	has recv.complaint "$1"
	one_line send.err
	has send.err "the receiver failed: $(sed 's/.*: //' recv.complaint)"
}

# file_fails TEXT INJECTION...: with -S and these faults, a file is not stored.
file_fails() {
	local text=$1

	shift
	inject "$@"
	prepare_output old
	listen_as recv recv tcp4 -S d/out
	send_data
	fails "$text"
	output_untouched old
}

# start_stream REDIRECTION [OPTION...]: a receiver whose stdout is redirected so.
start_stream() {
	local redirection=$1

	shift
	start recv "${NS[@]}" "${FRONT[@]}" sh -c 'exec "$@" '"$redirection" - "$SOCKXFER" recv -v -l 127.0.0.1:0 "$@"
	find_address recv
}

# In 20 MB the calls are: begin to write the first 8 MiB, begin with the second, wait for the first.
@test "-S: whichever call that writes back early fails, and though fsync says nothing: recv 1, send 6, nothing left" {
	local call

	for call in 1 2 3; do
		file_fails 'd/out: write: Input/output error' "sync_file_range:error=EIO:when=$call"
	done
	file_fails 'd/out: write: No space left on device' 'sync_file_range:error=ENOSPC:when=3'
}

@test "-S: an error that the wait for a write gives is one whatever its number" {
	local error

	for error in EINVAL ENOSYS EROFS; do
		file_fails 'd/out: write: ' "sync_file_range:error=$error:when=3"
	done
}

@test "-S: where nothing can be written back early, fsync alone decides" {
	local error

	for error in EINVAL ENOSYS ESPIPE; do
		inject "sync_file_range:error=$error"
		prepare_output old
		listen_as recv recv tcp4 -S d/out
		send_data
		finish send
		finish recv
		same d/out "$BATS_FILE_TMPDIR/data"
		file_fails 'd/out: fsync: Input/output error' "sync_file_range:error=$error" 'fsync:error=EIO:when=1'
	done
}

@test "-S: an fsync of a file that fails is a failure whatever its number" {
	local error

	# EROFS is what a file system says that has been made read-only by a failed write.
	for error in EIO ENOSPC EDQUOT EROFS EINVAL ENOSYS; do
		file_fails 'd/out: fsync: ' "fsync,fdatasync:error=$error:when=1"
	done
}

@test "-S: an fsync of the directory that fails is a failure, unless directories cannot be synced there" {
	local error

	for error in EIO EROFS; do
		inject "fsync:error=$error:when=2"
		prepare_output old
		listen_as recv recv tcp4 -S d/out
		send_data
		fails 'd/out: fsync of its directory after it got its name: '
		holds d out
	done
	inject fsync:error=EINVAL:when=2
	prepare_output old
	listen_as recv recv tcp4 -S d/out
	send_data
	finish send
	finish recv
}

@test "-S on stdout that is a file: an fsync that fails is a failure, of either of its descriptors" {
	local call error

	for error in EIO EROFS EINVAL; do
		for call in 1 2; do
			inject "fsync:error=$error:when=$call"
			start_stream '>out' -S
			send_data
			fails 'stdout: fsync: '
		done
	done
}

@test "-S -k on stdout that is a file: an fsync that fails is told to the sender, and in the log" {
	local pid

	inject fsync:error=EIO
	start_stream '>out' -S -k
	send_data
	finish send 6
	has send.err 'Input/output error'
	wait_said recv 'stdout: fsync: Input/output error'
	read -r pid _ <trace
	kill "$pid"
	finish recv 143
}

# close_fails TEXT BACK COMMAND...: COMMAND starts a receiver as "recv"; its last close before its word "stored"
# but BACK fails, by which some file systems tell of a lost write. (Only that process is traced.)
close_fails() {
	local number text=$1 back=$2

	shift 2
	need_strace
	FRONT=(strace -q -o trace)
	"$@"
	send_data
	finish recv
	finish send
	number=$(sed '/sockxfer.1 stored/,$d' trace | grep -c '^close(')
	number=$((number - back))
	FRONT+=(-e "inject=close:error=EIO:when=$number")
	"$@"
	send_data
	fails "$text: close: Input/output error"
}

@test "a close that fails is a failure: stdout that is a file, a device, a command's pipe" {
	close_fails stdout 0 start_stream '>out'
	close_fails stdout 0 start_stream '>out' -S
	close_fails sh 1 start_command # the last is of its signalfd
	mknod null c 1 3 2>/dev/null && : >null 2>/dev/null || skip "a device needs mknod"
	close_fails null 0 listen_as recv recv tcp4 null
}

start_command() {
	listen_as recv recv tcp4 -- sh -c 'exec cat >out'
}

### A real device that fails

# failing_disk MKFS...: d, in a namespace, with a file system that this command makes, on a disk with 400 MB, of
# which 20 are there. d/out is an old file.
failing_disk() {
	local used

	need_root
	need "$1" losetup
	make_namespace
	mkdir back d
	"${NS[@]}" mount -t tmpfs tmpfs back || skip "needs tmpfs"
	"${NS[@]}" truncate -s 400M back/disk
	"${NS[@]}" "$@" back/disk >mkfs.out 2>mkfs.err || skip "$1 fails"
	"${NS[@]}" mount -o loop back/disk d 2>mount.err || skip "needs loop devices with $1"
	small=/proc/$NS_PID/root/$PWD/d
	echo old | "${NS[@]}" tee d/out >/dev/null
	"${NS[@]}" sync -f d
	used=$("${NS[@]}" df --output=used back | tail -n 1)
	"${NS[@]}" mount -o "remount,size=$((used + 20000))k" back
}

# Whether nothing fits any more, and the device has tried. (xfs may tell the receiver at once.)
disk_is_full() {
	local device

	! ended "${PID[recv]}" || return 0
	device=$("${NS[@]}" findmnt -no SOURCE d)
	[ "$("${NS[@]}" df --output=avail back | tail -n 1)" -eq 0 ] &&
		[ "$(tr -d ' ' <"/sys/block/${device##*/}/inflight")" = 00 ]
}

disk_recovers() {
	"${NS[@]}" mount -o remount,size=400M back
}

one_ended() {
	ended "$1" || ended "$2"
}

# disk_fails OPTION...: a disk that is full while the third 8 MiB are written, and then has room again.
disk_fails() {
	local rest

	open_pipe
	listen_as recv recv tcp4 "$@" d/out
	start send "${NS[@]}" "$SOCKXFER" send -V "$address" <pipe
	head -c 25300000 /dev/urandom >&8
	wait_for disk_is_full
	disk_recovers
	head -c 40000000 /dev/zero >&8 3>&- &
	rest=$!
	wait_for one_ended "$rest" "${PID[recv]}"
	kill "$rest" 2>/dev/null || true
	exec 8>&-
	fails 'd/out: '
	[ "$(cat "$small/out")" = old ]
	[ "$(find "$small" -name '.sockxfer*' | wc -l)" -eq 0 ]
}

@test "-S: an ext4 disk that is full for a moment: recv 1, send 6, the old file intact" {
	failing_disk mkfs.ext4 -q -O ^has_journal
	disk_fails -S
}

@test "a file that is replaced, on an ext4 disk that is full for a moment: recv 1, send 6, the old file intact" {
	failing_disk mkfs.ext4 -q
	disk_fails
}

@test "-S: an ext4 disk with a journal that is full for a moment: recv 1, send 6, the old file intact" {
	failing_disk mkfs.ext4 -q
	disk_fails -S
}

@test "-S: an xfs disk that is full for a moment: recv 1, send 6, the old file intact" {
	failing_disk mkfs.xfs -q
	disk_fails -S
}

@test "-S: a btrfs disk that is full for a moment: recv 1, send 6, the old file intact" {
	failing_disk mkfs.btrfs -q
	disk_fails -S
}

arrived_in_all() {
	[ "$(stat -c %s "$small/all")" -ge "$1" ]
}

@test "-S -k on stdout, on a disk that is full for a moment: each of two senders that were there learns of it" {
	failing_disk mkfs.ext4 -q -O ^has_journal
	open_pipe
	start_stream '>d/all' -S -k
	start first "${NS[@]}" "$SOCKXFER" send -V "$address" <pipe
	# By lines: else the second would wait for the first to end one.
	yes "$(printf '%099d' 0)" | head -c 40000000 >&8
	wait_for arrived_in_all 40000000
	echo short >line
	start second "${NS[@]}" "$SOCKXFER" send -V "$address" line
	finish second 6
	disk_recovers
	exec 8>&-
	finish first 6
	kill "${PID[recv]}"
	finish recv 143
}
