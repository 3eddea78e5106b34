#!/usr/bin/env bats
# File systems that cannot do what others can, and files that may not be replaced: it works, or it is told before
# anything listens.

load ../helper
load fault

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# A flag that is left would keep bats from removing the directory.
eval "$(declare -f teardown | sed '1s/teardown/end_processes/')"
teardown() {
	[ ! -e flagged ] || chattr -R -ia d
	end_processes
}

send_data() {
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
}

### Files and directories that may not be changed

# flag FLAG WHAT: chattr(1)
flag() {
	need_root
	need chattr
	: >flagged
	chattr "$1" "$2" || skip "needs chattr"
}

# refused TEXT OUTPUT: at the start
refused() {
	start us "$SOCKXFER" recv -v -p 0 "$2"
	finish us 1
	one_line us.err
	has us.err "$1"
	has_not us.err listening
}

@test "an append-only or immutable file is refused before anything listens" {
	local flag

	for flag in a i; do
		rm -rf d
		mkdir d
		echo old >d/out
		flag "+$flag" d/out
		refused '(chattr +'"$flag"'), and cannot be replaced: Operation not permitted' d/out
		chattr "-$flag" d/out
		holds d out
	done
}

@test "in an append-only directory a new file can be made, and a file that would be replaced is refused at once" {
	mkdir d
	echo old >d/old
	flag +a d
	refused 'd/old: the directory is append-only (chattr +a), and no file in it can be replaced' d/old
	listen_as recv recv unix d/out
	send_data
	same d/out "$BATS_FILE_TMPDIR/data"
	listen_as recv recv unix d
	send_data
	same "$(<recv.out)" "$BATS_FILE_TMPDIR/data"
	holds d old out "$(basename "$(<recv.out)")"
}

@test "in an append-only directory where a temporary name would be needed, which would stay, it is refused at once" {
	need_tmpfile_filter
	mkdir d
	flag +a d
	start us "$PYTHON" "$TOOLS/no_tmpfile.py" "$SOCKXFER" recv -v -p 0 d/out
	finish us 1
	has us.err 'd/out: the directory is append-only (chattr +a)'
	has_not us.err listening
	holds d
}

@test "an immutable directory is refused before anything listens" {
	mkdir d
	flag +i d
	refused 'd/out: the directory is immutable (chattr +i): Operation not permitted' d/out
	refused 'd: the directory is immutable (chattr +i): Operation not permitted' d
}

@test "a read-only mount is refused before anything listens, with an old file and without" {
	local output

	need_root
	make_namespace
	mkdir d
	echo old >d/old
	"${NS[@]}" mount --bind d d
	"${NS[@]}" mount -o remount,bind,ro d
	for output in d/old d/new d; do
		start us "${NS[@]}" "$SOCKXFER" recv -v -p 0 "$output"
		finish us 1
		has us.err "$output: Read-only file system"
		has_not us.err listening
	done
}

@test "a file of the owner of a sticky directory is refused at once to root without CAP_FOWNER, and replaced with it" {
	need_root
	need setpriv
	mkdir -m 1777 d
	echo old >d/out
	chown 1234 d d/out
	start us setpriv --bounding-set=-fowner --inh-caps=-fowner "$SOCKXFER" recv -v -p 0 d/out
	finish us 1
	has us.err 'd/out: in a sticky directory only its owner may replace it: Operation not permitted'
	has_not us.err listening
	listen_as recv recv unix d/out
	send_data
	same d/out "$BATS_FILE_TMPDIR/data"
}
