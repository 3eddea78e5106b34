#!/usr/bin/env bats
# With a key: every kind of connection, role and end of the data, and never a plain transfer, whatever the other
# end does.
# shellcheck disable=SC2154  # address, port: set by the helpers

load helper
load fault/fault

setup_file() {
	head -c 3000000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
	head -c 40 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$BATS_FILE_TMPDIR/mark"
	for i in {1..3000}; do cat "$BATS_FILE_TMPDIR/mark"; done >"$BATS_FILE_TMPDIR/marked"
}

# Two keys, and one list of both.
make_keys() {
	make_key key alice
	make_key other bob
	cat key other >both
	chmod 600 both
}

# start_send NAME ADDRESS ARGUMENT...: a sender of the data to there.
start_send() {
	start "$1" "$SOCKXFER" send "${@:3}" "$2" "$BATS_FILE_TMPDIR/data"
}

### Every kind of connection

# between LISTENER TRANSPORT FILE: the file arrives, encrypted and confirmed, where LISTENER (send, recv) listens.
between() {
	rm -f out
	if [ "$1" = recv ]; then
		listen_as recv recv "$2" -K key out
		start send "$SOCKXFER" send -v -V -K key "$address" "$3"
	else
		listen_as send send "$2" -V -K key "$3"
		start recv "$SOCKXFER" recv -v -K key "$address" out
	fi
	finish send
	finish recv
	same out "$3"
	has send.err ', encrypted, stored and verified by '
	has recv.err ', encrypted, stored, from '
}

all_sizes() {
	local transport size

	make_keys
	: >none
	printf x >one
	head -c 16384 /dev/urandom >record
	head -c 131073 /dev/urandom >above
	for transport in "${TRANSPORTS[@]}"; do
		for size in none one record above "$BATS_FILE_TMPDIR/data"; do
			between "$1" "$transport" "$size"
		done
	done
}

@test "files of all sizes arrive at a receiver that listens, over every transport" { all_sizes recv; }
@test "files of all sizes arrive from a sender that listens, over every transport" { all_sizes send; }

@test "a long stream arrives whole: 100 MB" {
	make_keys
	"$PYTHON" "$PEER/pattern.py" 100000000 >long
	between recv tcp4 long
	between send unix long
}

# listens_many NAME ROLE ARGUMENT...: a server of many on a free port.
listens_many() {
	start us "$SOCKXFER" "$1" -v -k -K both -p 0 "${@:2}"
	wait_port us
}

@test "a receiver of many (-k) takes one after the other and several at once, each with its own key" {
	local i

	make_keys
	mkdir box
	listens_many recv box
	start_send send "127.0.0.1:$port" -V -K key
	finish send
	for i in 1 2 3 4; do
		start_send "send$i" "127.0.0.1:$port" -V -K "$([ $((i % 2)) = 0 ] && echo key || echo other)"
	done
	for i in 1 2 3 4; do
		finish "send$i"
	done
	kill -TERM "${PID[us]}"
	finish us 143
	[ "$(find box -type f | wc -l)" -eq 5 ]
	for file in box/*; do
		same "$file" "$BATS_FILE_TMPDIR/data"
	done
}

@test "a sender of many (-k) serves one after the other and several at once" {
	local i

	make_keys
	listens_many send -V "$BATS_FILE_TMPDIR/data"
	for i in 1 2 3 4; do
		start "recv$i" "$SOCKXFER" recv -K key "127.0.0.1:$port" "out$i"
	done
	for i in 1 2 3 4; do
		finish "recv$i"
		same "out$i" "$BATS_FILE_TMPDIR/data"
	done
	kill -TERM "${PID[us]}"
	finish us 143
}

@test "a server of many (-k) tells of who has not the key, stores nothing of it, and serves the others meanwhile" {
	make_keys
	make_key stranger
	make_key false alice
	mkdir box
	listens_many recv box
	scripted silent connect "127.0.0.1:$port" await:go close
	scripted talker connect "127.0.0.1:$port" 'text:GET / HTTP/1.0\r\n\r\n' gone
	start_send send "127.0.0.1:$port" -K stranger
	finish send 7
	start_send send "127.0.0.1:$port" -K false
	finish send 7
	finish talker
	start_send send "127.0.0.1:$port" -V -K key
	finish send
	wait_said us 'handshake: no key here has the identity that it names'
	wait_said us 'handshake: its key is not the one called alice here'
	wait_said us 'handshake: the other end does not encrypt'
	touch go
	finish silent
	[ "$(find box -type f | wc -l)" -eq 1 ]
	kill -TERM "${PID[us]}"
	finish us 143
}

@test "a server of many (-k): those without the key are in no JSON object" {
	make_keys
	make_key stranger
	start us "$SOCKXFER" recv --json -k -K key -p 0 /dev/null
	wait_port us
	start_send send "127.0.0.1:$port" -K stranger
	finish send 7
	start_send send "127.0.0.1:$port" -V -K key
	finish send
	kill -TERM "${PID[us]}"
	finish us 143
	[ "$(wc -l <us.out)" -eq 1 ]
	has us.out '"key": "alice"'
}

@test "several receivers at once get the same, with the same key" {
	local to="" i=0

	make_keys
	for transport in "${TRANSPORTS[@]}"; do
		i=$((i + 1))
		listen_as "r$i" recv "$transport" -K both "out$i"
		to=${to:+$to,}$address
	done
	start_send send "$to" -V -v -K other
	finish send
	for i in 1 2 3; do
		finish "r$i"
		same "out$i" "$BATS_FILE_TMPDIR/data"
		has "r$i.err" encrypted
	done
}

@test "of several receivers one without the key gets nothing, and the others all: exit 7" {
	local to

	make_keys
	listen_as r1 recv tcp4 -K key out1
	to=$address
	listen_as r2 recv tcp4 -K other out2
	to+=,$address
	start_send send "$to" -V -K key
	finish send 7
	has send.err 'handshake: the other end does not have this key'
	finish r1
	same out1 "$BATS_FILE_TMPDIR/data"
	[ ! -e out2 ]
	running r2
	stop r2
}

# activated TRANSPORT MANNER FD: as a receiver and as a sender. A connection that is inherited has us for its server.
activated() {
	rm -f out socket
	launch "$2" "$1" "$SOCKXFER" recv -K key "$3" out
	start_send send "$address" -V -K key
	finish send
	finish us
	same out "$BATS_FILE_TMPDIR/data"
	rm -f out socket
	launch "$2" "$1" "$SOCKXFER" send -V -K key "$3" "$BATS_FILE_TMPDIR/data"
	start recv "$SOCKXFER" recv -K key "$address" out
	finish recv
	finish us
	same out "$BATS_FILE_TMPDIR/data"
}

activated_all() {
	local transport

	make_keys
	for transport in 4 6 unix; do
		activated "$transport" "$@"
	done
}

@test "activated by systemd with the listening socket (fd:3), in both roles" { activated_all listen fd:3; }
@test "activated by systemd with the connection (fd:3), in both roles" { activated_all accept fd:3; }
@test "activated by inetd (fd:0), in both roles" { activated_all inetd fd:0; }

# without_key MANNER FD STATUS: activated for a sender that does not have the key.
without_key() {
	prepare_output old
	launch "$1" 4 "$SOCKXFER" recv -w 2 -K key "$2" d/out
	start_send send "$address" -V -K other
	finish send 7
	finish us "$3"
	output_untouched old
}

@test "a connection that we were started for, whose peer has not the key, is exit 7; a socket that listens goes on" {
	make_keys
	without_key accept fd:3 7
	has us.err 'handshake: the other end does not have this key'
	without_key inetd fd:0 7
	without_key listen fd:3 3
}

@test "commands are the ends of a transfer" {
	make_keys
	# shellcheck disable=SC2016  # the inner shell's
	listen_as recv recv tcp4 -K key -- sh -c 'cat >out; echo "$SOCKXFER_PEER" >peer'
	start send "$SOCKXFER" send -V -K key "$address" -- cat "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
}

@test "a command is not started for who has not the key" {
	make_keys
	listen_as recv recv tcp4 -K key -- sh -c 'echo started >>log; exec cat >out'
	start_send send "$address" -K other
	finish send 7
	scripted plain connect "$address" 'text:plain text' gone
	finish plain
	[ ! -e log ]
	start_send send "$address" -V -K key
	finish send
	finish recv
	[ "$(<log)" = started ]
	same out "$BATS_FILE_TMPDIR/data"
}

@test "a command that fails to send makes the encrypted stream no whole one: nothing is stored" {
	make_keys
	prepare_output old
	listen_as recv recv tcp4 -K key d/out
	start send "$SOCKXFER" send -K key "$address" -- sh -c 'head -c 200000 /dev/zero; exit 3'
	finish send 1
	finish recv 1
	output_untouched old
}

@test "an inbox gets a new file, only from who has the key" {
	make_keys
	mkdir box
	receive -K key box
	start_send send "127.0.0.1:$port" -K other
	finish send 7
	holds box
	start_send send "127.0.0.1:$port" -V -K key
	finish send
	finish us
	same "$(<us.out)" "$BATS_FILE_TMPDIR/data"
}

@test "-r tries again after a refusal" {
	make_keys
	free_port
	start_send send "127.0.0.1:$port" -v -r 100 -V -K key
	wait_said send 'refused'
	start recv "$SOCKXFER" recv -K key -l "127.0.0.1:$port" out
	finish send
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
}

# As a port forwarder does whose target is not there yet: the connection is made, and ends at once.
@test "-r tries again after a reset, or an end, before the first answer of the other end" {
	local end

	make_keys
	for end in reset close; do
		rm -f out
		free_port
		scripted forwarder listen "127.0.0.1:$port" expect:100 $end
		wait_port forwarder
		start_send send "127.0.0.1:$port" -v -r 100 -V -K key
		finish forwarder
		wait_said send 'handshake: '
		start recv "$SOCKXFER" recv -K key -l "127.0.0.1:$port" out
		finish send
		finish recv
		same out "$BATS_FILE_TMPDIR/data"
	done
}

# A proxy for one connection, which ends it when so many bytes of the answer have passed: by a reset, or a FIN.
CUT='import socket, struct, sys, threading
target_port, way, left = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with socket.create_server(("127.0.0.1", 0)) as listener:
    print("listening on port", listener.getsockname()[1], flush=True)
    client, _ = listener.accept()
target = socket.create_connection(("127.0.0.1", target_port))
target.sendall(client.recv(65536))
while left > 0 and (answer := target.recv(left)):
    client.sendall(answer)
    left -= len(answer)
assert left == 0
if way == "reset":
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
client.close()
'

# The header of its first record, a part of ServerHello, all of it, and that with what follows it.
@test "-r does not try again after a reset, or an end, once ServerHello has begun to come: exit 1" {
	local end bytes

	make_keys
	prepare_output old
	listen_as recv recv tcp4 -K key other.out
	for end in reset close; do
		for bytes in 1 5 60 127 133 160; do
			start cutter "$PYTHON" -c "$CUT" "${address##*:}" $end $bytes
			wait_port cutter
			start_send send "127.0.0.1:$port" -v -r 1000 -K key
			finish send 1
			finish cutter
			has send.err 'handshake: '
			has_not send.err 'trying again'
			one_line send.err
		done
	done
	stop recv
	listen_as send send tcp4 -K key "$BATS_FILE_TMPDIR/data"
	for end in reset close; do
		start cutter "$PYTHON" -c "$CUT" "${address##*:}" $end 127
		wait_port cutter
		start recv "$SOCKXFER" recv -v -r 1000 -K key "127.0.0.1:$port" d/out
		finish recv 1
		finish cutter
		has_not recv.err 'trying again'
	done
	stop send
	[ ! -e other.out ]
	output_untouched old
}

@test "-r does not try again where the other end answers, and then falls silent: exit 3" {
	make_keys
	scripted silent listen 127.0.0.1:0 expect:100 'text:\x16\x03\x03\x00\x7a\x02' gone
	wait_port silent
	start_send send "127.0.0.1:$port" -v -w 1 -r 1000 -K key
	finish send 3
	has send.err 'handshake: timed out'
	has_not send.err 'trying again'
	finish silent
}

@test "-r does not try again after a wrong key: exit 7 at once, in both roles" {
	make_keys
	receive -K key out
	start_send send "127.0.0.1:$port" -v -r 1000 -K other
	finish send 7
	has_not send.err 'trying again'
	stop us
	[ ! -e out ]
	start us "$SOCKXFER" send -K key -p 0 "$BATS_FILE_TMPDIR/data"
	wait_port us
	start recv "$SOCKXFER" recv -v -r 1000 -K other "127.0.0.1:$port" out
	finish recv 7
	has_not recv.err 'trying again'
	[ ! -e out ]
	stop us
}

@test "-r does not try again where the other end does not encrypt" {
	make_keys
	scripted plain listen 127.0.0.1:0 expect:100 'text:SSH-2.0-OpenSSH_9.2\r\n' gone
	wait_port plain
	start_send send "127.0.0.1:$port" -r 1000 -K key
	finish send 1
	has send.err 'the other end does not encrypt'
	finish plain
}

@test "--expect, --rate, -B and -S do with a key what they do without" {
	need_xxh128
	make_keys
	receive -K key --expect "$(digest "$BATS_FILE_TMPDIR/data")" -S out
	start_send send "127.0.0.1:$port" -V -K key --rate 100M -B 4K
	finish send
	finish us
	same out "$BATS_FILE_TMPDIR/data"
	prepare_output old
	receive -K key --expect xxh128:00112233445566778899aabbccddeeff d/out
	start_send send "127.0.0.1:$port" -V -K key
	finish us 4
	finish send 6
	output_untouched old
}

@test "-w limits a sender that stops in the middle, and a receiver" {
	make_keys
	open_pipe
	prepare_output old
	listen_as recv recv tcp4 -w 1 -K key d/out
	start send "$SOCKXFER" send -K key "$address" <pipe
	head -c 100000 /dev/zero >&8
	finish recv 3
	has recv.err 'timed out after 100000 bytes'
	has_not recv.err --idle-eof
	finish send 6
	has send.err 'the receiver failed: receive: timed out after 100000 bytes'
	exec 8>&-
	output_untouched old
	mkfifo slow
	exec 9<>slow
	listen_as recv recv tcp4 -K key slow
	truncate -s 50M large
	start send "$SOCKXFER" send -w 1 -K key "$address" large
	finish send 3
	exec 9>&-
	stop recv
}

@test "no silence is taken for the end of an encrypted stream, whatever --idle-eof says" {
	make_keys
	open_pipe
	prepare_output old
	listen_as recv recv tcp4 --idle-eof 0.2 -w 1 -K key d/out
	start send "$SOCKXFER" send -K key "$address" <pipe
	head -c 100000 /dev/zero >&8
	finish recv 3
	exec 8>&-
	finish send 6
	output_untouched old
}

@test "TERM in the middle ends each end, the other one says that it is cut off, and nothing is kept" {
	local victim

	make_keys
	for victim in send recv; do
		prepare_output old
		open_pipe
		listen_as recv recv tcp4 -K key d/out
		start send "$SOCKXFER" send -K key "$address" <pipe
		head -c 500000 /dev/zero >&8
		wait_for has_received 500000
		kill -TERM "${PID[$victim]}"
		finish $victim 143
		exec 8>&-
		if [ $victim = send ]; then
			finish recv 1
			grep -qE 'receive: .* after 500000 bytes' recv.err
		else
			finish send 1
		fi
		output_untouched old
	done
}

# Whether the receiver has told, when it was asked by USR1, that it has so many bytes.
has_received() {
	kill -USR1 "${PID[recv]}"
	grep -qE "500 kB|$1" recv.err
}

### Never a plain transfer

# Nothing of the marked data is in the file.
unmarked() {
	has_not "$1" "$(head -c 40 "$BATS_FILE_TMPDIR/mark")"
}

@test "a sender with a key that connects gives nothing to a receiver without one, which stores nothing" {
	make_keys
	prepare_output old
	listen_as recv recv tcp4 d/out
	start send "$SOCKXFER" send -w 1 -K key "$address" "$BATS_FILE_TMPDIR/marked"
	finish send 3
	has send.err 'handshake: timed out'
	finish recv 1
	output_untouched old
	scripted recorder listen 127.0.0.1:0 gone save:heard
	wait_port recorder
	start send "$SOCKXFER" send -w 1 -K key "127.0.0.1:$port" "$BATS_FILE_TMPDIR/marked"
	finish send 3
	finish recorder
	[ -s heard ]
	unmarked heard
}

@test "a receiver without a key that gets the hello of TLS advises --key" {
	make_keys
	listen_as recv recv tcp4 out
	start send "$SOCKXFER" send -w 1 -K key "$address" "$BATS_FILE_TMPDIR/marked"
	finish send 3
	finish recv 1
	grep -qE 'hint: .*--key' recv.err
}

@test "a sender with a key that listens gives nothing to a receiver without one" {
	make_keys
	prepare_output old
	listen_as send send tcp4 -w 1 -K key "$BATS_FILE_TMPDIR/marked"
	start recv "$SOCKXFER" recv -w 5 "$address" d/out
	finish send 3
	finish recv 1
	output_untouched old
	listen_as send send tcp4 -K key "$BATS_FILE_TMPDIR/marked"
	scripted recorder connect "$address" 'text:sockxfer, please\n' gone save:heard
	finish recorder
	unmarked heard
	wait_said send 'the other end does not encrypt; waiting for another'
	stop send
}

@test "a receiver with a key that connects takes nothing from a sender without one" {
	make_keys
	prepare_output old
	listen_as send send tcp4 "$BATS_FILE_TMPDIR/marked"
	start recv "$SOCKXFER" recv -K key "$address" d/out
	finish recv 1
	has recv.err 'handshake: the other end does not encrypt'
	has recv.err 'hint: give --key at both ends'
	finish send 1
	output_untouched old
}

@test "a receiver with a key that listens takes nothing from a sender without one, and gives it no success" {
	local file

	make_keys
	echo hello >hello
	: >empty
	prepare_output old
	listen_as recv recv tcp4 -K key d/out
	for file in hello "$BATS_FILE_TMPDIR/marked"; do
		start send "$SOCKXFER" send "$address" "$file"
		finish send 1
	done
	start send "$SOCKXFER" send -V "$address" empty
	wait_for ended "${PID[send]}"
	! wait "${PID[send]}" || return 1
	unset 'PID[send]'
	wait_said recv 'the other end does not encrypt; waiting for another'
	running recv
	stop recv
	output_untouched old
}

@test "no downgrade over unix sockets and inherited connections either" {
	make_keys
	prepare_output old
	listen_as recv recv unix -K key d/out
	start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/marked"
	finish send 1
	stop recv
	rm -f recv.socket
	listen_as send send unix "$BATS_FILE_TMPDIR/marked"
	start recv "$SOCKXFER" recv -K key "$address" d/out
	finish recv 1
	has recv.err 'does not encrypt'
	finish send 1
	launch accept 4 "$SOCKXFER" recv -K key fd:3 d/out
	start send "$SOCKXFER" send "$address" "$BATS_FILE_TMPDIR/marked"
	finish send 1
	finish us 1
	has us.err 'the other end does not encrypt'
	output_untouched old
	launch accept 4 "$SOCKXFER" send -K key fd:3 "$BATS_FILE_TMPDIR/marked"
	scripted recorder connect "$address" 'text:hello there\n' gone save:heard
	finish recorder
	finish us 1
	unmarked heard
}

@test "with a key nothing of the data is to be seen on the way, and not the same bytes twice" {
	local i

	make_keys
	for i in 1 2; do
		listen_as recv recv tcp4 -K key out
		start tap "$PYTHON" -c "$TAP" "${address##*:}" "heard$i"
		wait_port tap
		start send "$SOCKXFER" send -V -K key "127.0.0.1:$port" "$BATS_FILE_TMPDIR/marked"
		finish send
		finish recv
		finish tap
		same out "$BATS_FILE_TMPDIR/marked"
		unmarked "heard$i"
		has_not "heard$i" 'sockxfer/1' # nor of the receipt
		[ "$(stat -c %s "heard$i")" -gt "$(stat -c %s "$BATS_FILE_TMPDIR/marked")" ]
	done
	! cmp -s heard1 heard2 || return 1
}

# Passes on what comes, both ways, and writes all of it to a file.
TAP='import contextlib, select, socket, sys
server = socket.create_server(("127.0.0.1", 0))
print("listening on port", server.getsockname()[1], flush=True)
client, _ = server.accept()
target = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
other_of = {client: target, target: client}
heard = open(sys.argv[2], "wb")
while other_of:
    for source in select.select(list(other_of), [], [], 60)[0]:
        data = source.recv(65536)
        heard.write(data)
        if data:
            other_of[source].sendall(data)
            continue
        other = other_of.pop(source)
        with contextlib.suppress(OSError):  # that one may have ended the whole connection
            other.shutdown(socket.SHUT_WR)
'

### The other end's TLS

# certificate: a key and a self-made certificate of a server.
make_certificate() {
	need openssl
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.pem \
		-days 2 -subj /CN=localhost 2>/dev/null
}

# refuses_server STATUS TEXT OPTION...: what a sender and a receiver say of an openssl s_server with these options.
refuses_server() {
	local role

	prepare_output old
	for role in send recv; do
		free_port
		start server openssl s_server -quiet -naccept 1 -accept "127.0.0.1:$port" "${@:3}"
		wait_for listening "$port"
		if [ $role = send ]; then
			start us "$SOCKXFER" send -K key "127.0.0.1:$port" "$BATS_FILE_TMPDIR/marked"
		else
			start us "$SOCKXFER" recv -K key "127.0.0.1:$port" d/out
		fi
		finish us "$1"
		has us.err "$2"
		one_line us.err
		stop server
		unmarked server.out
	done
	output_untouched old
}

@test "a server with a certificate and not the key is refused: exit 7" {
	make_keys
	make_certificate
	refuses_server 7 'handshake: the other end does not have this key' -tls1_3 -cert server.pem -key server.key
}

@test "so it is where the system trusts its certificate" {
	make_keys
	make_certificate
	export SSL_CERT_FILE=$PWD/server.pem
	refuses_server 7 'handshake: the other end does not have this key' -tls1_3 -cert server.pem -key server.key
}

@test "a server that has another key of this name, and a certificate, is refused: exit 7" {
	make_keys
	make_certificate
	make_key false alice
	"$SOCKXFER" key --openssl false >false.pem
	refuses_server 7 'handshake: the other end does not have this key' -tls1_3 -cert server.pem -key server.key \
		-psk_identity alice -psk_session false.pem
}

@test "a server of TLS 1.2 has no TLS 1.3: exit 1, also where it has the key" {
	make_keys
	make_certificate
	refuses_server 1 'handshake: the other end has no TLS 1.3' -tls1_2 -cert server.pem -key server.key
	refuses_server 1 'handshake: the other end has no TLS 1.3' -tls1_2 -nocert -psk_identity alice \
		-psk "$(secret key)"
}

@test "a client of TLS 1.2 has no TLS 1.3, and the listener goes on waiting" {
	make_keys
	need openssl
	listen_as recv recv tcp4 -K key out
	start client openssl s_client -quiet -tls1_2 -psk "$(secret key)" -psk_identity alice -connect "$address" \
		<"$BATS_FILE_TMPDIR/marked"
	wait_said recv 'handshake: the other end has no TLS 1.3; waiting for another'
	stop client
	start_send send "$address" -V -K key
	finish send
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
}

@test "MaxProtocol = TLSv1.2 and a few suites in the system's openssl.cnf do no harm" {
	make_keys
	printf '%s\n' 'openssl_conf = all' '[all]' 'ssl_conf = ssl' '[ssl]' 'system_default = limits' '[limits]' \
		'MinProtocol = TLSv1.1' 'MaxProtocol = TLSv1.2' 'Ciphersuites = TLS_AES_256_GCM_SHA384' \
		'Options = -MiddleboxCompat,AllowNoDHEKEX' >openssl.cnf
	export OPENSSL_CONF=$PWD/openssl.cnf
	between recv tcp4 "$BATS_FILE_TMPDIR/data"
	between send tcp4 "$BATS_FILE_TMPDIR/data"
}
