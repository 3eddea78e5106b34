#!/usr/bin/env bats
# Out of memory: each allocation of a transfer fails in turn (test/shim/nomem.c), those that the C library
# makes for us included. Each time the transfer fails with a reason, and leaves the old file, nothing
# beside it, and no block of memory; or it can do without, and then it is done right.

load ../helper

SHIM=${SHIM:-$ROOT/build/shim}
MOST=500 # more allocations than there are: a bound for the loops

setup_file() {
	head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

need_shim() {
	need_plain_build
	# What others keep to the end on purpose cannot be told from what is lost.
	getconf GNU_LIBC_VERSION >/dev/null 2>&1 || skip "needs glibc"
	[ -e "$SHIM/nomem.so" ] || {
		echo "no $SHIM/nomem.so: run make programs first" >&2
		return 1
	}
	data=$BATS_FILE_TMPDIR/data
	crashes=0
}

# starved ARGUMENT...: sockxfer as "us", whose allocation $nth fails; with $stay, so do all after it.
starved() {
	rm -f nomem.log
	start us env LD_PRELOAD="$SHIM/nomem.so" NOMEM_LOG=nomem.log NOMEM_AT="$nth" \
		${stay:+NOMEM_STAY=1} "$SOCKXFER" "$@"
}

# wait_end NAME: waits for its end, and sets $status.
wait_end() {
	wait_for ended "${PID[$1]}"
	status=0
	wait "${PID[$1]}" || status=$?
	unset "PID[$1]"
}

# each_allocation FUNCTION ARGUMENT...: calls it with $nth from 1 on, until there is no allocation to fail.
each_allocation() {
	for ((nth = 1; nth <= MOST; nth++)); do
		rm -rf d
		mkdir d
		echo old | tee d/out >old
		# For who reads why a test failed. (An `||` behind the call would keep it from failing.)
		echo "allocation $nth failed${stay:+, and all after it}" >shim.err
		"$@"
		if grep -qs ' 0 failed' nomem.log; then
			echo "$((nth - 1)) allocations, $crashes crashes"
			((nth > 3))
			return
		fi
	done
	return 1
}

# Every line is a message, of characters that can be printed, and the last says what is lacking; but a
# lookup says what getaddrinfo() makes of it.
said_why() {
	if grep -v '^sockxfer: [[:print:]]*[[:alnum:]]' us.err; then
		echo "that is no message" >&2
		return 1
	fi
	[ "$1" -eq 0 ] || grep -v ': hint: ' us.err | tail -n 1 | grep -qE 'memory|pthread_create|resolve: ' || {
		echo "it does not say that memory is lacking" >&2
		return 1
	}
}

# judge STATUS: that of the program in want of memory, and what it leaves.
judge() {
	local ours=$1

	holds d out
	case $ours in
	0) same d/out "$data" ;;
	1) same d/out old ;;
	134 | 139)
		crashes=$((crashes + 1))
		same d/out old
		return
		;;
	*) false ;;
	esac || {
		echo "exit status $ours" >&2
		return 1
	}
	said_why "$ours"
	has nomem.log ' 0 left' || {
		cat nomem.log >&2
		return 1
	}
}

listening_or_ended() {
	ended "${PID[us]}" || listening "$port"
}

# starved_receiver HOST ARGUMENT...: a receiver on the host, and a sender if it comes to listen.
starved_receiver() {
	local host=$1 sender=none

	shift
	starved recv -v -l "$host:$port" "$@"
	wait_for listening_or_ended
	if ! ended "${PID[us]}"; then
		start sender "$SOCKXFER" send -V "127.0.0.1:$port" "$data"
		wait_end sender
		sender=$status
	fi
	wait_end us
	judge "$status"
	[ "$status" -ne 0 ] || [ "$sender" -eq 0 ]
	[ "$status" -eq 0 ] || [[ $sender =~ ^(none|1|6)$ ]]
}

# starved_sender HOST ARGUMENT...: a sender to the host, with a receiver that knows no want.
starved_sender() {
	local host=$1 sender receiver=stopped

	shift
	start receiver "$SOCKXFER" recv -p 0 d/out
	wait_port receiver
	starved send -v -V --json "$host:$port" "$@"
	wait_end us
	sender=$status
	# Without a byte from us it waits for another.
	if [ "$sender" -eq 0 ]; then
		finish receiver
	else
		stop receiver
	fi
	judge "$sender"
	[ "$sender" -gt 1 ] || [ "$(jq .exit us.out)" -eq "$sender" ]
}

@test "a receiver without memory leaves the old file, and its sender knows" {
	need_shim
	free_port
	each_allocation starved_receiver 127.0.0.1 -S d/out
	[ "$crashes" -eq 0 ]
	stay=yes
	each_allocation starved_receiver 127.0.0.1 -S d/out
	[ "$crashes" -eq 0 ]
}

@test "a sender without memory leaves the receiver without a file" {
	need_shim
	need jq
	each_allocation starved_sender 127.0.0.1 "$data"
	[ "$crashes" -eq 0 ]
	stay=yes
	each_allocation starved_sender 127.0.0.1 "$data"
	[ "$crashes" -eq 0 ]
}

@test "without memory a command is not run, or it gets all the data" {
	need_shim
	need jq
	free_port
	each_allocation starved_receiver 127.0.0.1 -- sh -c 'cat >received && mv received d/out'
	[ "$crashes" -eq 0 ]
	each_allocation starved_sender 127.0.0.1 -- cat "$data"
	[ "$crashes" -eq 0 ]
}

# glibc's getaddrinfo() itself can crash without memory (2.36: twice, in its nss_database.c). As often as
# getent, which does little else, does so, so may we; and not even then is anything left.
library_crashes() {
	local crashes=0 status

	for ((nth = 1; nth <= MOST; nth++)); do
		status=0
		(
			ulimit -c 0
			exec env LD_PRELOAD="$SHIM/nomem.so" NOMEM_LOG=getent.log NOMEM_AT="$nth" \
				${stay:+NOMEM_STAY=1} getent ahosts localhost
		) >/dev/null 2>&1 || status=$?
		((status < 128)) || crashes=$((crashes + 1))
		! grep -q ' 0 failed' getent.log || break
		: >getent.log
	done
	echo "$crashes"
}

@test "a name looked up without memory is an error, as far as the C library survives it" {
	need_shim
	need getent jq
	free_port
	ulimit -c 0
	allowed=$(library_crashes)
	each_allocation starved_receiver localhost d/out
	((crashes <= allowed))
	stay=yes
	crashes=0
	allowed=$(library_crashes)
	each_allocation starved_sender localhost "$data"
	((crashes <= allowed))
}
