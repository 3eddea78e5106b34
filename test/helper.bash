# shellcheck shell=bash
# What the black-box tests share. Every test runs in a directory of its own, with stdin at /dev/null.
#
# Background processes are started by `start NAME COMMAND...`: their output is in NAME.out, their
# messages in NAME.err, and `finish NAME [STATUS]` waits for their end. When a test fails, the messages
# of all of them are shown. They inherit no descriptors but stdin; descriptor 8 is for the tests' own use.

bats_require_minimum_version 1.5.0

ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
SOCKXFER=${SOCKXFER:-$ROOT/sockxfer}
# The system's own, if there is one: a version manager's is a slow wrapper around it.
PYTHON=/usr/bin/python3
[ -x "$PYTHON" ] || PYTHON=python3
PEER=$ROOT/test/peer
TOOLS=$ROOT/test/tools
export PYTHONDONTWRITEBYTECODE=1 LC_ALL=C
declare -gA PID=() # -g, for `load` is a function
NS=() # what to put before a command to run it in the namespace made by make_namespace
NS_PID=self

# Whether the program is a wrapper script (valgrind) or a sanitizer build: such a program is slower,
# and uses more memory.
instrumented() {
	[ "$(head -c 2 "$SOCKXFER")" = '#!' ] || grep -q __asan_init "$SOCKXFER"
}

# Seconds that anything may take. It is a bound for programs that hang, not a measure of speed: a
# busy host takes twenty times as long for everything.
LIMIT=120

allow() {
	LIMIT=$1
}

setup() {
	[ -x "$SOCKXFER" ] || {
		echo "no program at $SOCKXFER: run make first" >&2
		return 1
	}
	cd "$BATS_TEST_TMPDIR" || return
	exec </dev/null
	umask 022
	if instrumented; then LIMIT=300; fi
}

# Ends the processes that the test has started, by process id. Any other process that is still in the
# test's directory was left behind by one of them: that is an error.
teardown() {
	local name pid left=()

	for name in "${!PID[@]}"; do
		kill -KILL "${PID[$name]}" 2>/dev/null || true
		wait "${PID[$name]}" 2>/dev/null || true
	done
	for pid in /proc/[0-9]*; do
		pid=${pid#/proc/}
		[ "$pid" != $$ ] || continue
		[ "/proc/$pid/cwd" -ef "$BATS_TEST_TMPDIR" ] 2>/dev/null || continue
		ended "$pid" || left+=("$pid")
	done
	await_ends
	for pid in "${left[@]}"; do
		echo "left running: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline")"
		kill -KILL "$pid" || true
	done
	[ -n "${BATS_TEST_COMPLETED:-}" ] || show_messages
	[ ${#left[@]} -eq 0 ]
}

# Takes from left those that end by themselves within a second: as those of a terminal that was closed.
await_ends() {
	local pid tries still

	for ((tries = 0; tries < 100 && ${#left[@]} > 0; tries++)); do
		still=()
		for pid in "${left[@]}"; do
			ended "$pid" || still+=("$pid")
		done
		left=("${still[@]}")
		[ ${#left[@]} -eq 0 ] || sleep 0.01
	done
}

show_messages() {
	local file

	for file in *.err; do
		[ -s "$file" ] || continue
		echo "--- ${file%.err} said:"
		cat -v "$file"
	done
}

### Waiting

# A pipe without a writer: to wait for a line from it needs no process, unlike sleep(1).
exec {NOTHING}<> <(:)

# nap SECONDS: a pause between two checks of a condition.
nap() {
	read -rt "$1" -u "$NOTHING" || true
}

# Waits until the command is true, at most LIMIT seconds. Status 99 of the command means that it will
# never be true.
wait_for() {
	local deadline=$((${EPOCHREALTIME//[.,]/} + LIMIT * 1000000)) status looks=0

	while :; do
		status=0
		"$@" || status=$?
		[ "$status" -ne 0 ] || return 0
		if [ "$status" -eq 99 ] || ((${EPOCHREALTIME//[.,]/} > deadline)); then
			echo "waited in vain for: $*" >&2
			return 1
		fi
		# Most conditions come true within milliseconds.
		looks=$((looks + 1))
		if [ "$looks" -le 5 ]; then nap 0.002; else nap 0.01; fi
	done
}

# pass SECONDS: lets time pass in which nothing is to happen, so there is no condition to wait for.
pass() {
	nap "$1"
}

# clock NAME: sets the variable to the milliseconds on the clock.
clock() {
	printf -v "$1" %d $((${EPOCHREALTIME//[.,]/} / 1000))
}

# Sets $busy to how many times as long a test may take because of other processes: 1 if no more
# processes want to run than there are processors.
measure_load() {
	local load running

	read -r load _ _ running _ </proc/loadavg
	load=${load%.*} running=${running%/*}
	((running >= load)) || running=$load
	busy=$((1 + (running - 1) / $(nproc)))
}

# took MILLISECONDS LIMIT: asserts that the time is at most the limit, multiplied by $busy. An
# instrumented program may take any time.
took() {
	local busy

	measure_load
	echo "$1 ms, of $2, $busy times" >&2
	instrumented || [ "$1" -le $(($2 * busy)) ]
}

# soon MILLISECONDS SINCE: asserts that at most that time has passed since the time SINCE of clock.
soon() {
	local now

	clock now
	took $((now - $2)) "$1"
}

# Whether the process has ended: it is gone, or a zombie, as it stays until `finish`.
ended() {
	local stat=

	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	[[ ${stat##*) } == [ZX]* ]]
}

### Processes

start() {
	local name=$1

	shift
	if [ -n "${PID[$name]:-}" ] && ! ended "${PID[$name]}"; then
		echo "$name is still running" >&2
		return 1
	fi
	# Here, not only in the background, where it may come after the first look into the files.
	: >"$name.out"
	: >"$name.err"
	# Without <&0 a background process gets /dev/null, whatever stdin the caller of start has.
	(
		close_descriptors
		exec "$@"
	) <&0 >"$name.out" 2>"$name.err" &
	PID[$name]=$!
}

# Closes what bats and the test have open, from 3 on; 255 is bash's own, and is closed by exec.
close_descriptors() {
	local descriptor

	for descriptor in "/proc/$BASHPID/fd"/*; do
		descriptor=${descriptor##*/}
		((descriptor < 3 || descriptor == 255)) || eval "exec $descriptor>&-"
	done
}

# finish NAME [STATUS]: waits until the process has ended, and asserts that exit status (0).
finish() {
	local name=$1 expected=${2:-0} status=0

	wait_for ended "${PID[$name]}" || {
		echo "$name does not end" >&2
		return 1
	}
	wait "${PID[$name]}" || status=$?
	unset "PID[$name]"
	[ "$status" -eq "$expected" ] || {
		echo "$name: exit status $status, not $expected" >&2
		return 1
	}
}

running() {
	! ended "${PID[$1]}" || {
		echo "$1 has ended already" >&2
		return 1
	}
}

# stop NAME: ends a process that does not end by itself.
stop() {
	kill -KILL "${PID[$1]}" 2>/dev/null || true
	wait "${PID[$1]}" 2>/dev/null || true
	unset "PID[$1]"
}

peer() {
	local name=$1

	shift
	start "$name" "${NS[@]}" "$PYTHON" "$PEER/$name.py" "$@"
}

# scripted NAME ARGUMENT...: a scripted peer called NAME.
scripted() {
	local name=$1

	shift
	start "$name" "${NS[@]}" "$PYTHON" "$PEER/scripted.py" "$@"
}

# reaching NAME ADDRESS STEP...: a scripted peer that runs already, and connects as soon as a program
# listens at the address. So a limit that begins with the listening does not include its start.
reaching() {
	local name=$1

	shift
	scripted "$name" reach "$@"
	wait_said "$name" ready
}

# ours NAME ARGUMENT...: sockxfer, in the namespace if there is one.
ours() {
	local name=$1

	shift
	start "$name" "${NS[@]}" "$SOCKXFER" "$@"
}

# Waits until the process NAME has written a line with this text, to stdout or stderr.
wait_said() {
	wait_for said "$1" "$2"
}

said() {
	local status=1

	# In this order, so that a line that it wrote just before its end is not missed.
	! ended "${PID[$1]}" || status=99
	grep -qsF -e "$2" "$1.out" "$1.err" || return "$status"
}

### Ports

# wait_port NAME: waits until the process says where it listens, and sets $port. sockxfer says so on
# port 0 or with -v, our peers always.
wait_port() {
	wait_said "$1" 'listening on'
	port=$(grep -hm1 'listening on' "$1.out" "$1.err")
	port=${port##*[: ]}
	[[ $port =~ ^[0-9]+$ ]]
}

# Whether a program listens on the TCP port (state 0A). It reads /proc: a connect would count as a
# peer.
listening() {
	grep -qi ": [0-9A-F]*:$(printf %04X "$1") [0-9A-F]*:0000 0A " "/proc/$NS_PID/net/tcp" \
		"/proc/$NS_PID/net/tcp6"
}

# The list is the whole machine's, and a path in it is what the program has bound, from wherever it runs.
listening_unix() {
	[ -S "$1" ] && grep -q " 00010000 0001 01 .* $1\$" /proc/net/unix
}

# Sets $port to a free one, for programs that cannot take port 0. It is below the ports that the
# system chooses by itself, and only one test of a run gets it.
free_port() {
	local tries

	for tries in {1..100}; do
		port=$((20000 + RANDOM % 12000))
		mkdir "$BATS_RUN_TMPDIR/port.$port" 2>/dev/null || continue
		grep -qi ":$(printf %04X $port) " "/proc/$NS_PID/net/tcp" "/proc/$NS_PID/net/tcp6" || return 0
	done
	echo "no free port in $tries tries" >&2
	return 1
}

### What a test needs, else it is skipped by name

need() {
	local command

	for command; do
		command -v "$command" >/dev/null || skip "needs $command"
	done
}

need_root() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
}

need_plain_build() {
	! instrumented || skip "not for an instrumented build"
}

need_tmpfile_filter() {
	"$PYTHON" "$TOOLS/no_tmpfile.py" --check 2>/dev/null || skip "needs seccomp"
}

# Makes a namespace with a network (loopback only) and mounts of its own. From then on peers run in it,
# and anything else with "${NS[@]}" in front.
make_namespace() {
	local unshare=(-n -m) enter=(-n -m --wd)

	need unshare nsenter ip mount
	if [ "$(id -u)" -ne 0 ]; then
		unshare+=(-r)
		enter+=(-U --preserve-credentials)
	fi
	unshare "${unshare[@]}" true 2>/dev/null || skip "needs namespaces"
	start namespace unshare "${unshare[@]}" sleep 600
	NS_PID=${PID[namespace]}
	wait_for in_own_namespace
	NS=(nsenter -t "$NS_PID" "${enter[@]}" --)
	"${NS[@]}" ip link set lo up
	# Addresses of IPv6 are usable at once on loopback; elsewhere they would have to be waited for.
	"${NS[@]}" ip -6 addr show dev lo | grep -q ::1 || skip "needs IPv6"
}

# Whether the namespace is ready: unshare becomes the other program, sleep, only then.
in_own_namespace() {
	grep -qx sleep "/proc/$NS_PID/comm"
}

# Puts a file of ours, from stdin, in the place of one in /etc, in the namespace only.
replace_in_namespace() {
	cat >"${1##*/}.ours"
	[ -e "$1" ] || skip "needs $1"
	"${NS[@]}" mount --bind "${1##*/}.ours" "$1"
}

# set_in_namespace NAME VALUE: sets what sysctl(8) calls NAME, of the network.
set_in_namespace() {
	# shellcheck disable=SC2016  # the inner shell's
	"${NS[@]}" sh -c 'echo "$1" >"$0"' "/proc/sys/${1//.//}" "$2" 2>/dev/null || skip "needs to set $1"
}

# Drops incoming packets that match the nft expression, as a black hole in the network would.
drop_in_namespace() {
	need nft
	"${NS[@]}" nft -f - <<-END
		table inet holes {
			chain input { type filter hook input priority 0; $1 drop; }
		}
	END
}

### Assertions

# Asserts that two files have the same bytes.
same() {
	cmp -- "$1" "$2"
}

# Asserts that a text is in a file; the file may have more.
has() {
	grep -qF -e "$2" -- "$1" || {
		echo "$1 does not say: $2" >&2
		return 1
	}
}

# Asserts that a text is not in a file. (A plain `! grep` would not fail a test: bash excepts it from
# errexit.)
has_not() {
	if grep -qF -e "$2" -- "$1"; then
		echo "$1 says: $2" >&2
		return 1
	fi
}

# Asserts that a file has one line that begins with the name of the program, and at most a hint
# besides.
one_line() {
	if [ "$(grep -vc '^sockxfer: [a-z]*: hint: ' "$1")" -ne 1 ] || [ "$(grep -c ': hint: ' "$1")" -gt 1 ] ||
		! head -n 1 "$1" | grep -q '^sockxfer: '; then
		echo "not one line of ours: $1" >&2
		return 1
	fi
}

# Asserts that a directory holds just these names, hidden ones included.
holds() {
	local directory=$1 found expected

	shift
	found=$(cd "$directory" && find . ! -name . | sed 's:^\./::' | sort)
	expected=$(printf '%s\n' "$@" | sort)
	[ "$found" = "$expected" ] || {
		printf '%s holds: %s; expected: %s\n' "$directory" "${found//$'\n'/ }" "$*" >&2
		return 1
	}
}

### Data

# random_file NAME BYTES
random_file() {
	head -c "$2" /dev/urandom >"$1"
}

# The test picture.
picture() {
	cp "$ROOT/test/data/picture.jpg" "$1"
}

### Keys

# make_key FILE [NAME]: a file with a new key, for --key.
make_key() {
	"$SOCKXFER" key "${@:2}" >"$1"
	chmod 600 "$1"
}

# The secret of a file's first key.
secret() {
	sed -n '1s/.*://p' "$1"
}

### Activated, as by systemd and inetd (test/peer/activate.c)

ACTIVATE=${ACTIVATE:-$ROOT/build/peer/activate}

# launch MANNER TRANSPORT COMMAND...: starts the command as "us" when a peer connects to $address. The
# transport is 4, 6 or unix; the manner can have options of the launcher in front: "-k 2 listen".
launch() {
	local manner where

	[ -x "$ACTIVATE" ] || {
		echo "no launcher at $ACTIVATE: run make programs first" >&2
		return 1
	}
	read -ra manner <<<"$1"
	case $2 in
	4) where=(127.0.0.1 0) ;;
	6) where=(::1 0) ;;
	unix) where=(unix socket) && rm -f socket ;;
	esac
	start us "$ACTIVATE" "${manner[@]}" "${where[@]}" "${@:3}"
	case $2 in
	4) wait_port us && address=127.0.0.1:$port ;;
	6) wait_port us && address="[::1]:$port" ;;
	unix) wait_said us 'listening on' && address=unix:socket ;;
	esac
}

### Receivers

# receive ARGUMENT...: starts a receiver, "us", and sets $port.
receive() {
	start us "$SOCKXFER" recv -p 0 "$@"
	wait_port us
}

# receive_half ARGUMENT...: a receiver, and a sender that stops half-way until the file "go" exists.
receive_half() {
	receive "$@"
	half_sender
}

half_sender() {
	scripted sender connect "127.0.0.1:$port" send:200000 await:go send:100000 half eof
	wait_said sender 'send:200000 done'
	"$PYTHON" "$PEER/pattern.py" 300000 >expected
}

# whole OUTPUT ARGUMENT...: transfers the file's data (see setup_file), and asserts that they are in
# OUTPUT then.
whole() {
	local output=$1

	shift
	receive "$@"
	start send "$SOCKXFER" send "127.0.0.1:$port" "$BATS_FILE_TMPDIR/data"
	finish send
	finish us
	same "$output" "$BATS_FILE_TMPDIR/data"
}

# receive_half_named ARGUMENT...: receive_half, as on a file system that has no O_TMPFILE.
receive_half_named() {
	need_tmpfile_filter
	mkdir -p d
	start us "$PYTHON" "$TOOLS/no_tmpfile.py" "$SOCKXFER" recv -p 0 "$@"
	wait_port us
	half_sender
}

mode() {
	stat -c %a "$1"
}
