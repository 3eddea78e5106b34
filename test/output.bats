#!/usr/bin/env bats
# The receiver's output: it appears whole or not at all, and nothing else is left. The directory d holds the
# outputs, so that what is in it can be compared with what is to be there.
# shellcheck disable=SC2154  # port: wait_port and free_port set it

load helper

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

### Whole or not at all

@test "nothing has the final name before the end" {
	mkdir d
	receive_half d/out
	running us
	[ ! -e d/out ]
	touch go
	finish us
	finish sender
	same d/out expected
	holds d out
}

@test "the old file stays as it is until the end" {
	mkdir d
	echo old >d/out
	receive_half d/out
	running us
	[ "$(cat d/out)" = old ]
	touch go
	finish us
	same d/out expected
	holds d out
}

@test "who has the old file open goes on reading it: it is replaced, not rewritten" {
	mkdir d
	echo old >d/out
	exec 8<d/out
	whole d/out d/out
	[ "$(cat <&8)" = old ]
}

@test "a longer old file leaves no tail" {
	mkdir d
	random_file d/out 1000000
	whole d/out d/out
}

@test "a sender that resets half-way leaves no file: exit 1" {
	mkdir d
	receive d/out
	scripted sender connect "127.0.0.1:$port" send:200000 reset
	finish us 1
	grep -q '^sockxfer: recv: 127\.0\.0\.1:[0-9]*: .*reset' us.err
	holds d
}

@test "a sender that resets half-way leaves the old file as it was" {
	mkdir d
	echo old >d/out
	receive d/out
	scripted sender connect "127.0.0.1:$port" send:200000 reset
	finish us 1
	[ "$(cat d/out)" = old ]
	holds d out
}

@test "a timeout leaves no file: exit 3" {
	mkdir d
	free_port
	reaching sender "127.0.0.1:$port" send:200000 gone
	start us "$SOCKXFER" recv -w 0.3 -p "$port" d/out
	finish us 3
	holds d
}

@test "a receiver that is killed leaves no file, SIGKILL included" {
	local signal

	mkdir d
	for signal in TERM HUP KILL; do
		rm -f go
		receive_half d/out
		kill "-$signal" "${PID[us]}"
		finish us $((128 + $(kill -l $signal)))
		holds d
		stop sender
	done
}

@test "a receiver that is interrupted leaves no file" {
	env --default-signal=INT true 2>/dev/null || skip "needs env --default-signal"
	mkdir d
	start us env --default-signal=INT "$SOCKXFER" recv -p 0 d/out
	wait_port us
	half_sender
	kill -INT "${PID[us]}"
	finish us 130
	holds d
}

@test "a receiver that is killed leaves the old file as it was" {
	local signal

	mkdir d
	echo old >d/out
	for signal in TERM HUP KILL; do
		rm -f go
		receive_half d/out
		kill "-$signal" "${PID[us]}"
		finish us $((128 + $(kill -l $signal)))
		[ "$(cat d/out)" = old ]
		holds d out
		stop sender
	done
}

@test "a receiver that is killed while it waits for a peer leaves nothing" {
	local signal

	mkdir d
	for signal in TERM HUP; do
		receive d/out
		kill "-$signal" "${PID[us]}"
		finish us $((128 + $(kill -l $signal)))
		holds d
	done
}

### The directory, meanwhile

# moved OPTION...: in mid-transfer d is moved to e/d, and "other" takes its name, or nothing does.
moved() {
	local other

	for other in other nosuch; do
		rm -rf d e other go
		mkdir d e other
		echo old >d/out
		ln -s d link
		receive_half "$@"
		mv d e/d
		mv -T "$other" d 2>/dev/null || true
		touch go
		finish us
		finish sender
		same e/d/out expected
		holds e/d out
		[ ! -e d ] || holds d
		rm link
	done
}

@test "a file whose directory is moved meanwhile: -v and --json say where it is, and stdout is left alone" {
	local output

	for output in d/out ./d/../d/out "$PWD/d/out" link/out; do
		moved -v "$output"
		grep -qF "sockxfer: recv: $PWD/e/d/out: 300 kB in " us.err
		[ ! -s us.out ]
		moved --json "$output"
		has us.out "\"path\": \"$PWD/e/d/out\""
	done
}

@test "a file of which the name is a link, and its directory is moved meanwhile: --json says where it is" {
	mkdir d e
	ln -s ../e/file d/link
	receive_half --json d/link
	mv e f
	touch go
	finish us
	same f/file expected
	has us.out "\"path\": \"$PWD/f/file\""
}

@test "a file whose directory stays is told as it was named" {
	mkdir d
	receive_half --json d/../d/out
	touch go
	finish us
	has us.out '"path": "d/../d/out"'
}

### Without O_TMPFILE

# The names in d, the hidden ones included.
count_in_d() {
	find d ! -path d | wc -l
}

@test "without O_TMPFILE the output appears whole, with the right mode" {
	umask 027
	receive_half_named d/out
	[ ! -e d/out ]
	[ "$(count_in_d)" -eq 1 ]
	touch go
	finish us
	same d/out expected
	holds d out
	[ "$(mode d/out)" = 640 ]
}

@test "without O_TMPFILE the temporary file is beside the output and no more readable than what it replaces" {
	mkdir d
	echo secret >d/out
	chmod 600 d/out
	umask 000
	receive_half_named d/out
	[ "$(count_in_d)" -eq 2 ]
	[ "$(find d -type f -perm /077 | wc -l)" -eq 0 ]
	touch go
	finish us
	same d/out expected
}

@test "without O_TMPFILE the replaced file's mode is kept, and it stays until the end" {
	mkdir d
	echo old >d/out
	chmod 604 d/out
	receive_half_named d/out
	[ "$(cat d/out)" = old ]
	touch go
	finish us
	same d/out expected
	holds d out
	[ "$(mode d/out)" = 604 ]
}

@test "without O_TMPFILE a receiver that is killed by TERM or HUP leaves nothing" {
	local signal

	for signal in TERM HUP; do
		rm -f go
		receive_half_named d/out
		kill "-$signal" "${PID[us]}"
		finish us $((128 + $(kill -l $signal)))
		holds d
		stop sender
	done
}

@test "without O_TMPFILE a sender that resets leaves nothing" {
	need_tmpfile_filter
	mkdir d
	start us "$PYTHON" "$TOOLS/no_tmpfile.py" "$SOCKXFER" recv -p 0 d/out
	wait_port us
	scripted sender connect "127.0.0.1:$port" send:200000 reset
	finish us 1
	holds d
}

@test "without O_TMPFILE -n does not replace a file that appears meanwhile" {
	receive_half_named -n d/out
	echo mine >d/out
	touch go
	finish us 1
	[ "$(cat d/out)" = mine ]
	holds d out
}


### Where it is hard to put a file

as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

@test "a directory that may be written and not read takes a file, and with -S is told about at once" {
	need_root
	need setpriv
	mkdir -m 733 box
	chmod 755 .
	start us setpriv --reuid=65534 --regid=65534 --clear-groups "$SOCKXFER" recv -p 0 box/out
	wait_port us
	start send "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same box/out "$BATS_FILE_TMPDIR/data"
	run as_nobody "$SOCKXFER" recv -S -p 0 box/other
	[ "$status" -eq 1 ]
	[[ $output == *'its directory, which -S has to open: Permission denied'* ]]
}

@test "a file that is a mount of its own is refused before anything listens" {
	need_root
	make_namespace
	echo old >out
	echo other >other
	"${NS[@]}" mount --bind other out
	start us "${NS[@]}" "$SOCKXFER" recv -p 0 out
	finish us 1
	has us.err 'out: is a mount point'
	[ "$(cat out other)" = $'old\nother' ]
}

@test "where no process more is allowed, a file is replaced all the same" {
	need_root
	need setpriv prlimit
	need_plain_build
	mkdir -m 777 d
	echo old | as_nobody tee d/out >/dev/null
	chmod 755 .
	start us prlimit --nproc=0 setpriv --reuid=65534 --regid=65534 --clear-groups "$SOCKXFER" recv -p 0 d/out
	wait_port us
	start send "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same d/out "$BATS_FILE_TMPDIR/data"
	holds d out
}

@test "a message about a long name has the reason for it" {
	run "$SOCKXFER" recv -p 0 "$(printf 'a%.0s' {1..3000})"
	[ "$status" -eq 1 ]
	[[ $output == *'...: File name too long' ]]
}
