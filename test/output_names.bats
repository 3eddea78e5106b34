#!/usr/bin/env bats
# What the receiver's output may be: its mode, its name, links, FIFOs and devices, what is refused. The directory
# d holds the outputs, so that what is in it can be compared with what is to be there.
# shellcheck disable=SC2154  # port: wait_port and free_port set it

load helper

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# refused TEXT OUTPUT [COMMAND...]: a bad output is told at once: not listening, not connecting. (Where it
# connected first, it would be told that nobody listens there.)
refused() {
	local text=$1 output=$2

	shift 2
	start us "$@" "$SOCKXFER" recv -p 0 "$output"
	finish us 1
	[ "$(cat us.err)" = "sockxfer: recv: $text" ]
	free_port
	start us "$@" "$SOCKXFER" recv "127.0.0.1:$port" "$output"
	finish us 1
	[ "$(cat us.err)" = "sockxfer: recv: $text" ]
}

### Modes

@test "a new file has mode 0666 less the umask" {
	mkdir d
	umask 027
	whole d/new d/new
	[ "$(mode d/new)" = 640 ]
	umask 000
	whole d/newer d/newer
	[ "$(mode d/newer)" = 666 ]
}

@test "the mode of the replaced file is kept" {
	local mode

	mkdir d
	umask 077
	for mode in 600 644 755 666; do
		echo old >d/out
		chmod "$mode" d/out
		whole d/out d/out
		[ "$(mode d/out)" = "$mode" ]
	done
}

### Names

@test "a file with the longest possible name" {
	local name

	mkdir d
	printf -v name '%0255d' 0
	whole "d/$name" "d/$name"
	whole "d/$name" "d/$name"
	holds d "$name"
	receive_half_named "d/$name"
	touch go
	finish us
	same "d/$name" expected
	holds d "$name"
}

@test "a file whose name begins with a dash, and one with a newline in it" {
	whole ./-dash ./-dash
	whole $'new\nline' $'new\nline'
}

@test "a file in the working directory and one by an absolute path" {
	mkdir d
	whole out out
	whole "$PWD/d/out" "$PWD/d/out"
	holds d out
}

@test "a symbolic link is followed: the file that it names is replaced, the link stays" {
	mkdir d e
	echo old >e/file
	chmod 604 e/file
	ln -s ../e/file d/link
	whole e/file d/link
	[ "$(readlink d/link)" = ../e/file ]
	[ "$(mode e/file)" = 604 ]
	holds d link
	holds e file
}

@test "a chain of symbolic links, absolute and relative, is followed to its end" {
	mkdir d e
	ln -s "$PWD/e/second" d/first
	ln -s third e/second
	echo old >e/third
	whole e/third d/first
	[ -L d/first ]
	[ -L e/second ]
	holds e second third
}

@test "a dangling symbolic link makes the file that it names" {
	mkdir d e
	ln -s ../e/file d/link
	whole e/file d/link
	[ -L d/link ]
	holds e file
}

@test "a killed receiver leaves a symbolic link and its target as they were" {
	mkdir d e
	echo old >e/file
	ln -s ../e/file d/link
	receive_half d/link
	kill -TERM "${PID[us]}"
	finish us 143
	[ -L d/link ]
	[ "$(cat e/file)" = old ]
	holds d link
	holds e file
}

### What is written directly

@test "a FIFO is written directly and stays a FIFO" {
	mkdir d
	mkfifo d/pipe
	start reader cat d/pipe
	receive d/pipe
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	finish reader
	same reader.out "$BATS_FILE_TMPDIR/data"
	[ -p d/pipe ]
	holds d pipe
}

# Nodes of our own, for a mistake as root must not replace the machine's /dev/null.
@test "a device is written directly and stays a device" {
	mkdir d
	mknod d/null c 1 3 2>/dev/null || skip "needs mknod"
	: >d/null 2>/dev/null || skip "needs devices in the temporary directory"
	receive d/null
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	[ -c d/null ]
	holds d null
}

@test "a device that takes no data is a failure that names it" {
	mkdir d
	mknod d/full c 1 7 2>/dev/null || skip "needs mknod"
	: >d/full 2>/dev/null || skip "needs devices in the temporary directory"
	receive d/full
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish us 1
	grep -q '^sockxfer: recv: .*d/full: .*No space left on device' us.err
	finish send 6
	grep -q 'No space left on device' send.err
	[ -c d/full ]
}

@test "a link to stdout that is a pipe is written directly, as a shell does" {
	mkdir d
	ln -s /proc/self/fd/1 d/out
	mkfifo pipe
	start reader cat pipe
	# $0 is expanded by the inner shell, which becomes the receiver
	# shellcheck disable=SC2016
	start us sh -c 'exec "$0" recv -p 0 d/out >pipe' "$SOCKXFER"
	wait_port us
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish us
	finish send
	finish reader
	same reader.out "$BATS_FILE_TMPDIR/data"
	[ -L d/out ]
}

### Never replace

@test "-n refuses a file that exists before it listens or connects" {
	echo mine >out
	start us "$SOCKXFER" recv -n -p 0 out
	finish us 1
	[ "$(cat us.err)" = "sockxfer: recv: out: File exists" ]
	free_port
	start us "$SOCKXFER" recv -n "127.0.0.1:$port" out
	finish us 1
	[ "$(cat us.err)" = "sockxfer: recv: out: File exists" ]
	[ "$(cat out)" = mine ]
}

@test "-n refuses a link to a file that exists" {
	echo mine >out
	ln -s out link
	start us "$SOCKXFER" recv --no-clobber -p 0 link
	finish us 1
	has us.err 'File exists'
	[ "$(cat out)" = mine ]
}

@test "-n refuses a dangling symbolic link, and a chain of them, before it listens or connects" {
	local link

	mkdir d
	ln -s d/new link
	ln -s "$PWD/link" chain
	ln -s nosuch/new lost
	for link in link chain lost ./d/../link; do
		start us "$SOCKXFER" recv -n -p 0 "$link"
		finish us 1
		[ "$(cat us.err)" = "sockxfer: recv: $link: File exists" ]
		free_port
		start us "$SOCKXFER" recv -n "127.0.0.1:$port" "$link"
		finish us 1
		[ "$(cat us.err)" = "sockxfer: recv: $link: File exists" ]
	done
	holds d
}

@test "-n does not write through a dangling symbolic link that appears during the transfer" {
	mkdir d e
	receive_half -n d/out
	ln -s ../e/new d/out
	touch go
	finish us 1
	has us.err 'File exists'
	[ "$(readlink d/out)" = ../e/new ]
	holds e
}

@test "-n does not replace a file that appears during the transfer: exit 1" {
	mkdir d
	receive_half -n d/out
	echo mine >d/out
	touch go
	finish us 1
	has us.err 'File exists'
	[ "$(cat d/out)" = mine ]
	holds d out
}

@test "-n makes a new file" {
	mkdir d
	whole d/out -n d/out
	holds d out
}

### A bad output is told before anything listens or connects

@test "an output in a missing directory" { refused 'nosuch/out: No such file or directory' nosuch/out; }

@test "a directory that is not there as the output" {
	ln -s nosuch link
	refused 'nosuch/: No such file or directory' nosuch/
	refused 'nosuch/.: No such file or directory' nosuch/.
	refused 'link/: No such file or directory' link/
	holds . link us.err us.out
}

@test "an output below a file" {
	touch file
	refused 'file/: Not a directory' file/
	refused 'file/out: Not a directory' file/out
}

@test "an output with an empty name is a usage error" {
	start us "$SOCKXFER" recv -p 0 ''
	finish us 2
	one_line us.err
	has us.err 'the name of the file is empty'
}

@test "an output whose name is too long" {
	local name

	printf -v name '%0256d' 0
	refused "$name: File name too long" "$name"
}

@test "an output that is a loop of links" {
	ln -s loop loop
	refused 'loop: Too many levels of symbolic links' loop
}

@test "an output in a directory that may not be written to" {
	local command=()

	mkdir d
	chmod 555 d
	# Root may write anywhere, unless it gives up that right.
	if [ "$(id -u)" -eq 0 ]; then
		need setpriv
		command=(setpriv --bounding-set=-dac_override --inh-caps=-dac_override)
	fi
	refused 'd/out: Permission denied' d/out "${command[@]}"
	refused 'd: Permission denied' d "${command[@]}"
	refused 'd/: Permission denied' d/ "${command[@]}"
	holds d
}

@test "a FIFO that may not be written to" {
	mkdir d
	mkfifo -m 444 d/pipe
	local command=()

	if [ "$(id -u)" -eq 0 ]; then
		need setpriv
		command=(setpriv --bounding-set=-dac_override --inh-caps=-dac_override)
	fi
	refused 'd/pipe: Permission denied' d/pipe "${command[@]}"
}
