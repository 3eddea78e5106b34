#!/usr/bin/env bats
# The engines by which a sender's bytes get into the socket: which one is at work when, and that the same bytes
# come from each. (The other tests of the data path mostly have receipts, and so the portable engine.)
# shellcheck disable=SC2154  # port: wait_port sets it

load helper
load fault/fault

setup_file() {
	head -c 3000000 /dev/urandom >"$BATS_FILE_TMPDIR/data"
}

# Another address than loopback, on this machine, in a namespace.
make_other_host() {
	make_namespace
	"${NS[@]}" ip address add 10.9.9.9/32 dev lo
}

# receive_at WHERE: a receiver "recv" there (unix, loopback, host: an address that is not loopback), and $address.
receive_at() {
	local where

	case $1 in
	unix) where=unix:recv.socket ;;
	loopback) where=127.0.0.1:0 ;;
	host) where=10.9.9.9:0 ;;
	esac
	rm -f out
	ours recv recv -v -l "$where" out
	find_address recv
}

# sent_by WHERE CALLS [OPTION...]: that the data arrive, and that the sender has made that many calls of
# sendfile(2), 0 or "some".
sent_by() {
	local where=$1 expected=$2 calls

	shift 2
	receive_at "$where"
	start send "${NS[@]}" strace -f -qq -o trace -e trace=sendfile "$SOCKXFER" send "$@" "$address" \
		"$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
	calls=$(grep -c sendfile trace) || true
	case $expected in
	some) [ "$calls" -gt 0 ] ;;
	*) [ "$calls" -eq "$expected" ] ;;
	esac || {
		echo "$where $*: $calls calls of sendfile, not $expected" >&2
		return 1
	}
}

@test "a file that nobody has to read is sent by sendfile over unix sockets and to other hosts" {
	need_strace
	make_other_host
	sent_by unix some --no-receipt
	sent_by host some --no-receipt
}

@test "over loopback, and where a digest is needed, a file is read and sent" {
	need_strace
	make_other_host
	sent_by loopback 0 --no-receipt
	sent_by unix 0
	sent_by host 0 -V
}

@test "a pipe is read and sent" {
	need_strace
	receive_at unix
	inject
	FRONT=(strace -f -qq -o trace -e trace=sendfile)
	mkfifo pipe
	connect_as send send --no-receipt "$address" pipe
	cat "$BATS_FILE_TMPDIR/data" >pipe
	finish send
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
	has_not trace sendfile
}

@test "by sendfile the same bytes arrive, whatever their number and the chunk" {
	local where size chunk

	make_other_host
	for where in unix host; do
		for size in 0 1 1048575 2097152 3000000; do
			head -c "$size" "$BATS_FILE_TMPDIR/data" >in
			for chunk in 64K 2M; do
				receive_at "$where"
				ours send send --no-receipt -B "$chunk" "$address" in
				finish send
				finish recv
				same in out
			done
		done
	done
	head -c 1000 "$BATS_FILE_TMPDIR/data" >in
	receive_at host
	ours send send --no-receipt -B 1 "$address" in
	finish send
	finish recv
	same in out
}

@test "stdin that is a file is sent by sendfile from where it stands" {
	receive_at unix
	# shellcheck disable=SC2016  # $0 and $@ are for the inner shell
	start send sh -c 'dd bs=1000 count=1 status=none >/dev/null; exec "$0" "$@"' \
		"$SOCKXFER" send --no-receipt -B 64K "$address" <"$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	tail -c +1001 "$BATS_FILE_TMPDIR/data" | cmp - out
}

# refused WHEN: the kernel refuses sendfile at its WHENth call and all later ones.
refused() {
	receive_at unix
	inject "sendfile:error=EINVAL:when=$1+"
	connect_as send send --no-receipt -B 256K "$address" "$BATS_FILE_TMPDIR/data"
	finish send
	finish recv
	same out "$BATS_FILE_TMPDIR/data"
	# Remembered: it was not tried again.
	[ "$(grep -c 'sendfile.*EINVAL' trace)" -eq 1 ]
}

@test "a kernel that refuses sendfile at once: read and send take over" { refused 1; }
@test "a kernel that refuses sendfile half-way: read and send take over, no byte lost or doubled" { refused 3; }

@test "a file that cannot be read half-way: send 1, with the reason, recv 1 and no file" {
	receive_at unix
	inject sendfile:error=EIO:when=3+ read:error=EIO:when=2+
	FRONT+=(-P "$BATS_FILE_TMPDIR/data") # its calls are counted alone
	connect_as send send --no-receipt -B 64K "$address" "$BATS_FILE_TMPDIR/data"
	finish send 1
	has send.err 'data: read: Input/output error'
	finish recv 1
	[ ! -e out ]
}

# unreadable ERROR: a file that neither sendfile nor read can read any more, half-way.
unreadable() {
	rm -f recv.socket
	receive_at unix
	inject "sendfile:error=$1:when=3+" "read:error=$1:when=2+"
	FRONT+=(-P "$BATS_FILE_TMPDIR/data")
	connect_as send send --no-receipt -w 10 -B 64K "$address" "$BATS_FILE_TMPDIR/data"
	finish send 1
	has send.err 'data: read: '
	finish recv 1
	[ ! -e out ]
}

@test "whatever error a file gives, also one that a connection could have: send 1, and it is the file's" {
	local error

	for error in EBADMSG ETIMEDOUT ENOTCONN EACCES; do
		unreadable "$error"
	done
}

@test "a file that is modified before anybody connects has not changed while it was sent" {
	random_file in 3000000
	start send "$SOCKXFER" send -v --no-receipt -l unix:send.socket in
	wait_said send 'listening on'
	printf more >>in
	start recv "$SOCKXFER" recv unix:send.socket out
	finish send
	finish recv
	head -c 3000000 in | cmp - out
}

# A receiver that takes nothing before the file "go" exists, and a sender that is waiting for it. On a unix socket
# the first chunk is read, for the lifeline, so it is a small one.
hold() {
	head -c 50000000 /dev/zero >in
	scripted_listen recv unix await:go "$@"
	connect_as send send --no-receipt -B 4K "$address" in
	wait_said recv 'peer '
	wait_for has_sent 100000
}

# Whether the sender has taken so many bytes from "in".
has_sent() {
	local file

	for file in "/proc/$(pid_of send)/fd"/*; do
		[ "$file" -ef in ] || continue
		awk -v least="$1" '$1 == "pos:" { exit $2 < least }' "${file/fd/fdinfo}"
		return
	done
	return 1
}

@test "a source that is overwritten while sendfile sends it: send 4, and the peer sees no success" {
	hold eof
	printf changed | dd of=in conv=notrunc status=none
	touch go
	finish send 4
	has send.err 'in: the source changed while it was sent'
	stop recv
}

@test "a source that changes after the last byte was handed over: send 4" {
	random_file in 3000
	scripted_listen recv unix eof await:go close
	connect_as send send --no-receipt -B 1K "$address" in
	wait_said recv 'eof done'
	printf changed | dd of=in conv=notrunc status=none
	touch go
	finish send 4
	has send.err 'the source changed while it was sent'
	finish recv
}

@test "a source that shrinks while sendfile sends it: send 1 with the sizes" {
	hold eof
	truncate -s 40000000 in
	touch go
	finish send 1
	one_line send.err
	has send.err 'in: the file has become shorter: 40000000 of 50000000 bytes could be read'
	stop recv
}

@test "a receiver that is gone while sendfile sends: send 1" {
	hold reset
	touch go
	finish send 1
	has send.err 'connection reset after'
	stop recv
}

@test "a signal while sendfile sends to a peer that does not read: death by that signal" {
	watched send
	hold eof
	signal_to send TERM
	stop recv
}
