#!/usr/bin/env bats
# A small part of `make crash`: the power is cut in the middle of transfers.

load ../helper
load fault

# crash MKFS ARGUMENT...: what crash.py prints is in "said".
crash() {
	local status=0

	need_root
	need strace "$1" unshare
	need_plain_build
	shift
	"$PYTHON" -B "$ROOT/test/fault/crash.py" --ways nameless "$@" "$SOCKXFER" >said 2>&1 || status=$?
	[ "$status" -ne 77 ] || skip 'needs loop devices'
	sed 's/^/# /' said >&3
	[ "$status" -eq 0 ] || cat said
	return "$status"
}

@test "a power cut while a file is replaced never leaves a part of the new one" {
	crash mkfs.ext2 --systems ext2 --files replace --modes default
}

@test "-S: after a power cut a file is there that was said to be stored" {
	crash mkfs.ext4 --systems ext4 --files new --modes=-S
}

@test "--no-sync: a power cut may leave a part in the place of the old file, and nothing while the data come" {
	crash mkfs.ext2 --systems ext2 --files replace --modes=--no-sync
	grep -q 'part.* held$' said
}
