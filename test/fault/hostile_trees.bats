#!/usr/bin/env bats
# Archives that want to write elsewhere, or more than they may: each is refused by name, and nothing is left of it.
# shellcheck disable=SC2154  # port: wait_port sets it

load ../helper
load fault

# refuses [FRONT...]: a receiver with that in front of it refuses all archives.
refuses() {
	mkdir inbox outside
	echo secret >outside/secret
	[ "$(id -u)" -ne 0 ] || chown -R 65534:65534 inbox outside .
	start us "$@" "$SOCKXFER" recv -k -x --max-entries 20 --max-size 100000 -p 0 inbox
	wait_port us
	"$PYTHON" "$ROOT/test/fault/hostile_trees.py" "$SOCKXFER" "127.0.0.1:$port" inbox "$PWD/outside"
	stop us
	holds inbox
	[ ! -s us.out ]
}

@test "hostile archives are refused by name, write nothing outside, and leave nothing" {
	refuses
}

@test "so they are by a receiver that is no root" {
	need_root
	need setpriv
	refuses setpriv --reuid 65534 --regid 65534 --clear-groups
}

@test "so they are where openat2(2) is not to be had" {
	local error

	"$PYTHON" "$TOOLS/deny.py" --check 2>/dev/null || skip "needs seccomp"
	for error in ENOSYS EPERM; do
		refuses "$PYTHON" "$TOOLS/deny.py" "$error" openat2
		rm -r inbox outside
	done
}

@test "a tree that is there already when a hostile archive comes stays as it is" {
	local archive

	mkdir out
	echo mine >out/mine
	ln -s "$PWD" out/link
	for archive in link/new mine mine/new; do
		"$PYTHON" -c 'import sys, tarfile
with tarfile.open("in.tar", "w") as archive:
    archive.addfile(tarfile.TarInfo("good"))
    archive.addfile(tarfile.TarInfo(sys.argv[1]))' "$archive"
		receive -x out
		start send "$SOCKXFER" send "127.0.0.1:$port" in.tar
		finish send 6
		finish us 1
		has us.err 'there is one already'
		holds out link mine
	done
	[ ! -e new ]
}
