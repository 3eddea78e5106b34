#!/usr/bin/env bats
# The key: the command that makes one, the file that holds it, --key, what is said of it, and that nobody else
# gets to see it.
# shellcheck disable=SC2154  # port, address: set by the helpers

load helper
load fault/fault

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

HEX32=00112233445566778899aabbccddeeff

# key_file FILE LINE...: a file with these lines.
key_file() {
	printf '%s\n' "${@:2}" >"$1"
	chmod 600 "$1"
}

# passes RECEIVERS_KEY SENDERS_KEY [OPTION...]: a transfer, the sender with these options, between such ends.
passes() {
	rm -f out
	receive -K "$1" out
	start send "$SOCKXFER" send -V -K "$2" "${@:3}" "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same out "$BATS_FILE_TMPDIR/data"
}

# has_no_key RECEIVERS_KEY SENDERS_KEY: the sender is told that the other end does not have its key, and the
# receiver goes on waiting.
has_no_key() {
	rm -f out
	receive -v -K "$1" out
	start send "$SOCKXFER" send -V -K "$2" "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send 7
	one_line send.err
	has send.err 'handshake: the other end does not have this key'
	wait_said us 'waiting for another'
	running us
	stop us
	[ ! -e out ]
}

# refused STATUS TEXT ARGUMENT...: sockxfer ends so, says why in one line, and does not show the secret.
refused() {
	local status=$1 text=$2

	shift 2
	start us "$SOCKXFER" "$@"
	finish us "$status"
	one_line us.err
	has us.err "$text"
	has_not us.err "${secret_text:-$HEX32}"
}

# unusable STATUS TEXT: the file "bad" is refused so, in both roles, where they listen and where they connect.
unusable() {
	refused "$1" "$2" recv -K bad -p 0 out
	refused "$1" "$2" recv -K bad 127.0.0.1:9 out
	refused "$1" "$2" send -K bad -p 0 "$BATS_FILE_TMPDIR/data"
	refused "$1" "$2" send -K bad 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	[ ! -e out ]
}

json() {
	"$PYTHON" -c 'import json, sys
value = json.load(open(sys.argv[1])).get(sys.argv[2], "missing")
print("null" if value is None else value)' "$1" "$2"
}

# member FILE NAME VALUE: of the JSON object in that file.
member() {
	[ "$(json "$1" "$2")" = "$3" ] || {
		echo "$2 is $(json "$1" "$2")" >&2
		return 1
	}
}

### sockxfer key

@test "sockxfer key prints a line with a new key of 256 bits, under openssl's name" {
	start us "$SOCKXFER" key
	finish us
	[ ! -s us.err ]
	grep -qxE 'Client_identity:[0-9a-f]{64}' us.out
	[ "$(wc -l <us.out)" -eq 1 ]
}

@test "sockxfer key NAME gives it that name" {
	start us "$SOCKXFER" key backup@host.example
	finish us
	grep -qxE 'backup@host\.example:[0-9a-f]{64}' us.out
}

@test "no two keys are the same" {
	local i

	for i in {1..20}; do
		"$SOCKXFER" key
	done >keys
	[ "$(sort -u keys | wc -l)" -eq 20 ]
}

@test "a name that could not be in a key file is a usage error" {
	local name

	for name in '' 'two words' a:b $'esc\e[2J' "$(printf '%129s' '' | tr ' ' n)"; do
		start us "$SOCKXFER" key "$name"
		finish us 2
		one_line us.err
		[ ! -s us.out ]
	done
}

@test "sockxfer key with other words is a usage error" {
	refused 2 'sockxfer key [NAME]' key one two
	refused 2 'sockxfer key [NAME]' key --other
	refused 2 'sockxfer key [NAME]' key --openssl
	make_key keys
	refused 2 'sockxfer key [NAME]' key --openssl keys more
}

@test "a key that cannot be written is a failure" {
	[ -c /dev/full ] || skip "needs /dev/full"
	start us sh -c 'exec "$0" key >/dev/full' "$SOCKXFER"
	finish us 1
	one_line us.err
	start us sh -c 'exec "$0" key >&-' "$SOCKXFER"
	finish us 1
	one_line us.err
}

@test "sockxfer key --openssl prints the first key of a file as a session that openssl reads" {
	need openssl
	key_file keys "# comment" "first:$HEX32" "second:${HEX32}ff"
	start us "$SOCKXFER" key --openssl keys
	finish us
	[ ! -s us.err ]
	openssl sess_id -in us.out -noout -text >text
	has text 'TLSv1.3'
	grep -qi "$HEX32" text
	grep -qi "${HEX32}ff" text && return 1
	# Not as one that has expired, which openssl would not use.
	has_not text 'Timeout   : 0'
}

@test "sockxfer key --openssl refuses what --key refuses" {
	key_file bad "a:$HEX32"
	chmod 644 bad
	refused 1 'bad: others may read or write the key' key --openssl bad
	[ ! -s us.out ]
	refused 1 'No such file' key --openssl none
	key_file bad "a:0011"
	refused 2 'short' key --openssl bad
}

### The file

@test "a transfer with a key at both ends arrives, and is told to be encrypted" {
	make_key keys
	receive -v -K keys out
	start send "$SOCKXFER" send -v -V --key keys "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same out "$BATS_FILE_TMPDIR/data"
	grep -qE '^sockxfer: send: .*data: 300 kB in .*, encrypted, stored and verified by 127\.' send.err
	grep -qE '^sockxfer: recv: out: 300 kB in .*, encrypted, stored, from 127\.' us.err
}

@test "without a key nothing is said to be encrypted" {
	receive -v --json out
	start send "$SOCKXFER" send -v --json "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	has_not us.err encrypted
	has_not send.err encrypted
	member us.out encrypted null
	member us.out key null
	member send.out encrypted null
	member send.out key null
}

@test "JSON has the suite and the identity of the key, at both ends" {
	make_key keys backup
	receive --json -K keys out
	start send "$SOCKXFER" send --json -V -K keys "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	for name in us send; do
		member $name.out encrypted TLS_AES_128_GCM_SHA256
		member $name.out key backup
		member $name.out ended stored
		has_not $name.out "$(secret keys)"
	done
}

@test "comments, blank lines and lines that end as in DOS are no harm" {
	key_file one "# of the backup" "" "backup:$HEX32"
	printf '\r\n# DOS\r\nbackup:%s\r\n\r\n' "$HEX32" >two
	printf 'backup:%s' "${HEX32^^}" >three
	chmod 600 two three
	passes one two
	passes two three
	passes three one
}

@test "the listener takes every key of its file, the end that connects uses its first" {
	make_key alice alice
	make_key bob bob
	make_key carol carol
	cat alice bob >all
	chmod 600 all
	passes all alice
	passes all bob
	cat bob carol >mine
	chmod 600 mine
	passes all mine
	cat carol bob >mine
	has_no_key all mine
	has us.err 'no key here has the identity that it names'
	has_no_key all carol
}

@test "JSON tells which of several keys the peer had" {
	make_key alice alice
	make_key bob bob
	cat alice bob >all
	chmod 600 all
	receive --json -K all out
	start send "$SOCKXFER" send --json -K bob "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	member us.out key bob
}

@test "a key that is taken out of the listener's file does not open any more, the others do" {
	make_key alice alice
	make_key bob bob
	cat alice bob >all
	chmod 600 all
	passes all alice
	grep -v ^alice: all >left
	chmod 600 left
	has_no_key left alice
	passes left bob
}

@test "a key that is changed under its name does not open any more" {
	make_key old backup
	make_key new.key backup
	has_no_key new.key old
	has us.err 'its key is not the one called backup here'
	passes new.key new.key
}

@test "keys of 16 to 64 bytes are taken" {
	key_file keys "a:$HEX32"
	passes keys keys
	key_file keys "a:$HEX32$HEX32$HEX32$HEX32"
	passes keys keys
}

@test "an identity may be as long as 128 bytes, and not of ASCII" {
	key_file keys "$(printf '%128s' '' | tr ' ' n):$HEX32"
	passes keys keys
	key_file keys "Schlüssel@büro:$HEX32"
	passes keys keys
}

@test "a short key is refused with the reason, and not shown" {
	secret_text=00112233445566778899aabbccddee
	key_file bad "a:$secret_text"
	unusable 2 'the key is short, and could be guessed'
	key_file bad 'a:'
	unusable 2 'the key is short, and could be guessed'
}

@test "a passphrase is refused with the reason, and not shown" {
	secret_text='correct horse'
	key_file bad 'a:correct horse battery staple correct horse battery staple'
	unusable 2 'can be guessed from one recorded handshake'
}

@test "lines that are no keys are refused by their number, and not shown" {
	key_file bad "a:$HEX32" "b:${HEX32}0"
	unusable 2 'bad: line 2: '
	key_file bad "a:$HEX32" "" "$HEX32"
	unusable 2 'bad: line 3: '
	key_file bad "two words:$HEX32"
	unusable 2 'bad: line 1: '
	key_file bad "a:$HEX32" "a:$HEX32$HEX32"
	unusable 2 'bad: line 2: '
	key_file bad ":$HEX32"
	unusable 2 'bad: line 1: '
	key_file bad "$(printf '%129s' '' | tr ' ' n):$HEX32"
	unusable 2 'bad: line 1: '
	printf 'a:%s\0\n' "$HEX32" >bad
	unusable 2 'bad: line 1: '
}

@test "a file without a key, a large one, a directory and none are refused" {
	: >bad
	chmod 600 bad
	unusable 2 'there is no key in it'
	key_file bad '# nothing'
	unusable 2 'there is no key in it'
	truncate -s 1M bad
	unusable 2 'too large'
	rm bad
	unusable 1 'No such file or directory'
	mkdir -m 700 bad
	unusable 1 'Is a directory'
}

@test "a file that others may read or write, or its group may write, is refused" {
	local mode

	key_file bad "a:$HEX32"
	for mode in 644 604 602 601 660 620 666 777; do
		chmod "$mode" bad
		unusable 1 "others may read or write the key (mode $mode)"
		has us.err 'chmod 600'
	done
}

@test "a file that only we, or our group, may read is taken" {
	local mode

	key_file keys "a:$HEX32"
	for mode in 600 400 440 640; do
		chmod "$mode" keys
		passes keys keys
	done
}

@test "a file of another user is refused; one of root that our group may read is taken" {
	need_root
	need setpriv
	local us=(setpriv --reuid=65534 --regid=65534 --clear-groups)

	chmod 755 .
	key_file bad "a:$HEX32"
	chown 65534:65534 bad
	refused 1 'belongs to another user' recv -K bad -p 0 out
	chown 12345:65534 bad
	chmod 440 bad
	start us "${us[@]}" "$SOCKXFER" recv -K bad -p 0 out
	finish us 1
	has us.err 'belongs to another user'
	# As systemd's credentials are.
	chown 0:65534 bad
	start us "${us[@]}" "$SOCKXFER" recv -K bad -p 0 /dev/null
	wait_port us
	start send "$SOCKXFER" send -K bad "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
}

@test "the permissions are those of the file behind a symbolic link" {
	key_file real "a:$HEX32"
	ln -s real bad
	passes bad real
	rm out
	chmod 644 real
	unusable 1 'others may read or write the key'
}

@test "a key may come through a FIFO" {
	make_key keys
	mkfifo pipe
	start us "$SOCKXFER" recv -K pipe -p 0 out
	cat keys >pipe
	wait_port us
	start send "$SOCKXFER" send -K keys "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same out "$BATS_FILE_TMPDIR/data"
}

@test "a key may come from a command: <(pass ...)" {
	make_key keys
	receive -K keys out
	# shellcheck disable=SC2016  # the inner shell's
	start send bash -c 'exec "$0" send -V --key <(cat keys) "127.0.0.1:$1" "$2"' "$SOCKXFER" "$port" \
		"$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same out "$BATS_FILE_TMPDIR/data"
}

@test "a key may come from stdin, by /dev/stdin" {
	make_key keys
	receive -K keys out
	start send "$SOCKXFER" send -V --key /dev/stdin "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data" < <(cat keys)
	finish send
	finish us
	same out "$BATS_FILE_TMPDIR/data"
}

@test "the wait for a FIFO without a writer ends by a signal" {
	mkfifo -m 600 pipe
	start us "$SOCKXFER" recv -K pipe -p 0 out
	wait_for asleep us
	kill -TERM "${PID[us]}"
	finish us 143
}

# Whether the process waits for something.
asleep() {
	local stat

	stat=$(<"/proc/${PID[$1]}/stat")
	[[ ${stat##*) } == S* ]]
}

@test "the file is read once, at the start: also a server of many goes on with what it had" {
	make_key keys
	cp -p keys copy
	start us "$SOCKXFER" recv -k -K keys -p 0 /dev/null
	wait_port us
	make_key keys
	start send "$SOCKXFER" send -V -K copy "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	rm keys
	start send "$SOCKXFER" send -V -K copy "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	kill -TERM "${PID[us]}"
	finish us 143
}

### The option

@test "--key is given once, and with a name" {
	make_key keys
	refused 2 'one is enough' recv -K keys -K keys -p 0 out
	refused 2 'the name of a file is needed' recv --key '' -p 0 out
	refused 2 '' recv -p 0 --key
}

@test "files called new and ask are ./new and ./ask" {
	make_key new
	make_key ask
	passes ./new ./new
	passes ./ask ./ask
}

@test "--key new is for the end that listens, without -k, and needs a terminal to show the key on" {
	refused 2 '--key new' recv --key new -k -p 0 out
	refused 2 '--key new' send --key new 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	refused 2 'stderr is none' recv --key new -p 0 out
}

@test "--key ask without a terminal is refused" {
	# setsid: a process without a controlling terminal.
	need setsid
	start us setsid -w "$SOCKXFER" send --key ask 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
	finish us 1
	one_line us.err
	has us.err 'terminal'
}

@test "--peer nc, ncat, socat, busybox and python cannot be had with --key, for they do not encrypt" {
	local tool

	make_key keys
	for tool in nc ncat socat busybox python; do
		refused 2 'only openssl encrypts' recv -K keys --peer "$tool" -p 0 out
	done
	refused 2 '--peer openssl and --key go together' recv --peer openssl -p 0 out
}

@test "-V and --peer openssl exclude each other" {
	make_key keys
	refused 2 'openssl gives no receipt' send -V -K keys --peer openssl 127.0.0.1:9 "$BATS_FILE_TMPDIR/data"
}

### Exit status 7

@test "a wrong key and an unknown identity are exit 7, with the same text, and JSON says no key" {
	make_key right backup
	make_key wrong backup
	make_key other other
	for keys in wrong other; do
		receive -K right out
		start send "$SOCKXFER" send --json -K $keys "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
		finish send 7
		one_line send.err
		sed 's/:[0-9]*:/:PORT:/' send.err >$keys.said
		member send.out ended 'no key'
		member send.out exit 7
		member send.out encrypted null
		member send.out key null
		member send.out bytes 0
		stop us
	done
	same wrong.said other.said
}

@test "a receiver that connects with a wrong key is told so: exit 7, and keeps the old file" {
	make_key right
	make_key wrong
	prepare_output old
	start us "$SOCKXFER" send -v -K right -p 0 "$BATS_FILE_TMPDIR/data"
	wait_port us
	start recv "$SOCKXFER" recv -K wrong "127.0.0.1:$port" d/out
	finish recv 7
	one_line recv.err
	output_untouched old
	wait_said us 'waiting for another'
	start recv "$SOCKXFER" recv -K right "127.0.0.1:$port" d/out
	finish recv
	finish us
	same d/out "$BATS_FILE_TMPDIR/data"
}

@test "only the listener's -v line tells an unknown identity from a wrong key, and it has not the secret" {
	make_key right backup
	make_key wrong backup
	make_key other other
	receive -v -K right out
	start send "$SOCKXFER" send -K wrong "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send 7
	start send "$SOCKXFER" send -K other "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send 7
	wait_said us 'its key is not the one called backup here; waiting for another'
	wait_said us 'no key here has the identity that it names; waiting for another'
	for file in right wrong other; do
		has_not us.err "$(secret $file)"
	done
	stop us
	receive -K right out
	start send "$SOCKXFER" send -K other "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send 7
	pass 0.1
	one_line us.err # where it listens
	stop us
}

### Nobody else gets to see the key

# process_shows PID TEXT: it is in the command line or the environment.
process_shows() {
	tr '\0' '\n' <"/proc/$1/cmdline" >shown
	tr '\0' '\n' <"/proc/$1/environ" >>shown
	grep -qiF -e "$2" shown
}

@test "the key is in no command line, environment or message, not even with -v, of either end" {
	make_key keys
	open_pipe
	listen_as recv recv tcp4 -K keys -- sh -c 'env >environment; exec cat >out'
	start send "$SOCKXFER" send -v -V -K keys "$address" <pipe
	head -c 300000 "$BATS_FILE_TMPDIR/data" >&8
	wait_for [ -s out ]
	for name in recv send; do
		process_shows "${PID[$name]}" SOCKXFER # so that the next line would tell
		! process_shows "${PID[$name]}" "$(secret keys)" || return 1
	done
	exec 8>&-
	finish send
	finish recv
	for file in recv.err recv.out send.err send.out environment; do
		has_not "$file" "$(secret keys)"
	done
}

@test "a process with a key leaves no core file" {
	make_key keys
	(
		ulimit -c unlimited 2>/dev/null || skip "needs to raise the limit of core files"
		start us "$SOCKXFER" recv -K keys -p 0 out
		wait_port us
		grep -qE 'Max core file size +0 +unlimited ' "/proc/${PID[us]}/limits"
		kill -QUIT "${PID[us]}"
		finish us 131
		holds . keys us.err us.out
	)
}

@test "sockxfer key --openssl leaves no core file either" {
	mkfifo fifo
	(
		ulimit -c unlimited 2>/dev/null || skip "needs to raise the limit of core files"
		start us "$SOCKXFER" key --openssl fifo
		wait_for grep -qE 'Max core file size +0 +unlimited ' "/proc/${PID[us]}/limits"
		kill -QUIT "${PID[us]}"
		finish us 131
		holds . fifo us.err us.out
	)
}

# gives_back_nothing COMMAND...: no memory that it gives back still holds the secret.
gives_back_nothing() {
	start us env "LD_PRELOAD=$ROOT/build/shim/wiped.so" "WIPED_SECRET=$HEX32" WIPED_LOG=wiped "$@"
}

wiped_all() {
	cat wiped
	grep -qE '^[1-9][0-9]+ blocks, 0 with the secret$' wiped
	rm wiped
}

# The sanitizers have a free() of their own.
@test "no memory that is given back still holds a key, of either end, or of sockxfer key" {
	need_plain_build
	key_file keys "a:$HEX32"
	gives_back_nothing "$SOCKXFER" recv -v -K keys -p 0 out
	wait_port us
	start send "$SOCKXFER" send -K keys "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	wiped_all
	start recv "$SOCKXFER" recv -v -K keys -p 0 out
	wait_port recv
	gives_back_nothing "$SOCKXFER" send -K keys "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish us
	finish recv
	wiped_all
	gives_back_nothing "$SOCKXFER" key --openssl keys
	finish us
	wiped_all
	# It would be seen: a program that knows of no secret.
	gives_back_nothing "$PYTHON" -c 'text = open("keys").read() * 100; del text'
	finish us
	has wiped ', 1 with the secret'
}

@test "a process with a key cannot be looked into by another of the same user, nor can its workers" {
	need setpriv
	local user=()

	if [ "$(id -u)" -eq 0 ]; then user=(setpriv --reuid=65534 --regid=65534 --clear-groups); fi
	chmod 755 .
	key_file keys "a:$HEX32"
	if [ "$(id -u)" -eq 0 ]; then chown 0:65534 keys && chmod 440 keys; fi
	start us "${user[@]}" "$SOCKXFER" recv -p 0 /dev/null
	wait_port us
	"${user[@]}" cat "/proc/${PID[us]}/environ" >/dev/null # without a key it can
	stop us
	start us "${user[@]}" "$SOCKXFER" recv -k -K keys -p 0 /dev/null
	wait_port us
	! "${user[@]}" cat "/proc/${PID[us]}/environ" >/dev/null 2>&1 || return 1
	open_pipe
	start send "${user[@]}" "$SOCKXFER" send -K keys "127.0.0.1:$port" <pipe
	head -c 100000 /dev/zero >&8
	wait_for has_worker
	! "${user[@]}" cat "/proc/$(pgrep -P "${PID[us]}")/environ" >/dev/null 2>&1 || return 1
	! "${user[@]}" cat "/proc/${PID[send]}/environ" >/dev/null 2>&1 || return 1
	exec 8>&-
	finish send
	kill -TERM "${PID[us]}"
	finish us 143
}

has_worker() {
	pgrep -P "${PID[us]}" >/dev/null
}

@test "a command that we run does not have the key file open" {
	make_key keys
	# shellcheck disable=SC2016  # the inner shell's
	receive -K keys -- sh -c 'ls -l /proc/$$/fd >descriptors; exec cat >out'
	start send "$SOCKXFER" send -V -K keys "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	has_not descriptors keys
	has_not descriptors socket:
}

@test "a command that we run does not have the descriptor open through which the key came" {
	make_key keys
	# shellcheck disable=SC2016  # the inner shells'
	start us sh -c 'exec "$0" "$@" 7<keys' "$SOCKXFER" recv -K /dev/fd/7 -p 0 -- sh -c \
		'ls -l /proc/$$/fd >descriptors; exec cat >out'
	wait_port us
	# shellcheck disable=SC2016
	start send bash -c '"$0" "$@" -K <(cat keys) -- sh -c "ls -l /proc/\$\$/fd >sent; exec cat sent"' "$SOCKXFER" \
		send -V "127.0.0.1:$port"
	finish send
	finish us
	same out sent
	has_not descriptors keys
	[ "$(grep -c 'pipe:' sent)" -eq 1 ] # its output, and not the pipe of <()
}

# limit_of FILE: what the file, of /proc, says of core files.
limit_of() {
	grep '^Max core' "$1"
}

@test "a command that we run has the limit of core files that the user has set, with -k, too" {
	need_plain_build # AddressSanitizer lowers it by itself
	make_key keys
	(
		ulimit -Hc unlimited 2>/dev/null || skip "needs to raise the limit of core files"
		ulimit -Sc 2000
		ulimit -Hc 3000
		limit_of /proc/self/limits >limit
		for keeps in '' -k; do
			rm -f taken given
			start us "$SOCKXFER" recv ${keeps:+-k} -K keys -p 0 -- sh -c 'grep "^Max core" /proc/self/limits >taken; exec cat >out'
			wait_port us
			start send "$SOCKXFER" send -V -K keys "127.0.0.1:$port" -- grep '^Max core' /proc/self/limits
			finish send
			[ -z "$keeps" ] || kill -TERM "${PID[us]}"
			finish us ${keeps:+143}
			same taken limit
			same out limit
		done
	)
}

### At a terminal

# on_terminal NAME [--answer PROMPT TEXT] COMMAND...
on_terminal() {
	start "$1" "$PYTHON" "$ROOT/test/fault/terminal.py" "${@:2}"
}

# shown_key: sets $key to the key that us has printed, and $command to the command.
shown_key() {
	wait_said us 'Key to type there: '
	key=$(sed -n 's/^Key to type there: //p' us.out | tr -d '\r')
	command=$(sed -n 's/^On this machine: //p' us.out | tr -d '\r')
}

# typed STATUS KEY ARGUMENT...: a sender, to whom that is typed when it asks.
typed() {
	on_terminal send --answer 'key: ' "$2" "$SOCKXFER" send --key ask -V "${@:3}"
	finish send "$1"
}

@test "--key new shows a key of 128 bits in groups of four, apart from the command" {
	on_terminal us "$SOCKXFER" recv --key new -l 127.0.0.1:0 out
	shown_key
	[[ $key =~ ^([0-9a-f]{4}\ ){7}[0-9a-f]{4}$ ]]
	[[ $command =~ ^sockxfer\ send\ --key\ ask\ -V\ 127\.0\.0\.1:[0-9]+\ out$ ]]
	[ "$(grep -cF -e "$key" us.out)" -eq 1 ]
	stop us
}

@test "--key new and --key ask: the transfer arrives, with a sender that asks" {
	on_terminal us "$SOCKXFER" recv --key new -l 127.0.0.1:0 out
	shown_key
	address=${command##* -V }
	typed 0 "$key" "${address% *}" "$BATS_FILE_TMPDIR/data"
	finish us
	same out "$BATS_FILE_TMPDIR/data"
}

@test "--key new and --key ask: the transfer arrives, with a receiver that asks" {
	on_terminal us "$SOCKXFER" send --key new -l 127.0.0.1:0 "$BATS_FILE_TMPDIR/data"
	shown_key
	[[ $command =~ ^sockxfer\ recv\ --key\ ask\ 127\.0\.0\.1:[0-9]+\ FILE$ ]]
	address=${command##* ask }
	on_terminal recv --answer 'key: ' "$key" "$SOCKXFER" recv --key ask "${address% *}" out
	finish recv
	finish us
	same out "$BATS_FILE_TMPDIR/data"
}

@test "the key that is typed is not shown" {
	on_terminal us "$SOCKXFER" recv --key new -l 127.0.0.1:0 out
	shown_key
	address=${command##* -V }
	typed 0 "$key" "${address% *}" "$BATS_FILE_TMPDIR/data"
	finish us
	has send.out 'key: '
	has_not send.out "$key"
	has_not send.out "${key%% *}"
}

@test "the key may be typed without its blanks, in capitals, or be a whole line of a key file" {
	local form

	for form in plain capitals; do
		rm -f out
		on_terminal us "$SOCKXFER" recv --key new -l 127.0.0.1:0 out
		shown_key
		case $form in
		plain) key=${key// } ;;
		capitals) key=${key^^} ;;
		esac
		address=${command##* -V }
		typed 0 "$key" "${address% *}" "$BATS_FILE_TMPDIR/data"
		finish us
		same out "$BATS_FILE_TMPDIR/data"
	done
	make_key keys backup
	rm -f out
	receive -K keys out
	typed 0 "$(<keys)" "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish us
	same out "$BATS_FILE_TMPDIR/data"
}

@test "a key that is typed wrong is exit 7, and one that is none is refused and not shown" {
	on_terminal us "$SOCKXFER" recv --key new -l 127.0.0.1:0 out
	shown_key
	address=${command##* -V }
	typed 7 "$HEX32" "${address% *}" "$BATS_FILE_TMPDIR/data"
	typed 2 'correct horse battery staple' "${address% *}" "$BATS_FILE_TMPDIR/data"
	has_not send.out 'correct horse'
	typed 2 "${key%% *}" "${address% *}" "$BATS_FILE_TMPDIR/data"
	has_not send.out "${key%% *}"
	stop us
	[ ! -e out ]
}

@test "--key new makes another key each time" {
	on_terminal us "$SOCKXFER" recv --key new -l 127.0.0.1:0 out
	shown_key
	stop us
	first=$key
	on_terminal us "$SOCKXFER" recv --key new -l 127.0.0.1:0 out
	shown_key
	stop us
	[ "$key" != "$first" ]
}

@test "--key new and -q exclude each other, for the key has to be shown" {
	on_terminal us "$SOCKXFER" recv -q --key new -l 127.0.0.1:0 out
	finish us 2
	has us.out '--key new and -q exclude each other'
}

@test "the prompt comes also where stdin is the data" {
	make_key keys
	receive -K keys out
	on_terminal send --answer 'key: ' "$(<keys)" sh -c 'exec "$0" send --key ask -V "$1" <"$2"' "$SOCKXFER" \
		"127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same out "$BATS_FILE_TMPDIR/data"
}

@test "a signal at the prompt ends the program, and the terminal has its echo again" {
	on_terminal us sh -c 'trap : INT; "$0" send --key ask -V 127.0.0.1:9 "$1"; echo "END $?"; stty -a' "$SOCKXFER" \
		"$BATS_FILE_TMPDIR/data"
	wait_said us 'key: '
	kill -INT "$(pgrep -x sockxfer -P "$(pgrep -P "${PID[us]}")")"
	finish us
	has us.out 'END 130'
	grep -qE '(^| )echo( |;)' us.out
}

@test "with a key in a file the hand-over names it, and with one from a descriptor it does not" {
	make_key keys
	on_terminal us "$SOCKXFER" recv -K keys -w 0.2 -l 127.0.0.1:0 out
	finish us 3
	grep -qE '^On this machine: sockxfer send --key keys -V 127\.0\.0\.1:[0-9]+ out' us.out
	has_not us.out "$(secret keys)"
	has_not us.out 'Key to type'
	on_terminal us bash -c 'exec "$0" recv -K <(cat keys) -w 0.2 -l 127.0.0.1:0 out' "$SOCKXFER"
	finish us 3
	grep -qE '^On this machine: sockxfer send --key KEYFILE -V 127\.0\.0\.1:[0-9]+ out' us.out
	has_not us.out "$(secret keys)"
}
