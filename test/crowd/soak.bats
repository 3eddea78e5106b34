#!/usr/bin/env bats
# That `make soak` works; it is to be run for longer. CROWD_SEED makes its clients and faults the same again.

load ../helper

@test "a short soak: three servers under random faults lose nothing, keep nothing, and end as they began" {
	local status=0 seed=()

	if [ -n "${CROWD_SEED:-}" ]; then seed=(--seed "$CROWD_SEED"); fi
	TMPDIR=$PWD "$PYTHON" "$ROOT/test/crowd/soak.py" --seconds 6 "${seed[@]}" "$SOCKXFER" >said || status=$?
	sed 's/^/# /' said >&3
	[ "$status" -eq 0 ] || cat said
	return "$status"
}
