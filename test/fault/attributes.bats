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
