#!/usr/bin/env bats
# File systems that cannot do what others can, and files that may not be replaced: it works, or it is told before
# anything listens.

load ../helper
load fault

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# A flag that is left would keep bats from removing the directory, and a process of FUSE would stay.
eval "$(declare -f teardown | sed '1s/teardown/end_processes/')"
teardown() {
	[ ! -e flagged ] || chattr -R -ia d
	[ -z "${disk:-}" ] || "${NS[@]}" umount -l d || true
	end_processes
}

# odd KIND: whatever listen_as starts next has a file system without RENAME_NOREPLACE and hard links, and, if KIND is
# named, without O_TMPFILE.
odd() {
	inject renameat2:error=EINVAL linkat:error="${2:-EPERM}"
	if [ "$1" = named ]; then
		need_tmpfile_filter
		FRONT+=("$PYTHON" "$TOOLS/no_tmpfile.py")
	fi
}

send_data() {
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
}

all_outputs() {
	local file=$1

	rm -rf d
	mkdir d
	listen_as recv recv unix -n d/out
	send_data
	same d/out "$BATS_FILE_TMPDIR/data"
	holds d out
	[ "$(mode d/out)" = "$file" ]
	echo old >d/out
	chmod 640 d/out
	listen_as recv recv unix d/out
	send_data
	same d/out "$BATS_FILE_TMPDIR/data"
	holds d out
	[ "$(mode d/out)" = 640 ]
	rm d/out
	listen_as recv recv unix d
	send_data
	same "$(<recv.out)" "$BATS_FILE_TMPDIR/data"
	holds d "$(basename "$(<recv.out)")"
}

@test "without hard links and RENAME_NOREPLACE: a new file, one that is replaced, and one in a directory" {
	local kind error

	for kind in nameless named; do
		for error in EPERM EOPNOTSUPP ENOSYS EMLINK; do
			odd "$kind" "$error"
			all_outputs 644
		done
	done
}

@test "without hard links and RENAME_NOREPLACE -n replaces no file that appears meanwhile" {
	local kind

	for kind in nameless named; do
		odd "$kind"
		rm -rf d
		mkdir d
		listen_as recv recv unix -n d/out
		echo mine >d/out
		start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
		finish send 6
		finish recv 1
		has send.err 'File exists'
		[ "$(cat d/out)" = mine ]
		holds d out
	done
}

@test "without hard links and RENAME_NOREPLACE a step that fails leaves nothing under the name" {
	odd named
	mkdir d
	listen_as recv recv unix -n d/out
	rm d/.sockxfer.*
	start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
	finish send 6
	finish recv 1
	has send.err 'No such file or directory'
	has trace '"out", O_WRONLY|O_CREAT|O_EXCL'
	holds d
}

@test "where nothing can be renamed, that is told before anything listens" {
	odd named
	inject renameat,renameat2:error=EOPNOTSUPP
	FRONT+=("$PYTHON" "$TOOLS/no_tmpfile.py")
	mkdir d
	start us "${FRONT[@]}" "$SOCKXFER" recv -v -p 0 d/out
	finish us 1
	has us.err 'd/out: Operation not supported'
	has_not us.err listening
	holds d
}

@test "a server tries its directory once, and not again for each peer" {
	local tries server

	inject
	mkdir d
	listen_as recv recv unix -k d
	for tries in 1 2 3; do
		start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
		finish send
	done
	# Each file gets its temporary name, and in the server one of no data did.
	[ "$(grep -c ' linkat(' trace)" -eq 4 ]
	[ "$(grep -c ' unlinkat(.*sockxfer' trace)" -eq 1 ]
	read -r server _ <trace
	kill "$server"
	finish recv 143
}

### Disks of their own

# mount_disk KIND: "d" has a file system of that kind, in a namespace, and as seen from here it is $disk. The tools are
# there by then.
mount_disk() {
	local device

	need_root
	need losetup
	make_namespace
	mkdir d
	truncate -s 32M image
	case $1 in
	exfat) mkfs.exfat image >mkfs.out ;;
	ext4) mkfs.ext4 -q -O casefold image || skip "needs mkfs.ext4 -O casefold" ;;
	esac
	device=$(losetup -f --show image) || skip "needs a loop device"
	case $1 in
	exfat) "${NS[@]}" mount.exfat-fuse "$device" d >mount.out 2>&1 ;;
	ext4) "${NS[@]}" mount "$device" d >mount.out 2>&1 ;;
	esac || {
		losetup -d "$device"
		skip "needs $1 as asked for"
	}
	losetup -d "$device" # when it is unmounted
	disk=/proc/$NS_PID/root/$PWD/d
}

# The file system of d/in takes "Name" and "name" for one: a tree that has both does not arrive, nor one with a name
# that is there already, and one without arrives.
folds() {
	local what output

	mkdir -p tree/sub
	echo one >tree/sub/Name
	for output in d/in/out d/in; do
		for what in file directory; do
			case $what in
			file) echo two >tree/sub/name ;;
			directory) mkdir tree/SUB && echo two >tree/SUB/other ;;
			esac
			listen_as recv recv unix -x "$output"
			start send "$SOCKXFER" send -V "$address" tree
			finish send 6
			finish recv 1
			has recv.err ': refused, it comes twice'
			[ -z "$(ls -A "$disk/in")" ]
			rm -rf tree/sub/name tree/SUB
		done
	done
	listen_as recv recv unix -x d/in
	start send "$SOCKXFER" send -V "$address" tree
	finish send
	finish recv
	holds "$disk/in" sub sub/Name
	mv tree/sub tree/Sub
	listen_as recv recv unix -x d/in
	start send "$SOCKXFER" send -V "$address" tree
	finish send 6
	finish recv 1
	has recv.err 'd/in: Sub: there is one already'
	holds "$disk/in" sub sub/Name
}

need_exfat() {
	need mkfs.exfat mount.exfat-fuse fusermount3
	[ -e /dev/fuse ] || skip "needs FUSE"
}

@test "exFAT: of a tree no two names become one" {
	need_exfat
	mount_disk exfat
	mkdir "$disk/in"
	folds
}

@test "ext4 where letters are folded: of a tree no two names become one" {
	need mkfs.ext4 chattr
	mount_disk ext4
	mkdir "$disk/in"
	chattr +F "$disk/in" || skip "needs casefold"
	folds
}

@test "exFAT: a new file with -n, one that is replaced, one in a directory; and a name that it does not take is told at once" {
	need_exfat
	mount_disk exfat

	listen_as recv recv unix -n d/out
	send_data
	"${NS[@]}" cmp d/out "$BATS_FILE_TMPDIR/data"
	listen_as recv recv unix d/out
	send_data
	holds "$disk" out
	rm "$disk/out"
	listen_as recv recv unix d
	send_data
	"${NS[@]}" cmp "$(<recv.out)" "$BATS_FILE_TMPDIR/data"
	holds "$disk" "$(basename "$(<recv.out)")"

	start us "${NS[@]}" "$SOCKXFER" recv -v -p 0 d/a:b
	finish us 1
	has us.err 'd/a:b: the file system takes no such name'
	has_not us.err listening
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
