#!/usr/bin/env bats
# Peers that mean harm, or behave as if they did: what they send beside the stream, and how they try to keep us.
# shellcheck disable=SC2154  # address, port: set by the helpers

load ../helper
load fault

### Beside the stream

# From a peer that does these steps and waits, the receiver "recv" has stored "expected".
stored_whole() {
	finish recv
	finish stranger
	same out expected
	rm out
}

@test "an urgent byte is a byte of the stream, wherever it stands" {
	local transport steps=(urgent:ab! text:cd urgent:? text:e urgent:. half eof)

	printf 'ab!cd?e.' >expected
	for transport in "${TRANSPORTS[@]}"; do
		listen_as recv recv "$transport" out
		scripted stranger connect "$address" "${steps[@]}"
		stored_whole
		scripted_listen stranger "$transport" "${steps[@]}"
		connect_as recv recv "$address" out
		stored_whole
	done
	for transport in 4 6 unix; do
		launch accept "$transport" "$SOCKXFER" recv fd:3 out
		scripted stranger connect "$address" "${steps[@]}"
		finish us
		finish stranger
		same out expected
	done
}

@test "two urgent bytes before we accept are two bytes of the stream" {
	local transport

	printf '!?x' >expected
	for transport in "${TRANSPORTS[@]}"; do
		listen_as recv recv "$transport" out
		kill -STOP "${PID[recv]}"
		scripted stranger connect "$address" urgent:! urgent:? text:x half eof
		wait_said stranger 'half done'
		kill -CONT "${PID[recv]}"
		stored_whole
	done
}
