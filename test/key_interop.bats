#!/usr/bin/env bats
# Whole bytes and an end with other programs that have the key, in both directions and both roles. "Listening" and
# "connecting" are said of the peer; we do the other.
# shellcheck disable=SC2154  # address, port: set by the helpers

load helper
load fault/fault

# Enough to fill the socket buffers of both sides, and full of what openssl would take for commands: lines that begin
# with Q, R, k, K, B and the like.
setup_file() {
	{
		head -c 1500000 /dev/urandom
		for letter in Q q R r P S k K B b C; do printf '%s\n' "$letter" "$letter$letter of a line"; done
		head -c 1500000 /dev/urandom
	} >"$BATS_FILE_TMPDIR/data"
}

# make_session NAME: the key of the name, for us and as openssl's session, and $x, which are openssl's options. Without
# an option for the name it is what openssl calls it.
make_session() {
	make_key key "$1"
	"$SOCKXFER" key --openssl key >key.pem
	x=(-quiet -tls1_3 -psk_session key.pem)
	[ "$1" = Client_identity ] || x+=(-psk_identity "$1")
}

# They come to an end by themselves.
both_end() {
	finish us
	finish peer
}

### openssl

# openssl_sends ROLE NAME / openssl_receives ROLE NAME: with a key of that name. Without -nbio a server whose data is
# there before the hello of its client waits for data from it, for ever.
openssl_sends() {
	need openssl
	make_session "$2"
	if [ "$1" = connecting ]; then
		receive --json -K key out
		start peer openssl s_client "${x[@]}" -no_ign_eof -nocommands -connect "127.0.0.1:$port" \
			<"$BATS_FILE_TMPDIR/data"
	else
		free_port
		start peer openssl s_server "${x[@]}" -nbio -nocert -naccept 1 -accept "127.0.0.1:$port" \
			<"$BATS_FILE_TMPDIR/data"
		wait_for listening "$port"
		start us "$SOCKXFER" recv --json -K key "127.0.0.1:$port" out
	fi
	both_end
	same out "$BATS_FILE_TMPDIR/data"
	has us.out '"encrypted": "TLS_'
	has us.out "\"key\": \"$2\""
}

openssl_receives() {
	need openssl
	make_session "$2"
	if [ "$1" = connecting ]; then
		start us "$SOCKXFER" send --json -K key -p 0 "$BATS_FILE_TMPDIR/data"
		wait_port us
		start peer openssl s_client "${x[@]}" -connect "127.0.0.1:$port" </dev/null
	else
		free_port
		mkfifo silent
		exec 8<>silent
		start peer openssl s_server "${x[@]}" -nocert -naccept 1 -accept "127.0.0.1:$port" <&8
		wait_for listening "$port"
		start us "$SOCKXFER" send --json -K key "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	fi
	both_end
	same peer.out "$BATS_FILE_TMPDIR/data"
	has us.out '"encrypted": "TLS_'
	has us.err 'not confirmed'
}

@test "openssl s_client sends, connecting" { openssl_sends connecting backup; }
@test "openssl s_client receives, connecting" { openssl_receives connecting backup; }
@test "openssl s_server sends, listening" { openssl_sends listening backup; }
@test "openssl s_server receives, listening" { openssl_receives listening backup; }
@test "a key without a name needs no option for it: s_client sends" { openssl_sends connecting Client_identity; }
@test "a key without a name needs no option for it: s_client receives" { openssl_receives connecting Client_identity; }
@test "a key without a name needs no option for it: s_server sends" { openssl_sends listening Client_identity; }
@test "a key without a name needs no option for it: s_server receives" { openssl_receives listening Client_identity; }

@test "openssl that is killed while it sends leaves no file behind" {
	local role

	need openssl
	make_session backup
	for role in connecting listening; do
		prepare_output old
		open_pipe
		if [ $role = connecting ]; then
			listen_as recv recv tcp4 -K key d/out
			start peer openssl s_client "${x[@]}" -no_ign_eof -nocommands -connect "$address" <pipe
		else
			free_port
			start peer openssl s_server "${x[@]}" -nbio -nocert -naccept 1 -accept "127.0.0.1:$port" <pipe
			wait_for listening "$port"
			start recv "$SOCKXFER" recv -v -K key "127.0.0.1:$port" d/out
		fi
		wait_said recv 'connected to'
		head -c 300000 /dev/zero >&8
		wait_for has_begun
		stop peer
		exec 8>&-
		finish recv 1
		grep -qE 'receive: (cut off|connection reset) after [0-9]+ bytes' recv.err
		output_untouched old
	done
}

# Whether the receiver, asked by USR1, tells that it has something.
has_begun() {
	kill -USR1 "${PID[recv]}"
	grep -qE '[1-9][0-9.]* [kM]?B' recv.err
}

@test "openssl without the key gets nothing, and gives nothing" {
	need openssl
	make_session backup
	make_key other backup
	prepare_output old
	listen_as recv recv tcp4 -K other d/out
	start peer openssl s_client "${x[@]}" -no_ign_eof -nocommands -connect "$address" <"$BATS_FILE_TMPDIR/data"
	finish peer 1
	wait_said recv 'its key is not the one called backup here'
	stop recv
	output_untouched old
	start us "$SOCKXFER" send -v -K other -p 0 "$BATS_FILE_TMPDIR/data"
	wait_port us
	start peer openssl s_client "${x[@]}" -connect "127.0.0.1:$port"
	finish peer 1
	[ ! -s peer.out ]
	stop us
}

# openssl s_server without the key, and one without any.
@test "a server of openssl that has another key is told so: exit 7" {
	need openssl
	make_session backup
	make_key other backup
	free_port
	start peer openssl s_server "${x[@]}" -nocert -naccept 1 -accept "127.0.0.1:$port"
	wait_for listening "$port"
	start us "$SOCKXFER" send -K other "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish us 7
	has us.err 'the other end does not have this key'
	stop peer
}

@test "the tickets of a server of openssl are read, and dropped" {
	need openssl
	make_session backup
	free_port
	start peer openssl s_server "${x[@]}" -nbio -nocert -naccept 1 -msg -msgfile messages \
		-accept "127.0.0.1:$port" <"$BATS_FILE_TMPDIR/data"
	wait_for listening "$port"
	start us "$SOCKXFER" recv -K key "127.0.0.1:$port" out
	both_end
	has messages NewSessionTicket
	same out "$BATS_FILE_TMPDIR/data"
}

@test "documented: a server of openssl takes a unix socket whose path has 31 characters, and no longer one" {
	need openssl
	local short

	make_session backup
	short=$(mktemp -d /tmp/XXXXXX)
	short=$short/$(printf "%0$((31 - ${#short} - 1))d" 0)
	start peer openssl s_server "${x[@]}" -nocert -naccept 1 -unix "${short}0"
	wait_for ended "${PID[peer]}"
	stop peer
	start peer openssl s_server "${x[@]}" -nbio -nocert -naccept 1 -unix "$short" <"$BATS_FILE_TMPDIR/data"
	wait_for listening_unix "$short"
	start us "$SOCKXFER" recv -K key "unix:$short" out
	both_end
	rm -r "${short%/*}"
	same out "$BATS_FILE_TMPDIR/data"
}

### --peer openssl: the command is run as it is printed, in the directory "there", where key.pem is

# printed PREFIX: sets $command.
printed() {
	wait_said us "$1"
	command=$(sed -n "s/^$1//p" us.err)
	[[ $command == *openssl* ]]
	has_not us.err "$(secret key)"
}

prepare_there() {
	need openssl
	make_session "$1"
	mkdir there
	mv key.pem there/
	mkfifo silent
	exec 8<>silent
}

# printed_connecting NAME WHERE...: openssl connects, in both directions.
printed_connecting() {
	prepare_there "$1"
	cp "$BATS_FILE_TMPDIR/data" there/out
	start us "$SOCKXFER" recv --peer openssl -K key "${@:2}" out
	printed 'On this machine: '
	start peer sh -c "cd there && $command" <&8
	both_end
	same out "$BATS_FILE_TMPDIR/data"
	start us "$SOCKXFER" send --peer openssl -K key "${@:2}" out
	printed 'On this machine: '
	start peer sh -c "cd there && $command" <&8
	both_end
	same there/FILE "$BATS_FILE_TMPDIR/data"
}

@test "--peer openssl: its commands for an end that connects work" { printed_connecting backup -l 127.0.0.1:0; }
@test "--peer openssl: they do over IPv6" { printed_connecting backup -l '[::1]:0'; }
@test "--peer openssl: they do over a unix socket" { printed_connecting backup -l unix:socket; }
@test "--peer openssl: they do with a key without a name" { printed_connecting Client_identity -l 127.0.0.1:0; }
@test "--peer openssl: they do with a name that a shell would take apart" { printed_connecting "it's\$(a)&b" -l 127.0.0.1:0; }

# printed_listening ADDRESS WAIT...: openssl listens; WAIT tells when.
printed_listening() {
	local where=$1

	shift
	prepare_there backup
	cp "$BATS_FILE_TMPDIR/data" there/out
	start us "$SOCKXFER" recv --peer openssl -K key "$where" out
	finish us 1
	printed 'First, at the other end: '
	start peer sh -c "cd there && $command" <&8
	wait_for "$@"
	start us "$SOCKXFER" recv -K key "$where" out
	both_end
	same out "$BATS_FILE_TMPDIR/data"
	start us "$SOCKXFER" send --peer openssl -K key "$where" out
	finish us 1
	printed 'First, at the other end: '
	start peer setsid -w sh -c "cd there && $command" <&8
	wait_for "$@"
	start us "$SOCKXFER" send -K key "$where" out
	finish us
	wait_for same there/FILE "$BATS_FILE_TMPDIR/data"
	# "sleep 9999 |" is what keeps its stdin open; who types the command ends it by ^C.
	kill -TERM -- "-$(pgrep -P "${PID[peer]}" | head -n 1)" 2>/dev/null || true
	stop peer
}

@test "--peer openssl: its commands for an end that listens work" {
	free_port
	printed_listening "127.0.0.1:$port" listening "$port"
}

# A server of openssl fails where the path has more than 31 characters (NI_MAXSERV), as those of our directory have.
@test "--peer openssl: its commands for an end that listens work over a unix socket with a short path" {
	local short

	short=$(mktemp -d /tmp/XXXXXX)
	printed_listening "unix:$short/s" listening_unix "$short/s"
	rm -r "$short"
}

### gnutls-cli

@test "gnutls-cli sends, connecting" {
	need gnutls-cli
	make_key key backup
	receive --json -K key out
	start peer gnutls-cli --priority NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK --pskusername backup \
		--pskkey "$(secret key)" -p "$port" 127.0.0.1 <"$BATS_FILE_TMPDIR/data"
	finish us
	same out "$BATS_FILE_TMPDIR/data"
	has us.out '"key": "backup"'
	finish peer
}

@test "gnutls-cli receives, connecting" {
	need gnutls-cli
	make_key key backup
	start us "$SOCKXFER" send --json -K key -p 0 "$BATS_FILE_TMPDIR/data"
	wait_port us
	start peer gnutls-cli --logfile=log --priority NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK \
		--pskusername backup --pskkey "$(secret key)" -p "$port" 127.0.0.1
	both_end
	same peer.out "$BATS_FILE_TMPDIR/data"
	has us.out '"key": "backup"'
}

@test "a client that offers the key without forward secrecy (psk_ke) is refused, and the listener goes on waiting" {
	need gnutls-cli
	make_key key backup
	receive -K key out
	start peer gnutls-cli --priority NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+PSK --pskusername backup \
		--pskkey "$(secret key)" -p "$port" 127.0.0.1 <"$BATS_FILE_TMPDIR/data"
	finish peer 1
	start send "$SOCKXFER" send -V -K key "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same out "$BATS_FILE_TMPDIR/data"
}

@test "gnutls-cli without the key takes nothing" {
	need gnutls-cli
	make_key key backup
	make_key other backup
	prepare_output old
	listen_as recv recv tcp4 -K key d/out
	port_of_address
	start peer gnutls-cli --priority NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK --pskusername backup \
		--pskkey "$(secret other)" -p "$port" 127.0.0.1 <"$BATS_FILE_TMPDIR/data"
	finish peer 1
	wait_said recv 'its key is not the one called backup here'
	stop recv
	output_untouched old
}

### stunnel, which has the key in the same file, for a plain sockxfer behind it

# behind CLIENT TARGET: starts it, as the client of TLS (yes) or its server (no), and sets $port, where it listens.
behind() {
	need stunnel
	free_port
	printf '%s\n' 'foreground = yes' 'pid =' 'debug = 4' '[key]' "client = $1" "accept = 127.0.0.1:$port" \
		"connect = $2" 'PSKsecrets = key' 'sslVersion = TLSv1.3' \
		'ciphersuites = TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256' >stunnel.conf
	start stunnel stunnel stunnel.conf
	wait_for listening "$port"
}

@test "a plain sender behind stunnel, connecting: whole, and confirmed" {
	make_key key backup
	listen_as recv recv tcp4 -K key out
	behind yes "$address"
	start send "$SOCKXFER" send -V "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
	has recv.err encrypted
}

@test "a plain receiver behind stunnel, connecting: whole, and confirmed" {
	make_key key backup
	listen_as send send tcp4 -V -K key "$BATS_FILE_TMPDIR/data"
	behind yes "$address"
	start recv "$SOCKXFER" recv "127.0.0.1:$port" out
	finish recv
	finish send
	same out "$BATS_FILE_TMPDIR/data"
}

@test "a plain receiver behind stunnel, listening: whole, and confirmed" {
	make_key key backup
	listen_as recv recv tcp4 out
	behind no "$address"
	start send "$SOCKXFER" send -V -K key "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
}

@test "a plain sender behind stunnel, listening: whole, and confirmed" {
	make_key key backup
	listen_as send send tcp4 -V "$BATS_FILE_TMPDIR/data"
	behind no "$address"
	start recv "$SOCKXFER" recv -K key "127.0.0.1:$port" out
	finish recv
	finish send
	same out "$BATS_FILE_TMPDIR/data"
}

@test "stunnel without the key lets nothing through" {
	make_key key backup
	prepare_output old
	listen_as recv recv tcp4 d/out
	behind no "$address"
	make_key other backup
	start send "$SOCKXFER" send -K other "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send 7
	stop recv
	output_untouched old
}

# What the manual warns of.
@test "documented: stunnel hides that a plain sender behind it was killed" {
	make_key key backup
	open_pipe
	listen_as recv recv tcp4 -K key out
	behind yes "$address"
	start send "$SOCKXFER" send "127.0.0.1:$port" <pipe
	head -c 100000 /dev/zero >&8
	wait_said recv 'connected to'
	wait_for has_begun
	stop send
	exec 8>&-
	finish recv
	[ "$(stat -c %s out)" -le 100000 ]
}
