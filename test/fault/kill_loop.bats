#!/usr/bin/env bats
# Kill -9 of either side at random points. KILLS in the environment is how many for each transport (200),
# or of trees (20), and KILL_SEED makes the points the same again.

load ../helper
load fault

kill_loop() {
	local kills=${KILLS:-200} seed=()

	# Each takes many times as long there, and what is looked for is not in the instrumentation.
	if instrumented; then kills=${KILLS:-20}; fi
	if [ -n "${KILL_SEED:-}" ]; then seed=(--seed "$KILL_SEED"); fi
	"$PYTHON" "$ROOT/test/fault/kill_loop.py" --kills "$kills" "${seed[@]}" "$SOCKXFER" "$1"
}

@test "kill -9 at random offsets and moments over IPv4: never half a file, a false success or a temporary file" {
	kill_loop tcp4
}

@test "kill -9 at random offsets and moments over IPv6: never half a file, a false success or a temporary file" {
	kill_loop tcp6
}

@test "kill -9 at random offsets and moments over a unix socket: never half a file, a false success or a temporary file" {
	kill_loop unix
}

@test "kill -9 at random offsets and moments of a tree: never a part of it, and nothing left when the next one begins" {
	local seed=()

	if [ -n "${KILL_SEED:-}" ]; then seed=(--seed "$KILL_SEED"); fi
	"$PYTHON" "$ROOT/test/fault/kill_trees.py" --kills "${KILLS:-20}" "${seed[@]}" "$SOCKXFER"
}
