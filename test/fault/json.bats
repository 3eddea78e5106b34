#!/usr/bin/env bats
# --json: one object, valid whatever the names and the peer's words contain.
# shellcheck disable=SC2154  # address, port: set by the helpers

load ../helper
load fault

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# valid FILE: it is one line, one object, of UTF-8, with each of the fields and no raw control character.
valid() {
	need jq
	[ "$(wc -l <"$1")" -eq 1 ]
	"$PYTHON" -c '
import json, sys
text = open(sys.argv[1], "rb").read()
assert not [byte for byte in text[:-1] if byte < 32 or byte == 127], text
pairs = json.loads(text.decode("utf-8"), object_pairs_hook=list)
names = [name for name, value in pairs]
assert len(names) == len(set(names)), names
' "$1"
	jq -e '(.role | type) == "string" and (.bytes | type) == "number" and (.seconds | type) == "number"
		and (.ended | type) == "string" and (.exit | type) == "number" and .seconds >= 0
		and has("local") and has("peer") and has("path") and has("digest") and has("peer_text")' "$1" >/dev/null
}

# field FILE NAME VALUE
field() {
	local found

	found=$(jq -r ".$2" "$1")
	[ "$found" = "$3" ] || {
		echo "$1: $2 is $found, not $3" >&2
		return 1
	}
}

### Every end

@test "a stored file: role, addresses, path, bytes, seconds, digest, end and exit code of both" {
	local since now

	need_xxh128
	clock since
	listen_as recv recv tcp4 --json out
	start send "$SOCKXFER" send --json "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	clock now
	valid send.out
	valid recv.out
	field send.out role send
	field recv.out role recv
	field send.out peer "$address"
	field recv.out local "$address"
	[ "$(jq -r .local send.out)" = "$(jq -r .peer recv.out)" ]
	field send.out path "$BATS_FILE_TMPDIR/data"
	field recv.out path out
	for side in send recv; do
		field "$side.out" bytes 300000
		field "$side.out" digest "$(digest "$BATS_FILE_TMPDIR/data")"
		field "$side.out" ended stored
		field "$side.out" exit 0
		field "$side.out" peer_text null
		jq -e ".seconds > 0 and .seconds * 1000 <= $((now - since))" "$side.out"
	done
}

@test "over IPv6 and a unix socket" {
	local transport

	for transport in tcp6 unix; do
		listen_as recv recv "$transport" --json out
		start send "$SOCKXFER" send --json "$address" "$BATS_FILE_TMPDIR/data"
		finish send
		finish recv
		valid send.out
		valid recv.out
		field send.out peer "$address"
		field recv.out local "$address"
		field send.out ended stored
	done
}

@test "the seconds are those of the transfer" {
	open_pipe
	listen_as recv recv tcp4 --json out
	start send "$SOCKXFER" send --json "$address" <pipe
	wait_said recv 'connected to'
	pass 0.7
	exec 8>&-
	finish send
	finish recv
	for side in send recv; do
		valid "$side.out"
		jq -e '.seconds > 0.4' "$side.out"
		field "$side.out" bytes 0
	done
	field send.out path -
}

@test "not confirmed" {
	scripted_listen peer tcp4 eof close
	start send "$SOCKXFER" send --json "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	valid send.out
	field send.out ended 'not confirmed'
	field send.out exit 0
	field send.out bytes 300000
	finish peer
	scripted_listen peer tcp4 eof close
	start send "$SOCKXFER" send -V --json "$address" "$BATS_FILE_TMPDIR/data"
	finish send 5
	valid send.out
	field send.out ended 'not confirmed'
	field send.out exit 5
	finish peer
}

@test "failed: with the bytes so far" {
	sent=1000
	listen_as recv recv tcp4 --json out
	scripted peer connect "$address" send:1000 reset
	finish recv 1
	valid recv.out
	field recv.out ended failed
	field recv.out exit 1
	jq -e '.bytes <= 1000' recv.out
	has recv.out reset
	finish peer
}

@test "failed before there was a connection" {
	free_port
	start send "$SOCKXFER" send --json "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send 1
	valid send.out
	field send.out ended failed
	field send.out exit 1
	field send.out bytes 0
	start recv "$SOCKXFER" recv --json -p 0 missing/out
	finish recv 1
	valid recv.out
	field recv.out exit 1
	field recv.out path missing/out
}

@test "timed out" {
	start recv "$SOCKXFER" recv --json -w 0.2 -p 0 out
	finish recv 3
	valid recv.out
	field recv.out ended 'timed out'
	field recv.out exit 3
}

@test "a mismatch, and the receiver's text at the sender" {
	listen_as recv recv tcp4 --json -E xxh128:00112233445566778899aabbccddeeff out
	start send "$SOCKXFER" send --json "$address" "$BATS_FILE_TMPDIR/data"
	finish send 6
	finish recv 4
	valid send.out
	valid recv.out
	field recv.out ended mismatch
	field recv.out exit 4
	field send.out ended 'receiver failed'
	field send.out exit 6
	jq -e '.peer_text | contains("xxh128:00112233445566778899aabbccddeeff")' send.out
}

@test "the peer's text, whatever is in it" {
	local text

	for text in 'a "quote" and \\ a backslash' '\x1b[31m\x07\x08\t\x01\x7f' 'caf\xc3\xa9 \xff\xfe\xc3' \
		'\xed\xa0\x80 \xc0\xaf \xf5\x80\x80\x80 \xf0\x9f\x98\x80' '"}, {"exit": 0'; do
		scripted_listen peer tcp4 eof "text:sockxfer/1 failed $text\\n" close
		start send "$SOCKXFER" send --json "$address" "$BATS_FILE_TMPDIR/data"
		finish send 6
		finish peer
		valid send.out
		field send.out exit 6
		jq -e '.peer_text | length > 0' send.out
	done
}

@test "ended by a signal: 128+N, and still the object" {
	local signal

	for signal in TERM HUP; do
		watched recv
		listen_as recv recv tcp4 --json out
		signal_to recv "$signal"
		valid recv.out
		field recv.out ended interrupted
		field recv.out exit $((128 + $(kill -l "$signal")))
	done
}

### Names

@test "names with quotes, newlines, control bytes and invalid UTF-8" {
	local name expected

	for name in $'a"b\\c\nd\te\r' $'\001\033[31m\177' $'caf\303\251 \360\237\230\200' $'\377\376 caf\303' \
		$'\355\240\200 \300\257 \364\220\200\200'; do
		cp "$BATS_FILE_TMPDIR/data" "./$name"
		listen_as recv recv tcp4 --json "$name.out"
		start send "$SOCKXFER" send --json "$address" "$name"
		finish send
		finish recv
		valid send.out
		valid recv.out
		same "$name" "$name.out"
		# As Python has it: each byte that is no UTF-8 is replaced, and what is UTF-8 is kept.
		expected=$("$PYTHON" -c 'import os, sys
print(os.fsencode(sys.argv[1]).decode("utf-8", "replace"), end=".")' "$name")
		if [[ $expected != *$'\357\277\275'* ]]; then
			[ "$(jq -j '.path + "."' send.out)" = "$expected" ]
		else
			jq -e '.path | contains("\ufffd")' send.out
		fi
	done
}

@test "a unix socket with such a name" {
	local name=$'s"o\n\377'

	start recv "$SOCKXFER" recv --json -l "unix:$name" out
	wait_for [ -S "$name" ]
	start send "$SOCKXFER" send --json "unix:$name" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	valid send.out
	valid recv.out
	jq -e '.peer | startswith("unix:s\"o\n")' send.out
	jq -e '.local | startswith("unix:s\"o\n")' recv.out
}

@test "a command" {
	listen_as recv recv tcp4 --json -- sh -c 'cat >got'
	start send "$SOCKXFER" send --json "$address" -- cat "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	valid send.out
	tail -n 1 recv.err >recv.json
	valid recv.json
	field recv.json ended stored
	field send.out path cat
}

### Where it goes

@test "where stdout carries the data, the object is on stderr" {
	listen_as recv recv tcp4 --json
	start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	same recv.out "$BATS_FILE_TMPDIR/data"
	tail -n 1 recv.err >recv.json
	valid recv.json
	field recv.json bytes 300000
}

@test "with -q the object is all there is" {
	listen_as recv recv tcp4 out
	start send "$SOCKXFER" send --json -q "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	valid send.out
	[ ! -s send.err ]
}

@test "an object that cannot be written is a failure" {
	[ -c /dev/full ] || skip "needs /dev/full"
	listen_as recv recv tcp4 out
	# shellcheck disable=SC2016  # $0 is for the inner shell
	start send sh -c 'exec "$0" send --json "$@" >/dev/full' "$SOCKXFER" "$address" "$BATS_FILE_TMPDIR/data"
	finish send 1
	finish recv
	has send.err 'No space left on device'
}
