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

### On the screen

# U+202E turns the order of what follows, U+2066 too; U+200B, U+FEFF and U+E0061 are not seen; U+2028 ends a line; U+E000
# looks like anything.
FORMATS=$'\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf\xf3\xa0\x81\xa1\xe2\x80\xa8\xee\x80\x80'

# No file has one of these characters as it is, and each has the text around them.
encoded() {
	local file

	for file; do
		[ -s "$file" ]
		! LC_ALL=C.UTF-8 grep -P '[\x{202e}\x{2066}\x{200b}\x{feff}\x{e0061}\x{2028}\x{e000}]' "$file" || return 1
		has "$file" 'gpj.'
	done
}

@test "characters that hide or reorder text are encoded in the peer's words" {
	printf 'sockxfer/1 failed %sgpj.\n' "$FORMATS" >words
	scripted_listen stranger tcp4 eof file:words close
	LC_ALL=C.UTF-8 start send "$SOCKXFER" send --json "$address" "$ROOT/README"
	finish send 6
	encoded send.err send.out
	"$PYTHON" -c 'import json, sys; assert json.load(open("send.out"))["peer_text"] == sys.argv[1]' "${FORMATS}gpj."
}

@test "characters that hide or reorder text are encoded in names of files, and the file has its name" {
	local name="${FORMATS}gpj.exe"

	echo data >"$name"
	mkdir d
	LC_ALL=C.UTF-8 start us "$SOCKXFER" recv -v --json -l 127.0.0.1:0 "d/$name"
	wait_port us
	LC_ALL=C.UTF-8 start send "$SOCKXFER" send -v --json "127.0.0.1:$port" "$name"
	finish send
	finish us
	encoded send.err us.err send.out us.out
	same "$name" "d/$name"
	LC_ALL=C.UTF-8 start send "$SOCKXFER" send "127.0.0.1:$port" "no$name"
	finish send 1
	encoded send.err
	# The command for the other end, which people copy, has another name in the place of one that cannot be copied.
	LC_ALL=C.UTF-8 start us "$SOCKXFER" send --peer nc -l 127.0.0.1:0 "$name"
	wait_said us 'nc -d'
	has us.err '>FILE'
	stop us
}

@test "characters that hide or reorder text are encoded in the program's own name" {
	LC_ALL=C.UTF-8 run -2 --separate-stderr bash -c 'exec -a "$0" "$1" recv --gpj.' "${FORMATS}gpj." "$SOCKXFER"
	# shellcheck disable=SC2154  # stderr: set by run
	printf '%s\n' "$stderr" >err
	encoded err
}
