#!/usr/bin/env bats
# Handshakes with peers that do not have the key. HANDSHAKES in the environment is how many there are (500), and
# HANDSHAKE_SEED makes them the same again.

load ../helper
load fault

@test "no handshake that is random, cut off, repeated or changed ends a program, or gets a byte in" {
	local options=(--count "${HANDSHAKES:-500}")

	if [ -n "${HANDSHAKE_SEED:-}" ]; then options+=(--seed "$HANDSHAKE_SEED"); fi
	# What a sanitizer has freed it keeps, up to 256 MiB, to see whether it is used again.
	if instrumented; then options+=(--memory $((512 << 10))); fi
	"$PYTHON" "$ROOT/test/fault/handshakes.py" "${options[@]}" "$SOCKXFER"
}
