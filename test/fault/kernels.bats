#!/usr/bin/env bats
# Older kernels, and sandboxes that do not know newer system calls: all works without them.
# shellcheck disable=SC2154,SC2016  # address, port: set by the helpers; $ is for inner shells

load ../helper
load fault

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

data=${BATS_FILE_TMPDIR:-}/data

# denied ERROR CALL...: whatever is started with "${FRONT[@]}" in front has calls that fail with the error.
denied() {
	local error=$1 calls

	shift
	"$PYTHON" "$TOOLS/deny.py" --check 2>/dev/null || skip "needs seccomp"
	calls=$(printf ',%s' "$@")
	FRONT=("$PYTHON" "$TOOLS/deny.py" "$error" "${calls#,}")
}

sends() {
	start send "${FRONT[@]}" "$SOCKXFER" send -V "$address" "$@"
}

# One file replaces another, and is safe on the device.
replaces() {
	prepare_output old
	listen_as recv recv tcp4 -S d/out
	sends "$data"
	finish send
	finish recv
	same d/out "$data"
	holds d out
}

# A new file, which must not replace another; also where it has a temporary name first.
stores_new() {
	local filter

	for filter in '' "$TOOLS/no_tmpfile.py"; do
		prepare_output new
		start recv "${FRONT[@]}" ${filter:+"$PYTHON" "$filter"} "$SOCKXFER" recv -v -n -l unix:socket d/out
		find_address recv
		sends "$data"
		finish send
		finish recv
		same d/out "$data"
		holds d out
	done
}

# Commands at both ends, which end in time, late and badly.
runs_commands() {
	listen_as recv recv tcp4 -- sh -c 'cat >got; sleep 0.1'
	sends -- sh -c 'cat "$1"; exec >&-; sleep 0.1' sh "$data"
	finish send
	finish recv
	same got "$data"
	listen_as recv recv tcp4 -- cat
	sends -- sh -c 'echo some; exec >&-; sleep 0.1; exit 3'
	finish send 1
	has send.err 'sh: exited with status 3'
	finish recv 1
	listen_as recv recv tcp4 -- sh -c 'cat; echo >eaten; exec sleep 600'
	sends -- echo some
	wait_for [ -e eaten ]
	kill -TERM "${PID[recv]}"
	finish recv 143
	finish send 1
	rm eaten
}

# A server of many, with a command for each, and several receivers of one command.
serves_many() {
	local i ports=()

	listen_as server recv tcp4 -k -- sh -c 'cat >"got.$SOCKXFER_PEER"'
	for i in 1 2; do
		sends "$data"
		finish send
	done
	kill -TERM "${PID[server]}"
	finish server 143
	for i in got.*; do
		same "$i" "$data"
	done
	for i in 1 2; do
		listen_as "recv$i" recv tcp4 "out$i"
		ports+=("$address")
	done
	address=${ports[0]},${ports[1]}
	sends -- sh -c 'cat "$1"; exec >&-; sleep 0.1' sh "$data"
	finish send
	for i in 1 2; do
		finish "recv$i"
		same "out$i" "$data"
	done
}

# A tree in a new directory, and one in a directory that is there, safe on the device.
unpacks() {
	local output

	rm -rf tree new there
	mkdir -p tree/deep there
	cp "$data" tree/deep/file
	ln tree/deep/file tree/hard
	ln -s deep/file tree/link
	: >there/mine
	for output in new there; do
		listen_as recv recv tcp4 -S -x "$output"
		sends -- tar cf - -C tree .
		finish send
		finish recv
	done
	diff -r --no-dereference tree new
	rm there/mine
	diff -r --no-dereference tree there
}

# A name that cannot be looked up is told; nothing else comes of it.
looks_up() {
	listen_as recv recv tcp4 out
	port_of_address
	start send "${FRONT[@]}" "$SOCKXFER" send -V "localhost:$port" "$data"
	if [ "$1" = works ]; then
		finish send
	else
		finish send 1
		one_line send.err
		has send.err 'localhost'
		sends "$data"
		finish send
	fi
	finish recv
}

all_works() {
	replaces
	stores_new
	unpacks
	runs_commands
	serves_many
}

# works_without CALL...: with any of the two errors that such a call may give.
works_without() {
	local error

	for error in ENOSYS EPERM; do
		denied "$error" "$@"
		all_works
		looks_up works
	done
}

@test "all works without pidfd_open" {
	works_without pidfd_open
}

@test "all works without openat2" {
	works_without openat2
}

@test "all works without renameat2" {
	works_without renameat2
}

@test "all works without faccessat2" {
	works_without faccessat2
}

@test "all works without close_range" {
	works_without close_range
}

@test "all works without sync_file_range" {
	works_without sync_file_range
}

@test "all works without statx" {
	works_without statx
}

@test "all works without clone3, but where that is not allowed no name is looked up, which is told" {
	denied ENOSYS clone3
	all_works
	looks_up works
	# The C library tries no other call then, and no thread can start.
	denied EPERM clone3
	all_works
	looks_up "$(ldd "$(command -v true)" | grep -q musl && echo works || echo fails)"
}

@test "all works without any call that is newer than Linux 3.5" {
	denied ENOSYS since-3.6
	all_works
	looks_up works
}

@test "without faccessat2 a file that we may not write is refused before anything listens, and so is a command" {
	need_root
	need setpriv
	local error

	mkdir -m 777 d
	echo old >d/out
	touch command
	chmod 755 .
	for error in ENOSYS EPERM; do
		denied "$error" faccessat2
		FRONT+=(setpriv --reuid=65534 --regid=65534 --clear-groups)
		start us "${FRONT[@]}" "$SOCKXFER" recv -p 0 d/out
		finish us 1
		one_line us.err
		has us.err 'd/out: Permission denied'
		start us "${FRONT[@]}" "$SOCKXFER" recv -p 0 -- ./command
		finish us 1
		one_line us.err
		has us.err './command: Permission denied'
	done
}

@test "without statx a file that is a mount of its own is refused before anything listens" {
	need_root
	make_namespace
	local error

	echo old >out
	echo other >other
	"${NS[@]}" mount --bind other out
	for error in ENOSYS EPERM; do
		denied "$error" statx
		start us "${NS[@]}" "${FRONT[@]}" "$SOCKXFER" recv -p 0 out
		finish us 1
		has us.err 'out: is a mount point'
	done
}
