#!/usr/bin/env bats
# The disk, and whatever else the output is: full, failing, or no place for a file; and what -S adds.
# shellcheck disable=SC2154  # address, port, small: set by the helpers

load ../helper
load fault

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

### The disk is full

# How far the source on descriptor 8 has been read. The sender's descriptor is the same open file.
read_so_far() {
	awk '$1 == "pos:" { print $2 }' "/proc/$$/fdinfo/8"
}

# disk_full TRANSPORT: a large source, of which only the beginning has room.
disk_full() {
	local taken

	small_directory 1M
	truncate -s 2000000000 large
	exec 8<large
	listen_as recv recv "$1" d/out
	start send "${NS[@]}" "$SOCKXFER" send "$address" <&8
	finish recv 1
	finish send 6
	complaint recv
	has recv.complaint 'No space left on device'
	one_line send.err
	has send.err 'No space left on device'
	small_untouched
	taken=$(read_so_far)
	echo "$taken of 2000000000 bytes were read" >&2
	[ "$taken" -ge 500000 ]
	[ "$taken" -lt 100000000 ]
}

@test "disk full, over IPv4: recv 1, send 6 with that text, long before the source is read" { disk_full tcp4; }
@test "disk full, over IPv6: recv 1, send 6 with that text, long before the source is read" { disk_full tcp6; }
@test "disk full, over a unix socket: recv 1, send 6 with that text, long before the source is read" { disk_full unix; }

@test "disk full, while the receiver had connected: recv 1, send 6 with that text" {
	local transport

	small_directory 1M
	truncate -s 2000000000 large
	for transport in "${TRANSPORTS[@]}"; do
		listen_as send send "$transport" large
		start recv "${NS[@]}" "$SOCKXFER" recv "$address" d/out
		finish recv 1
		finish send 6
		complaint send
		has send.complaint 'No space left on device'
		small_untouched
	done
}

@test "disk full, when the sender has sent it all already: send 6 with that text" {
	local transport

	small_directory 1M
	# Little enough for the buffers of sockets and pipes to take what does not fit on the disk.
	random_file in 1060000
	for transport in "${TRANSPORTS[@]}"; do
		listen_as recv recv "$transport" d/out
		start send "${NS[@]}" "$SOCKXFER" send "$address" in
		finish recv 1
		finish send 6
		has send.err 'No space left on device'
		small_untouched
	done
}

@test "disk full, while the sender's source has nothing to say: send 6 at once" {
	local since transport

	small_directory 1M
	for transport in "${TRANSPORTS[@]}"; do
		open_pipe
		listen_as recv recv "$transport" d/out
		start send "${NS[@]}" "$SOCKXFER" send "$address" <pipe
		head -c 500000 /dev/zero >&8
		wait_for arrived_small 500000
		head -c 600000 /dev/zero >&8
		clock since
		finish recv 1
		finish send 6
		soon 1900 "$since"
		has send.err 'No space left on device'
		exec 8>&-
	done
}

# As arrived, for the file in the small directory, of which the name starts in another namespace.
arrived_small() {
	local descriptor size

	for descriptor in "/proc/${PID[recv]}/fd"/*; do
		[ "${descriptor##*/}" -gt 2 ] && [ -f "$descriptor" ] || continue
		size=$(stat -L -c %s "$descriptor") || continue
		[ "$size" -lt "$1" ] || return 0
	done
	return 1
}

@test "disk full for a receiver on stdout: recv 1, send 6 with that text" {
	[ -c /dev/full ] || skip "needs /dev/full"
	truncate -s 2000000000 large
	# shellcheck disable=SC2016  # $0 is for the inner shell
	start recv sh -c 'exec "$0" recv -p 0 >/dev/full' "$SOCKXFER"
	wait_port recv
	start send "$SOCKXFER" send "127.0.0.1:$port" large
	finish recv 1
	finish send 6
	has send.err 'No space left on device'
}

@test "a file larger than the limit on files: recv 1, send 6 with that text, no death by signal" {
	local transport

	truncate -s 2000000000 large
	for transport in "${TRANSPORTS[@]}"; do
		prepare_output old
		FRONT=(bash -c 'ulimit -f 1000; exec "$@"' -)
		listen_as recv recv "$transport" d/out
		start send "$SOCKXFER" send "$address" large
		finish recv 1
		finish send 6
		complaint recv
		has recv.complaint 'File too large'
		has send.err 'File too large'
		output_untouched old
	done
}

### Calls that fail

# unreadable ERROR: a file that cannot be read any more, half-way.
unreadable() {
	rm -f recv.socket out
	listen_as recv recv unix out
	inject "read:error=$1:when=2+"
	FRONT+=(-P "$BATS_FILE_TMPDIR/data") # its calls are counted alone
	connect_as send send -w 10 -B 64K "$address" "$BATS_FILE_TMPDIR/data"
	FRONT=()
	finish send 1
	has send.err 'data: read: '
	finish recv 1
	[ ! -e out ]
}

@test "a file that cannot be read half-way: send 1, with the reason, recv 1 and no file" {
	unreadable EIO
	has send.err 'data: read: Input/output error'
}

@test "whatever error a file gives, also one that a connection could have: send 1, and it is the file's" {
	local error

	for error in EBADMSG ETIMEDOUT ENOTCONN EACCES; do
		unreadable "$error"
	done
}

# failing_call OUTPUT INJECTION [OPTION...]: this fails at the receiver: recv 1, send 6, both with the text.
failing_call() {
	local output=$1 injection=$2 transport

	shift 2
	inject "$injection:error=EIO"
	for transport in tcp4 unix; do
		prepare_output "$output"
		listen_as recv recv "$transport" "$@" d/out
		start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
		finish recv 1
		finish send 6
		complaint recv
		has recv.complaint 'd/out'
		has recv.complaint 'Input/output error'
		one_line send.err
		has send.err 'Input/output error'
		output_untouched "$output"
	done
}

# The messages are written by write(2) as well. On a unix socket, and quiet, the data come first.
failing_write() {
	inject "write:error=EIO:when=$1"
	prepare_output "$2"
	start recv "${FRONT[@]}" "$SOCKXFER" recv -l unix:recv.socket d/out
	wait_for listening_unix recv.socket
	start send "$SOCKXFER" send -B 16K unix:recv.socket "$BATS_FILE_TMPDIR/data"
	finish recv 1
	finish send 6
	one_line recv.err
	has recv.err 'd/out: write: Input/output error'
	has send.err 'Input/output error'
	output_untouched "$2"
}

@test "the first write that fails: recv 1, send 6 with that text, nothing left" {
	failing_write 1 old
	failing_write 1 new
}

@test "a later write that fails: recv 1, send 6 with that text, nothing left" {
	random_file "$BATS_FILE_TMPDIR/data" 3000000
	failing_write 5 old
	failing_write 5 new
}

@test "fsync that fails, with -S: recv 1, send 6 with that text, nothing left" {
	failing_call old fsync -S
	failing_call new fsync -S
}

@test "fsync that says the disk is full, with -S: recv 1, send 6 with that text" {
	inject fsync:error=ENOSPC
	prepare_output old
	listen_as recv recv tcp4 -S d/out
	start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
	finish recv 1
	finish send 6
	has send.err 'No space left on device'
	output_untouched old
}

@test "linkat that fails: recv 1, send 6 with that text, nothing left" {
	# The first is a trial, before anything listens.
	failing_call new linkat:when=2+
	failing_call old linkat:when=2+
}

@test "rename that fails: recv 1, send 6 with that text, the old file intact, nothing left" {
	failing_call old renameat,renameat2
}

# replaces [OPTION...]: a receiver with these options replaces d/out, and leaves nothing beside it.
replaces() {
	prepare_output old
	listen_as recv recv tcp4 "$@" d/out
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	same d/out "$BATS_FILE_TMPDIR/data"
	holds d out
}

@test "a file that has arrived is replaced also where no memory is left" {
	local calls

	inject
	replaces
	calls=$(sed '/linkat(.*EEXIST/,$d' trace | grep -c ' mmap(')
	inject "mmap:error=ENOMEM:when=$((calls + 1))+"
	replaces
}

@test "where the step that replaces a file cannot be waited for, what it did is told" {
	inject wait4,waitid:error=ECHILD
	replaces

	inject wait4,waitid:error=ECHILD renameat,renameat2:error=EIO
	prepare_output old
	listen_as recv recv tcp4 d/out
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send 6
	finish recv 1
	complaint recv
	has recv.complaint 'd/out: Input/output error'
	output_untouched old
}

# Of an empty file, and quiet, the process that replaces the old one is the only one that writes anything.
@test "where the step that replaces a file is killed, or mute, after the rename, the file is stored" {
	local fault

	: >empty
	for fault in write:signal=SIGKILL write:error=EIO pipe2:error=EMFILE; do
		inject "$fault"
		prepare_output old
		free_port
		start recv "${FRONT[@]}" "$SOCKXFER" recv -p "$port" d/out
		wait_for listening "$port"
		start send "$SOCKXFER" send -V "127.0.0.1:$port" empty
		finish send
		finish recv
		[ ! -s d/out ]
		holds d out
	done
}

# The close of the output's duplicate is the last one before the link, which is the second.
@test "close that fails: recv 1, send 6 with that text, nothing left" {
	local output number

	for output in old new; do
		inject
		prepare_output "$output"
		listen_as recv recv tcp4 d/out
		start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
		finish recv
		finish send
		number=$(awk '/ linkat\(/ && ++links == 2 { exit } / close\(/' trace | grep -c .)
		inject "close:error=EIO:when=$number"
		prepare_output "$output"
		listen_as recv recv tcp4 d/out
		start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
		finish recv 1
		finish send 6
		has recv.err 'Input/output error'
		has send.err 'Input/output error'
		output_untouched "$output"
	done
}

# The file has its name by then, so there is either the old one or the whole new one.
@test "fsync of the directory that fails, with -S: recv 1, send 6, and never half a file" {
	inject fsync:error=EIO:when=2
	prepare_output old
	listen_as recv recv tcp4 -S d/out
	start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
	finish recv 1
	finish send 6
	has send.err 'Input/output error'
	holds d out
	cmp -s d/out "$BATS_FILE_TMPDIR/data" || [ "$(cat d/out)" = old ]
}

@test "without O_TMPFILE a rename that fails: recv 1, send 6 with that text, nothing left" {
	need_tmpfile_filter
	inject renameat,renameat2:error=EIO:when=2 # the first is a trial, before anything listens
	FRONT+=("$PYTHON" "$TOOLS/no_tmpfile.py")
	prepare_output old
	listen_as recv recv tcp4 d/out
	start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
	finish recv 1
	finish send 6
	has send.err 'Input/output error'
	output_untouched old
}

### -S

# line_of TEXT [AFTER]: the number of the first line of the trace that has it, behind that line.
line_of() {
	tail -n +"$((${2:-0} + 1))" trace | grep -nFm1 -e "$1" | cut -d : -f 1 | awk -v after="${2:-0}" '{ print $1 + after }'
}

@test "-S: the file is synced before its name is given, the directory and its count of links after, and then it is stored" {
	local transport received file named directory links stored

	inject
	for transport in tcp4 unix; do
		rm -f out
		listen_as recv recv "$transport" -S out
		start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
		finish send
		finish recv
		same out "$BATS_FILE_TMPDIR/data"
		received=$(line_of 'sockxfer/1 received')
		file=$(line_of fsync "$received")
		named=$(line_of ' linkat(' "$file")
		directory=$(line_of fsync "$named")
		links=$(line_of fsync "$directory")
		stored=$(line_of 'sockxfer/1 stored' "$links")
		[ -n "$stored" ]
		[ "$(grep -c fsync trace)" -eq 3 ]
	done
}

@test "without -S nothing is synced" {
	inject
	listen_as recv recv tcp4 out
	start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	has_not trace fsync
	has_not trace fdatasync
	has_not trace sync_file_range
}

# replaced_after SYNCS [OPTION...]: a file that is replaced, with so many syncs, of which one is between the
# temporary name and the rename.
replaced_after() {
	local syncs=$1 named synced

	shift
	replaces "$@"
	[ "$(grep -c ' fsync(' trace)" -eq "$syncs" ]
	[ "$syncs" -ne 0 ] || return 0
	named=$(line_of '.sockxfer.')
	synced=$(line_of fsync "$named")
	[ -n "$(line_of ' renameat(' "$synced")" ]
}

@test "a file that is replaced is on the disk before it takes the place of the old one" {
	inject
	replaced_after 1
}

@test "-S together with --no-sync is a usage error" {
	start recv "$SOCKXFER" recv -S --no-sync -p 0 out
	finish recv 2
	has recv.err '-S and --no-sync exclude each other: one waits for the disk, the other never'
}

@test "--no-sync: a file that is replaced is not synced" {
	inject
	replaced_after 0 --no-sync
}

@test "-S: a file that is replaced is synced when it has a name as well" {
	inject
	replaced_after 4 -S
}

@test "where there is no O_TMPFILE, a file that is replaced is on the disk before, unless --no-sync is given" {
	need_tmpfile_filter
	inject
	FRONT+=("$PYTHON" "$TOOLS/no_tmpfile.py")
	replaced_after 1
	replaced_after 0 --no-sync
}

# appears_meanwhile FRONT...: d/out is made in mid-transfer, and then replaced.
appears_meanwhile() {
	prepare_output new
	open_pipe
	inject
	FRONT+=("$@")
	listen_as recv recv tcp4 d/out
	start send "$SOCKXFER" send -V "$address" <pipe
	echo data >&8
	wait_said recv 'connected to'
	echo old >d/out
	exec 8>&-
	finish send
	finish recv
	[ "$(cat d/out)" = data ]
	[ -n "$(line_of ' renameat(' "$(line_of fsync)")" ]
}

@test "a file that appears in mid-transfer is replaced only by one that is on the disk" {
	appears_meanwhile
	need_tmpfile_filter
	appears_meanwhile "$PYTHON" "$TOOLS/no_tmpfile.py"
}

@test "a sync that fails before a file is replaced: recv 1, send 6, the old file intact, nothing left" {
	failing_call old fsync
}

@test "a sync that fails before a file is replaced where there is no O_TMPFILE: recv 1, send 6, nothing left" {
	need_tmpfile_filter
	inject fsync:error=EIO
	prepare_output old
	FRONT+=("$PYTHON" "$TOOLS/no_tmpfile.py")
	listen_as recv recv tcp4 d/out
	start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
	finish recv 1
	finish send 6
	has send.err 'Input/output error'
	output_untouched old
}

@test "without -S a file that replaces nothing is not synced, in an inbox either, nor is a port file" {
	inject
	mkdir d
	echo old >port
	listen_as recv recv tcp4 --port-file port d
	start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	[ "$(cat port)" = "${address##*:}" ]
	has_not trace fsync
	has_not trace sync_file_range
}

@test "the write-back of a long transfer that replaces a file starts early, and with --no-sync not at all" {
	inject
	prepare_output old
	open_pipe
	listen_as recv recv tcp4 d/out
	start send "$SOCKXFER" send "$address" <pipe
	head -c 50000000 /dev/zero >&8
	wait_for grep -q sync_file_range trace
	running send
	exec 8>&-
	finish send
	finish recv
	truncate -s 50000000 large
	listen_as recv recv tcp4 --no-sync d/out
	start send "$SOCKXFER" send "$address" large
	finish send
	finish recv
	has_not trace sync_file_range
	has_not trace fsync
}

@test "-S: the write-back of a long transfer starts early, not at its end" {
	inject
	open_pipe
	listen_as recv recv tcp4 -S out
	start send "$SOCKXFER" send "$address" <pipe
	head -c 50000000 /dev/zero >&8
	# In mid-transfer: the source has not ended.
	wait_for grep -q sync_file_range trace
	running send
	running recv
	exec 8>&-
	finish send
	finish recv
	[ "$(stat -c %s out)" -eq 50000000 ]
}

@test "-S on a pipe, which cannot be synced, is no failure" {
	# shellcheck disable=SC2016  # $0 is for the inner shell
	start recv sh -c '"$0" recv -S -p 0 | cat' "$SOCKXFER"
	wait_port recv
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	same recv.out "$BATS_FILE_TMPDIR/data"
}

### Outputs that are no place for a file

# decided TEXT OUTPUT: told before it listens, and before it connects (to where nobody listens).
decided() {
	start recv "$SOCKXFER" recv -p 0 "$2"
	finish recv 1
	one_line recv.err
	has recv.err "$1"
	free_port
	start recv "$SOCKXFER" recv "127.0.0.1:$port" "$2"
	finish recv 1
	one_line recv.err
	has recv.err "$1"
}

@test "an output that is a missing directory, or in one, is decided before listening" {
	decided 'No such file or directory' missing/
	decided 'No such file or directory' missing/out
	[ ! -e missing ]
}

@test "an output that is unwritable is decided before listening" {
	mkdir d
	echo old >d/out
	if [ "$(id -u)" -eq 0 ]; then
		# Root may write to anything but what is read-only.
		make_namespace
		"${NS[@]}" mount --bind d d
		"${NS[@]}" mount -o remount,bind,ro d
		ours recv recv -p 0 d/out
		finish recv 1
		one_line recv.err
		has recv.err 'Read-only file system'
		ours recv recv -p 0 d/new
		finish recv 1
		has recv.err 'Read-only file system'
	else
		chmod 400 d/out
		decided 'Permission denied' d/out
		chmod 500 d
		decided 'Permission denied' d/new
		chmod 700 d
	fi
	[ "$(cat d/out)" = old ]
}

@test "an output that is a FIFO or a device is written directly" {
	mkfifo fifo
	start reader cat fifo
	listen_as recv recv tcp4 fifo
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	finish reader
	same reader.out "$BATS_FILE_TMPDIR/data"
	[ -p fifo ]
	listen_as recv recv tcp4 /proc/self/fd/1
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
}

### Sizes

# As by a file system of the network; strace takes no real signal for it.
@test "a removal that is interrupted is made again: no temporary name and no socket is left" {
	inject unlinkat:error=EINTR:when=1+2
	mkdir d
	listen_as recv recv unix d
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	[ "$(ls -A d | wc -l)" -eq 1 ]
	[ ! -e "${address#unix:}" ]
	grep -q 'unlinkat.*EINTR' trace
}

@test "a removal that is always interrupted holds nobody up" {
	inject unlinkat:error=EINTR
	prepare_output old
	listen_as recv recv tcp4 d/out
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	same d/out "$BATS_FILE_TMPDIR/data"
}

@test "a sparse file over 4 GiB arrives with its exact size and digest" {
	need jq
	need_xxh128
	need_plain_build # not for what it does there, but for how long it takes
	allow 600
	truncate -s 4300000000 big
	echo 'beyond four gigabytes' | dd of=big bs=1 seek=4294967290 conv=notrunc status=none
	# What came is summed up by another program; to read it all a second time would take long.
	listen_as recv recv tcp4 --json -- sh -c 'exec xxh128sum >sum'
	start send "$SOCKXFER" send -V --json "$address" big
	finish send
	finish recv
	[ "$(jq -r .bytes send.out)" = 4300000000 ]
	[ "$(jq -r .digest send.out)" = "xxh128:$(cut -d ' ' -f 1 sum)" ]
	tail -n 1 recv.err >recv.json
	[ "$(jq -r .ended recv.json)" = stored ]
	[ "$(jq -r .bytes recv.json)" = 4300000000 ]
	[ "$(jq -r .digest recv.json)" = "$(jq -r .digest send.out)" ]
}

@test "what gets the name of a part while the disk is waited for does not become the file" {
	random_file in 3000000
	mkdir d
	echo old >d/out
	inject fsync,fdatasync:delay_enter=4000000
	listen_as recv recv tcp4 -R d/out
	start send "$SOCKXFER" send -R "$address" in
	wait_for grep -qE '(fsync|fdatasync)\(' trace
	echo other >other
	mv other d/out.part
	finish recv 1
	finish send 6
	has recv.err 'out.part: the part was changed by another program'
	[ "$(cat d/out)" = old ]
	[ "$(cat d/out.part)" = other ]
}
