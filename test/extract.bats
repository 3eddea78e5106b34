#!/usr/bin/env bats
# recv -x: a tree from any tar, whole or not at all, in a new directory or beside what is there.
# shellcheck disable=SC2154  # address, port: set by the helpers

load helper
load fault/fault

# Each with what a tree may hold: times to the nanosecond, old and new, modes, links, empty directories, and names
# in any bytes.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	(
		umask 022
		mkdir -p tree/dir/below tree/empty tree/shut
		echo text >tree/file
		head -c 300000 /dev/urandom >tree/dir/data
		: >tree/dir/below/nothing
		ln tree/dir/data tree/dir/below/again
		ln -s ../file tree/dir/link
		ln -s /no/such tree/away
		echo run >tree/run
		echo x >tree/shut/inside
		chmod 4755 tree/run
		chmod 600 tree/dir/data
		chmod 1777 tree/empty
		touch -h -d '2001-02-03 04:05:06.789012345' tree/dir/link
		touch -d '1969-12-31 23:59:59.987654321' tree/run
		touch -d '2150-01-01 00:00:00.000000001' tree/file
		touch -d '2010-10-10 10:10:10.101010101' tree/dir/below tree/dir
		chmod 555 tree/shut
		touch -d '2020-02-02 02:02:02.020202020' tree/shut tree
	)
	tar --format=pax -cf tree.tar -C tree .
}

tree=${BATS_FILE_TMPDIR:-}/tree

# listing DIRECTORY [TIME]: what find(1) says of all in it, and the contents. The modes are without setuid and its
# like; TIME is what -printf prints of the times.
listing() {
	(
		cd "$1" || exit
		find . ! -type l ! -path . -printf "%P %y %m %n ${2:-%T@}\n" | sed -E 's/^(.*) [0-7]([0-7]{3}) /\1 \2 /' | sort
		find . -type l -printf "%P -> %l ${2:-%T@}\n" | sort
		find . -type f -exec sha256sum {} + | sort
	)
}

# same_tree DIRECTORY [TIME]
same_tree() {
	diff <(listing "$tree" "${2:-}") <(listing "$1" "${2:-}")
}

# send_archive FILE [STATUS [OPTION...]]
send_archive() {
	local file=$1 status=${2:-0}

	start send "$SOCKXFER" send "${@:3}" "127.0.0.1:$port" "$file"
	finish send "$status"
}

# archive NAME MEMBER...: makes a tar archive of files of those paths, each with its path as its content.
archive() {
	"$PYTHON" - "$@" <<-'end'
		import io, sys, tarfile
		with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as archive:
		    for path in sys.argv[2:]:
		        member = tarfile.TarInfo(path)
		        if path.endswith("/"):
		            member.type, member.mode = tarfile.DIRTYPE, 0o555
		        else:
		            member.size = len(path)
		        archive.addfile(member, io.BytesIO(path.encode()))
	end
}

### Whole trees

@test "a tree arrives with contents, modes, times to the nanosecond and links, in a new directory" {
	umask 0
	receive -x out
	send_archive "$tree.tar" 0 -V
	finish us
	same_tree out
	[ "$(stat -c '%a %.9Y' out)" = "$(stat -c '%a %.9Y' "$tree")" ]
	[ "$(stat -c %a out/run)" = 755 ]
	[ "$(stat -c %a out/empty)" = 777 ]
	[ -z "$(find . -name '.sockxfer.*')" ]
}

@test "the archives of GNU tar, bsdtar, busybox and toybox, in each format they have, arrive alike" {
	local maker operands

	umask 0
	for maker in 'tar --format=gnu' 'tar --format=pax' 'bsdtar --format=pax' 'bsdtar --format=gnutar' \
		'busybox tar' 'toybox tar'; do
		command -v "${maker%% *}" >/dev/null || continue
		rm -rf in.tar out
		operands=(.)
		# It writes no number for the time of "run", which is before 1970.
		[ "$maker" != 'toybox tar' ] || operands=(dir empty file shut away)
		# shellcheck disable=SC2086  # words
		$maker -cf in.tar -C "$tree" "${operands[@]}"
		receive -x out
		send_archive in.tar 0 -V
		finish us
		case $maker in
		tar*=pax) same_tree out ;;
		tar*) same_tree out %Ts ;;
		# It writes another time than the file has if that is before 1970 and has a fraction.
		bsdtar*) diff <(listing "$tree" %Ts | grep -v '^run f') <(listing out %Ts | grep -v '^run f') ;;
		*) diff -r --no-dereference --exclude=run "$tree" out ;;
		esac
		chmod -R u+w out
	done
}

@test "a tree comes from tar through nc, from a command and over each transport" {
	local transport

	umask 0
	need nc
	receive -x out
	start nc sh -c 'tar --format=pax -cf - -C "$1" . | nc -N 127.0.0.1 "$2"' sh "$tree" "$port"
	finish us
	finish nc
	same_tree out
	for transport in "${TRANSPORTS[@]}"; do
		listen_as recv recv "$transport" -x "out.$transport"
		start send "$SOCKXFER" send -V "$address" -- tar --format=pax -cf - -C "$tree" .
		finish send
		finish recv
		same_tree "out.$transport"
	done
}

@test "names of 255 bytes, paths of more than 4096, bytes that are no UTF-8 and newlines arrive" {
	umask 0
	"$PYTHON" - <<-'end'
		import os
		os.mkdir("odd")
		for name in (b"n" * 255, b"\xff\xfe", b"a\nb", b" ", b"-", b"\\", b"*"):
		    with open(b"odd/" + name, "wb") as file:
		        file.write(name)
		os.chdir("odd")
		for _ in range(40):
		    os.mkdir("d" * 200)
		    os.chdir("d" * 200)
		open("f", "w").close()
	end
	tar --format=pax -cf in.tar -C odd .
	receive -x out
	send_archive in.tar 0 -V
	finish us
	diff <(find odd -printf '%P %y %m %T@\n' | sort) <(find out -printf '%P %y %m %T@\n' | sort)
}

@test "directories that the archive leaves out are made, and what comes before its directory is taken" {
	archive in.tar a/b/c a/b/d e/ ./f a/./g
	tar --append -f in.tar --no-recursion -C "$tree" ./dir
	umask 027
	receive -x out/
	send_archive in.tar
	finish us
	holds out a a/b a/b/c a/b/d a/g dir e f
	[ "$(stat -c %a out out/a out/a/b out/e | tr '\n' ' ')" = '750 750 750 550 ' ]
}

@test "an archive without an entry is an empty directory" {
	tar cf in.tar -T /dev/null
	receive -x --json out
	send_archive in.tar
	finish us
	holds out
	has us.out '"entries": 0,'
}

### A directory that is there

@test "a directory that is there gets the entries, be it empty or not, or \".\"; their paths are lines" {
	local output

	umask 0
	for output in d d/ . "$PWD/d"; do
		rm -rf d
		mkdir d
		echo mine >d/mine
		if [ "$output" = . ]; then
			start us env -C d "$SOCKXFER" recv -x -p 0 .
			wait_port us
		else
			receive -x "$output"
		fi
		send_archive "$tree.tar" 0 -V
		finish us
		[ "$(<d/mine)" = mine ]
		rm d/mine
		same_tree d
		[ "$(<us.out)" = "$(printf "${output%/}/%s\n" away dir empty file run shut)" ]
		chmod u+w d/shut
	done
}

@test "a new directory's entries are lines, too, also with -q, and none with --json" {
	receive -x out
	send_archive "$tree.tar"
	finish us
	[ "$(<us.out)" = "$(printf 'out/%s\n' away dir empty file run shut)" ]
	start us "$SOCKXFER" recv -q --json -x -p 0 --port-file port out2
	wait_for test -s port
	port=$(<port)
	send_archive "$tree.tar"
	finish us
	has us.out '"path": "out2"'
	has us.out '"entries": 12,'
	[ "$(wc -l <us.out)" -eq 1 ]
}

# moved OUTPUT OPTION...: in mid-transfer d is moved to e/d, and "other" takes its name, or nothing does.
moved() {
	local other

	archive in.tar a b/c
	for other in other nosuch; do
		rm -rf d e other go
		mkdir d e other
		receive "${@:2}" -x "$1"
		start send sh -c '{ cat in.tar; until [ -e go ]; do sleep 0.01; done; } | "$0" send "$1"' "$SOCKXFER" "127.0.0.1:$port"
		wait_for sh -c 'find d -name c | grep -q c'
		mv d e/d
		mv -T "$other" d 2>/dev/null || true
		touch go
		finish send
		finish us
	done
}

@test "a tree whose directory is moved meanwhile goes with it, and the paths printed are those where it is" {
	local output

	for output in d/out ./d/../d/out/ "$PWD/d/out"; do
		moved "$output"
		holds e/d out out/a out/b out/b/c
		[ "$(<us.out)" = "$(printf "$PWD/e/d/out/%s\n" a b)" ]
	done
	for output in d d/ "$PWD/d"; do
		moved "$output"
		holds e/d a b b/c
		[ "$(<us.out)" = "$(printf "$PWD/e/d/%s\n" a b)" ]
	done
	moved d/out --json
	has us.out "\"path\": \"$PWD/e/d/out\""
	moved d -v
	grep -qF "$PWD/e/d: 3 entries, " us.err
}

@test "a name with a newline makes one line, in which that is encoded" {
	mkdir names
	touch $'names/one\nout' names/two
	start us "$SOCKXFER" recv -x -v -p 0 out
	wait_port us
	start send "$SOCKXFER" send "127.0.0.1:$port" names
	finish send
	finish us
	[ "$(<us.out)" = $'out/one\\nout\nout/two' ]
	[ -e $'out/one\nout' ]
}

@test "names of a peer are harmless on a terminal" {
	need script
	archive in.tar $'\e[2Jx'
	start us script -qec "$SOCKXFER recv -q -x -p 0 --port-file port out" typescript
	wait_for test -s port
	port=$(<port)
	send_archive in.tar
	finish us
	has_not typescript $'\e[2J'
	has typescript 'out/^[[2Jx'
}

@test "a name that is there already is refused before anything is moved, and its sender is told" {
	local what

	archive in.tar a name/x z
	for what in file directory link; do
		mkdir d
		case $what in
		file) echo mine >d/name ;;
		directory) mkdir d/name ;;
		link) ln -s nothing d/name ;;
		esac
		receive -x d
		send_archive in.tar 6
		finish us 1
		has send.err 'name: there is one already, and nothing is replaced'
		has us.err 'd: name: there is one already, and nothing is replaced'
		holds d name
		[ "$what" != file ] || [ "$(<d/name)" = mine ]
		rm -r d
	done
}

@test "a name that comes during the transfer is not replaced, and nothing else is moved" {
	archive in.tar a name z
	mkdir d
	receive -x d
	start send sh -c '{ cat in.tar; until [ -e go ]; do sleep 0.01; done; } | "$0" send "$1"' "$SOCKXFER" "127.0.0.1:$port"
	wait_for sh -c 'find d -name z | grep -q z'
	echo mine >d/name
	touch go
	finish send 6
	finish us 1
	holds d name
	[ "$(<d/name)" = mine ]

	# So with a new directory.
	rm go
	receive -x out
	start send sh -c '{ cat in.tar; until [ -e go ]; do sleep 0.01; done; } | "$0" send "$1"' "$SOCKXFER" "127.0.0.1:$port"
	wait_for sh -c 'find . -name z | grep -q z'
	mkdir out
	touch go
	finish send 6
	finish us 1
	holds out
	has us.err 'out: there is one already'
	[ -z "$(find . -name '.sockxfer.*')" ]
}

@test "if an entry cannot be moved, those that were are taken out again" {
	local when

	archive in.tar a b/ c d
	for when in 1 2 3 4; do
		rm -rf d
		mkdir d
		echo mine >d/mine
		inject "renameat2:error=EIO:when=$when"
		listen_as us recv tcp4 -x d
		port=${address##*:}
		send_archive in.tar 6
		finish us 1
		has us.err 'Input/output error'
		holds d mine
		FRONT=()
	done
}

@test "if the process that moves the entries is killed, none is there; if the receiver is, all are" {
	archive in.tar a b/ c d
	mkdir d
	inject renameat2:signal=SIGKILL:when=3
	listen_as us recv tcp4 -x d
	port=${address##*:}
	send_archive in.tar 6
	finish us 1
	has us.err 'was killed'
	holds d
}

@test "a file system without RENAME_NOREPLACE and hard links takes trees, and replaces nothing either" {
	local fault

	archive in.tar a b/ c/d
	for fault in linkat:error=EPERM none; do
		rm -rf d new
		mkdir d
		inject renameat2:error=EINVAL
		[ "$fault" = none ] || inject renameat2:error=EINVAL "$fault"
		listen_as us recv tcp4 -x d
		port=${address##*:}
		send_archive in.tar
		finish us
		holds d a b c c/d
		rm -r d/a d/b
		archive other.tar a c
		listen_as us recv tcp4 -x d
		port=${address##*:}
		send_archive other.tar 6
		finish us 1
		holds d c c/d
		listen_as us recv tcp4 -x new
		port=${address##*:}
		send_archive in.tar
		finish us
		holds new a b c c/d
		FRONT=()
	done
}

@test "directories that may not be written to are moved, and keep their mode, also for a user" {
	[ "$(id -u)" -ne 0 ] || need setpriv
	archive in.tar shut/ shut/file other/
	umask 0
	mkdir d
	[ "$(id -u)" -ne 0 ] || chown 65534:65534 d .
	if [ "$(id -u)" -eq 0 ]; then
		start us setpriv --reuid 65534 --regid 65534 --clear-groups "$SOCKXFER" recv -x -p 0 d
	else
		start us "$SOCKXFER" recv -x -p 0 d
	fi
	wait_port us
	send_archive in.tar
	finish us
	[ "$(stat -c %a d/shut d/other d/shut/file | tr '\n' ' ')" = '555 555 644 ' ]
	holds d other shut shut/file
}

### What is no tree

@test "what is no tar archive is refused, and its sender told what he needs" {
	head -c 5000 /dev/urandom >junk
	echo short >short
	local file

	for file in junk short; do
		receive -x out
		send_archive "$file" 6
		finish us 1
		has us.err 'out: not a tar archive: the sender needs --named'
		has send.err 'not a tar archive: the sender needs --named'
		[ ! -e out ]
	done
}

@test "a compressed archive is refused, and both ends are told the command that unpacks it" {
	local packer command

	need gzip bzip2 xz zstd
	while read -r packer command; do
		"$packer" -c "$tree.tar" >packed
		receive -x out
		send_archive packed 6
		finish us 1
		has us.err "out: not a tar archive, but compressed by $packer: "
		has us.err "or receive it by -- $command"
		has send.err "compressed by $packer"
		[ ! -e out ]
		# shellcheck disable=SC2086  # words
		receive -- $command
		send_archive packed 0 -V
		finish us
		[ -e run ]
		chmod u+w shut
		rm -r away dir empty file run shut
	done <<-end
		gzip tar xzf -
		bzip2 tar xjf -
		xz tar xJf -
		zstd tar --zstd -xf -
	end
	head -c 100 /dev/zero | gzip >short
	receive -x out
	send_archive short 6
	finish us 1
	has us.err 'compressed by gzip'
}

@test "without -x a tar archive is a file, and the result line tells of -x" {
	receive -v out.tar
	send_archive "$tree.tar"
	finish us
	same out.tar "$tree.tar"
	has us.err ': a tar archive, which recv -x unpacks'
	receive -v out.txt
	send_archive "$ROOT/README"
	finish us
	has_not us.err 'recv -x'
}

@test "the result line of a tree counts its entries" {
	receive -v -x out
	send_archive "$tree.tar"
	finish us
	has us.err 'out: 12 entries, '
}

@test "a stream that ends before the mark of the end is no tree, wherever it ends" {
	local size at

	archive in.tar a b/c
	tar --format=pax --append -f in.tar -C "$tree" ./dir/link ./shut
	size=$(stat -c %s in.tar)
	end=$("$PYTHON" -c 'import sys; data = open("in.tar", "rb").read(); print(len(data.rstrip(b"\0")) // 512 * 512 + 512)')
	[ "$end" -lt "$size" ]
	mkdir d
	start us "$SOCKXFER" recv -k -x -p 0 d
	wait_port us
	for ((at = 512; at <= end + 512; at += 512)); do
		head -c "$at" in.tar >cut.tar
		start send "$SOCKXFER" send -V "127.0.0.1:$port" cut.tar
		finish send 6
	done
	wait_for sh -c '[ -z "$(ls -A d)" ]'
	send_archive in.tar 0 -V
	stop us
	holds d a b b/c dir dir/link shut shut/inside
}

### With other options

@test "-x goes with none of what has no directory, and its limits with nothing else" {
	run -2 "$SOCKXFER" recv -x -p 0
	[[ $output == *'-x, --extract: needs a directory'* ]]
	run -2 "$SOCKXFER" recv -x -p 0 -
	run -2 "$SOCKXFER" recv -x -p 0 /dev/stdout
	run -2 "$SOCKXFER" recv -x -p 0 -- cat
	[[ $output == *'not for a command'* ]]
	run -2 "$SOCKXFER" recv --max-entries 5 -p 0 out
	[[ $output == *'--max-entries: is only for -x'* ]]
	run -2 "$SOCKXFER" recv -x --max-entries 0 -p 0 out
	run -2 "$SOCKXFER" send -x -p 0 out
	: >file
	mkfifo fifo
	ln -s nowhere link
	run -1 "$SOCKXFER" recv -x -p 0 file
	[[ $output == *'file: Not a directory' ]]
	run -1 "$SOCKXFER" recv -x -p 0 fifo
	run -1 "$SOCKXFER" recv -x -p 0 link
	run -1 "$SOCKXFER" recv -x -p 0 no/such
	[[ $output == *'no/such: No such file or directory' ]]
	run -1 "$SOCKXFER" recv -k -x -p 0 new
	[[ $output == *'with -k the directory has to be there'* ]]
	holds . fifo file link
}

@test "--max-entries and --max-size take a tree of that size, and none that is larger" {
	archive in.tar a b/c
	receive -x --max-entries 3 --max-size 4 one
	send_archive in.tar
	finish us
	receive -x --max-entries 2 two
	send_archive in.tar 6
	finish us 1
	has send.err 'too many entries: more than 2'
	receive -x --max-size 3 three
	send_archive in.tar 6
	finish us 1
	has send.err 'too large: more than 3 bytes of content'
	[ ! -e two ] && [ ! -e three ]
	[ -z "$(find . -name '.sockxfer.*')" ]
}

@test "-k: the tree of each sender is put into the directory, or refused and told so" {
	archive one.tar one both/x
	archive two.tar both/y two
	archive three.tar three
	mkdir d
	start us "$SOCKXFER" recv -k -x -p 0 d
	wait_port us
	send_archive one.tar 0 -V
	send_archive two.tar 6
	has send.err 'both: there is one already, and nothing is replaced'
	send_archive three.tar 0 -V
	send_archive "$ROOT/README" 6
	wait_for sh -c '[ "$(wc -l <us.out)" -eq 3 ]'
	stop us
	[ "$(sort us.out)" = $'d/both\nd/one\nd/three' ]
	holds d both both/x one three
}

@test "-S: all is on the disk before it is stored, and an error of the disk is heard" {
	archive in.tar a b/c
	inject
	listen_as us recv tcp4 -S -x out
	port=${address##*:}
	send_archive in.tar 0 -V
	finish us
	grep -oE '(syncfs|renameat2|fsync|sockxfer/1 stored)' trace | tr '\n' ' ' >order
	[ "$(<order)" = 'syncfs renameat2 syncfs fsync sockxfer/1 stored ' ]
	inject syncfs:error=EIO:when=1
	listen_as us recv tcp4 -S -x out2
	port=${address##*:}
	send_archive in.tar 6
	finish us 1
	has us.err 'syncfs: Input/output error'
	[ ! -e out2 ]
	[ -z "$(find . -name '.sockxfer.*')" ]
}

@test "-E is the digest of the archive, and one that does not match keeps nothing" {
	local digest

	archive in.tar a
	digest=xxh128:$(xxh128sum <in.tar | cut -d ' ' -f 1)
	receive -x -E "$digest" out
	send_archive in.tar
	finish us
	receive -x -E "${digest%?}x" out2 || true
	archive other.tar b
	receive -x -E "$digest" out2
	send_archive other.tar 6
	finish us 4
	[ ! -e out2 ]
}

### What is left

# half_tree OUTPUT: a receiver that has made a part of a tree.
half_tree() {
	archive in.tar a b/c
	head -c 2500 in.tar >half.tar
	receive -x "$1"
	scripted sender connect "127.0.0.1:$port" file:half.tar await:never
	wait_for made_one
}

made_one() {
	find . -path '*/.sockxfer.*/a' | grep -q a
}

temporaries() {
	find . -name '.sockxfer.*' | wc -l
}

@test "a receiver that is ended by a signal leaves nothing of the tree" {
	local output

	mkdir d
	for output in d new; do
		half_tree "$output"
		kill -TERM "${PID[us]}"
		finish us 143
		stop sender
		[ "$(temporaries)" -eq 0 ]
		[ ! -e new ]
		holds d
	done
}

@test "what a killed receiver has left is removed by the next one there, and not what a living one has" {
	local output

	mkdir d
	for output in d d/new; do
		half_tree "$output"
		kill -KILL "${PID[us]}"
		finish us 137
		stop sender
		[ "$(temporaries)" -eq 1 ]
		receive -x "$output"
		[ "$(temporaries)" -eq 1 ]
		[ -z "$(find d -path '*/.sockxfer.*/*')" ]
		start other "$SOCKXFER" recv -x -p 0 "$output"
		wait_port other
		[ "$(temporaries)" -eq 2 ]
		stop other
		stop us
		start us "$SOCKXFER" recv -p 0 d
		wait_port us
		stop us
		[ "$output" != d ] || [ "$(temporaries)" -eq 0 ]
	done
	receive -x d/other
	[ "$(temporaries)" -eq 1 ]
	kill -TERM "${PID[us]}"
	finish us 143
	holds d
}

@test "a server takes many trees at once, and what many killed ones have left is removed by the next one" {
	local i

	mkdir d
	start us "$SOCKXFER" recv -k -x -p 0 d
	wait_port us
	for i in {1..25}; do
		archive "$i.tar" "first$i" "second$i/file"
		head -c 2500 "$i.tar" >"$i.begin"
		tail -c +2501 "$i.tar" >"$i.rest"
		scripted "sender$i" connect "127.0.0.1:$port" "file:$i.begin" await:go "file:$i.rest" half eof
	done
	wait_for sh -c '[ "$(find d -name "first*" | wc -l)" -eq 25 ]'
	touch go
	for i in {1..25}; do
		finish "sender$i"
	done
	wait_for sh -c '[ "$(wc -l <us.out)" -eq 50 ]'
	# shellcheck disable=SC2046,SC2183  # words
	holds d $(printf 'first%s second%s second%s/file ' $(seq 25 | sed 's/.*/& & &/'))
	rm -r d/* go

	for i in {1..25}; do
		scripted "sender$i" connect "127.0.0.1:$port" "file:$i.begin" await:go
	done
	wait_for sh -c '[ "$(find d -name "first*" | wc -l)" -eq 25 ]'
	# It is stopped first: else it ends those that are left when some have died, and they clean up.
	kill -STOP "${PID[us]}"
	# shellcheck disable=SC2046  # words
	kill -KILL $(pgrep -P "${PID[us]}") "${PID[us]}"
	finish us 137
	touch go
	for i in {1..25}; do
		stop "sender$i"
	done
	[ "$(temporaries)" -eq 25 ]
	start us "$SOCKXFER" recv -k -x -p 0 d
	wait_port us
	holds d
	stop us
}
