#!/usr/bin/env bats
# Many at once: what the servers of -k promise under load, watched by the programs in crowd/. Each of them starts its
# own server, and prints what it saw. CROWD_SEED makes the random clients the same again.

load helper
load fault/fault

# crowd PROGRAM ARGUMENT...: runs it, and shows what it says on the TAP stream.
crowd() {
	local status=0

	"$PYTHON" "$ROOT/test/crowd/$1.py" "${@:2}" "$SOCKXFER" >said || status=$?
	sed 's/^/# /' said >&3
	[ "$status" -eq 0 ] || cat said
	return "$status"
}

# crowds PROGRAM WORD ERROR...: one for each of the errors, all at once, in directories of their own.
crowds() {
	local error failed=0

	allow 900
	for error in "${@:3}"; do
		mkdir "$error"
		start "$error" env -C "$error" "$PYTHON" "$ROOT/test/crowd/$1.py" "$2" "$error" "$SOCKXFER"
	done
	for error in "${@:3}"; do
		finish "$error" || failed=1
		sed 's/^/# /' "$error.out" >&3
	done
	return "$failed"
}

# many WHOLE UNDER_VALGRIND: prints how many there are to be. A sanitizer is fast enough.
many() {
	if [ "$(head -c 2 "$SOCKXFER")" = '#!' ]; then echo "$2"; else echo "$1"; fi
}

need_descriptors() {
	[ "$(ulimit -H -n)" = unlimited ] || [ "$(ulimit -H -n)" -gt "$1" ] || skip "needs ulimit -n $1"
}

@test "1,000 senders of 1 MB, 64 at a time, into one directory: 1,000 whole files, verified receipts, nothing left over" {
	crowd senders --senders "$(many 1000 70)"
}

@test "500 mixed clients, killed, silent, closing and good ones: exactly the whole streams are files" {
	local seed=()

	if [ -n "${CROWD_SEED:-}" ]; then seed=(--seed "$CROWD_SEED"); fi
	crowd mixed --clients "$(many 500 60)" "${seed[@]}"
}

@test "ulimit -n 32 and 2,000 connects: no CPU time while full, and it goes on serving" {
	need_descriptors 2100
	crowd full --connects "$(many 2000 100)" jobs
}

@test "2,000 connects and not a descriptor left: said once, no CPU time, and served when there are some again" {
	need_descriptors 2100
	crowd full --connects "$(many 2000 100)" descriptors
}

@test "EMFILE, ENFILE and ENOMEM from accept: said once, tried a few times a second, and everybody is served" {
	need_strace
	crowds full accept EMFILE ENFILE ENOMEM
}

@test "EAGAIN and ENOMEM from fork: said once, tried a few times a second, and who came is served" {
	need_strace
	crowds full fork EAGAIN ENOMEM
}

@test "a worker that is killed before it has done anything resets its connection" {
	need_strace
	echo data >data
	start us strace -D -f -qq -o trace -e inject=prctl:signal=KILL:when=1 "$SOCKXFER" send -k -l 127.0.0.1:0 data
	wait_port us
	scripted peer connect "127.0.0.1:$port" gone
	finish peer
	has trace '+++ killed by SIGKILL +++'
}

@test "three clients, a line a second each: every line is out within a tenth of a second of its sending" {
	need_plain_build
	crowd lines timely
}

@test "20 clients at full speed, 20,000 lines each, and some that break off: whole lines, each client's in order" {
	local seed=()

	if [ -n "${CROWD_SEED:-}" ]; then seed=(--seed "$CROWD_SEED"); fi
	crowd lines --lines "$(many 20000 300)" "${seed[@]}" merge
}
