#!/usr/bin/env bats
# Datagrams: each a line, or as it is; what is known of losses; the ends of a capture; other programs at the
# other end. The kernel may drop what comes when the machine is busy: counts that have to be exact add up what
# came and what was dropped, or few are sent.
# shellcheck disable=SC2154  # port: wait_port sets it

load helper

# capture ARGUMENT...: starts a receiver of datagrams on 127.0.0.1, "us", and sets $port.
capture() {
	ours us recv -l udp:127.0.0.1:0 "$@"
	wait_port us
}

# say WORD: sends it as a datagram. (That is at once; to start another program takes time.)
say() {
	printf %s "$1" >"/dev/udp/127.0.0.1/$port"
}

# Whether nothing waits at the sockets of the port.
drained() {
	! awk -v port="$(printf ':%04X' "$port")" '$2 ~ port "$" && $5 !~ /:00000000$/ { found = 1 }
		END { exit !found }' "/proc/$NS_PID/net/udp" "/proc/$NS_PID/net/udp6"
}

# end_capture [SIGNAL [STATUS]]: ends it when it has taken what has come.
end_capture() {
	wait_for drained
	kill "-${1:-TERM}" "${PID[us]}"
	finish us "${2:-0}"
}

# json FILTER: of the object in us.out, or in us.err.
json() {
	grep -h '^{' us.out us.err | jq -r "$1"
}

# Asserts that what came and what was dropped is as many as were sent, and that the exit status says so.
adds_up() {
	[ $(($(json .datagrams) + $(json .dropped))) -eq "$1" ] || { json '.datagrams, .dropped' && return 1; }
	[ "$(json '[.peers[]] | add')" -eq "$(json .datagrams)" ]
}

# The statuses with which a capture may end when the machine is busy: with and without losses.
finish_capture() {
	wait_for ended "${PID[us]}"
	local status=0
	wait "${PID[us]}" || status=$?
	unset "PID[us]"
	[ "$status" -eq "$1" ] || [ "$status" -eq "$2" ] || { echo "exit status $status" && return 1; }
}

@test "each datagram becomes a line of a file that appears, whole, when a signal ends the capture" {
	capture out
	"$PYTHON" "$PEER/datagrams.py" send "$port" one 'two\n' '' 'a\nb' '\n'
	end_capture TERM
	[ ! -s us.out ]
	printf 'one\ntwo\n\na\nb\n\n' | same out -
	has us.err 'out: 5 datagrams from 1 peer; none dropped on this host; losses on the way are unknown'
}

@test "before its end a capture has no file, and an old one stays" {
	echo old >out
	capture out
	say new
	wait_for drained
	grep -qx old out
	end_capture HUP
	grep -qx new out
}

@test "what had come before the end is kept, though it was not taken yet" {
	capture out
	kill -STOP "${PID[us]}"
	"$PYTHON" "$PEER/datagrams.py" many 127.0.0.1 "$port" 100 10
	kill -TERM "${PID[us]}"
	kill -CONT "${PID[us]}"
	finish us
	[ "$(wc -l <out)" -eq 100 ]
}

@test "-W and --idle-eof end a capture with what came, and exit status 0" {
	capture -W 3 out
	say one
	finish us
	grep -qx one out
	capture --idle-eof 0.3 out2
	pass 0.5 # before the first one no silence is an end
	running us
	say two
	finish us
	grep -qx two out2
}

@test "a capture waits for the first datagram without a limit, or for -w, and then keeps nothing" {
	capture -w 0.3 out
	finish us 3
	has us.err 'receive: timed out after 0 bytes'
	[ ! -e out ]
}

@test "a signal that was ignored at the start stays so" {
	start us sh -c 'trap "" TERM; exec "$@"' - "$SOCKXFER" recv -l udp:127.0.0.1:0 out
	wait_port us
	kill -TERM "${PID[us]}"
	say one
	wait_for drained
	running us
	kill -HUP "${PID[us]}"
	finish us
	grep -qx one out
}

@test "any other signal ends a capture as a transfer, and nothing is kept" {
	capture out
	say one
	end_capture QUIT 131
	[ ! -e out ]
}

@test "standard output grows while a capture goes on" {
	capture -
	"$PYTHON" "$PEER/datagrams.py" send "$port" one two
	wait_for grep -qx two us.out
	running us
	end_capture
	printf 'one\ntwo\n' | same us.out -
}

@test "a command gets each line as it comes, and its failure is ours" {
	capture -- sh -c 'read -r line; echo "got $line"; cat'
	say one
	wait_for grep -qx 'got one' us.out
	say two
	end_capture
	printf 'got one\ntwo\n' | same us.out -
	capture -- sh -c 'cat; exit 3'
	end_capture TERM 1
	has us.err 'sh: exited with status 3'
}

@test "a command that does not end after a capture is ended by a second signal" {
	capture -- sh -c 'cat >got; echo $$ >ended; exec sleep 600'
	say one
	end_capture_and_wait_for ended
	kill -TERM "${PID[us]}"
	finish us 143
}

end_capture_and_wait_for() {
	wait_for drained
	kill -TERM "${PID[us]}"
	wait_for [ -s "$1" ]
}

@test "in a directory a capture becomes a new file, and its path is printed, also with losses" {
	mkdir inbox
	capture -B 3 inbox
	say longer
	end_capture TERM 8
	[[ $(<us.out) == inbox/*-udp-1 ]]
	grep -qx lon "$(<us.out)"
}

@test "with --raw the bytes are as they came, and are sent in pieces of -B" {
	head -c 5000 /dev/urandom >data
	capture --raw out
	"$SOCKXFER" send --raw "udp:127.0.0.1:$port" data
	end_capture
	same out data
	has us.err '4 datagrams from 1 peer'
	capture --raw out
	"$SOCKXFER" send --raw -B 1000 "udp:127.0.0.1:$port" data 2>send.err
	end_capture
	same out data
	has us.err '5 datagrams from 1 peer'
	has send.err 'data: 5 datagrams sent, delivery unknown'
}

@test "a datagram that is longer than -B is cut off, counted, and exit status 8" {
	capture --json -B 4 out
	"$PYTHON" "$PEER/datagrams.py" send "$port" four five5 sixsix
	end_capture TERM 8
	printf 'four\nfive\nsixs\n' | same out -
	[ "$(json '.datagrams, .truncated, .dropped, .ended, .exit')" = $'3\n2\n0\ndatagrams lost\n8' ]
	has us.err '3 datagrams from 1 peer; none dropped on this host; 2 cut off at -B; losses on the way are unknown'
}

@test "the longest datagram travels whole, and a longer line is told before anything of it is sent" {
	"$PYTHON" -c 'print("first"); print("x" * 65507)' >longest
	"$PYTHON" -c 'print("first"); print("x" * 65508); print("last")' >longer
	capture out
	"$SOCKXFER" send "udp:127.0.0.1:$port" longest
	end_capture
	same out longest
	capture out
	run "$SOCKXFER" send "udp:127.0.0.1:$port" longer
	[ "$status" -eq 1 ]
	[[ $output == *'longer: line 2 is longer than 65507 bytes, the most of a datagram'* ]]
	end_capture
	grep -qx first out
	[ "$(wc -l <out)" -eq 1 ]
}

@test "where nobody receives, a sender is told, also by the last datagram" {
	free_port
	run "$SOCKXFER" send "udp:127.0.0.1:$port" - <<<one
	[ "$status" -eq 1 ]
	[[ $output == *"udp:127.0.0.1:$port: send: Connection refused, after 1 datagrams"* ]]
	seq 1000 >lines
	run "$SOCKXFER" send "udp:127.0.0.1:$port" lines
	[ "$status" -eq 1 ]
	[[ $output == *'Connection refused, after '?' datagrams'* ]]
}

@test "-b sets the pace of datagrams, and without it a sender in haste says so" {
	local before after busy

	capture -- sh -c 'cat >/dev/null'
	"$PYTHON" -c 'print(("x" * 999 + "\n") * 100, end="")' >lines
	clock before
	"$SOCKXFER" send -b 100K "udp:127.0.0.1:$port" lines 2>paced.err
	clock after
	[ $((after - before)) -ge 700 ]
	has_not paced.err '-b sets a pace'
	end_capture
	capture -- sh -c 'cat >/dev/null'
	seq 20000 >many
	"$SOCKXFER" send "udp:127.0.0.1:$port" many 2>hasty.err
	has hasty.err '20,000 datagrams sent, delivery unknown'
	need_plain_build
	measure_load
	[ "$busy" -gt 2 ] || has hasty.err '-b sets a pace'
}

@test "at full speed what came and what was dropped is all that was sent" {
	need jq
	capture --json out
	"$PYTHON" "$PEER/datagrams.py" many 127.0.0.1 "$port" 50000 300
	wait_for drained
	kill -TERM "${PID[us]}"
	finish_capture 0 8
	adds_up 50000
	[ "$(wc -l <out)" -eq "$(json .datagrams)" ]
}

@test "a slow command gets all that is not counted as dropped" {
	need jq
	capture --json -- sh -c 'until [ -e go ]; do sleep 0.05; done; exec cat >got'
	"$PYTHON" "$PEER/datagrams.py" many 127.0.0.1 "$port" 50000 300
	touch go
	end_capture TERM 8
	adds_up 50000
	[ "$(wc -l <got)" -eq "$(json .datagrams)" ]
	has us.err ' dropped on this host; losses on the way are unknown'
}

# Whether the signal TERM, 15, is let through to the program: a capture that goes on blocks it.
lets_term_through() {
	(((0x$(awk '/^SigBlk/ { print $2 }' "/proc/${PID[us]}/status") & 1 << 14) == 0))
}

@test "a signal ends the capture also while a command does not read, and a second one the program" {
	capture -- sh -c 'until [ -e go ]; do sleep 0.05; done; exec cat >got'
	"$PYTHON" "$PEER/datagrams.py" many 127.0.0.1 "$port" 6000 300
	wait_for is_full
	if lets_term_through; then return 1; fi
	kill -TERM "${PID[us]}"
	wait_for lets_term_through
	running us
	kill -TERM "${PID[us]}"
	finish us 143
}

# Whether something waits at the socket, as the command's pipe takes no more.
is_full() {
	! drained
}

# Makes a small disk in the namespace, in the directory disk.
small_disk() {
	make_namespace
	mkdir disk
	"${NS[@]}" mount -t tmpfs -o size=1M tmpfs disk 2>/dev/null || skip "needs mount"
}

# Has more come, before any is taken, than the small disk has room for.
flood_disk() {
	wait_port us
	kill -STOP "${PID[us]}"
	peer datagrams many 127.0.0.1 "$port" 1500 1000
	finish datagrams
	kill -CONT "${PID[us]}"
	finish us 1
}

@test "a full disk ends a capture: no file is kept, and all that came is counted" {
	need jq
	small_disk
	ours us recv -l udp:127.0.0.1:0 --json disk/out
	flood_disk
	has us.err 'disk/out: write: No space left on device, after '
	has us.err ' dropped on this host'
	has us.err 'with - >>FILE what is written before an error stays'
	[ -z "$("${NS[@]}" ls -A disk)" ]
	[ "$(json .ended)" = failed ]
	adds_up 1500
}

@test "standard output on a full disk keeps what was written" {
	need jq
	small_disk
	# shellcheck disable=SC2016  # the inner shell's
	start us "${NS[@]}" sh -c 'exec "$0" recv -l udp:127.0.0.1:0 --json - >>disk/out' "$SOCKXFER"
	flood_disk
	has us.err 'stdout: write: No space left on device'
	[ "$("${NS[@]}" grep -c . disk/out)" -ge "$(json .datagrams)" ]
	[ "$(json .datagrams)" -ge 200 ]
	adds_up 1500
}

@test "--max-size fails, and keeps nothing" {
	capture --max-size 8 out
	"$PYTHON" "$PEER/datagrams.py" send "$port" one two
	wait_for drained
	running us
	say three
	finish us 1
	has us.err 'too large: more than 8 bytes'
	[ ! -e out ]
}

@test "a flood from 10,000 ports takes no more memory than one from 300" {
	need jq
	local before after

	need_plain_build
	capture --json out
	"$PYTHON" "$PEER/datagrams.py" ports "$port" 300
	wait_for drained
	before=$(awk '/^VmRSS/ { print $2 }' "/proc/${PID[us]}/status")
	"$PYTHON" "$PEER/datagrams.py" ports "$port" 10000
	wait_for drained
	after=$(awk '/^VmRSS/ { print $2 }' "/proc/${PID[us]}/status")
	kill -TERM "${PID[us]}"
	finish_capture 0 8
	[ $((after - before)) -le 5000 ]
	[ "$(json '.peers | length')" -eq 256 ]
	[ $(($(json '[.peers[]] | add') + $(json .other_peers))) -eq "$(json .datagrams)" ]
	[ $(($(json .datagrams) + $(json .dropped))) -eq 10300 ]
	has us.err 'datagrams from more than 256 peers; '
}

@test "IPv4 and IPv6 come to one socket, and each peer has its count" {
	need jq
	make_namespace
	ours us recv -l udp::0 --json out
	wait_port us
	[ "$(grep -c . us.err)" -eq 1 ]
	peer datagrams many 127.0.0.1 "$port" 2 5
	finish datagrams
	peer datagrams many ::1 "$port" 3 5
	finish datagrams
	end_capture
	[ "$(wc -l <out)" -eq 5 ]
	[ "$(json '.peers | keys[] | sub(":[0-9]+$"; "")' | sort)" = $'127.0.0.1\n[::1]' ]
	[ "$(json '[.peers[]] | sort | join(" ")')" = '2 3' ]
	[ "$(json '.bytes, .ended, .exit')" = $'30\nstored\n0' ]
	ours us recv -6 -l udp:*:0 out
	wait_port us
	ours them send "udp:127.0.0.1:$port" - <<<one
	finish them 1
	end_capture
}

# Joins the namespace by a cable, 192.0.2.1 on eth0, with another, $FAR, 192.0.2.2.
lay_cable() {
	make_namespace
	need_root
	start far unshare -n sleep 600
	wait_for grep -qx sleep "/proc/${PID[far]}/comm"
	FAR=(nsenter -t "${PID[far]}" -n --)
	"${NS[@]}" ip link add eth0 type veth peer name eth0 netns "${PID[far]}" 2>/dev/null || skip "needs veth"
	"${NS[@]}" ip addr add 192.0.2.1/24 brd + dev eth0
	"${FAR[@]}" ip addr add 192.0.2.2/24 brd + dev eth0
	"${NS[@]}" ip addr add fe80::1/64 dev eth0 nodad
	"${FAR[@]}" ip addr add fe80::2/64 dev eth0 nodad
	"${NS[@]}" ip link set eth0 up
	"${FAR[@]}" ip link set eth0 up
}

# arrives TO LISTEN: what is sent from the far namespace to the address TO (PORT stands for the port) comes to
# one that listens at LISTEN. A cable may need a moment to carry something.
arrives() {
	ours us recv -l "$2" -
	wait_port us
	wait_for sent_and_there "${1//PORT/$port}"
	end_capture
}

sent_and_there() {
	"${FAR[@]}" "$SOCKXFER" send "$1" - <<<hello || true
	grep -qx hello us.out
}

@test "a multicast group is joined on its interface, by IPv4 and IPv6, and a broadcast is taken" {
	lay_cable
	arrives 'udp:239.1.2.3%eth0:PORT' 'udp:239.1.2.3%eth0:0'
	arrives 'udp:[ff02::4711%eth0]:PORT' 'udp:[ff02::4711%eth0]:0'
	arrives 'udp:[ff05::4711%eth0]:PORT' 'udp:[ff05::4711%eth0]:0'
	arrives 'udp:192.0.2.255:PORT' 'udp::0'
	arrives 'udp:[fe80::1%eth0]:PORT' 'udp:[fe80::1%eth0]:0'
	ours us recv -l 'udp:239.1.2.3%nowhere:9009' -
	finish us 1
	has us.err 'udp:239.1.2.3%nowhere:9009: interface nowhere: No such device'
	ours us recv -l 'udp:192.0.2.1%eth0:9009' -
	finish us 2
	has us.err 'an interface is for a multicast group or a link-local address'
}

@test "two captures of one group share its port, and each gets all" {
	lay_cable
	ours us recv -l 'udp:239.1.2.3%eth0:0' -
	wait_port us
	ours two recv -v -l "udp:239.1.2.3%eth0:$port" -
	wait_said two 'listening on'
	wait_for sent_and_there "udp:239.1.2.3%eth0:$port"
	wait_for grep -qx hello two.out
	end_capture
	kill -TERM "${PID[two]}"
	finish two
}

@test "a port that another program has is refused, with advice" {
	capture out
	run "$SOCKXFER" recv -l "udp:127.0.0.1:$port" out2
	[ "$status" -eq 1 ]
	[[ $output == *"udp:127.0.0.1:$port: bind: Address already in use"* ]]
	[[ $output == *'another program receives there'* ]]
	stop us
}

lines_of_text() {
	[ "$(grep -c 'text$' us.out)" -eq "$1" ]
}

# The commands of the manual page for the other end, for this port of this host: those that send, or do not.
commands() {
	sed -nE '/^\.Ss Datagrams of other programs/,/^\.Sh/s/^\.It [a-z]+ Ta Ic (.*)$/\1/p' "$ROOT/man/sockxfer.1" |
		sed "s/\\\\-/-/g; s/\\<9009\\>/$port/" | grep "$@" '\<host\>' | sed 's/\<host\>/127.0.0.1/'
}

@test "the programs that people have send to us, as the manual page says: nc, ncat, socat, logger, bash; and Python" {
	local command count=0

	need nc ncat socat logger
	capture -
	while read -r command; do
		timeout "$LIMIT" bash -c "$command" <<<text
		count=$((count + 1))
		wait_for lines_of_text "$count"
	done < <(commands -e)
	[ "$count" -eq 5 ]
	"$PYTHON" "$PEER/datagrams.py" send "$port" python
	end_capture
	[ "$(sed -E 's/^<13>.* text$/logger/' us.out)" = $'text\ntext\ntext\nlogger\ntext\npython' ]
	has us.err '6 datagrams from 6 peers'
}

# Whether a program has the port.
bound() {
	awk -v port="$(printf ':%04X' "$port")" '$2 ~ port "$" { found = 1 } END { exit !found }' \
		/proc/net/udp /proc/net/udp6
}

@test "the programs that people have receive from us, as the manual page says: nc, ncat, socat; and Python" {
	local command count=0

	need nc ncat socat
	free_port
	while read -r command; do
		start peer bash -c "exec $command" </dev/null
		wait_for bound
		"$SOCKXFER" send "udp:127.0.0.1:$port" - <<<'a line'
		wait_for grep -q 'a line' peer.out
		stop peer
		count=$((count + 1))
	done < <(commands -v)
	[ "$count" -eq 3 ]
	peer datagrams recv 127.0.0.1 4
	wait_port datagrams
	printf 'one\n\ntwo\nlast' | "$SOCKXFER" send "udp:127.0.0.1:$port" -
	finish datagrams
	[ "$(tail -n 4 datagrams.out)" = $'b\'one\'\nb\'\'\nb\'two\'\nb\'last\'' ]
}

@test "lines that come from a command or a pipe are sent one by one, as they come" {
	mkfifo lines
	peer datagrams recv 127.0.0.1 2
	wait_port datagrams
	start us "$SOCKXFER" send "udp:127.0.0.1:$port" lines
	exec 8>lines
	printf 'one\ntw' >&8
	wait_said datagrams "b'one'"
	echo o >&8
	finish datagrams
	has datagrams.out "b'two'"
	exec 8>&-
	finish us
	run "$SOCKXFER" send "udp:127.0.0.1:$port" -- sh -c 'echo one; exit 3'
	[ "$status" -eq 1 ]
	[[ $output == *'sh: exited with status 3'* || $output == *refused* ]]
}

# refused ARGUMENT... WHY: a usage error whose text has WHY.
refused() {
	run "$SOCKXFER" "${@:1:$#-1}"
	echo "${*:1:$#-1}: $status: $output"
	[ "$status" -eq 2 ]
	[[ $output == *"${*: -1}"* ]]
}

@test "what has no meaning for datagrams is a usage error that says why" {
	local recv=(recv -l udp::0) send=(send udp:127.0.0.1:9)

	mkdir tree
	refused "${send[@]}" -V f 'nobody confirms datagrams'
	refused "${send[@]}" --no-receipt f 'datagrams have no receipts'
	refused "${send[@]}" -R f 'datagrams that were lost are not sent again'
	refused "${recv[@]}" -R f 'datagrams that were lost are not sent again'
	refused "${send[@]}" -K new f 'datagrams are not encrypted'
	refused "${recv[@]}" -K new f 'datagrams are not encrypted'
	refused "${recv[@]}" -x tree 'an archive with a gap is none'
	refused "${send[@]}" --named f 'an archive with a gap is none'
	refused "${send[@]}" f g 'an archive with a gap is none'
	refused "${send[@]}" --skip-unreadable tree 'it is for directories'
	refused "${send[@]}" tree 'a directory cannot be sent by datagrams'
	refused "${recv[@]}" -k f 'one capture takes what all peers send'
	refused "${recv[@]}" -E xxh128:00000000000000000000000000000000 f 'not known beforehand'
	refused "${send[@]}" -r 5 f 'nothing tells whether somebody is there'
	refused "${send[@]}" -C cubic f 'it is of TCP'
	refused "${send[@]}" -s 127.0.0.1 f 'the route decides'
	refused "${recv[@]}" --allow 127.0.0.1 f 'can be forged'
	refused "${recv[@]}" -b 1M f 'cannot slow senders'
	refused "${send[@]}" -B 1000 f 'a line is a datagram'
	refused "${send[@]}" --raw -B 65508 f 'a datagram has at most 65507 bytes'
	refused "${recv[@]}" -B 65536 f 'a datagram has at most 65535 bytes'
	refused "${send[@]}" --port-file p f 'is only for listening'
	refused send udp:127.0.0.1:9,udp:127.0.0.1:10 f 'cannot be one of several receivers'
	refused send -l udp::9 f 'datagrams are sent to an address, without -l: udp:host:9'
	refused recv udp:127.0.0.1:9 f 'datagrams are received at an address of this machine: -l udp::9'
	refused recv -p 0 --raw f '--raw: is only for udp: addresses'
	refused recv -l udp:9009 f 'write udp:host:port or, to receive on all addresses, udp::port'
	refused "${recv[@]}" --peer busybox f 'nc, ncat and socat have one'
	refused send udp:239.1.2.3:9 --peer nc f 'no command of nc that joins a multicast group'
}

@test "the hand-over has the command for datagrams" {
	capture --peer nc --port-file p out
	has us.err "nc -u -w 1 127.0.0.1 $port <out"
	[ "$(<p)" = "$port" ]
	end_capture
	capture --peer socat out
	has us.err "socat -u FILE:out UDP:127.0.0.1:$port"
	run "$SOCKXFER" send --peer nc "udp:127.0.0.1:$port" - <<<one
	[ "$status" -eq 0 ]
	[[ $output == *"nc -u -d -l $port >FILE"* ]]
	end_capture
}

@test "-v says when the kernel gives less of a buffer than was asked for" {
	make_namespace
	need setpriv
	need_root
	start us "${NS[@]}" setpriv --bounding-set=-all --inh-caps=-all --reuid=65534 --clear-groups \
		"$SOCKXFER" recv -v -l udp:127.0.0.1:0 -
	wait_port us
	[ "$(</proc/sys/net/core/rmem_max)" -ge 8388608 ] ||
		has us.err 'of datagrams at the most, and not the 8 MiB that were asked for: see net.core.rmem_max'
	end_capture
}
