#!/usr/bin/env bats
# The command line: what is refused, and how it says so. Nothing here moves data.
# shellcheck disable=SC2154  # port: wait_port and free_port set it

load helper

# usage_error TEXT... -- ARGUMENT...: exit 2, nothing on stdout, one line that says every TEXT.
usage_error() {
	local texts=() text

	while [ "$1" != -- ]; do
		texts+=("$1")
		shift
	done
	shift
	start us "$SOCKXFER" "$@"
	finish us 2
	[ ! -s us.out ]
	one_line us.err
	for text in "${texts[@]}"; do
		has us.err "$text"
	done
}

# failure TEXT ARGUMENT...: exit 1, nothing on stdout, exactly this line and perhaps a hint.
failure() {
	local text=$1

	shift
	start us "$SOCKXFER" "$@"
	finish us 1
	[ ! -s us.out ]
	one_line us.err
	[ "$(head -n 1 us.err)" = "$text" ] || {
		echo "expected: $text" >&2
		return 1
	}
}

### Help

@test "-- that is an option's argument begins no command" {
	run -2 "$SOCKXFER" send 127.0.0.1:1 -C --
	[[ $output == *'no "--"'* ]]
	run -2 "$SOCKXFER" send 127.0.0.1:1 -w -- -- true
	[[ $output == *'"--" is not a time'* ]]
}

@test "--help is on stdout, exit 0" {
	run --separate-stderr -0 "$SOCKXFER" --help
	[ -z "$stderr" ]
	[[ $output == *"sockxfer send"* && $output == *"sockxfer recv"* ]]
}

@test "send and recv tell their options on stdout, by --help and by -h" {
	local option

	for option in --help -h; do
		run --separate-stderr -0 "$SOCKXFER" send "$option"
		[ -z "$stderr" ]
		[[ $output == *--port* && $output == *--chunk-size* ]]
		run --separate-stderr -0 "$SOCKXFER" recv "$option"
		[ -z "$stderr" ]
		[[ $output == *--port* && $output == *--no-clobber* ]]
	done
}

@test "-h is help among other options too, and not where it is a value or the command's" {
	run --separate-stderr -0 "$SOCKXFER" recv -qh -p 0
	[[ $output == usage:* ]]
	usage_error '-w, --timeout: "-h"' -- send -w -h 127.0.0.1:1
	failure 'sockxfer: send: no-such-command: command not found' send 127.0.0.1:9 -- no-such-command -h
}

@test "--version is a line on stdout, and one for each library, exit 0" {
	local command

	for command in '' send recv; do
		# shellcheck disable=SC2086  # none or one word
		run --separate-stderr -0 "$SOCKXFER" $command --version
		[ -z "$stderr" ]
		[ ${#lines[@]} -eq 4 ]
		[[ ${lines[0]} =~ ^sockxfer\ [0-9]+\.[0-9]+$ ]]
		[[ ${lines[1]} =~ ^libbsd:\ built\ with\ [0-9.]+,\ runs\ with\ an\ unknown\ version$ ]]
		[[ ${lines[2]} =~ ^libxxhash:\ built\ with\ [0-9.]+,\ runs\ with\ [0-9.]+$ ]]
		[[ ${lines[3]} =~ ^OpenSSL:\ built\ with\ [0-9.]+,\ runs\ with\ [0-9.]+$ ]]
	done
}

@test "--version has the versions of the xxHash and the OpenSSL that run" {
	local version

	version=$("$PYTHON" -c 'import ctypes
n = ctypes.CDLL("libxxhash.so.0").XXH_versionNumber()
print(n // 10000, n // 100 % 100, n % 100, sep=".")') || skip "needs libxxhash.so.0"
	run -0 "$SOCKXFER" --version
	[ "${lines[2]##* }" = "$version" ]
	version=$("$PYTHON" -c 'import ctypes
f = ctypes.CDLL("libcrypto.so.3").OpenSSL_version
f.restype = ctypes.c_char_p
print(f(6).decode())') || skip "needs libcrypto.so.3" # 6: OPENSSL_VERSION_STRING
	[ "${lines[3]##* }" = "$version" ]
}

@test "help that cannot be written is a failure" {
	[ -c /dev/full ] || skip "needs /dev/full"
	# shellcheck disable=SC2016  # $0 is for the inner shell
	run -1 sh -c '"$0" --help >/dev/full' "$SOCKXFER"
	# shellcheck disable=SC2016
	run -1 sh -c '"$0" --version >/dev/full' "$SOCKXFER"
}

### Commands and operands

@test "no command at all is a usage error" { usage_error send recv --; }
@test "an unknown command is a usage error that names it" { usage_error frobnicate -- frobnicate 127.0.0.1:1; }
@test "an empty command is a usage error" { usage_error send recv -- ''; }
@test "send without an address is a usage error" { usage_error "sockxfer send host:9009 FILE" "sockxfer send -p 9009 FILE" -- send; }
@test "recv without an address is a usage error" { usage_error "sockxfer recv host:9009 FILE" "sockxfer recv -p 9009 FILE" -- recv; }
@test "recv with an operand too many is a usage error that names it" { usage_error three -- recv 127.0.0.1:1 two three; }
@test "a file where the address has to be is told from a host without a port" {
	touch in.jpg
	usage_error '"in.jpg" is no address: "sockxfer send host:9009 in.jpg"' '"sockxfer send -p 9009 in.jpg"' -- send in.jpg
	usage_error '"out.jpg" is no address: "sockxfer recv host:9009 out.jpg"' '"sockxfer recv -p 9009 out.jpg"' -- recv out.jpg
	usage_error 'host: the port is missing: write host:port, as in host:9009' -- send host in.jpg
	usage_error 'host: the port is missing' -- send host
}
@test "address and file in the wrong order, or host and port apart, are told with what was meant" {
	touch in.jpg
	usage_error '"sockxfer send host:9009 in.jpg"' -- send in.jpg host:9009
	usage_error '"sockxfer recv host:9009 out"' -- recv out host:9009
	usage_error '"sockxfer send host:9009"' '-p 9009 listens' -- send host 9009
	usage_error '"9009" is a port without a host: "sockxfer recv -p 9009 out" listens on it' -- recv 9009 out
	usage_error '9009: is a port: write -p 9009, or :9009' -- recv -l 9009 out
	usage_error '"sockxfer send host:9009 in.jpg"' -- send host 9009 in.jpg
}
@test "an address where the file has to be is told, unless there is such a file" {
	local word

	for word in host:9009 '[::1]:9009' unix:/tmp/socket fd:3; do
		usage_error "\"$word\" is an address, where the file is expected" "./$word" 'leave -p or -l out' -- recv -p 0 "$word"
		usage_error "\"$word\" is an address, where the file is expected" 'one is enough' -- send 127.0.0.1:9 "$word"
	done
	echo data >host:9009
	failure 'sockxfer: send: 127.0.0.1:9: connect: Connection refused' send 127.0.0.1:9 host:9009
	failure 'sockxfer: send: ./host:9: No such file or directory' send 127.0.0.1:9 ./host:9
	failure 'sockxfer: send: dump-20:36: No such file or directory' send 127.0.0.1:9 dump-20:36 # minutes
	failure 'sockxfer: send: host:ftp: No such file or directory' send 127.0.0.1:9 host:ftp
}
@test "-p beside an address leaves an operand too many" { usage_error out -- recv -p 0 127.0.0.1:1 out; }
@test "-l beside an address leaves an operand too many" { usage_error out -- recv -l :0 127.0.0.1:1 out; }
@test "an unknown short option is a usage error that names it" { usage_error Z -- recv -Z 127.0.0.1:1; }
@test "an unknown long option is a usage error that names it" { usage_error --frob -- recv --frob 127.0.0.1:1; }
@test "an option without its argument is a usage error that names it" { usage_error w -- recv 127.0.0.1:1 -w; }
@test "a long option without its argument is a usage error that names it" { usage_error --timeout -- recv 127.0.0.1:1 --timeout; }
@test "-n is an option of recv only" { usage_error n -- send -n 127.0.0.1:1 cli.in; }
@test "-s when listening is a usage error" { usage_error -s -- recv -p 0 -s 127.0.0.1 out; }
@test "-4 together with -6 is a usage error" { usage_error -4 -6 -- recv -4 -6 127.0.0.1:1 out; }
@test "-p together with -l is a usage error" { usage_error -p -l -- recv -p 0 -l :0 out; }

@test "-R is for one file and one peer of our kind: anything else is a usage error that says why" {
	local role

	for role in send recv; do
		usage_error '-R, --resume: is for one transfer, not for -k' -- "$role" -R -k -p 0 file
		usage_error '-R, --resume: is for a file, not for a command' -- "$role" -R 127.0.0.1:1 -- cat
		usage_error '-R, --resume: is for a file, not for std' -- "$role" -R 127.0.0.1:1 -
		usage_error '-R, --resume: is for a file, not for std' -- "$role" --resume -p 0
		usage_error '-R, --resume: needs the digests' --no-receipt -- "$role" -R --no-receipt 127.0.0.1:1 file
		usage_error '-R, --resume: excludes --peer' -- "$role" -R --peer nc 127.0.0.1:1 file
	done
	usage_error '-R, --resume: is for a file, not for stdout' -- recv -R 127.0.0.1:1 /dev/stdout
	usage_error '-R, --resume: is for one receiver, not for several' -- send -R a:1,b:2 file
	usage_error '-R, --resume: is for one file, not for a tree' -- send -R 127.0.0.1:1 one two
	usage_error '-R, --resume: is for one file, not for a tree' -- send -R --named 127.0.0.1:1 one
	usage_error '-R, --resume: is for one file, not for a tree' -- recv -R -x 127.0.0.1:1 directory
	usage_error '-R, --resume: excludes --idle-eof' -- recv -R --idle-eof 1 127.0.0.1:1 file
}

@test "-r where we listen needs -R, and a connection that was inherited has no -r at all" {
	local role

	for role in send recv; do
		usage_error '-r, --retry: is only for connecting' -R -- "$role" -r 5 -p 0 no/such
		usage_error '-r, --retry: is only for connecting' -- "$role" -r 5 -R fd:0 no/such
		usage_error '-r, --retry: is only for connecting' -- "$role" -r 5 -R -l fd:0 no/such
	done
	failure 'sockxfer: send: no/such: No such file or directory' send -r 5 -R -p 0 no/such
	failure 'sockxfer: recv: no/such: No such file or directory' recv -r 5 -R -p 0 no/such
}

@test "a usage error is told before the file is looked at" {
	usage_error 80x -- send 127.0.0.1:80x /nonexistent/file
	usage_error 80x -- recv 127.0.0.1:80x /nonexistent/file
}

### Ports

@test "-p 80x is a usage error that names option and value" { usage_error -p 80x -- recv -p 80x out; }
@test "-p 65536 is a usage error that names option and value" { usage_error -p 65536 -- recv -p 65536 out; }
@test "-p 131153, which wraps to 81, is a usage error" { usage_error -p 131153 -- recv -p 131153 out; }
@test "-p with more digits than any integer is a usage error" { usage_error -p -- recv -p 18446744073709551696 out; }
@test "-p -1 is a usage error that names option and value" { usage_error -p -1 -- recv -p -1 out; }
@test "-p '' is a usage error that names the option" { usage_error -p -- recv -p '' out; }
@test "-p +80 is a usage error that names option and value" { usage_error -p +80 -- recv -p +80 out; }
@test "-p ' 80' is a usage error that names option and value" { usage_error -p ' 80' -- recv -p ' 80' out; }
@test "-p '80 ' is a usage error that names option and value" { usage_error -p '80 ' -- recv -p '80 ' out; }
@test "-p 0x50 is a usage error that names option and value" { usage_error -p 0x50 -- recv -p 0x50 out; }
@test "--port=80x is a usage error that names value and port" { usage_error 80x port -- recv --port=80x out; }

@test "the same ports are usage errors in an address" {
	local bad

	for bad in 80x 65536 131153 -1 +80 ' 80' '80 ' 0x50; do
		usage_error port "$bad" -- send "127.0.0.1:$bad" /dev/null
		usage_error port "$bad" -- send "[::1]:$bad" /dev/null
		usage_error port "$bad" -- recv -l "127.0.0.1:$bad" out
		usage_error port "$bad" -- recv -s "127.0.0.1:$bad" 127.0.0.1:1 out
	done
}

@test "connecting to port 0 is a usage error" { usage_error port -- send 127.0.0.1:0 /dev/null; }

@test "a service name is a port" {
	getent services http-alt/tcp | grep -q 8080 || skip "needs http-alt in /etc/services"
	! listening 8080 || skip "something listens on port 8080"
	start us "$SOCKXFER" recv -v -l 127.0.0.1:http-alt out
	wait_said us 'listening on 127.0.0.1:8080'
	start send "$SOCKXFER" send 127.0.0.1:http-alt /dev/null
	finish send
	finish us
}

@test "a service name that does not exist is told, and does not hang" {
	start us "$SOCKXFER" send 127.0.0.1:no-such-service /dev/null
	finish us 2
	one_line us.err
	has us.err no-such-service
}

### Addresses

@test "an address without a port is a usage error that names it" { usage_error localhost -- send localhost /dev/null; }
@test "an address with an empty port is a usage error" { usage_error port -- send localhost: /dev/null; }
@test "an empty address is a usage error" { usage_error host -- send '' /dev/null; }
@test "a host that is needed but missing is a usage error" { usage_error :9009 -- send :9009 /dev/null; }
@test "an IPv6 address without brackets is a usage error that names it" { usage_error ::1:9009 -- send ::1:9009 /dev/null; }
@test "an open bracket is a usage error that names the address" { usage_error '[::1:9009' -- send '[::1:9009' /dev/null; }
@test "a bracket with no port is a usage error that names the address" { usage_error '[::1]' -- send '[::1]' /dev/null; }
@test "an empty unix path is a usage error" { usage_error unix: -- send unix: /dev/null; }
@test "fd:x is a usage error that names it" { usage_error fd:x -- recv fd:x out; }
@test "fd:-1 is a usage error that names it" { usage_error fd:-1 -- recv fd:-1 out; }
@test "fd: is a usage error that names it" { usage_error fd: -- recv fd: out; }
@test "a descriptor that is not open is a usage error that names it" { usage_error fd:77 -- recv fd:77 out; }
@test "a descriptor that is no socket is a usage error that names it" { usage_error fd:0 -- recv fd:0 out; }
@test "a bad source address is a usage error that names it" { usage_error '[::1' -- send -s '[::1' 127.0.0.1:1 /dev/null; }

@test "a mistake in one of several receivers is told by that one" {
	usage_error 'b: the port is missing' -- send a:1,b /dev/null
	usage_error 'b:80x: port: "80x" is invalid' -- send a:1,b:80x /dev/null
	usage_error 'an address is missing before or behind a comma' -- send a:1, /dev/null
	usage_error 'fd:3: a descriptor cannot be one of several receivers' -- send a:1,fd:3 /dev/null
	usage_error '65 receivers are too many' -- send "$(printf 'a:1,%.0s' {1..64})a:1" /dev/null
}

@test "several senders, or several receivers as two words, are usage errors that say what to write" {
	usage_error '"a:1,b:2" is more than one address: recv has one sender' -- recv a:1,b:2 out
	usage_error 'several are one word, as in a:9009,b:9009' -- send a:1 b:9009 /dev/null
	usage_error '"sockxfer send a:1,b:2 in.jpg"' 'the address comes first' -- send in.jpg a:1,b:2
}

@test "what does not go with one of several receivers does not go with all" {
	usage_error '-s, --source: is only for connecting to host:port' -- send -s 127.0.0.1 a:1,unix:s /dev/null
	usage_error '--peer' unix -- send --peer busybox a:1,unix:/s,b:1 /dev/null
	usage_error '--allow: is only for listening' -- send --allow 127.0.0.1 a:1,b:2 /dev/null
	usage_error -C 'only TCP has a congestion control' -- send -C reno 127.0.0.1:1,unix:s /dev/null
	usage_error -C 'no "nonsense"' -- send -C nonsense 127.0.0.1:1,127.0.0.1:2 /dev/null
}

@test "a host name longer than any is refused, not cut" {
	local long

	printf -v long '%02000d' 0
	usage_error host -- send "$long:9009" /dev/null
}

### Other numbers

@test "bad times are usage errors that name option and value" {
	local bad

	for bad in abc -1 1x 1s nan inf infinity +1 ' 1' '1 ' 1.2.3 0x10; do
		usage_error -w "$bad" -- recv -w "$bad" 127.0.0.1:1 out
		usage_error -W "$bad" -- recv -W "$bad" 127.0.0.1:1 out
	done
	usage_error -w -- recv -w '' 127.0.0.1:1 out
	usage_error -W -- recv -W '' 127.0.0.1:1 out
}

@test "bad sizes are usage errors that name option and value" {
	local bad

	for bad in 0 12Q -1 abc 1KK K +1 ' 1' '1 ' 1.5K 0x10 99999999999999999999 9999999999G; do
		usage_error -B "$bad" -- send -B "$bad" 127.0.0.1:1 /dev/null
	done
	usage_error -B -- send -B '' 127.0.0.1:1 /dev/null
}

@test "good times and sizes are taken, with the error of the connect in the end" {
	local good

	free_port
	for good in 1 0.5 10 3600 .5 5.; do
		failure "sockxfer: send: 127.0.0.1:$port: connect: Connection refused" \
			send -w "$good" -W "$good" "127.0.0.1:$port" /dev/null
	done
	for good in 1 1000 64K 1M 3k; do
		failure "sockxfer: send: 127.0.0.1:$port: connect: Connection refused" \
			send -B "$good" "127.0.0.1:$port" /dev/null
	done
}

@test "the long options are the short ones" {
	free_port
	failure "sockxfer: send: 127.0.0.1:$port: connect: Connection refused" \
		send --ipv4 --source 127.0.0.1 --timeout 5 --max-time 5 --chunk-size 1K --quiet \
		"127.0.0.1:$port" /dev/null
	failure "sockxfer: recv: [::1]:$port: connect: Connection refused" \
		recv --ipv6 --no-clobber --timeout=5 "[::1]:$port" out
}

@test "options may stand behind the operands; what stands behind -- is a command" {
	free_port
	failure "sockxfer: send: 127.0.0.1:$port: connect: Connection refused" send "127.0.0.1:$port" /dev/null -q
	failure "sockxfer: send: -q: command not found" send "127.0.0.1:$port" -- -q
}

### The form of failures

@test "a refused connection names the peer and the operation, in one line" {
	free_port
	failure "sockxfer: send: 127.0.0.1:$port: connect: Connection refused" send "127.0.0.1:$port" /dev/null
	failure "sockxfer: recv: [::1]:$port: connect: Connection refused" recv "[::1]:$port" out
	[ ! -e out ]
}

@test "-q does not hide an error" {
	free_port
	failure "sockxfer: send: 127.0.0.1:$port: connect: Connection refused" send -q "127.0.0.1:$port" /dev/null
}

@test "a source file that does not exist is told before anything connects or listens" {
	failure "sockxfer: send: nosuch: No such file or directory" send 127.0.0.1:1 nosuch
	failure "sockxfer: send: nosuch: No such file or directory" send -p 0 nosuch
}

@test "one of several sources that does not exist is told before anything connects or listens" {
	mkdir directory
	failure "sockxfer: send: nosuch: No such file or directory" send 127.0.0.1:1 directory nosuch
	failure "sockxfer: send: nosuch: No such file or directory" send -p 0 directory nosuch
}

@test "escape sequences in arguments do not reach the terminal" {
	local escape=$'\e[31m' bell=$'\a' newline=$'\n' arguments

	for arguments in "send 127.0.0.1:1 $escape$bell" "recv 127.0.0.1:1 no/$escape" "$escape" "recv --$escape" \
		"recv -p 80$escape$bell" "recv -w 1$escape 127.0.0.1:1" "send -B 1$escape 127.0.0.1:1" \
		"send ${escape}host" "send host:$escape /dev/null" "send -w1 host$escape:80 /dev/null" \
		"recv fd:1$escape" "send unix:$escape /dev/null" "send [$escape]:80 /dev/null"; do
		# shellcheck disable=SC2086  # several arguments
		start us "$SOCKXFER" $arguments
		wait_for ended "${PID[us]}"
		one_line us.err
		has_not us.err $'\e'
		has_not us.err "$bell"
	done
	start us "$SOCKXFER" recv -p "80${newline}sockxfer: recv: all is well" out
	finish us 2
	one_line us.err
	start us "$SOCKXFER" send 127.0.0.1:1 "no${newline}such"
	finish us 1
	one_line us.err
}

### What to do next

# hints STATUS HINT ARGUMENT...: that much, and with -q only the error.
hints() {
	local status=$1 hint=$2

	shift 2
	start tried "${NS[@]}" "$SOCKXFER" "$@"
	finish tried "$status"
	one_line tried.err
	has tried.err ": hint: $hint"
	start tried "${NS[@]}" "$SOCKXFER" "$@" -q
	finish tried "$status"
	[ "$(wc -l <tried.err)" -eq 1 ]
	has_not tried.err hint
}

@test "an error of connecting says what can be done, in a second line that -q leaves out" {
	free_port
	hints 1 'nobody listens there yet: start the other end, or use -r 60' send "127.0.0.1:$port" /dev/null
	hints 1 'nobody listens there yet' recv unix:no-such-socket out
	hints 1 '-s takes an address of this machine' send -s 192.0.2.7 "127.0.0.1:$port" /dev/null
	make_namespace
	hints 1 'no way there: is the address right' send 192.0.2.7:9 /dev/null
	echo nameserver 127.0.0.1 | replace_in_namespace /etc/resolv.conf
	hints 1 'no name server answers; an address needs none' send host.invalid:9 /dev/null
	echo 'hosts: files' | replace_in_namespace /etc/nsswitch.conf
	hints 1 'this machine has no such interface; write one of its own behind %' send '[fe80::1%none]:9' /dev/null
	hints 1 'is the name right? Or write the address, as 192.0.2.7:9009' send no-such-name.invalid:9 /dev/null
	drop_in_namespace 'tcp dport 9'
	hints 3 'no answer: is the address right' send -w 0.2 127.0.0.1:9 /dev/null
}

@test "an error of listening says what can be done" {
	receive out
	hints 1 'another program listens there, or a connection has that port; -p 0 takes a free one' recv -p "$port" other
	hints 1 'this machine has no such address; -p listens on all it has' recv -l 192.0.2.7:9 other
	stop us
	start them "$SOCKXFER" recv -v -l unix:socket out
	wait_said them 'listening on'
	hints 1 'something of that name is in use' recv -l unix:socket other
}

@test "a port that is kept for root is told as such" {
	need_root
	need setpriv
	start us setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all --inh-caps=-all \
		"$SOCKXFER" recv -l 127.0.0.1:9 /dev/null
	finish us 1
	has us.err '127.0.0.1:9: bind: Permission denied'
	has us.err 'hint: ports below 1024 are kept for root; choose a higher one'
}
