#!/usr/bin/env bats
# The socket layer: names and families, the race between addresses, listening, source addresses, unix
# sockets. What needs a broken network has a namespace of its own with one.
# shellcheck disable=SC2154  # port: wait_port and free_port set it

load helper

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# A namespace where the name "both" has an address of each family, IPv6 first.
make_namespace_with_names() {
	make_namespace
	printf '%s\n' '127.0.0.1 localhost both only4' '::1 both only6' | replace_in_namespace /etc/hosts
	echo 'hosts: files' | replace_in_namespace /etc/nsswitch.conf
}

# connects LISTEN_ADDRESS CONNECT_HOST [OPTION...]: send connects, then recv does, with the options, to
# a listener on just that one address.
connects() {
	local listen=$1 host=$2

	shift 2
	ours recv recv -l "$listen" out
	wait_port recv
	ours send send "$@" "$host:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
	ours send send -l "$listen" "$BATS_FILE_TMPDIR/data"
	wait_port send
	ours recv recv "$@" "$host:$port" out2
	finish recv
	finish send
	same out2 "$BATS_FILE_TMPDIR/data"
}

# fails STATUS TEXT ARGUMENT...: that exit status, and one line, which has the text.
fails() {
	local status=$1 text=$2

	shift 2
	ours failing "$@"
	finish failing "$status"
	one_line failing.err
	has failing.err "$text"
}

### Names and families

@test "a name with two addresses and a listener on the IPv4 one only: send and recv connect" {
	make_namespace_with_names
	connects 127.0.0.1:0 both
}

@test "a name with two addresses and a listener on the IPv6 one only: send and recv connect" {
	make_namespace_with_names
	connects '[::1]:0' both
}

# time_of NAME ARGUMENT...: runs to the end; the milliseconds it took are in $elapsed.
time_of() {
	local before after

	clock before
	ours "$@"
	finish "$1"
	clock after
	elapsed=$((after - before))
}

# costs_a_quarter COMMAND FILE PEER_STEP...: the same transfer directly and by the name of which the
# IPv6 address is a black hole. What a process costs to start on this machine is not the race's.
costs_a_quarter() {
	local command=$1 file=$2 directly

	shift 2
	make_namespace_with_names
	drop_in_namespace 'ip6 daddr ::1 tcp flags syn'
	scripted first listen 127.0.0.1:0 "$@"
	wait_port first
	time_of us "$command" "127.0.0.1:$port" "$file"
	directly=$elapsed
	scripted second listen 127.0.0.1:0 "$@"
	wait_port second
	time_of us "$command" "both:$port" "$file"
	finish first
	finish second
	echo "$directly ms directly, $elapsed ms past the black hole"
	took $((elapsed - directly)) 900
	# Far from the second after which a SYN is sent again. It really was one: no less than the quarter of a second, allowing for a slow first run.
	[ $((elapsed)) -ge 250 ]
}

@test "with the IPv6 address black-holed send connects to the IPv4 one within half a second" {
	costs_a_quarter send "$BATS_FILE_TMPDIR/data" eof
}

@test "with the IPv6 address black-holed recv connects to the IPv4 one within half a second" {
	costs_a_quarter recv out send:1000 half eof
	"$PYTHON" "$PEER/pattern.py" 1000 >expected
	same out expected
}

@test "the attempt that lost the race leaves no descriptor open" {
	make_namespace_with_names
	drop_in_namespace 'ip6 daddr ::1 tcp flags syn'
	scripted sender listen 127.0.0.1:0 send:1000 stall
	wait_port sender
	ours us recv "both:$port" out
	wait_said sender 'send:1000 done'
	wait_for one_socket us
}

one_socket() {
	[ "$(find "/proc/${PID[$1]}/fd" -lname 'socket:*' | wc -l)" -eq 1 ]
}

# connected_unnoticed NAME: both addresses of the name "both" connect while our sender, "us", is stopped, so that
# it has not heard of it; "one" and "two" accept.
connected_unnoticed() {
	need nft ss
	make_namespace_with_names
	drop_in_namespace 'tcp flags syn'
	scripted one listen '[::1]:0' eof
	wait_port one
	scripted two listen "127.0.0.1:$port" eof
	wait_port two
	ours us send -v "both:$port" "$BATS_FILE_TMPDIR/data"
	wait_for sockets_in syn-sent 2
	kill -STOP "${PID[us]}"
	"${NS[@]}" nft delete table inet holes
	wait_said one 'peer '
	wait_said two 'peer '
}

# sockets_in STATE COUNT
sockets_in() {
	[ "$("${NS[@]}" ss -Htan state "$1" | wc -l)" -eq "$2" ]
}

@test "an attempt that has lost the race is reset: it is no empty stream to whoever accepted it" {
	connected_unnoticed
	kill -CONT "${PID[us]}"
	finish us
	has us.err "connected to [::1]:$port"
	finish one
	finish two 1
	has two.err 'reset'
}

@test "a sender killed before it knows that it is connected has sent no empty stream" {
	connected_unnoticed
	kill -KILL "${PID[us]}"
	finish us 137
	finish one 1
	has one.err 'reset'
	finish two 1
	has two.err 'reset'
}

@test "when all addresses fail, one line names each with its reason" {
	make_namespace_with_names
	free_port
	fails 1 "both:$port: connect: " send "both:$port" /dev/null
	has failing.err "[::1]:$port: Connection refused"
	has failing.err "127.0.0.1:$port: Connection refused"
}

@test "-4 and -6 connect to that family only" {
	make_namespace_with_names
	connects 127.0.0.1:0 both -4
	connects '[::1]:0' both -6
	free_port
	fails 1 'Connection refused' send -4 "both:$port" /dev/null
	has_not failing.err '[::1]'
	fails 1 'Connection refused' recv -6 "both:$port" out
	has_not failing.err '127.0.0.1'
	fails 1 "only4:$port" send -6 "only4:$port" /dev/null
}

# A namespace where the name "many" has the addresses 127.0.1.1 to 127.0.1.COUNT.
make_namespace_with_many() {
	local i

	make_namespace
	for ((i = 1; i <= $1; i++)); do
		echo "127.0.1.$i many"
	done | replace_in_namespace /etc/hosts
	printf '%s\n' 'multi on' >many.conf
	[ ! -e /etc/host.conf ] || replace_in_namespace /etc/host.conf <many.conf
	echo 'hosts: files' | replace_in_namespace /etc/nsswitch.conf
	[ "$("${NS[@]}" getent ahosts many | grep -c STREAM)" -eq "$1" ] || skip "needs a resolver that has all of them"
}

@test "of a name all addresses are tried, however many: the listener has the 60th, the 200th" {
	make_namespace_with_many 200
	connects 127.0.1.60:0 many
	connects 127.0.1.200:0 many
}

@test "of a name with more addresses than there may be descriptors all are tried" {
	make_namespace_with_many 200
	ours recv recv -l 127.0.1.200:0 out
	wait_port recv
	with_descriptors 16 "$SOCKXFER" send "many:$port" "$BATS_FILE_TMPDIR/data"
	finish us
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
}

# with_descriptors COUNT COMMAND...: "us", which may have so many.
with_descriptors() {
	# shellcheck disable=SC2016  # the inner shell's
	start us "${NS[@]}" bash -c 'ulimit -n "$0"; exec "$@"' "$@"
}

@test "when many addresses fail, as many are named with their reasons as fit, and the others counted" {
	local named

	make_namespace_with_many 60
	fails 1 'listen: many:0: the name has more than 32 addresses' recv -l many:0 out
	fails 1 'many:9: connect: 127.0.1.' send many:9 /dev/null
	grep -qE ': Connection refused; and [0-9]+ more$' failing.err
	named=$(grep -oF ': Connection refused' failing.err | wc -l)
	[ "$named" -gt 10 ]
	has failing.err "; and $((60 - named)) more"
	drop_in_namespace 'ip daddr 127.0.1.60 tcp flags syn'
	fails 3 'many:9: connect: timed out; 127.0.1.' send -w 1 many:9 /dev/null
	grep -qE '; and [0-9]+ more$' failing.err
}

@test "addresses for which there is no descriptor are tried when others have failed" {
	need nft ss
	make_namespace_with_many 60
	drop_in_namespace 'tcp flags syn'
	ours recv recv -l 127.0.1.60:0 out
	wait_port recv
	with_descriptors 16 "$SOCKXFER" send "many:$port" "$BATS_FILE_TMPDIR/data"
	wait_for sockets_in syn-sent 8
	wait_for lacks_descriptors us
	"${NS[@]}" nft delete table inet holes
	finish us
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
}

lacks_descriptors() {
	[ "$(find "/proc/${PID[$1]}/fd" -type l | wc -l)" -eq 16 ]
}

# As the C library does for IPv4 and a name with both 127.0.0.1 and ::1 in /etc/hosts, such as localhost.
@test "an address that the resolver gives twice is told once" {
	make_namespace_with_names
	free_port
	fails 1 "both:$port: connect: Connection refused" send -4 "both:$port" /dev/null
}

@test "a name that does not resolve is told in one line: exit 1" {
	make_namespace_with_names
	fails 1 'sockxfer: send: nosuch.invalid:9: ' send nosuch.invalid:9 /dev/null
	fails 1 'sockxfer: recv: nosuch.invalid:9: ' recv nosuch.invalid:9 out
	fails 1 'nosuch.invalid' recv -l nosuch.invalid:0 out
	fails 1 'nosuch.invalid' recv -s nosuch.invalid 127.0.0.1:9 out
}

# letters LOCALE: a name is found as the DNS has it, and as /etc/hosts may have it.
letters() {
	local name

	for name in bücher.example BÜCHER.example grün; do
		start failing "${NS[@]}" env LC_ALL="$1" "$SOCKXFER" send "$name:9" /dev/null
		finish failing 1
		has failing.err ': connect: Connection refused'
	done
	start failing "${NS[@]}" env LC_ALL="$1" "$SOCKXFER" send nö.example:9 /dev/null
	finish failing 1
	has failing.err 'resolve: Name or service not known'
	has failing.err 'hint: is the name right? If libidn2 is missing here, write it as xn--...'
}

@test "a name may have letters beyond ASCII, whatever the locale is" {
	"$PYTHON" -c 'import ctypes; ctypes.CDLL("libidn2.so.0")' 2>/dev/null || skip "needs libidn2"
	make_namespace
	printf '%s\n' '127.0.0.1 localhost xn--bcher-kva.example' '127.0.0.1 grün' | replace_in_namespace /etc/hosts
	echo 'hosts: files' | replace_in_namespace /etc/nsswitch.conf
	letters C
	letters C.UTF-8
}

@test "a link-local address without its interface is told as such, wherever it stands" {
	local says='a link-local address needs its interface, as fe80::1%eth0'

	fails 1 "[fe80::1]:9: connect: $says" send '[fe80::1]:9' /dev/null
	fails 1 "[febf::1]:9: connect: $says" recv -r 60 '[febf::1]:9' out
	fails 1 "[::1]:9: connect: bind to source address: $says" send -s fe80::1 '[::1]:9' /dev/null
	fails 1 "listen: [fe80::1]:9: bind: $says" recv -l '[fe80::1]:9' out
	make_namespace
	printf '%s\n' 'fe80::1 both' '127.0.0.1 both' | replace_in_namespace /etc/hosts
	echo 'hosts: files' | replace_in_namespace /etc/nsswitch.conf
	fails 1 "[fe80::1]:9: $says" send both:9 /dev/null
	has failing.err '127.0.0.1:9: Connection refused'
	# And with its interface it works.
	"${NS[@]}" ip addr add fe80::1/64 dev lo nodad
	connects '[fe80::1%lo]:0' '[fe80::1%lo]'
}

### Listening

@test "port 0 is the same free port in both families, and each accepts" {
	receive out
	[[ $(cat us.err) =~ ^"sockxfer: recv: listening on "[^\ ]+,\ [^\ ]+$ ]]
	has us.err "[::]:$port"
	has us.err "0.0.0.0:$port"
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same out "$BATS_FILE_TMPDIR/data"
	receive out2
	start send "$SOCKXFER" send "[::1]:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same out2 "$BATS_FILE_TMPDIR/data"
}

@test "-l :0 and -l '*:0' are every address, too" {
	local address

	for address in :0 '*:0'; do
		start us "$SOCKXFER" recv -l "$address" out
		wait_port us
		has us.err "[::]:$port"
		has us.err "0.0.0.0:$port"
		start send "$SOCKXFER" send "[::1]:$port" "$BATS_FILE_TMPDIR/data"
		finish send
		finish us
	done
}

@test "a port that is given is listened on in both families, and told with -v only" {
	free_port
	start us "$SOCKXFER" recv -p "$port" out
	wait_for listening "$port"
	start send "$SOCKXFER" send "[::1]:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	[ ! -s us.err ]
	free_port
	start us "$SOCKXFER" recv -v -p "$port" out
	wait_said us 'listening on'
	has us.err "[::]:$port"
	has us.err "0.0.0.0:$port"
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
}

@test "-q leaves out the line about port 0" {
	start us "$SOCKXFER" recv -q -w 0.2 -p 0 out
	finish us 3
	has_not us.err 'listening'
	one_line us.err
}

@test "-l with an address listens on that one only" {
	start us "$SOCKXFER" recv -l 127.0.0.1:0 out
	wait_port us
	[ "$(cat us.err)" = "sockxfer: recv: listening on 127.0.0.1:$port" ]
	fails 1 'Connection refused' send "[::1]:$port" /dev/null
	stop us
	start us "$SOCKXFER" recv -l '[::1]:0' out
	wait_port us
	[ "$(cat us.err)" = "sockxfer: recv: listening on [::1]:$port" ]
}

@test "-l with a name listens on its addresses" {
	make_namespace_with_names
	ours us recv -l both:0 out
	wait_port us
	has us.err "[::1]:$port"
	has us.err "127.0.0.1:$port"
}

@test "-l with a name of many addresses listens on all, and names whole ones as far as there is room" {
	make_namespace_with_many 32
	ours us recv -l many:0 out
	wait_port us
	has us.err ', 127.0.1.25:'"$port"
	grep -qxE 'sockxfer: recv: listening on (127\.0\.1\.[0-9]+:[0-9]+, )*127\.0\.1\.[0-9]+:[0-9]+( and [0-9]+ more)?' us.err
	ours send send -V "127.0.1.32:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
}

@test "-4 and -6 listen on that family only" {
	start us "$SOCKXFER" recv -4 -p 0 out
	wait_port us
	[ "$(cat us.err)" = "sockxfer: recv: listening on 0.0.0.0:$port" ]
	stop us
	start us "$SOCKXFER" recv -6 -p 0 out
	wait_port us
	[ "$(cat us.err)" = "sockxfer: recv: listening on [::]:$port" ]
	# The IPv4 side of the port is free for others then.
	scripted other listen "127.0.0.1:$port" eof
	wait_port other
}

@test "a port in use in either family is told with the address: exit 1" {
	scripted taken4 listen 127.0.0.1:0 eof
	wait_port taken4
	fails 1 "sockxfer: recv: listen: 0.0.0.0:$port: bind: Address already in use" recv -p "$port" out
	fails 1 "127.0.0.1:$port: bind: Address already in use" send -l "127.0.0.1:$port" /dev/null
	scripted taken6 listen '[::1]:0' eof
	wait_port taken6
	fails 1 "[::]:$port: bind: Address already in use" recv -p "$port" out
	[ ! -e out ]
}

# Its port is taken by a connection that it makes, then by what the kernel remembers of that, and nobody listens.
@test "a port that an outgoing connection holds is not said to be another listener's" {
	local hint='hint: another program listens there, or a connection has that port; -p 0 takes a free one'

	one_port_taken
	ours failing recv -p 40001 out
	finish failing 1
	has failing.err '0.0.0.0:40001: bind: Address already in use'
	has failing.err "$hint"
	touch go
	finish first
	wait_for sockets_in time-wait 1
	ours failing recv -p 40001 out
	finish failing 1
	has failing.err "$hint"
}

@test "an address that is not ours is told: exit 1" {
	fails 1 '192.0.2.1:' recv -l 192.0.2.1:0 out
	has failing.err 'Cannot assign requested address'
}

@test "a port can be listened on again at once after a transfer" {
	free_port
	for _ in 1 2 3; do
		start us "$SOCKXFER" recv -p "$port" out
		wait_for listening "$port"
		start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
		finish send
		finish us
	done
}

### Source addresses

# source_is TEXT SOURCE LISTEN_ADDRESS: the peer sees us come from TEXT.
source_is() {
	scripted peer listen "$3" eof
	wait_port peer
	start us "$SOCKXFER" send -s "$2" "${3%:0}:$port" "$BATS_FILE_TMPDIR/data"
	finish us
	finish peer
	has peer.out "peer $1"
}

@test "-s is the address that the peer sees us come from" {
	source_is 127.0.0.2: 127.0.0.2 127.0.0.1:0
	source_is '[::1]:' ::1 '[::1]:0'
	source_is '[::1]:' '[::1]' '[::1]:0'
}

@test "-s with a port is the port, too" {
	free_port
	local chosen=$port

	source_is "127.0.0.2:$chosen" "127.0.0.2:$chosen" 127.0.0.1:0
	source_is "[::1]:$chosen" "[::1]:$chosen" '[::1]:0'
}

@test "-s decides between the families of a name" {
	make_namespace_with_names
	connects 127.0.0.1:0 both -s 127.0.0.2
	connects '[::1]:0' both -s ::1
}

@test "-s with an address that is not ours is told: exit 1" {
	free_port
	fails 1 '127.0.0.1:' send -s 192.0.2.1 "127.0.0.1:$port" /dev/null
	has failing.err 'Cannot assign requested address'
}

@test "-s with a port in use is told: exit 1" {
	local chosen

	scripted taken listen 127.0.0.1:0 eof
	wait_port taken
	chosen=$port
	scripted peer listen 127.0.0.1:0 eof
	wait_port peer
	fails 1 'Address already in use' send -s "127.0.0.1:$chosen" "127.0.0.1:$port" /dev/null
}

# one_port_taken: a namespace in which a connection can have one port only, and one from 127.0.0.1 to 127.0.0.1:9001
# has it. Another peer listens at port 9002.
one_port_taken() {
	make_namespace
	set_in_namespace net.ipv4.ip_local_port_range '40001 40001'
	scripted one listen 127.0.0.1:9001 await:go eof
	wait_port one
	scripted two listen 127.0.0.1:9002 await:go eof
	wait_port two
	ours first send -v "$@" 127.0.0.1:9001 "$BATS_FILE_TMPDIR/data"
	wait_said first 'connected to'
}

@test "-s with an address alone leaves its port to connections that go elsewhere" {
	one_port_taken -s 127.0.0.1
	ours second send -v -s 127.0.0.1 127.0.0.1:9002 "$BATS_FILE_TMPDIR/data"
	wait_said second 'connected to'
	touch go
	finish first
	finish second
	has one.out 'peer 127.0.0.1:40001'
	has two.out 'peer 127.0.0.1:40001'
}

@test "where no port is left for -s, that is told, and that another address has some" {
	one_port_taken
	ours failing send -s 127.0.0.1 127.0.0.1:9001 "$BATS_FILE_TMPDIR/data"
	finish failing 1
	has failing.err '127.0.0.1:9001: connect: no local port is free'
	has failing.err 'hint: too many connections go there; wait a minute, or give -s another address'
	ours second send -v -s 127.0.0.9 127.0.0.1:9002 "$BATS_FILE_TMPDIR/data"
	wait_said second 'connected to'
	touch go
	finish first
	finish second
}

@test "where all ports are in TIME-WAIT, that is told, and -r waits until one is free" {
	one_port_taken
	set_in_namespace net.ipv4.tcp_tw_reuse 0
	touch go
	finish first
	finish one
	wait_for sockets_in time-wait 1
	ours failing send 127.0.0.1:9001 "$BATS_FILE_TMPDIR/data"
	finish failing 1
	has failing.err '127.0.0.1:9001: connect: no local port is free'
	has failing.err 'hint: too many connections go there'
	scripted one listen 127.0.0.1:9001 eof
	wait_port one
	ours us send -v -r 60 -s 127.0.0.1 127.0.0.1:9001 "$BATS_FILE_TMPDIR/data"
	wait_said us 'no local port is free; trying again'
	set_in_namespace net.ipv4.ip_local_port_range '40001 50000'
	finish us
	finish one
}

### Unix sockets

@test "a unix socket that is not there is told: exit 1" {
	fails 1 'sockxfer: send: unix:nosuch: connect: No such file or directory' send unix:nosuch /dev/null
	fails 1 'sockxfer: recv: unix:nosuch: connect: No such file or directory' recv unix:nosuch out
	fails 1 'nosuch/socket' recv -l unix:nosuch/socket out
}

@test "a unix path that is too long is refused, not cut: exit 2; the longest possible works" {
	local path

	printf -v path '%0108d' 0
	fails 2 'too long' send "unix:$path" /dev/null
	fails 2 'too long' recv -l "unix:$path" out
	start us "$SOCKXFER" recv -v -l "unix:${path%0}" out
	wait_said us "listening on unix:${path%0}"
	start send "$SOCKXFER" send "unix:${path%0}" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same out "$BATS_FILE_TMPDIR/data"
}

@test "a unix socket is for its owner only, and is removed again" {
	mkdir d
	start us "$SOCKXFER" recv -l unix:d/socket out
	wait_for listening_unix d/socket
	[ "$(find d/socket -perm /077 | wc -l)" -eq 0 ]
	start send "$SOCKXFER" send unix:d/socket "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	holds d
}

@test "a unix socket is removed when we are killed by TERM" {
	mkdir d
	start us "$SOCKXFER" recv -l unix:d/socket out
	wait_for listening_unix d/socket
	kill -TERM "${PID[us]}"
	finish us 143
	holds d
}

@test "where listen(2) fails, the file of a unix socket is removed, and one that was there before is not" {
	need strace
	need_plain_build
	strace -o /dev/null true 2>/dev/null || skip "needs ptrace"
	mkdir d
	start us strace -f -q -o trace -e inject=listen:error=EADDRINUSE "$SOCKXFER" recv -l unix:d/socket out
	finish us 1
	has us.err 'unix:d/socket: listen: Address already in use'
	holds d
	echo precious >d/socket
	start us strace -f -q -o trace -e inject=listen:error=EADDRINUSE "$SOCKXFER" recv -l unix:d/socket out
	finish us 1
	has us.err 'unix:d/socket: bind: Address already in use'
	[ "$(cat d/socket)" = precious ]
}

@test "a unix socket that nobody listens on any more is replaced" {
	start us "$SOCKXFER" recv -l unix:socket out
	wait_for listening_unix socket
	stop us
	[ -S socket ]
	start us "$SOCKXFER" recv -v -l unix:socket out
	wait_said us 'listening on'
	start send "$SOCKXFER" send unix:socket "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
}

@test "a unix socket that is in use, and a file that is none, are left alone: exit 1" {
	scripted taken listen unix:socket eof
	wait_said taken 'listening on'
	fails 1 'unix:socket' recv -l unix:socket out
	running taken
	has_not taken.out peer # not even by a look whether it still listens, which would be a transfer to it
	[ -S socket ]
	echo precious >file
	fails 1 'unix:file' recv -l unix:file out
	[ "$(cat file)" = precious ]
}

### Connections

@test "keepalive is on, on the side that connects and on the side that accepts" {
	need ss
	scripted peer listen 127.0.0.1:0 stall
	wait_port peer
	start connecting "$SOCKXFER" recv "127.0.0.1:$port" out
	wait_said peer 'peer 127'
	wait_for kept_alive "dport = :$port"
	receive out2
	scripted other connect "127.0.0.1:$port" stall
	wait_for kept_alive "sport = :$port"
}

kept_alive() {
	ss -Htno "$1" | grep -q 'timer:(keepalive,'
}
