#!/usr/bin/env bats
# Either side killed by SIGKILL, which it cannot clean up after, at chosen points. (At random ones: kill_loop.bats.)
# shellcheck disable=SC2154  # address, port: set by the helpers

load ../helper
load fault

### The sender

# sender_killed TRANSPORT TEXT: after 1 and after many bytes, whoever listens, over an old file and where there
# is none.
sender_killed() {
	local listener output

	for listener in recv send; do
		for output in old new; do
			for sent in 1 700001; do
				prepare_output "$output"
				start_transfer "$1" "$listener" d/out
				kill -KILL "${PID[send]}"
				finish send 137
				finish recv 1
				complaint recv
				has recv.complaint "$2 after $sent bytes"
				output_untouched "$output"
				exec 8>&-
			done
		done
	done
}

@test "a killed sender over IPv4: recv says reset after N bytes, exit 1, no file" { sender_killed tcp4 reset; }
@test "a killed sender over IPv6: recv says reset after N bytes, exit 1, no file" { sender_killed tcp6 reset; }
@test "a killed sender over a unix socket: recv says the peer is gone, exit 1, no file" {
	sender_killed unix 'the peer is gone'
}

@test "a sender that is killed before its first byte is no empty file, to a receiver that connected" {
	local transport

	for transport in "${TRANSPORTS[@]}"; do
		prepare_output old
		open_pipe
		listen_as send send "$transport" <pipe
		start recv "$SOCKXFER" recv -v "$address" d/out
		wait_said recv 'connected to'
		wait_said send 'connected to'
		kill -KILL "${PID[send]}"
		finish send 137
		finish recv 1
		complaint recv
		output_untouched old
		exec 8>&-
	done
}

@test "a sender that is killed while it waits for the receipt takes nothing back: recv has it all" {
	local transport

	random_file in 300000
	for transport in "${TRANSPORTS[@]}"; do
		rm -f go got
		# The command has read everything, and takes its time.
		listen_as recv recv "$transport" -- sh -c 'cat >got; until [ -e go ]; do sleep 0.01; done'
		start send "$SOCKXFER" send "$address" in
		wait_for cmp -s in got
		running send
		kill -KILL "${PID[send]}"
		finish send 137
		touch go
		finish recv
		same in got
	done
}

### Strangers on a unix socket, where every death looks like an end

# stranger STEP...: 300,000 bytes from a stranger that then does this.
stranger_on_unix() {
	rm -f out
	listen_as recv recv unix out
	scripted stranger connect "$address" send:300000 "$@"
	finish recv
	same out expected
}

@test "a stranger on a unix socket that sends and closes has sent it all" {
	"$PYTHON" "$PEER/pattern.py" 300000 >expected
	stranger_on_unix close
	finish stranger
}

@test "a stranger on a unix socket that half-closes and waits has sent it all" {
	"$PYTHON" "$PEER/pattern.py" 300000 >expected
	stranger_on_unix half eof
	finish stranger
}

@test "a stranger on a unix socket that ends its process without a close has sent it all" {
	"$PYTHON" "$PEER/pattern.py" 300000 >expected
	stranger_on_unix no-such-step
	finish stranger 1
}

@test "a stranger that listens on a unix socket, sends and closes has sent it all" {
	"$PYTHON" "$PEER/pattern.py" 300000 >expected
	scripted_listen stranger unix send:300000 close
	start recv "$SOCKXFER" recv "$address" out
	finish recv
	finish stranger
	same out expected
}

@test "nc, ncat and socat over a unix socket have sent it all" {
	random_file in 300000
	need nc.openbsd ncat socat
	listen_as recv recv unix out
	start nc nc.openbsd -N -U recv.socket <in
	finish recv
	same in out
	rm out
	listen_as recv recv unix out
	start ncat ncat --send-only -U recv.socket <in
	finish recv
	same in out
	rm out
	listen_as recv recv unix out
	start socat socat -u FILE:in UNIX-CONNECT:recv.socket
	finish recv
	same in out
	stop nc
	stop ncat
	stop socat
}

@test "a stranger on a unix socket that has ended its stream and dies with our data unread: send 1" {
	printf ab >in
	scripted_listen stranger unix half pause:1.5 close
	# The data lie there while send waits for its turn; when it comes, they are gone.
	start send "$SOCKXFER" send -b 1 "$address" in
	finish send 1
	one_line send.err
	has send.err 'connection reset'
	finish stranger
}

@test "our receiver on a unix socket that is silent but alive is not confirmed, not gone" {
	random_file in 300000
	listen_as recv recv unix --no-receipt -- sh -c 'cat >out; read -r line <go'
	mkfifo go
	start send "$SOCKXFER" send -w 1 "$address" in
	finish send
	has send.err ', which did not close'
	echo >go
	finish recv
	same in out
}

@test "a stranger that receives on a unix socket and closes has it all: not confirmed, exit 0" {
	local step

	random_file in 300000
	for step in close 'half'; do
		rm -f stranger.socket out
		scripted_listen stranger unix eof save:out "$step"
		start send "$SOCKXFER" send "$address" in
		finish send
		finish stranger
		has send.err 'not confirmed'
		same in out
	done
}

### The receiver

# receiver_killed TRANSPORT: before the end of the data, while the sender has nothing more to send.
receiver_killed() {
	local listener output

	for listener in recv send; do
		for output in old new; do
			sent=700001
			prepare_output "$output"
			start_transfer "$1" "$listener" d/out
			kill -KILL "${PID[recv]}"
			finish recv 137
			finish send 1
			complaint send
			has send.complaint 'reset after 700001 bytes'
			output_untouched "$output"
			exec 8>&-
		done
	done
}

@test "a receiver killed before the end, over IPv4: send exit 1, no file, the old one intact" { receiver_killed tcp4; }
@test "a receiver killed before the end, over IPv6: send exit 1, no file, the old one intact" { receiver_killed tcp6; }
@test "a receiver killed before the end, over a unix socket: send exit 1, no file, the old one intact" {
	receiver_killed unix
}

@test "a receiver killed while it takes a large file: send exit 1" {
	local transport

	truncate -s 2G in
	for transport in "${TRANSPORTS[@]}"; do
		prepare_output old
		listen_as recv recv "$transport" d/out
		start send "$SOCKXFER" send "$address" in
		wait_for arrived recv 1000000
		kill -KILL "${PID[recv]}"
		finish recv 137
		finish send 1
		one_line send.err
		output_untouched old
	done
}

# receiver_killed_at CALL OUTPUT: by a signal that strace sends as the call begins. (The first linkat is a trial.) The data has ended
# then, and the sender has heard that it was received.
receiver_killed_at() {
	local transport

	random_file in 300000
	inject "$1:signal=SIGKILL"
	for transport in "${TRANSPORTS[@]}"; do
		prepare_output "$2"
		listen_as recv recv "$transport" d/out
		start send "$SOCKXFER" send "$address" in
		finish recv 137
		finish send 1
		one_line send.err
		has trace 'sockxfer/1 received 300000'
	done
}

@test "a receiver killed after the end, before it gives the file its name: send exit 1, no file" {
	receiver_killed_at linkat:when=2 new
	output_untouched new
}

@test "a receiver killed after the end, before it replaces the old file: send exit 1, the old file intact" {
	receiver_killed_at linkat:when=2 old
	output_untouched old
}

# Nothing on Linux replaces a file by one that has no name: there is a temporary one between two calls, which a
# child of the receiver makes, so that one kill, of whichever, leaves nothing behind.
@test "the step that replaces a file is killed: recv exit 1, the old file intact and nothing beside it" {
	local transport

	random_file in 300000
	inject "renameat:signal=SIGKILL"
	for transport in "${TRANSPORTS[@]}"; do
		prepare_output old
		listen_as recv recv "$transport" d/out
		start send "$SOCKXFER" send "$address" in
		finish recv 1
		finish send 6
		output_untouched old
	done
}

has_temporary() {
	compgen -G 'd/.sockxfer.*' >/dev/null
}

@test "a receiver killed in the step that replaces a file: the new file is whole, and nothing beside it" {
	local transport pid

	random_file in 300000
	inject "renameat:delay_enter=1000000"
	for transport in "${TRANSPORTS[@]}"; do
		prepare_output old
		listen_as recv recv "$transport" d/out
		start send "$SOCKXFER" send "$address" in
		wait_for has_temporary
		read -r pid _ <trace
		kill -KILL "$pid"
		finish recv 137
		finish send 1
		wait_for cmp -s in d/out
		holds d out
	done
}

# both_killed: a receiver of d/out and its child are killed in the step that replaces it.
both_killed() {
	local pid child

	inject renameat:error=EIO:signal=SIGSTOP
	listen_as recv recv unix d/out
	start send "$SOCKXFER" send "$address" in
	wait_for has_temporary
	wait_for grep -q 'renameat(' trace
	read -r pid _ <trace
	child=$(grep -m1 'renameat(' trace | cut -d ' ' -f 1)
	[ "$pid" -ne "$child" ]
	kill -KILL "$pid" "$child"
	finish recv 137
	finish send 1
	rm -f recv.socket
}

@test "what is left when a receiver and its child are killed is removed by the next receiver of that name, as it starts" {
	local half

	random_file in 300000
	prepare_output old
	both_killed
	has_temporary
	both_killed
	FRONT=()
	listen_as recv recv unix d/other
	has_temporary
	stop recv
	rm recv.socket
	listen_as recv recv unix d/out
	output_untouched old
	stop recv
}

# killed_in_mid_transfer OUTPUT: without O_TMPFILE, so that there is a temporary name all the time.
killed_in_mid_transfer() {
	rm -f go
	receive_half_named "$1"
	kill -KILL "${PID[us]}"
	finish us 137
	stop sender
}

@test "without O_TMPFILE what a killed receiver leaves is removed by the next one, and what a living one has is not" {
	prepare_output old
	killed_in_mid_transfer d/out
	has_temporary
	receive d/out
	output_untouched old
	stop us

	# In a directory, too, of which the names are not known before the end.
	killed_in_mid_transfer d
	has_temporary
	receive d
	output_untouched old
	stop us

	receive_half_named d/out
	has_temporary
	start other "$SOCKXFER" recv -p 0 d/out
	wait_port other
	has_temporary
	stop other
	touch go
	finish us
	same d/out expected
	holds d out
}

@test "a file that only looks like one left behind is not removed: one that is locked, another user's, a FIFO" {
	local what

	need_root
	need flock
	for what in locked strange fifo longer; do
		prepare_output old
		chmod 1777 d
		case $what in
		locked)
			: >d/.sockxfer.00.out
			start lock flock -F d/.sockxfer.00.out sh -c 'echo locked; exec sleep 600'
			wait_said lock locked
			;;
		strange)
			: >d/.sockxfer.00.out
			chown 1234 d/.sockxfer.00.out
			;;
		fifo) mkfifo d/.sockxfer.00.out ;;
		longer) : >d/.sockxfer.00.out.gz ;;
		esac
		receive d/out
		[ "$(find d -name '.sockxfer.00.out*' | wc -l)" -eq 1 ]
		stop us
		[ "$what" != locked ] || stop lock
	done
	prepare_output old
	: >d/.sockxfer.00.out
	receive d/out
	output_untouched old
	stop us
}

@test "to look for what was left behind takes no longer in a directory of many files, and needs no right to read it" {
	local files pid

	mkdir d
	for files in 0 5000; do
		(cd d && seq "$files" | xargs touch 1)
		inject
		listen_as recv recv unix d/out
		[ "$(grep -c 'sockxfer\.0' trace)" -lt 40 ]
		has_not trace getdents
		read -r pid _ <trace
		kill "$pid"
		finish recv 143
	done
}

@test "a receiver killed between the commit and its last word: the file is whole, and send does not claim it" {
	local transport call

	random_file in 300000
	for transport in "${TRANSPORTS[@]}"; do
		rm -f out
		# The word before it is "received", and on a unix socket there is one more.
		call=2
		[ "$transport" != unix ] || call=3
		inject "sendto:signal=SIGKILL:when=$call"
		listen_as recv recv "$transport" out
		start send "$SOCKXFER" send -V "$address" in
		finish recv 137
		finish send 1
		same in out
	done
}

@test "a receiver killed while its command stores: send exit 1" {
	local transport

	random_file in 300000
	for transport in "${TRANSPORTS[@]}"; do
		listen_as recv recv "$transport" -- sh -c 'cat >got; until [ -e go ]; do sleep 0.01; done'
		start send "$SOCKXFER" send "$address" in
		wait_for cmp -s in got
		running send
		kill -KILL "${PID[recv]}"
		finish recv 137
		finish send 1
		one_line send.err
		touch go # for the command, which nobody is left to end
		wait_for nobody_in_here
		rm go got
	done
}

# Whether no process is left in the directory but those that the test knows.
nobody_in_here() {
	local pid

	for pid in /proc/[0-9]*; do
		pid=${pid#/proc/}
		[ "$pid" != $$ ] && [ "$pid" != "$BASHPID" ] || continue
		[ "/proc/$pid/cwd" -ef . ] 2>/dev/null || continue
		ended "$pid" || return 1
	done
}

### A proxy in between, which makes a clean end of every death

# behind_proxy ARGUMENT...: a receiver "recv" with these arguments behind a proxy, and $address of the proxy.
behind_proxy() {
	listen_as recv recv tcp4 "$@"
	peer proxy "$address"
	wait_port proxy
	address=127.0.0.1:$port
}

# sender_killed_behind_proxy STATUS [OPTION...]: in mid-transfer; recv with the options ends so.
sender_killed_behind_proxy() {
	local status=$1

	shift
	prepare_output old
	open_pipe
	behind_proxy "$@" d/out
	start send "$SOCKXFER" send "$address" <pipe
	random_file part 300000
	cat part >&8
	wait_for arrived recv 300000
	kill -KILL "${PID[send]}"
	finish send 137
	finish recv "$status"
}

@test "a sender killed behind a proxy looks complete to a raw receiver: the documented limit" {
	sender_killed_behind_proxy 0
	same part d/out
}

@test "a sender killed behind a proxy: recv -E finds out, exit 4, the old file intact" {
	need_xxh128
	random_file whole 500000
	sender_killed_behind_proxy 4 -E "$(digest whole)"
	complaint recv
	output_untouched old
}

@test "a sender killed behind socat: recv -E finds out, exit 4, the old file intact" {
	local inner

	need socat
	need_xxh128
	random_file whole 500000
	prepare_output old
	open_pipe
	listen_as recv recv tcp4 -E "$(digest whole)" d/out
	inner=$address
	free_port
	start socat socat "TCP-LISTEN:$port,bind=127.0.0.1" "TCP:$inner"
	wait_for listening "$port"
	start send "$SOCKXFER" send "127.0.0.1:$port" <pipe
	head -c 300000 whole >&8
	wait_for arrived recv 300000
	kill -KILL "${PID[send]}"
	finish send 137
	finish recv 4
	output_untouched old
	stop socat
}

# The proxy hears of the death as a reset and passes on a clean end, with everything sent before it acknowledged.
@test "a receiver killed behind a proxy: send -V is no success" {
	local status=0

	prepare_output old
	open_pipe
	behind_proxy d/out
	start send "$SOCKXFER" send -V "$address" <pipe
	head -c 300000 /dev/zero >&8
	wait_for arrived recv 300000
	kill -KILL "${PID[recv]}"
	finish recv 137
	exec 8>&-
	wait_for ended "${PID[send]}"
	wait "${PID[send]}" || status=$?
	echo "send: exit status $status" >&2
	[ "$status" -eq 5 ] || [ "$status" -eq 1 ]
	one_line send.err
	output_untouched old
}

# What tells our kind from a stranger is a descriptor: one that cannot be taken must not make a stranger of it.
@test "a killed sender is no complete stream to a receiver that has no descriptor left" {
	local highest

	command -v prlimit >/dev/null || skip "needs prlimit"
	mkfifo held
	prepare_output old
	listen_as recv recv unix d/out
	highest=$(find "/proc/$(pid_of recv)/fd" -mindepth 1 -printf '%f\n' | sort -n | tail -n 1)
	prlimit --pid "$(pid_of recv)" --nofile="$((highest + 2)):$((highest + 2))"
	exec 8<>held
	start send "$SOCKXFER" send "$address" - <held
	head -c 300000 /dev/zero >&8
	wait_for arrived recv 300000
	kill -KILL "${PID[send]}"
	finish send 137
	finish recv 1
	has recv.err 'the peer is gone after 300000 bytes'
	output_untouched old
	exec 8>&-
}
