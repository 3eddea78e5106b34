#!/usr/bin/env bats
# Sparse files of 5 GiB, over each transport. They take long: `make large` runs them, and `make check` has one of
# over 4 GiB instead (fault/local_io.bats).
# shellcheck disable=SC2154  # port: wait_port sets it

load helper

# A sparse file with bytes where an offset of 31 or 32 bits, or the 2,147,479,552 bytes that the kernel
# moves in one call, would go wrong, and at the end.
make_big_file() {
	local offset

	truncate -s 5G big
	for offset in 0 2147479550 2147483640 4294967290 5368709100; do
		head -c 20 /dev/urandom | dd of=big bs=1 seek=$offset conv=notrunc status=none
	done
	allow 600
}

# big_to_stdout FAMILY: where there is no need for 5 GiB of disk.
big_to_stdout() {
	make_big_file
	mkfifo pipe
	start compare cmp pipe big
	# shellcheck disable=SC2016  # $0 and $@ are for the inner shell
	start recv sh -c 'exec "$0" recv "$@" >pipe' "$SOCKXFER" -v -l "$2"
	wait_said recv 'listening on'
	start send "$SOCKXFER" send "$(sed -n 's/.*listening on //p' recv.err)" big
	finish recv
	finish send
	finish compare
}

@test "a sparse file of 5 GiB arrives over IPv4, as a file" {
	local room

	room=$(df -Pk . | awk 'NR == 2 { print $4 }')
	[ "$room" -gt 6000000 ] || skip "needs 6 GB of disk"
	make_big_file
	start recv "$SOCKXFER" recv -l 127.0.0.1:0 out
	wait_port recv
	start send "$SOCKXFER" send "127.0.0.1:$port" big
	finish recv
	finish send
	same big out
	rm out
}

@test "a sparse file of 5 GiB arrives over IPv6" { big_to_stdout tcp6 '[::1]:0'; }
@test "a sparse file of 5 GiB arrives over a unix socket" { big_to_stdout unix unix:socket; }
