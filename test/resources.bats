#!/usr/bin/env bats
# What the program takes: memory and descriptors.
# shellcheck disable=SC2154  # port: wait_port and free_port set it

load helper

setup_file() {
	head -c 3000000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# peak_under_8M NAME: the most memory that the process has had so far.
peak_under_8M() {
	local peak

	peak=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/${PID[$1]}/status")
	echo "$1: $peak kB at the most" >&2
	[ "$peak" -lt 8192 ]
}

@test "memory stays under 8 MB: file to file" {
	need_plain_build
	truncate -s 400M big
	scripted sender listen 127.0.0.1:0 file:big await:go
	wait_port sender
	start recv "$SOCKXFER" recv "127.0.0.1:$port" out
	wait_said sender 'file:big done'
	peak_under_8M recv
	scripted receiver listen 127.0.0.1:0 expect:400000000 await:go eof
	wait_port receiver
	start send "$SOCKXFER" send "127.0.0.1:$port" big
	wait_said receiver 'expect:400000000 done'
	peak_under_8M send
	touch go
	finish recv
	finish send
}

@test "memory stays under 8 MB: stdin to stdout" {
	need_plain_build
	mkfifo pipe
	exec 8<>pipe
	# shellcheck disable=SC2016  # $0 is for the inner shell
	start recv sh -c 'exec "$0" recv -p 0 >/dev/null' "$SOCKXFER"
	wait_port recv
	start send "$SOCKXFER" send "127.0.0.1:$port" <pipe
	head -c 400000000 /dev/zero >&8
	peak_under_8M recv
	peak_under_8M send
	exec 8>&-
	finish recv
	finish send
}

# descriptors NAME: what its descriptors from 3 on are, sorted, in words.
descriptors() {
	local link target words=()

	for link in "/proc/${PID[$1]}/fd"/*; do
		[ "${link##*/}" -gt 2 ] || continue
		target=$(readlink "$link")
		case $target in
		socket:*) words+=(socket) ;;
		pipe:*) words+=(pipe) ;;
		"$PWD") words+=(directory) ;;
		"$PWD"/*) words+=(file) ;;
		*) words+=("$target") ;;
		esac
	done
	printf '%s\n' "${words[@]}" | sort | paste -sd ' '
}

# holds_just NAME DESCRIPTOR...
holds_just() {
	local found

	found=$(descriptors "$1")
	[ "$found" = "${*:2}" ] || {
		echo "$1 has: $found; expected: ${*:2}" >&2
		return 1
	}
}

@test "a waiting receiver has open its two listening sockets and its output, no more" {
	need_plain_build
	start us "$SOCKXFER" recv -p 0 out
	wait_port us
	holds_just us directory file socket socket
	start other "$SOCKXFER" recv -4 -p 0 out
	wait_port other
	holds_just other directory file socket
	start third "$SOCKXFER" send -p 0 "$BATS_FILE_TMPDIR/data"
	wait_port third
	holds_just third "$BATS_FILE_TMPDIR/data" socket socket
}

@test "in mid-transfer both sides have open one socket and their file, no more" {
	need_plain_build
	cp "$BATS_FILE_TMPDIR/data" in
	# A source without end, so that this is mid-transfer.
	mkfifo pipe
	exec 8<>pipe
	start recv "$SOCKXFER" recv -4 -p 0 out
	wait_port recv
	start send "$SOCKXFER" send "localhost:$port" pipe
	head -c 1000000 /dev/zero >&8
	wait_for holds_just send file socket # at first, what it takes to connect may still be open
	# Its listening socket may still be there, or be closed already.
	holds_just recv directory file socket || holds_just recv directory file socket socket
	scripted peer listen 127.0.0.1:0 expect:1000 stall
	wait_port peer
	start connected "$SOCKXFER" send "localhost:$port" in
	wait_said peer 'expect:1000 done'
	holds_just connected file socket
	exec 8>&-
	finish send
	finish recv
}
