#!/usr/bin/env bats
# Directories and files with names, as they are sent: any tar unpacks what goes over the wire.
# shellcheck disable=SC2154  # port: wait_port sets it

load helper
load fault/fault

# A tree with everything that travels.
make_tree() {
	mkdir -p tree/sub/deep tree/empty
	echo one >tree/one
	: >tree/none
	head -c 3000000 /dev/urandom >tree/big
	head -c 1048576 /dev/urandom >tree/sub/border
	head -c 1048577 /dev/urandom >tree/sub/over
	ln tree/one tree/sub/hard
	ln -s ../one tree/sub/link
	ln -s nowhere tree/dangling
	ln -s "$(printf 'long/%.0s' {1..60})" tree/far
	echo bytes >$'tree/a\nb \xff\xe4'
	echo long >"tree/$(printf 'n%.0s' {1..255})"
	echo longer >"tree/$(printf '\xff%.0s' {1..200})"
	echo script >tree/run
	chmod 755 tree/run
	chmod 600 tree/sub/border
	chmod 2750 tree/sub/deep
	touch -d '1965-03-04 05:06:07' tree/sub/hard
	touch -d '2300-01-02 03:04:05.123456789' tree/run
	touch -h -d '2001-02-03 04:05:06.5' tree/sub/link
	touch -d '1999-12-31 23:59:59.999999999' tree/empty
}

# tree_of DIR: what is there: paths, types, modes, times, links, contents.
tree_of() {
	(
		cd "$1" || exit
		find . -mindepth 1 -type f -printf '%p\0%y %m %T@ %n\0' -o -type l -printf '%p\0%y %T@ %l\0' -o \
			-printf '%p\0%y %m %T@\0' | sort -z
		find . -type f -exec sha256sum -- {} + | sort
	) | tr '\0' '\n'
}

# no_special: as tree_of() prints it, without the bit that does not travel.
no_special() {
	sed 's/^d 2750 /d 750 /'
}

# unpacked BY TIMES: what that program makes of "archive" is the tree. Not every one keeps fractions of a second.
unpacked() {
	rm -rf there
	mkdir there
	(umask 0 && cd there && $1 ../archive 2>"../${1%% *}.err")
	tree_of tree | no_special | $2 >sent
	tree_of there | $2 >came
	diff sent came
}

# Of files alone, and not of what they were made a part of later.
whole_seconds() {
	sed -E 's/^(f [0-9]+ -?[0-9]+)\.[0-9]+/\1/; s/^(d [0-9]+|l) -?[0-9.]+/\1/'
}

# archive ARGUMENT...: sends that, and keeps what goes over the wire.
archive() {
	scripted peer listen 127.0.0.1:0 eof save:archive
	wait_port peer
	ours send send "127.0.0.1:$port" "$@"
	finish send
	finish peer
}

members() {
	tar -tf archive --quoting-style=escape
}

@test "a directory is sent as an archive, which each tar unpacks to the same tree" {
	make_tree
	archive tree
	unpacked 'tar -xpf' cat
	need bsdtar
	unpacked 'bsdtar -xpf' cat
}

@test "busybox and toybox unpack it, too, but for the times that they do not keep" {
	need busybox toybox
	mkdir -p tree/sub/deep
	echo one >tree/sub/one
	echo two >"tree/sub/$(printf 'n%.0s' {1..200})"
	ln -s one tree/sub/link
	touch -d '2001-02-03 04:05:06.5' tree/sub/one
	chmod 700 tree/sub
	archive tree
	unpacked 'busybox tar -xpf' whole_seconds
	unpacked 'toybox tar -xpf' whole_seconds
}

@test "the names are sorted, and a directory comes before what is in it" {
	mkdir -p tree/b/a tree/a
	touch tree/b.c tree/b/z tree/c tree/a/x
	archive tree
	[ "$(members)" = $'./\na/\na/x\nb/\nb/a/\nb/z\nb.c\nc' ]
}

@test "the directory's own name never travels, with or without a slash at its end" {
	mkdir -p tree/sub
	echo one >tree/one
	archive tree
	mv archive first
	archive tree/
	cmp archive first
	start send sh -c 'cd tree && exec "$@"' - "$SOCKXFER" send -l "unix:$PWD/socket" .
	wait_for listening_unix "$PWD/socket"
	scripted peer connect unix:socket eof save:archive
	finish send
	finish peer
	cmp archive first
}

@test "a link to a directory is followed where it is the operand, and nowhere below" {
	mkdir -p tree/sub elsewhere
	echo secret >elsewhere/secret
	ln -s tree operand
	ln -s ../elsewhere tree/inside
	archive operand
	[ "$(members)" = $'./\ninside\nsub/' ]
}

@test "several files and directories travel under their last components" {
	mkdir -p d/sub e
	echo a >d/a
	echo b >e/b
	echo c >d/sub/c
	archive d/a e/b d/sub/
	[ "$(members)" = $'a\nb\nsub/\nsub/c' ]
}

@test "--named sends one file with its name, mode and time" {
	mkdir d
	echo in >d/in.jpg
	chmod 640 d/in.jpg
	touch -d '2001-02-03 04:05:06.789' d/in.jpg
	archive --named d/in.jpg
	tar -xpf archive
	[ "$(stat -c '%a %y' in.jpg)" = "$(stat -c '%a %y' d/in.jpg)" ]
	cmp in.jpg d/in.jpg
}

@test "a directory that listens serves each that comes, and several receivers at once" {
	make_tree
	ours us send -k -v -p 0 tree
	wait_port us
	scripted one connect "127.0.0.1:$port" eof save:one
	scripted two connect "127.0.0.1:$port" eof save:archive
	finish one
	finish two
	cmp one archive
	unpacked 'tar -xpf' cat
	kill "${PID[us]}"
	finish us 143
	scripted one listen 127.0.0.1:0 eof save:one
	scripted two listen 127.0.0.1:0 eof save:two
	wait_port one
	local first=$port
	wait_port two
	ours send send "127.0.0.1:$first,127.0.0.1:$port" tree
	finish send
	finish one
	finish two
	cmp one archive
	cmp two archive
}

# json LINE MEMBER: of the objects that "send" has printed.
json() {
	sed -n "$1p" send.out | "$PYTHON" -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1]))' "$2"
}

@test "--json counts the entries, for each of several receivers, and one that fails" {
	local first second

	make_tree
	archive tree --json
	[ "$(json 1 entries)" -eq "$(find tree -mindepth 1 -printf x | wc -c)" ]
	scripted one listen 127.0.0.1:0 eof
	scripted two listen 127.0.0.1:0 reset
	wait_port one
	first=127.0.0.1:$port
	wait_port two
	second=127.0.0.1:$port
	free_port
	ours send send --json "$first,$second,127.0.0.1:$port" tree
	finish send 1
	finish one
	finish two
	[ "$(json 1 entries)" -eq "$(find tree -mindepth 1 -printf x | wc -c)" ]
	[ "$(json 2 entries)" -le "$(json 1 entries)" ]
	[ "$(json 3 entries)" -eq 0 ]
	# of what is no tree there are none to count
	echo one >one
	archive --json one
	[ "$(json 1 entries)" = None ]
}

@test "the digest and the size of a receipt are those of the archive" {
	make_tree
	ours recv recv -v -p 0 out.tar
	wait_port recv
	ours send send -V "127.0.0.1:$port" tree
	finish send
	finish recv
	archive tree
	cmp archive out.tar
}

# status_says TEXT: asks the sender for its status; whether it has said this by now.
status_says() {
	kill -USR1 "${PID[send]}" || return 99
	grep -q -- "$1" send.err
}

@test "who asks by SIGUSR1 is told of entries and bytes, and of the per cent once all have been counted" {
	mkdir tree
	echo one >tree/second
	begun
	wait_for status_says '^sockxfer: send: tree: 1 entry, [0-9.]* MB, '
	wait_for status_says '^sockxfer: send: tree: 1 entry, [0-9.]* MB of 20 MB ([0-9]*%), '
	touch go
	finish send
	finish peer
}

@test "a tree is walked through once where nobody looks how far it is" {
	need_strace
	mkdir tree
	echo one >tree/one
	scripted peer listen 127.0.0.1:0 eof
	wait_port peer
	start send strace -f -o trace -e trace=open,openat "$SOCKXFER" send -b 2000 "127.0.0.1:$port" tree
	finish send
	finish peer
	[ "$(grep -c '"one"' trace)" -eq 1 ]
}

### What is left out

@test "sockets, FIFOs and devices are left out, with a line each" {
	mkdir tree
	mkfifo tree/fifo
	"$PYTHON" -c 'import socket; socket.socket(socket.AF_UNIX).bind("tree/socket")'
	echo one >tree/one
	archive tree
	[ "$(members)" = $'./\none' ]
	has send.err 'tree/fifo: a socket, FIFO or device, and left out'
	has send.err 'tree/socket: a socket, FIFO or device, and left out'
}

@test "our own port file and temporary files are left out, and another port file is not" {
	mkdir tree
	echo 1 >tree/other.port
	touch tree/.sockxfer.00.out
	ours send send -p 0 --port-file tree/own.port tree
	wait_for [ -s tree/own.port ]
	scripted peer connect "127.0.0.1:$(<tree/own.port)" eof save:archive
	finish send
	finish peer
	[ "$(members)" = $'./\nother.port' ]
	has send.err 'tree/own.port: our own port file, and left out'
	has send.err 'tree/.sockxfer.00.out: a temporary file of a transfer, and left out'
}

# begun: a sender that has sent the 2 MB of tree/first and waits, as nobody reads.
begun() {
	head -c 20000000 /dev/zero >tree/first
	scripted peer listen 127.0.0.1:0 expect:2000 await:go eof save:archive
	wait_port peer
	ours send send "127.0.0.1:$port" tree
	wait_said peer 'expect:2000 done'
}

@test "what vanishes between its listing and its turn is left out, with a line" {
	mkdir -p tree/zdir/sub
	touch tree/zdir/file tree/zfile tree/zz
	begun
	rm -r tree/zdir tree/zfile
	touch go
	finish send
	finish peer
	[ "$(members)" = $'./\nfirst\nzz' ]
	has send.err 'tree/zfile: it is gone, and left out'
	has send.err 'tree/zdir: it is gone, and left out'
}

@test "what appears in a directory after its listing does not come, and what is swapped comes as it is then" {
	mkdir -p tree/zdir
	echo file >tree/zfile
	begun
	touch tree/zappears
	rm -r tree/zdir tree/zfile
	ln -s /etc/passwd tree/zdir
	mkdir tree/zfile
	touch go
	finish send
	finish peer
	[ "$(members)" = $'./\nfirst\nzdir\nzfile/' ]
	[ "$(tar -tvf archive | grep -c '^l.* zdir -> /etc/passwd$')" -eq 1 ]
}

@test "a file that grows is sent as long as it was when it was opened" {
	mkdir tree
	begun
	head -c 1000 /dev/zero >>tree/first
	touch go
	finish send
	finish peer
	tar -xf archive
	[ "$(stat -c %s first)" -eq 20000000 ]
}

@test "a large file that becomes shorter ends the transfer: exit 1, with its name" {
	mkdir tree
	begun
	truncate -s 3000000 tree/first
	touch go
	finish send 1
	has send.err 'tree/first: the file has become shorter: '
}

# A file system may tell a size that there is not, as those in /sys do.
@test "a small file that is shorter than its size has the true one in its header" {
	[ -r /sys/kernel/mm/transparent_hugepage/enabled ] || skip "needs /sys"
	archive --named /sys/kernel/mm/transparent_hugepage/enabled
	tar -xOf archive enabled >came
	cmp came /sys/kernel/mm/transparent_hugepage/enabled
}

### What cannot be read

# A tree, and ${AS[@]}, by which a program is run as a user who may not read all of it.
unreadable_tree() {
	need_root
	need setpriv
	mkdir -p tree/dir tree/other
	echo secret >tree/file
	echo one >tree/other/one
	chmod 0 tree/file tree/dir
	chmod 755 . tree
	AS=(setpriv --reuid 65534 --regid 65534 --clear-groups)
}

@test "what cannot be read ends the transfer: exit 1, with its name and what to do" {
	unreadable_tree
	scripted peer listen 127.0.0.1:0 gone
	wait_port peer
	start send "${AS[@]}" "$SOCKXFER" send "127.0.0.1:$port" tree
	finish send 1
	has send.err 'tree/dir: Permission denied'
	has send.err 'hint: --skip-unreadable leaves out what cannot be read'
	finish peer
}

@test "--skip-unreadable leaves it out: exit 0, with a line each and a count" {
	unreadable_tree
	scripted peer listen 127.0.0.1:0 eof save:archive
	wait_port peer
	start send "${AS[@]}" "$SOCKXFER" send --skip-unreadable "127.0.0.1:$port" tree
	finish send
	finish peer
	[ "$(members)" = $'./\nother/\nother/one' ]
	has send.err 'tree/dir: left out: Permission denied'
	has send.err 'tree/file: left out: Permission denied'
	has send.err 'tree: left out, as it could not be read: 2 entries'
}

# reads_fail FILE WHEN OPTION...: sends the tree to $port, while reads of the file fail from the WHENth on.
reads_fail() {
	start send strace -f -o trace -P "$PWD/$1" -e trace=read -e "inject=read:error=EIO:when=$2+" "$SOCKXFER" send \
		-B 65536 "127.0.0.1:$port" tree "${@:3}"
}

@test "a read error in a file of up to 1 MiB ends the transfer, and with --skip-unreadable leaves the file out" {
	need_strace
	mkdir -p tree/sub
	head -c 1048576 /dev/urandom >tree/bad
	ln tree/bad tree/sub/bad
	echo one >tree/sub/one
	receive -x out
	reads_fail tree/bad 1
	finish send 1
	finish us 1
	[ ! -e out ]
	has send.err 'tree/bad: Input/output error'
	has send.err 'hint: --skip-unreadable leaves out what cannot be read'
	receive -x out
	reads_fail tree/bad 1 --skip-unreadable
	finish send
	finish us
	has send.err 'tree/bad: left out: Input/output error'
	has send.err 'tree: left out, as it could not be read: 1 entry'
	holds out sub sub/bad sub/one # under that name it could be read
	cmp out/sub/bad tree/bad
}

@test "a read error in a larger file ends the transfer, also with --skip-unreadable, and nothing is kept" {
	need_strace
	mkdir tree
	head -c 1048577 /dev/urandom >tree/bad
	receive -x out
	reads_fail tree/bad 2 --skip-unreadable
	finish send 1
	finish us 1
	[ ! -e out ]
	has send.err 'tree/bad: read: Input/output error'
}

@test "--json counts what is left out, also with -q, and for each of several receivers" {
	local first

	unreadable_tree
	mkfifo tree/fifo
	scripted one listen 127.0.0.1:0 eof
	scripted two listen 127.0.0.1:0 eof
	wait_port one
	first=$port
	wait_port two
	start send "${AS[@]}" "$SOCKXFER" send -q --json --skip-unreadable "127.0.0.1:$first,127.0.0.1:$port" tree
	finish send
	finish one
	finish two
	[ ! -s send.err ]
	[ "$(json 1 left_out)" -eq 3 ] # dir, file, fifo
	[ "$(json 2 left_out)" -eq 3 ]
	[ "$(json 1 entries)" -eq 2 ]
}

@test "an operand that is not there, or is no file, is an error before anybody connects" {
	mkdir tree
	mkfifo fifo
	ours send send -p 0 --named missing
	finish send 1
	has send.err 'missing: No such file or directory'
	ours send send -p 0 tree missing
	finish send 1
	has send.err 'missing: No such file or directory'
	ours send send -p 0 --named fifo
	finish send 1
	has send.err 'fifo: '
	ours send send -p 0 --skip-unreadable tree missing
	finish send 1
}

@test "a receiver that listens is told of what cannot be read, however early" {
	unreadable_tree
	ours recv recv -x -v -p 0 out
	wait_port recv
	start send "${AS[@]}" "$SOCKXFER" send "127.0.0.1:$port" tree
	finish send 1
	finish recv 1
	[ ! -e out ]
}

### Depth and size

@test "a tree far deeper than there are descriptors, with paths of 10,000 bytes" {
	"$PYTHON" -c '
import os
os.mkdir("tree"); os.chdir("tree")
for depth in range(400):
    open("file", "w").write(str(depth))
    name = "d%024d" % depth
    os.mkdir(name); os.chdir(name)
'
	scripted peer listen 127.0.0.1:0 eof save:archive
	wait_port peer
	start send sh -c 'ulimit -n 64; exec "$@"' - "$SOCKXFER" send "127.0.0.1:$port" tree
	finish send
	finish peer
	members >list
	[ "$(grep -c '/file$\|^file$' list)" -eq 400 ]
	[ "$(wc -L <list)" -gt 10000 ]
	rm -rf tree
}

@test "a file of 9 GB has its size in the header" {
	truncate -s 9000000000 huge
	scripted peer listen 127.0.0.1:0 expect:3000 save:archive close
	wait_port peer
	ours send send --named "127.0.0.1:$port" huge
	finish send 1
	finish peer
	[ "$(tar -tvf archive 2>/dev/null | awk '{ print $3 }')" = 9000000000 ]
	rm huge
}

### Words

@test "what has no name cannot travel with one, and no name travels twice: exit 2" {
	mkdir -p a b
	touch a/x b/x
	ours us send -p 0 a/x b/x
	finish us 2
	has us.err '"a/x" and "b/x" have the same name'
	local word
	for word in . .. / a/.. a/. -; do
		ours us send -p 0 a/x "$word"
		finish us 2
		ours us send -p 0 --named "$word"
		finish us 2
		has us.err 'has no name that could be sent along'
	done
	ours us send -p 0 --named
	finish us 2
	ours us send -p 0 --named -- cat a/x
	finish us 2
}

@test "the hand-over says how to unpack it there, with sockxfer and with tar behind another program" {
	mkdir -p photos d
	touch d/in.jpg
	local tool
	for tool in nc ncat socat busybox python; do
		ours us send -p 0 --peer "$tool" photos/
		wait_said us 'On the other machine: mkdir photos && '
		grep -q '| tar -xf - -C photos$' us.err
		stop us
		ours us send -p 0 --peer "$tool" --named d/in.jpg
		wait_said us 'On the other machine: '
		grep -q '| tar -xf -$' us.err
		stop us
	done
}

# As its user would: the line is run as it is printed.
@test "the command of the hand-over unpacks the tree" {
	local tool command

	need nc ncat socat busybox
	make_tree
	for tool in nc ncat socat busybox python; do
		ours us send -p 0 --peer "$tool" tree
		wait_said us 'On the other machine: '
		wait_port us
		command=$(sed -n 's/^On the other machine: //p' us.err)
		command=$(sed -E "s/ (TCP:)?[^ ]+([ :])$port/ \\1127.0.0.1\\2$port/" <<<"$command")
		rm -rf there
		mkdir there
		start peer sh -c "cd there && $command"
		finish us
		finish peer
		diff -r --no-dereference tree there/tree
	done
}
