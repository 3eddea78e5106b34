#!/usr/bin/env bats
# Other users in a directory that is shared, as /tmp: what they put there, before or meanwhile, is a trap that catches
# nobody, whatever the kernel's settings are (fs.protected_symlinks and its like).
# shellcheck disable=SC2154  # port, address: set by the helpers

load ../helper
load fault

STRANGER=65534
USER=1234
ANOTHER='it belongs to another user, in a sticky directory: Permission denied'
LINK='belongs to another user, in a sticky directory: Permission denied'

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# d, which is like /tmp; private, of root alone; as_user, for what another user than root does here.
share() {
	need_root
	need setpriv
	chmod 755 .
	mkdir d private
	chmod 1777 d
	chmod 700 private
	as_user=(setpriv "--reuid=$USER" "--regid=$USER" --clear-groups)
}

# stranger COMMAND...: he does it.
stranger() {
	setpriv --reuid="$STRANGER" --regid="$STRANGER" --clear-groups "$@"
}

# put KIND NAME: the stranger makes it.
put() {
	case $1 in
	link) stranger ln -s ../private/file "$2" ;;
	file) stranger sh -c 'umask 0; echo trap >"$0"' "$2" ;;
	fifo) stranger mkfifo -m 666 "$2" ;;
	dir) stranger mkdir -m 777 "$2" ;;
	esac
}

# refused TEXT WORD...: recv with these words ends at once, and says so and what to do.
refused() {
	local text=$1

	shift
	start us "${front[@]}" "$SOCKXFER" recv "$@"
	finish us 1
	has us.err "$text"
	has us.err 'hint: others may write to that directory'
	one_line us.err
}

# taken OUTPUT: recv takes a file for it.
taken() {
	local output=$1

	start us "${front[@]}" "$SOCKXFER" recv -p 0 "$output"
	wait_port us
	start send "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
}

race() {
	"$PYTHON" "$ROOT/test/fault/planter.py" "$@" >tally 2>said
	cat tally said >&2
	has_not tally gained
	holds private
}

### While we look

@test "a stranger who lays and removes traps while root's receiver starts gains nothing: 40 starts for each" {
	local kind

	share
	for kind in link:../private/file file fifo dir; do
		race 40 d/out "$kind" -- "$SOCKXFER" recv -q 'fd:{fd}' d/out
	done
	race 40 d/out link:../private/file file fifo dir -- "$SOCKXFER" recv -q 'fd:{fd}' d/out
}

@test "nor by the file of the port" {
	share
	race 40 d/port link:../private/file file -- "$SOCKXFER" recv -q -p 0 -w 0.01 --port-file d/port out
}

@test "nor by a link in the middle of the path, which he exchanges for a directory" {
	share
	"$PYTHON" "$ROOT/test/fault/planter.py" 40 d/sub link:../private dir -- \
		"$SOCKXFER" recv -q 'fd:{fd}' d/sub/file >tally 2>said
	holds private
}

### What is there before

@test "a stranger's link, FIFO, file or directory is refused as the output, before anything listens or connects" {
	local kind front=()

	share
	for kind in file fifo dir; do
		put "$kind" "d/$kind"
		refused "sockxfer: recv: d/$kind: $ANOTHER" -p 0 "d/$kind"
		refused "sockxfer: recv: d/$kind: $ANOTHER" 127.0.0.1:1 "d/$kind"
		refused "sockxfer: recv: d/$kind: $ANOTHER" -n -p 0 "d/$kind"
		refused "sockxfer: recv: --port-file: d/$kind: $ANOTHER" -p 0 --port-file "d/$kind" out
	done
	refused "sockxfer: recv: d/dir/: $ANOTHER" -p 0 d/dir/
	refused "sockxfer: recv: d/dir/: $ANOTHER" -k -p 0 d/dir/
	refused "sockxfer: recv: d/fifo: $ANOTHER" -k -p 0 d/fifo
	put link d/link
	refused "sockxfer: recv: d/link: the symbolic link link $LINK" -p 0 d/link
	refused "sockxfer: recv: d/link: the symbolic link link $LINK" -n -p 0 d/link
	refused "sockxfer: recv: --port-file: d/link: the symbolic link link $LINK" -p 0 --port-file d/link out
	holds d dir fifo file link
	holds private
	[ "$(cat d/file)" = trap ]
}

@test "a stranger's link is refused in the middle of a path, and in that of a link of our own" {
	local front=()

	share
	stranger ln -s ../private d/away
	ln -s d/away/file ours
	ln -s ours chain
	refused "sockxfer: recv: d/away/file: the symbolic link away $LINK" -p 0 d/away/file
	refused "sockxfer: recv: d/away/: the symbolic link away $LINK" -p 0 d/away/
	refused "sockxfer: recv: $PWD/d/../d/away/file: the symbolic link away $LINK" -p 0 "$PWD/d/../d/away/file"
	refused "sockxfer: recv: ours: the symbolic link away $LINK" -p 0 ours
	refused "sockxfer: recv: chain: the symbolic link away $LINK" -p 0 chain
	refused "sockxfer: recv: --port-file: chain: the symbolic link away $LINK" -p 0 --port-file chain out
	holds private
}

@test "so it is for a user, also with what is root's but not in a directory of root's" {
	local kind front

	share
	front=("${as_user[@]}")
	for kind in file fifo dir; do
		put "$kind" "d/$kind"
		refused "sockxfer: recv: d/$kind: $ANOTHER" -p 0 "d/$kind"
	done
	put link d/link
	refused "sockxfer: recv: d/link: the symbolic link link $LINK" -p 0 d/link
	chown "$STRANGER" d
	touch d/roots
	chmod 666 d/roots
	refused "sockxfer: recv: d/roots: $ANOTHER" -p 0 d/roots
}

@test "where only a group may write to the sticky directory, it is so for files and FIFOs, but not for links" {
	local front=()

	share
	put link d/link
	put file d/file
	put fifo d/fifo
	chmod 1770 d
	refused "sockxfer: recv: d/file: $ANOTHER" -p 0 d/file
	refused "sockxfer: recv: d/fifo: $ANOTHER" -p 0 d/fifo
	taken d/link
	same private/file "$BATS_FILE_TMPDIR/data"
}

@test "what is our own, or belongs to the owner of the directory, or lies where no stranger may write, is taken" {
	local front=() kind

	share
	ln -s ../private/ours d/ours
	taken d/ours
	same private/ours "$BATS_FILE_TMPDIR/data"
	echo old >d/old
	taken d/old
	same d/old "$BATS_FILE_TMPDIR/data"
	mkdir d/inbox
	taken d/inbox/
	same d/inbox/* "$BATS_FILE_TMPDIR/data"
	chown "$STRANGER" d
	put file d/file
	taken d/file
	same d/file "$BATS_FILE_TMPDIR/data"
	put link d/link
	taken d/link
	same private/file "$BATS_FILE_TMPDIR/data"
	chown 0 d
	for kind in 0777 1755; do
		chmod "$kind" d
		chown -h "$STRANGER" d/file d/link
		rm private/file
		taken d/link
		same private/file "$BATS_FILE_TMPDIR/data"
		taken d/file
		[ "$(stat -c %u d/file)" = "$STRANGER" ]
	done
}

@test "a FIFO of our own in such a directory is written directly" {
	share
	mkfifo d/pipe
	start reader cat d/pipe
	receive d/pipe
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	finish reader
	same reader.out "$BATS_FILE_TMPDIR/data"
}

@test "a FIFO that is removed before a reader comes is no longer waited for" {
	mkfifo pipe
	start us "$SOCKXFER" recv -p 0 pipe
	wait_for fifo_is_open us
	rm pipe
	mkfifo pipe
	finish us 1
	[ "$(cat us.err)" = 'sockxfer: recv: pipe: was removed before a reader came' ]
}

# Whether it has found the FIFO, which it holds without having it open for writing.
fifo_is_open() {
	local fd

	for fd in "/proc/${PID[$1]}/fd"/*; do
		[[ $(readlink "$fd") != */pipe ]] || return 0
	done
	return 1
}

### What comes meanwhile

# not_replaced KIND: what the stranger puts in the place of d/out during a transfer stays; sent is for start_transfer.
not_replaced() {
	local sent=100000

	start_transfer tcp4 recv d/out
	rm -f d/out
	put "$1" d/out
	exec 8>&-
	finish recv 1
	finish send 6
	has recv.err "d/out: $ANOTHER"
	has recv.err 'hint: others may write to that directory'
	has send.err 'the receiver failed: '
	holds d out
	[ "$(stat -c %u d/out)" = "$STRANGER" ]
}

@test "what a stranger puts under the name during the transfer is not replaced, and the sender is told" {
	local kind

	share
	for kind in file fifo dir link; do
		not_replaced "$kind"
		rm -r d/out
	done
	need_tmpfile_filter
	FRONT=("$PYTHON" "$TOOLS/no_tmpfile.py")
	for kind in file fifo dir link; do
		not_replaced "$kind"
		rm -r d/out
	done
	holds private
}

@test "nor in the place of the file that was there" {
	share
	echo old >d/out
	not_replaced file
	need_tmpfile_filter
	FRONT=("$PYTHON" "$TOOLS/no_tmpfile.py")
	rm d/out
	echo old >d/out
	not_replaced file
}

@test "nor what he puts there while the disk is waited for" {
	share
	echo old >d/out
	inject fsync,fdatasync:delay_enter=4000000
	listen_as recv recv tcp4 d/out
	start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
	wait_for grep -qE '(fsync|fdatasync)\(' trace
	rm d/out
	put file d/out
	finish recv 1
	finish send 6
	has recv.err "d/out: $ANOTHER"
	holds d out
	[ "$(cat d/out)" = trap ]
}

@test "in a directory that is not sticky, a file that came meanwhile makes nobody the owner of ours" {
	local half rights

	share
	umask 077
	for half in receive_half receive_half_named; do
		for rights in 0777 0775 0755; do
			rm -f go
			chmod "$rights" d
			chown "$STRANGER" d
			"$half" d/out
			put file d/out
			touch go
			finish us
			finish sender
			same d/out expected
			[ "$(stat -c %u:%g:%a d/out)" = 0:0:600 ]
			rm d/out
		done
	done
}

@test "but it takes rights away from it" {
	share
	chmod 0777 d
	receive_half d/out
	put file d/out
	stranger chmod 600 d/out
	touch go
	finish us
	[ "$(stat -c %u:%g:%a d/out)" = 0:0:600 ]
}

### A sender

@test "a sender does not follow a stranger's link either, but reads his files" {
	share
	echo secret >private/file
	put link d/link
	stranger ln -s ../private d/away
	for path in d/link d/away/file; do
		start us "$SOCKXFER" send -p 0 "$path"
		finish us 1
		has us.err "sockxfer: send: $path: the symbolic link ${path:2:4} $LINK"
	done
	put file d/file
	receive out
	start send "$SOCKXFER" send -V "127.0.0.1:$port" d/file
	finish send
	finish us
	[ "$(cat out)" = trap ]
}

### Unix sockets

@test "a unix socket is not reached through a stranger's link, nor made through his directory" {
	share
	stranger ln -s ../private d/away
	stranger mkdir -m 777 d/his
	for path in d/away/socket d/his/socket; do
		start us "$SOCKXFER" recv -l "unix:$path" out
		finish us 1
		has us.err "sockxfer: recv: listen: unix:$path: bind: "
		has us.err "$LINK"
		has us.err 'hint: others may write to that directory'
	done
	start private "$SOCKXFER" recv -l unix:private/socket out
	wait_for test -S private/socket
	stranger ln -s ../private/socket d/socket
	for path in d/away/socket d/socket; do
		start us "$SOCKXFER" send "unix:$path" "$BATS_FILE_TMPDIR/data"
		finish us 1
		has us.err "sockxfer: send: unix:$path: connect: the symbolic link"
		has us.err "$LINK"
	done
	running private
	holds d away his socket
	holds d/his
}

@test "a stranger's socket is not removed, though nobody listens on it; one of our own is replaced" {
	share
	stranger "$PYTHON" -c 'import socket; socket.socket(socket.AF_UNIX).bind("d/socket")'
	start us "$SOCKXFER" recv -l unix:d/socket out
	finish us 1
	has us.err 'sockxfer: recv: listen: unix:d/socket: bind: Address already in use'
	[ "$(stat -c %u d/socket)" = "$STRANGER" ]
	rm d/socket
	"$PYTHON" -c 'import socket; socket.socket(socket.AF_UNIX).bind("d/socket")'
	start us "$SOCKXFER" recv -v -l unix:d/socket out
	wait_said us 'listening on unix:d/socket'
	ln -s d/socket ours
	start send "$SOCKXFER" send -V unix:ours "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same out "$BATS_FILE_TMPDIR/data"
	holds d
}

### Links of /proc, and none

@test "a link to an open descriptor leads to what that is, for a user, too" {
	local front

	share
	front=("${as_user[@]}")
	chmod 777 .
	ln -s /proc/self/fd/3 fd
	mkfifo pipe
	start reader cat pipe
	# The inner shell becomes the receiver.
	# shellcheck disable=SC2016
	start us sh -c 'exec 3>pipe && exec "$@"' sh "$SOCKXFER" recv -p 0 fd
	wait_port us
	start send sh -c 'exec 3<"$0" && exec "$@"' "$BATS_FILE_TMPDIR/data" \
		"${as_user[@]}" "$SOCKXFER" send "127.0.0.1:$port" /dev/fd/3
	finish send
	finish us
	finish reader
	same reader.out "$BATS_FILE_TMPDIR/data"
	echo old >out
	chmod 666 out
	start us "${front[@]}" sh -c 'exec 3>>out && exec "$@"' sh "$SOCKXFER" recv -p 0 /dev/fd/3
	wait_port us
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	[ "$(head -n 1 out)" = old ]
	tail -c 300000 out | cmp - "$BATS_FILE_TMPDIR/data"
}

@test "a link to an open file without a name is refused as the output, and read by a sender" {
	cp "$BATS_FILE_TMPDIR/data" gone
	exec 7<>gone
	rm gone
	ln -s /proc/self/fd/7 link
	# close_descriptors in start would close it.
	"$SOCKXFER" recv -p 0 link 2>err && return 1
	[ "$(cat err)" = 'sockxfer: recv: link: the file has no name under which it could be replaced' ]
	receive out
	timeout "$LIMIT" "$SOCKXFER" send "127.0.0.1:$port" link
	finish us
	same out "$BATS_FILE_TMPDIR/data"
	exec 7<&-
	holds . err link out us.err us.out
}

@test "without /proc all kinds of outputs and sources work, and traps catch nobody" {
	local output

	# The search for leaks needs /proc.
	need_plain_build
	share
	make_namespace
	"${NS[@]}" mount -t tmpfs tmpfs /proc || skip "needs tmpfs"
	mkfifo pipe
	mkdir inbox
	ln -s out link
	start reader cat pipe
	for output in out link pipe inbox/; do
		start us "${NS[@]}" "$SOCKXFER" recv -p 0 "$output"
		wait_port us
		start send "${NS[@]}" "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
		finish send
		finish us
	done
	finish reader
	same out "$BATS_FILE_TMPDIR/data"
	same reader.out "$BATS_FILE_TMPDIR/data"
	same inbox/* "$BATS_FILE_TMPDIR/data"
	start us "${NS[@]}" "$SOCKXFER" recv -v -l unix:socket out
	wait_said us 'listening on unix:socket'
	start send "${NS[@]}" "$SOCKXFER" send -V unix:socket "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	put fifo d/fifo
	start us "${NS[@]}" "$SOCKXFER" recv -p 0 d/fifo
	finish us 1
	has us.err "d/fifo: $ANOTHER"
	race 20 d/out fifo file link:../private/file -- "${NS[@]}" "$SOCKXFER" recv -q 'fd:{fd}' d/out
}
