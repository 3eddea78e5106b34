#!/usr/bin/env bats
# Handshakes with peers that do not have the key. HANDSHAKES in the environment is how many there are (500), and
# HANDSHAKE_SEED makes them the same again.

load ../helper
load fault

@test "no handshake that is random, cut off, repeated or changed ends a program, or gets a byte in" {
	local seed=()

	if [ -n "${HANDSHAKE_SEED:-}" ]; then seed=(--seed "$HANDSHAKE_SEED"); fi
	"$PYTHON" "$ROOT/test/fault/handshakes.py" --count "${HANDSHAKES:-500}" "${seed[@]}" "$SOCKXFER"
}
