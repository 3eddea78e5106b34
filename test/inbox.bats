#!/usr/bin/env bats
# A directory as the receiver's output: a new file in it, named by time and peer, and its path on stdout. The
# directory d is that output, so that what is in it can be compared with what is to be there.
# shellcheck disable=SC2154  # port: wait_port and free_port set it

load helper
load fault/fault

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# What the names begin with.
TIME='[0-9]{8}T[0-9]{6}\.[0-9]{3}Z'

send_data() {
	start send "$SOCKXFER" send -V "$1" "$BATS_FILE_TMPDIR/data"
	finish send
}

# filed DIRECTORY PEER NUMBER: the one line on stdout of us, which has ended, is the path of a file there with such a
# name, and with the data. Sets $path.
filed() {
	[ "$(wc -l <us.out)" -eq 1 ]
	path=$(<us.out)
	[[ $path =~ ^$1/$TIME-$2-$3$ ]] || {
		echo "not the path: $path" >&2
		return 1
	}
	same "$path" "$BATS_FILE_TMPDIR/data"
}

# take_names SECONDS: makes files in d of all names that 127.0.0.1 may get in so many seconds; sets $until to the last.
take_names() {
	until=$((EPOCHSECONDS + $1))
	TZ=UTC "$PYTHON" -c 'import os, sys, time
for second in range(int(sys.argv[1]), int(sys.argv[2]) + 1):
    text = time.strftime("%Y%m%dT%H%M%S", time.gmtime(second))
    for ms in range(1000):
        os.close(os.open(f"d/{text}.{ms:03}Z-127.0.0.1-1", os.O_CREAT | os.O_WRONLY))' "$EPOCHSECONDS" "$until"
}

### Names

@test "a directory as the output: a new file, whose path is printed on stdout" {
	local output

	for output in d d/ ./d "$PWD/d/"; do
		mkdir d
		receive "$output"
		send_data "127.0.0.1:$port"
		finish us
		filed "${output%/}" 127.0.0.1 1
		holds d "${path##*/}"
		rm -r d
	done
	mkdir d
	start us env -C d "$SOCKXFER" recv -p 0 .
	wait_port us
	send_data "127.0.0.1:$port"
	finish us
	(cd d && cp ../us.out . && filed '\.' 127.0.0.1 1)
}

@test "the name has the time in UTC at which the file was stored, whatever TZ says" {
	local before after

	mkdir d
	start us env TZ=Asia/Tokyo "$SOCKXFER" recv -p 0 d
	wait_port us
	scripted sender connect "127.0.0.1:$port" send:1000 await:go half eof
	wait_said sender 'send:1000 done'
	TZ=UTC printf -v before '%(%Y%m%dT%H%M%S)T' -1
	touch go
	finish us
	TZ=UTC printf -v after '%(%Y%m%dT%H%M%S)T' -1
	path=$(<us.out)
	path=${path#d/}
	[[ ! ${path%%.*} < $before ]]
	[[ ! ${path%%.*} > $after ]]
}

@test "of a peer by IPv6 the name has no colons" {
	grep -q '^0*1 ' /proc/net/if_inet6 || skip "needs IPv6"
	mkdir d
	receive d/
	send_data "[::1]:$port"
	finish us
	filed d __1 1
}

@test "of a peer by IPv4 to a socket for IPv6 the name is the one of IPv4" {
	mkdir d
	start peer "$PYTHON" -c 'import os, socket, sys
s = socket.socket(socket.AF_INET6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
s.bind(("::ffff:127.0.0.1", 0))
s.listen()
print("listening on", s.getsockname()[1], flush=True)
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.execv(sys.argv[1], [sys.argv[1], "recv", "fd:3", "d"])' "$SOCKXFER"
	wait_port peer
	send_data "127.0.0.1:$port"
	finish peer
	tail -n 1 peer.out >us.out
	filed d 127.0.0.1 1
}

@test "nothing that the peer can choose is in the name: a unix socket's own path is not" {
	mkdir d e
	start us "$SOCKXFER" recv -v -l unix:socket d
	wait_said us 'listening on'
	start peer "$PYTHON" -c 'import socket
s = socket.socket(socket.AF_UNIX)
s.bind("../" + __import__("os").path.basename(__import__("os").getcwd()) + "/e/evil")
s.connect("socket")
s.sendfile(open("'"$BATS_FILE_TMPDIR"'/data", "rb"))
s.shutdown(1)
s.recv(1000)'
	finish peer
	finish us
	filed d unix 1
	holds d "${path##*/}"
}

@test "a name needs no quotes in a shell, and names sort by time" {
	local i

	mkdir d
	for i in 1 2 3 4 5; do
		receive d
		send_data "127.0.0.1:$port"
		finish us
		filed d 127.0.0.1 1
		[ "$path" = "$(printf %q "$path")" ]
		cat us.out >>all
	done
	sort -c all
	[ "$(sort -u all | wc -l)" -eq 5 ]
}

@test "where we connect, it is the address that we connected to" {
	mkdir d
	start send "$SOCKXFER" send -V -p 0 "$BATS_FILE_TMPDIR/data"
	wait_port send
	start us "$SOCKXFER" recv "127.0.0.1:$port" d
	finish us
	finish send
	filed d 127.0.0.1 1
}

### Never replace

# never_replaced COMMAND...: sockxfer, run by it, does not replace a file of the very name. (Where the disk is so slow
# that it is stored only when the names are of the past, it is tried again with more of them.)
never_replaced() {
	local seconds

	mkdir d
	for seconds in 1 2 4 8 16 32; do
		rm -f go
		start us "$@" "$SOCKXFER" recv -p 0 d
		wait_port us
		scripted sender connect "127.0.0.1:$port" "file:$BATS_FILE_TMPDIR/data" await:go half eof
		take_names "$seconds"
		touch go
		finish us
		finish sender
		[ "$EPOCHSECONDS" -gt "$until" ] || break
		rm "$(<us.out)"
	done
	filed d 127.0.0.1 2
	[ "$(find d -name '*-2' | wc -l)" -eq 1 ]
	[ "$(find d -name '*-1' -size +0 | wc -l)" -eq 0 ]
	[ "$(find d -name '.*' | wc -l)" -eq 0 ]
}

@test "a file of the very name is not replaced: the next number is taken" { never_replaced; }

@test "without O_TMPFILE neither" {
	need_tmpfile_filter
	never_replaced "$PYTHON" "$TOOLS/no_tmpfile.py"
}

@test "receivers at the same time, into one directory: each stream is a file of its own" {
	local i ports=()

	mkdir d
	for i in {1..8}; do
		start "recv$i" "$SOCKXFER" recv -p 0 d/
		wait_port "recv$i"
		ports[i]=$port
		random_file "data$i" 100000
		scripted "sender$i" connect "127.0.0.1:$port" "file:data$i" await:go half eof
	done
	touch go
	for i in {1..8}; do
		finish "recv$i"
		same "$(<"recv$i.out")" "data$i"
	done
	[ "$(sort -u recv?.out | wc -l)" -eq 8 ]
	(cd d && find . -type f) | sed 's:^\.:d:' | sort | diff - <(sort recv?.out)
}

### Failures leave the directory as it was

@test "a sender that fails, a wrong digest, a timeout and a stray leave nothing in the directory" {
	local command

	mkdir d
	echo mine >d/mine
	receive d
	scripted sender connect "127.0.0.1:$port" send:200000 reset
	finish us 1
	[ ! -s us.out ]
	holds d mine

	receive -E xxh128:00000000000000000000000000000000 d
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish us 4
	finish send 6
	[ ! -s us.out ]
	holds d mine

	free_port
	reaching sender "127.0.0.1:$port" send:200000 gone
	start us "$SOCKXFER" recv -w 0.3 -p "$port" d
	finish us 3
	finish sender
	[ ! -s us.out ]
	holds d mine

	receive -v d
	scripted stray connect "127.0.0.1:$port" reset
	wait_said us 'waiting for another'
	holds d mine
	send_data "127.0.0.1:$port"
	finish us
	filed d 127.0.0.1 1
	holds d mine "${path##*/}"
}

@test "a receiver that is killed leaves nothing in the directory, SIGKILL included" {
	local signal

	mkdir d
	for signal in TERM HUP KILL; do
		rm -f go
		receive_half d
		holds d
		kill "-$signal" "${PID[us]}"
		finish us $((128 + $(kill -l $signal)))
		holds d
		[ ! -s us.out ]
		stop sender
	done
}

@test "without O_TMPFILE the file appears whole, and a receiver that is ended leaves nothing" {
	mkdir d
	receive_half_named d/
	[ "$(cd d && echo .sockxfer.*)" != '.sockxfer.*' ]
	touch go
	finish us
	path=$(<us.out)
	same "$path" expected
	holds d "${path##*/}"
	rm "$path" go
	receive_half_named d/
	kill "${PID[us]}"
	finish us 143
	holds d
	stop sender
}

@test "a full disk leaves nothing in the directory, and both ends say why" {
	small_directory 1M
	truncate -s 100000000 large
	listen_as recv recv tcp4 d
	start send "${NS[@]}" "$SOCKXFER" send "$address" large
	finish recv 1
	finish send 6
	has recv.err 'd: write: No space left on device'
	has send.err 'No space left on device'
	small_untouched
}

@test "-S syncs the file, its directory and its count of links, and a directory that cannot be synced is told with the file's path" {
	need_strace
	mkdir d
	inject
	listen_as recv recv tcp4 -S d
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	# The first is a trial, before anything listens.
	grep -oE '\b(fsync|linkat|renameat2)\(' trace | tr -d '(' >calls
	[ "$(<calls)" = $'linkat\nfsync\nlinkat\nrenameat2\nfsync\nfsync' ]

	inject fsync:error=EIO:when=2
	listen_as recv recv tcp4 -S --json d
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send 6
	finish recv 1
	grep -qE "d/$TIME-127.0.0.1-1: fsync of its directory after it got its name: Input/output error" recv.err
	grep -qE "\"path\": \"d/$TIME-127.0.0.1-1\"" recv.out
}

### Who watches the directory

# watched_file COMMAND...: a file comes to d, by a receiver that is run by it; what a watcher sees is in watcher.out.
watched_file() {
	start watcher "$PYTHON" "$ROOT/test/fault/watch_directory.py" d
	wait_said watcher watching
	start us "$@" "$SOCKXFER" recv -p 0 d
	wait_port us
	start send "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	wait_said watcher 'MOVED_TO 2'
	stop watcher
}

@test "a watcher of the directory sees the name once, by a rename, when all of the file is there" {
	local path front

	need_tmpfile_filter
	mkdir d
	for front in env "$PYTHON $TOOLS/no_tmpfile.py"; do
		# shellcheck disable=SC2086 # words
		watched_file $front
		path=$(<us.out)
		same "$path" "$BATS_FILE_TMPDIR/data"
		[ "$(grep -m1 -F " ${path##*/} " watcher.out)" = "MOVED_TO ${path##*/} 300000" ]
		has_not watcher.out "CREATE ${path##*/} "
		rm "$path"
	done
}

### The directory, meanwhile

@test "a directory that is removed meanwhile is a failure, and the sender is told" {
	mkdir d
	receive_half d
	rmdir d
	touch go
	finish us 1
	grep -q '^sockxfer: recv: 127.0.0.1:[0-9]*: d: No such file or directory$' us.err
	[ ! -s us.out ]
	[ ! -e d ]
}

@test "of a directory that is moved, with a link in its place, the one that was named is taken, and its path is printed" {
	mkdir d other
	receive_half d
	mv d moved
	ln -s other d
	touch go
	finish us
	holds other
	[[ $(<us.out) == "$PWD/moved/2"* ]]
	same "$(<us.out)" expected
}

### The path

@test "the path on stdout can be read by a pipeline, also with -q" {
	mkdir d
	free_port
	# shellcheck disable=SC2016  # the inner shell's
	start us sh -c '"$0" recv -q -p "$1" d/ | while read -r f; do echo "got $f"; cmp "$f" "$2"; done' \
		"$SOCKXFER" "$port" "$BATS_FILE_TMPDIR/data"
	wait_for listening "$port"
	send_data "127.0.0.1:$port"
	finish us
	[[ $(<us.out) =~ ^got\ d/$TIME-127.0.0.1-1$ ]]
	[ ! -s us.err ]
}

@test "with --json there is only the object, with the path of the file; of the directory, if there is none" {
	mkdir d
	receive --json d
	send_data "127.0.0.1:$port"
	finish us
	[ "$(wc -l <us.out)" -eq 1 ]
	path=$("$PYTHON" -c 'import json; print(json.load(open("us.out"))["path"])')
	same "$path" "$BATS_FILE_TMPDIR/data"
	holds d "${path##*/}"
	receive --json d/
	scripted sender connect "127.0.0.1:$port" send:200000 reset
	finish us 1
	has us.out '"path": "d/",'
}

@test "the line at the end names the file" {
	mkdir d
	receive -v d
	send_data "127.0.0.1:$port"
	finish us
	grep -qE "^sockxfer: recv: d/$TIME-127.0.0.1-1: 300 kB in .*, stored, from 127.0.0.1:[0-9]+\$" us.err
}

@test "a path that cannot be written is a failure, after the file has been stored" {
	[ -c /dev/full ] || skip "needs /dev/full"
	mkdir d
	# shellcheck disable=SC2016  # the inner shell's
	start us sh -c 'exec "$0" recv -p 0 d >/dev/full' "$SOCKXFER"
	wait_port us
	send_data "127.0.0.1:$port" # which is told "stored"
	finish us 1
	has us.err 'sockxfer: recv: stdout: No space left on device'
	[ "$(find d -type f | wc -l)" -eq 1 ]
}

@test "a result that cannot be printed is a failure, on standard error, too, and the data are stored" {
	local command

	[ -c /dev/full ] || skip "needs /dev/full"
	mkdir d
	# shellcheck disable=SC2016  # the inner shell's
	for command in 'exec "$0" recv --json -p "$1" d/f >/dev/full' 'exec "$0" recv --json -p "$1" - >d/f 2>/dev/full'; do
		rm -f d/f
		free_port
		start us sh -c "$command" "$SOCKXFER" "$port"
		wait_for listening "$port"
		send_data "127.0.0.1:$port"
		finish us 1
		[ -s d/f ]
	done
}

@test "the connection of inetd does not get the path" {
	local launcher=${ACTIVATE:-$ROOT/build/peer/activate}

	[ -x "$launcher" ] || skip "needs make programs"
	mkdir d
	start us "$launcher" inetd 127.0.0.1 0 "$SOCKXFER" recv fd:0 d
	wait_port us
	scripted sender connect "127.0.0.1:$port" "file:$BATS_FILE_TMPDIR/data" half eof save:receipt
	finish sender
	finish us
	[ "$(wc -l <receipt)" -eq 2 ]
	[ "$(tail -n 1 receipt)" = 'sockxfer/1 stored' ]
	[ "$(find d -type f | wc -l)" -eq 1 ]
}

### What combines

@test "the port file may be in the directory, but a directory is no port file" {
	mkdir d
	receive --port-file d/port d
	[ "$(<d/port)" = "$port" ]
	send_data "127.0.0.1:$port"
	finish us
	filed d 127.0.0.1 1
	holds d port "${path##*/}"
	mkdir e
	start us "$SOCKXFER" recv -p 0 --port-file e d
	finish us 1
	has us.err 'e: Is a directory'
}

@test "the hand-over calls the file FILE, not as the directory is called" {
	local output

	mkdir d
	for output in d d/ .; do
		start us "$SOCKXFER" recv --peer nc -l 127.0.0.1:0 "$output"
		wait_said us 'nc -N'
		grep -q "^On this machine: nc -N 127.0.0.1 [0-9]* <FILE\$" us.err
		stop us
	done
}

@test "a new file in a directory has mode 0666 less the umask" {
	mkdir d
	umask 027
	receive d
	send_data "127.0.0.1:$port"
	finish us
	filed d 127.0.0.1 1
	[ "$(mode "$path")" = 640 ]
}

@test "a directory that may be written and not read takes a file, and with -S is told about at once" {
	need_root
	need setpriv
	mkdir -m 733 box
	chmod 755 .
	start us setpriv --reuid=65534 --regid=65534 --clear-groups "$SOCKXFER" recv -p 0 box
	wait_port us
	send_data "127.0.0.1:$port"
	finish us
	filed box 127.0.0.1 1
	start us setpriv --reuid=65534 --regid=65534 --clear-groups "$SOCKXFER" recv -S -p 0 box
	finish us 1
	has us.err 'box: the directory, which -S has to open: Permission denied'
}
