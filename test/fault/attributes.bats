#!/usr/bin/env bats
# Mode and owner of a file that is replaced: those that it has at that moment, and not some from before.
# shellcheck disable=SC2154  # port, address: set by the helpers

load ../helper
load fault

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# changed HALF MODE COMMAND...: what COMMAND makes of d/out in mid-transfer is the mode that the new file has.
# HALF is receive_half or receive_half_named, which has no O_TMPFILE.
changed() {
	local half=$1 mode=$2

	shift 2
	rm -f go
	"$half" d/out
	"$@"
	touch go
	finish us
	finish sender
	same d/out expected
	holds d out
	[ "$(mode d/out)" = "$mode" ]
}

# A file of which the name is taken by another: mv, as by a program that replaces it in one step.
renew() {
	echo newer >newer
	chmod "$1" newer
	mv newer d/out
}

old() {
	mkdir -p d
	rm -f d/out
	echo old >d/out
	chmod "$1" d/out
}

all_changes() {
	old 644
	changed "$1" 600 chmod 600 d/out
	old 600
	changed "$1" 644 chmod 644 d/out
	old 644
	changed "$1" 640 renew 640
	rm -f d/out
	changed "$1" 600 renew 600
	# Without an old file nothing is more readable than the one that there was.
	old 600
	changed "$1" 600 rm d/out
	old 644
	changed "$1" 644 true
	rm d/out
	changed "$1" 644 true
}

@test "a file has the mode of what it replaces, as it is then, also if that came during the transfer" {
	all_changes receive_half
}

@test "without O_TMPFILE, too" {
	all_changes receive_half_named
}

@test "a file has the owner and group of what it replaces, as they are then" {
	local half

	need_root
	for half in receive_half receive_half_named; do
		old 640
		changed "$half" 640 chown 1234:2345 d/out
		[ "$(stat -c %u:%g d/out)" = 1234:2345 ]
		changed "$half" 640 chown 0:0 d/out
		[ "$(stat -c %u:%g d/out)" = 0:0 ]
	done
}

@test "a group that we cannot give, and that came during the transfer, leaves its rights to nobody" {
	need_root
	need setpriv
	mkdir -m 777 d
	chmod 755 .
	install -m 644 -o 65534 -g 65534 /dev/null d/out
	start us setpriv --reuid=65534 --regid=65534 --clear-groups "$SOCKXFER" recv -p 0 d/out
	wait_port us
	half_sender
	chown 65534:2345 d/out
	chmod 660 d/out
	touch go
	finish us
	same d/out expected
	[ "$(stat -c %u:%g:%a d/out)" = 65534:65534:600 ]
}

# slow CALLS OPTION...: the mode is changed while the receiver is in one of these calls of its commit.
slow() {
	local calls=$1

	shift
	old 644
	inject "$calls:delay_enter=500000"
	listen_as recv recv tcp4 "$@" d/out
	start send "$SOCKXFER" send -V "$address" "$BATS_FILE_TMPDIR/data"
	wait_said recv 'connected to'
	wait_for grep -qE "(${calls//,/|})\\(" trace
	chmod 600 d/out
	finish send
	finish recv
	same d/out "$BATS_FILE_TMPDIR/data"
	holds d out
	[ "$(mode d/out)" = 600 ]
}

@test "a mode that is changed during the commit, however long its calls take, is kept" {
	slow fsync -S
	slow linkat
	slow clone,clone3,fork,vfork
}

@test "a symbolic link that takes the name during the transfer gives the file no mode" {
	mkdir d
	changed receive_half 644 ln -s nosuch d/out
	[ ! -L d/out ]
}

@test "a port file has the mode of what it replaces" {
	echo old >port
	chmod 640 port
	start us "$SOCKXFER" recv -p 0 --port-file port d
	wait_port us
	[ "$(mode port)" = 640 ]
	stop us
}

### ACLs, and what cannot be kept

NOBODY=(setpriv --reuid=65534 --regid=65534 --clear-groups)

# An old file d/out in a directory d in which everybody may write.
old_for_all() {
	need_root
	need setpriv setfacl getfacl
	rm -rf d
	mkdir -m 777 d
	chmod 755 .
	echo old >d/out
	setfacl -m u:daemon:r d/out 2>/dev/null || skip "needs a file system with ACLs"
	setfacl -b d/out
}

# replaced COMMAND...: a receiver that is run by it replaces d/out, and $acl becomes what getfacl says of the new one.
replaced() {
	local socket=d/$BASHPID.socket # relative, for what is above may be closed to others

	start us "$@" "$SOCKXFER" recv -l "unix:$socket" d/out
	wait_for listening_unix "$socket"
	start send "$SOCKXFER" send -V "unix:$socket" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same d/out "$BATS_FILE_TMPDIR/data"
	holds d out
	acl=$(getfacl -cEnp d/out | grep . | tr '\n' ' ')
}

# Who could not read the old file cannot read the new one: the ACL is what shuts the group out.
@test "a file has the ACL of what it replaces" {
	local front

	need_tmpfile_filter
	for front in env "$PYTHON $TOOLS/no_tmpfile.py"; do
		old_for_all
		chown 0:60 d/out
		chmod 660 d/out
		setfacl -m u:65534:rw,g::-,g:1234:r,m::rw d/out
		# shellcheck disable=SC2086 # words
		replaced $front
		[ "$acl" = 'user::rw- user:65534:rw- group::--- group:1234:r-- mask::rw- other::--- ' ]
		[ "$(stat -c %u:%g d/out)" = 0:60 ]
		[ ! -s us.err ]
	done
}

@test "an ACL that comes during the transfer is kept, and one that goes is gone" {
	local half

	for half in receive_half receive_half_named; do
		old_for_all
		changed "$half" 664 setfacl -m u:65534:rw,g::-,m::rw d/out
		getfacl -cEnp d/out | grep -qx 'group::---'
		changed "$half" 644 setfacl -b -m g::r d/out
		[ "$(getfacl -cEnp d/out | grep -c .)" -eq 3 ]
	done
}

@test "the default ACL of the directory is for a new file, and not for one that replaces a file without an ACL" {
	local front

	need_tmpfile_filter
	for front in env "$PYTHON $TOOLS/no_tmpfile.py"; do
		old_for_all
		chmod 640 d/out
		setfacl -d -m u:65534:rwx,g:1234:rwx d
		# shellcheck disable=SC2086 # words
		replaced $front
		[ "$acl" = 'user::rw- group::r-- other::--- ' ]
		rm d/out
		# shellcheck disable=SC2086 # words
		replaced $front
		[[ $acl == *'user:65534:rwx '* ]]
	done
}

# refused CALL ERRNO ACL MODE: where the call fails, the file that replaces one with that ACL has that mode, and no ACL.
refused() {
	old_for_all
	chown 0:60 d/out
	chmod 644 d/out
	setfacl -m "$3" d/out
	inject "$1:error=$2"
	replaced "${FRONT[@]}"
	echo "$acl"
	[ "$(getfacl -cEnp d/out | grep -c .)" -eq 3 ]
	[ "$(mode d/out)" = "$4" ]
}

@test "where an ACL cannot be kept, nobody may read who could not, and the loss is told" {
	local error

	need_strace
	for error in EOPNOTSUPP EPERM ENOSPC; do
		refused fsetxattr "$error" u:65534:-,m::r 600
		has us.err 'd/out: group games (60), all others can no longer read it'
		refused fsetxattr "$error" g:1234:-,m::r 600
		refused fsetxattr "$error" g::-,u:65534:r 600
		has us.err 'can no longer read it'
		refused fsetxattr "$error" g::r,u:65534:rw,m::rw 644
		has us.err 'd/out: user nobody (65534) can no longer write to it'
	done
	# One that cannot be read is unknown, and so counts as one that shuts everybody out.
	refused getxattr EIO u:65534:r 600
}

@test "where the directory's default ACL cannot be taken away, it gives nobody anything" {
	need_strace
	old_for_all
	setfacl -d -m u:65534:rwx d
	inject fremovexattr:error=EPERM
	replaced "${FRONT[@]}"
	getfacl -cnp d/out | grep -q 'user:65534:rwx.*#effective:---'
	[ "$(mode d/out)" = 604 ]
}

@test "a group that cannot be kept is told by name, with what it can no longer do" {
	old_for_all
	chown 65534:33 d/out
	chmod 640 d/out
	replaced "${NOBODY[@]}"
	[ "$(stat -c %u:%g:%a d/out)" = 65534:65534:600 ]
	one_line us.err
	has us.err 'd/out: group www-data (33) can no longer read it'

	old_for_all
	chown 65534:33 d/out
	chmod 664 d/out
	replaced "${NOBODY[@]}"
	[ "$(stat -c %u:%g:%a d/out)" = 65534:65534:644 ]
	has us.err 'd/out: group www-data (33) can no longer write to it'

	old_for_all
	chown 65534:33 d/out
	chmod 644 d/out
	replaced "${NOBODY[@]}"
	[ ! -s us.err ]
}

@test "who was shut out as one of the group stays so when the group cannot be kept, also with an ACL" {
	old_for_all
	chown 65534:33 d/out
	chmod 604 d/out
	replaced "${NOBODY[@]}"
	[ "$(mode d/out)" = 600 ]

	old_for_all
	chown 65534:33 d/out
	setfacl -m u:60:rw,g::-,g:1234:r,m::rw,o::r d/out
	replaced "${NOBODY[@]}"
	[ "$acl" = 'user::rw- user:60:rw- group::--- group:1234:r-- mask::rw- other::--- ' ]
}

# without CAPABILITY...: root without these.
without() {
	local dropped

	printf -v dropped -- ',-%s' "$@"
	WITHOUT=(setpriv "--bounding-set=${dropped#,}" "--inh-caps=${dropped#,}")
	"${WITHOUT[@]}" true || skip "needs setpriv"
}

@test "root without CAP_FOWNER replaces another's file, with its mode and owner" {
	old_for_all
	chown 65534:33 d/out
	chmod 640 d/out
	without fowner
	replaced "${WITHOUT[@]}"
	[ "$(stat -c %u:%g:%a d/out)" = 65534:33:640 ]
	without fowner chown
	replaced "${WITHOUT[@]}"
	[ "$(stat -c %u:%g:%a d/out)" = 0:0:600 ]
	has us.err 'group www-data (33)'
}

@test "where no mode can be set, a file is replaced if the mode is right, and refused at once if it would be wider" {
	need_strace
	old_for_all
	chmod 600 d/out
	inject fchmod:error=EPERM
	replaced "${FRONT[@]}"
	[ "$(mode d/out)" = 600 ]
	chmod 400 d/out
	start us "${FRONT[@]}" "$SOCKXFER" recv -p 0 d/out
	finish us 1
	has us.err 'd/out: its mode: Operation not permitted'
	has_not us.err listening
	holds d out
}
