#!/usr/bin/env bats
# Transfers whose every read, write, send and receive moves less than it was asked to, often one byte, or
# fails with EINTR (test/shim/short.c): the bytes are the same, and so is the receipt.

load ../helper

SHIM=${SHIM:-$ROOT/build/shim}
SEEDS=({1..6}) # each picks another sequence of short and interrupted calls

setup_file() {
	head -c 100000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

need_shim() {
	need_plain_build
	[ -e "$SHIM/short.so" ] || {
		echo "no $SHIM/short.so: run make programs first" >&2
		return 1
	}
	data=$BATS_FILE_TMPDIR/data
}

# short NAME ROLE ARGUMENT...: sockxfer as NAME, whose calls are short, in the order that $seed gives.
short() {
	local name=$1

	shift
	start "$name" env SHORT_SEED="$seed" SHORT_LOG="$name.calls" LD_PRELOAD="$SHIM/short.so" \
		"$SOCKXFER" "$1" -B 2000 "${@:2}"
}

# That the shim has done to both what it is for.
were_short() {
	local name calls shortened interrupted

	for name in recv send; do
		read -r calls _ shortened _ interrupted _ <"$name.calls"
		((calls > 100 && shortened > 30 && interrupted > 15)) || {
			echo "$name: $(cat "$name.calls")" >&2
			return 1
		}
	done
}

# finish, which names the seed if it fails.
ends() {
	finish "$@" || {
		echo "with seed $seed" >&2
		return 1
	}
}

# Waits for the end of both, which have been `recv` and `send -V`.
both_succeed() {
	ends send
	ends recv
	were_short
}

@test "short and interrupted calls change no byte over tcp, whoever listens" {
	need_shim
	for seed in "${SEEDS[@]}"; do
		rm -f out
		short recv recv -l localhost:0 out
		wait_port recv
		short send send -V "localhost:$port" "$data"
		both_succeed
		same out "$data"

		rm -f out
		short send send -V -l localhost:0 "$data"
		wait_port send
		short recv recv -S "localhost:$port" out
		both_succeed
		same out "$data"
	done
}

@test "short and interrupted calls change no byte over a unix socket, whoever listens" {
	need_shim
	for seed in "${SEEDS[@]}"; do
		rm -f out
		short recv recv -v -l unix:socket out
		wait_said recv 'listening on'
		short send send -V unix:socket "$data"
		both_succeed
		same out "$data"

		rm -f out
		short send send -v -V -l unix:socket "$data"
		wait_said send 'listening on'
		short recv recv unix:socket out
		both_succeed
		same out "$data"
	done
}

@test "short and interrupted calls change no byte without receipts" {
	need_shim
	for seed in "${SEEDS[@]}"; do
		rm -f out
		short recv recv -v -l unix:socket out
		wait_said recv 'listening on'
		short send send --no-receipt unix:socket "$data"
		both_succeed
		same out "$data"
	done
}

@test "short and interrupted calls change no byte between pipes" {
	need_shim
	mkfifo in out.fifo
	for seed in "${SEEDS[@]}"; do
		start producer cp "$data" in
		start consumer cp out.fifo out
		short recv recv -l 127.0.0.1:0 out.fifo
		wait_port recv
		short send send -V "127.0.0.1:$port" in
		both_succeed
		finish producer
		finish consumer
		same out "$data"
		rm out
	done
}

@test "short and interrupted calls change no byte between commands" {
	need_shim
	for seed in "${SEEDS[@]}"; do
		short recv recv -l 127.0.0.1:0 -- sh -c 'cat >out'
		wait_port recv
		short send send -V "127.0.0.1:$port" -- cat "$data"
		both_succeed
		same out "$data"
		rm out
	done
}

@test "short and interrupted calls take no reason away from a sender whose receiver fails" {
	need_shim
	for seed in "${SEEDS[@]}"; do
		short recv recv -l 127.0.0.1:0 -- sh -c 'head -c 1000 >/dev/null; exit 7'
		wait_port recv
		short send send -V "127.0.0.1:$port" "$data"
		ends recv 1
		ends send 6
		has send.err 'exited with status 7'
	done
}

@test "a stream that breaks off in the middle is no file, however short the calls" {
	need_shim
	for seed in "${SEEDS[@]}"; do
		short recv recv -l 127.0.0.1:0 out
		wait_port recv
		scripted sender connect "127.0.0.1:$port" send:10000 reset
		finish sender
		ends recv 1
		has recv.err 'connection reset after'
		[ ! -e out ]
	done
}

# The kernel's own calls, those inside the C library included. The first ones are the loader's.
@test "system calls interrupted by EINTR change no byte" {
	local inject=(-e 'inject=recvfrom,sendto,recvmsg,sendmsg:error=EINTR:when=1+3'
		-e 'inject=read,write:error=EINTR:when=30+3' -e 'inject=ppoll,accept4:error=EINTR:when=2+2')

	need strace
	need_plain_build
	strace -o /dev/null true 2>/dev/null || skip "needs ptrace"
	data=$BATS_FILE_TMPDIR/data
	for address in 127.0.0.1:0 unix:socket; do
		start recv strace -f -o recv.trace "${inject[@]}" "$SOCKXFER" recv -v -B 1000 -l "$address" out
		wait_said recv 'listening on'
		[ "$address" != 127.0.0.1:0 ] || { wait_port recv; address=127.0.0.1:$port; }
		start send strace -f -o send.trace "${inject[@]}" "$SOCKXFER" send -V -B 1000 "$address" "$data"
		finish send
		finish recv
		same out "$data"
		(($(grep -c '(INJECTED)' recv.trace) > 50 && $(grep -c '(INJECTED)' send.trace) > 50))
		rm out
	done
}

# Where acknowledgements take their time, the kernel holds a second small segment back (Nagle), and a reset
# would throw it away.
@test "a receiver that cannot store what it has received tells its sender why over a slow link too" {
	need_root
	need strace tc
	need_plain_build
	strace -o /dev/null true 2>/dev/null || skip "needs ptrace"
	make_namespace
	"${NS[@]}" ip link set lo mtu 1500
	"${NS[@]}" tc qdisc add dev lo root tbf rate 400kbit burst 2000 limit 200000 || skip "needs tbf"
	random_file data 20000
	start recv "${NS[@]}" strace -f -o recv.trace -e trace=fsync -e inject=fsync:error=EIO \
		"$SOCKXFER" recv -S -l 127.0.0.1:0 out
	wait_port recv
	ours send send -V "127.0.0.1:$port" data
	finish recv 1
	finish send 6
	has send.err 'Input/output error'
	holds . data namespace.err namespace.out recv.err recv.out recv.trace send.err send.out
}
