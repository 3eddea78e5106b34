#!/usr/bin/env bats
# The manual page, --help, the README and the program say the same, and the examples work as written.
#
# An example is a line that begins with "receiver$ " or "sender$ ", and what it is continued on by a
# backslash; two in a row are one transfer. They are run as they stand, but for free ports instead of
# 9009 and 9010, 127.0.0.1 instead of the word host before a port, a directory of the test's instead of
# /tmp, and an ssh that only forwards. Scripts, what a terminal shows, and the README's two lines of a
# crontab are run too.

load helper

MAN=$ROOT/man/sockxfer.1
README=$ROOT/README

# What the examples speak of: a sender and a receiver, each with a directory of its own, the sender's
# files, a program called sockxfer, a pg_dump that fails on demand, as the real one does, half-way, and
# a stdin that neither ends nor says anything, like a terminal.
prepare() {
	mkdir bin receiver sender sender/photos
	picture sender/in.jpg
	cp sender/in.jpg sender/f
	cp sender/in.jpg sender/disk.img
	echo notes >sender/notes.txt
	cp sender/in.jpg sender/photos/1.jpg
	echo two >sender/photos/2.jpg
	printf '#!/bin/sh\nexec "%s" "$@"\n' "$SOCKXFER" >bin/sockxfer
	printf '#!/bin/sh\necho "-- dump of $1"\n[ ! -e "%s/no-database" ] || exit 1\necho "-- complete"\n' \
		"$PWD" >bin/pg_dump
	chmod +x bin/*
	ln -s "$PEER/ssh" bin/ssh
	PATH=$PWD/bin:$PATH
	mkfifo silent
	exec 8<>silent
	(umask 077 && "$SOCKXFER" key >sender/host.key)
}

# A receiver's directory, with nothing in it but the key.
new_receiver() {
	rm -rf receiver
	mkdir receiver
	cp -p sender/host.key receiver
}

# The text of stdin with what mdoc(7) escapes.
unescape() {
	sed "s/\\\\&//g; s/\\\\e/\\\\/g; s/\\\\-/-/g; s/\\\\(aq/'/g"
}

# The commands among the lines of a file, as "role command".
examples() {
	unescape <"$1" | sed -E ':more; /\\$/{N; s/\\\n *//; b more}' | sed -nE 's/^ *('"${2:-receiver|sender}"')\$ +/\1 /p'
}

# An example with this test's host, port and directory.
# shellcheck disable=SC2154  # port is the helper's
localize() {
	sed -E "s/\\<host:9009\\>/127.0.0.1:9009/; s/\\<host 9009\\>/127.0.0.1 9009/
		s/\\(\"host\", 9009\\)/(\"127.0.0.1\", 9009)/
		s/\\<9009\\>/$port/g; s/\\<9010\\>/$forwarded/g; s|/tmp/|$BATS_TEST_TMPDIR/|g" <<<"$1"
}

# play "role command": as a shell of that role would, for less than LIMIT seconds.
play() {
	local role=${1%% *} command

	command=$(localize "${1#* }")
	echo "$role: $command"
	# shellcheck disable=SC2016  # the inner shell's
	start "$role" bash -c 'cd "$1" && exec timeout "$2" bash -c "$3"' - \
		"$role" $((LIMIT - 5)) "$command" <&8
}

# Whether a program receives datagrams at the port.
bound() {
	grep -qi ": [0-9A-F]*:$(printf %04X "$1") " /proc/net/udp /proc/net/udp6
}

# Plays two examples, the one that listens first. Both have to succeed.
play_pair() {
	local status=0 forwarded

	free_port
	forwarded=$port
	free_port
	play "$1"
	case $1 in
	*unix:*) wait_for listening_unix "$BATS_TEST_TMPDIR/drop.sock" ;;
	*udp:*) wait_for bound "$port" ;;
	*) wait_for listening "$port" ;;
	esac
	play "$2"
	finish sender || status=1
	finish receiver || status=1
	return "$status"
}

# What the receiver has is what the sender has, by the names that the examples use.
arrived() {
	case $1 in
	*'$i'*) same sender/photos/1.jpg receiver/1.jpg && same sender/photos/2.jpg receiver/2.jpg ;;
	*udp:*) same sender/notes.txt receiver/notes.txt ;;
	*notes.txt*) same sender/in.jpg receiver/in.jpg && same sender/notes.txt receiver/notes.txt ;;
	*--named*) same sender/in.jpg receiver/in.jpg ;;
	*disk.img*) same sender/disk.img receiver/disk.img && [ ! -e receiver/disk.img.part ] ;;
	*'tar cf - photos'*) diff -r sender/photos receiver/photos ;;
	*'-- tar xf -'*) same sender/photos/1.jpg receiver/1.jpg && same sender/photos/2.jpg receiver/2.jpg ;;
	*out.jpg*) same sender/in.jpg receiver/out.jpg ;;
	*latest.jpg*) same sender/in.jpg receiver/latest.jpg ;;
	*inbox/*) same sender/in.jpg "receiver/$(<receiver.out)" ;;
	*photos.new*) diff -r sender/photos receiver/photos.new ;;
	*shop.dump*) same receiver/shop.dump <(pg_dump shop) ;;
	*) echo "what does \"$1\" show?" && return 1 ;;
	esac
}

# Plays all pairs of examples of a file.
play_examples() {
	local first second pairs=0

	prepare
	new_receiver
	examples "$1" >examples.txt
	[ $(($(wc -l <examples.txt) % 2)) -eq 0 ]
	while read -r first && read -r second; do
		if [[ $first$second == *"[::1]"* ]] && ! grep -q '^0*1 ' /proc/net/if_inet6; then
			echo "# no IPv6 here: $second" >&3
			continue
		fi
		if [[ $first$second == *' nc '* ]] && ! make_nc 'OpenBSD nc'; then
			echo "# no OpenBSD nc here: $first, $second" >&3
			continue
		fi
		# What was there when it broke off, of a file that is appended to.
		[[ $first$second != *'>>out.jpg'* ]] || head -c 200000 sender/in.jpg >receiver/out.jpg
		play_pair "$first" "$second"
		arrived "$first $second"
		new_receiver
		pairs=$((pairs + 1))
	done <examples.txt
	[ "$pairs" -ge 4 ]
}

# The program under test that the test has running, apart from processes that it has started itself.
program_running() {
	local pid

	for pid in $(pgrep -x sockxfer); do
		[ "/proc/$pid/cwd" -ef "$PWD/server" ] || continue
		grep -q " $(awk '{ print $4 }' "/proc/$pid/stat") " <<<" $(pgrep -x sockxfer | tr '\n' ' ') " || echo "$pid"
	done
}

# Plays the servers of a file, each with a client. What a client sends is a line, so that there is one to merge.
play_servers() {
	local command count=0

	prepare
	printf '#!/bin/sh\nexec cp "$2" "$2.xz"\n' >bin/xz
	chmod +x bin/xz
	cp sender/f file
	echo line >line
	examples "$1" server >examples.txt
	while read -r command; do
		mkdir -p server/inbox
		cp sender/in.jpg server
		free_port
		play "$command"
		wait_for listening "$port"
		if [[ $command == *' recv '* ]]; then
			start client "$SOCKXFER" send -V "127.0.0.1:$port" line
			finish client
			wait_for is_served "$command"
		else
			start client "$SOCKXFER" recv "127.0.0.1:$port" got
			finish client
			same got sender/in.jpg
		fi
		kill -TERM "$(program_running)"
		wait_for ended "${PID[server]}"
		stop server
		rm -r server
		count=$((count + 1))
	done <examples.txt
	[ "$count" -ge 5 ]
}

# That the line is where the command is to put it.
is_served() {
	case $1 in
	*xz*) same line server/inbox/*.xz ;;
	*'ls "$f"'*) grep -q '^inbox/2' server.out ;;
	*latest.jpg*) cmp -s line server/latest.jpg ;;
	*all.log*) cmp -s line server/all.log ;;
	*.size*) grep -qx 5 server/127.0.0.1:*.size ;;
	*'$(wc -c)"'*) grep -qx '127\.0\.0\.1:[0-9]* 5' server.out ;;
	*) return 99 ;;
	esac
}

# "short long role" of each option, sorted; short is "-" where there is none, role is send or recv where
# it is for one of them only, else both: of the manual page, where such an item begins "recv only",
man_options() {
	awk 'function put() { if (long != "") print short, long, role; long = "" }
	/^\.(Sh|It)/ { put() }
	/^\.Sh / { here = $2 == "OPTIONS" }
	here && /^\.It / {
		short = "-"; role = "both"; first = NR + 1
		for (i = 2; i < NF; i++) {
			if ($i != "Fl") continue
			if ($(i + 1) ~ /^-./) long = substr($(i + 1), 2)
			else short = $(i + 1)
		}
	}
	NR == first && /^\.Cm (send|recv)$/ { only = $2 }
	NR == first + 1 && only != "" { if (/^only/) role = only; only = "" }' "$MAN" | sort
}

# of the text $1 of --help, where "recv: " says the same,
help_options() {
	sed -nE 's/^ +-([A-Za-z0-9]), --([a-z0-9-]+)(.*)/\1 \2\3/p; s/^ +--([a-z0-9-]+)(.*)/- \1\2/p' <<<"$1" |
		awk '{ print $1, $2, match($0, / (send|recv): /) ? substr($0, RSTART + 1, 4) : "both" }' | sort
}

# and of the parser's table, whose rows are {'w', ROLE_BOTH, "timeout", ... or {OPTION_HELP, ROLE_BOTH, ...
parser_options() {
	sed -nE "s/^\\s*\\{ *('(.)'|[A-Z_]+), *ROLE_([A-Z]+), *\"([a-z0-9-]+)\",.*/\\2 \\4 \\L\\3/p" \
		"$ROOT/src/cli/options.c" | sed 's/^ /- /' | sort
}

# An argument that the option $1 (long) takes, empty if it takes none.
argument() {
	case $1 in
	port) echo 0 ;;
	listen | source) echo 127.0.0.1:0 ;;
	timeout | max-time | retry | idle-eof | grace) echo 5 ;;
	jobs | max-per-peer | max-entries) echo 2 ;;
	allow) echo 127.0.0.1 ;;
	port-file) echo port.txt ;;
	chunk-size | max-size) echo 64K ;;
	rate) echo 1M ;;
	peer) echo socat ;;
	key) echo "$BATS_TEST_TMPDIR/key.txt" ;;
	congestion) cut -d ' ' -f 1 /proc/sys/net/ipv4/tcp_available_congestion_control ;;
	expect) echo xxh128:00000000000000000000000000000000 ;;
	esac
}

@test "the manual page, --help and the parser have the same options" {
	man_options >man.txt
	[ "$(wc -l <man.txt)" -ge 18 ]
	grep -qx 'w timeout both' man.txt
	grep -qx 'V verify send' man.txt
	diff man.txt <(help_options "$("$SOCKXFER" --help)")
	diff man.txt <(parser_options)
}

@test "the help of each command is the help of the program" {
	local word
	"$SOCKXFER" --help >help.txt
	for word in help -h 'send --help' 'send -h' 'recv --help' 'recv -h'; do
		# shellcheck disable=SC2086  # words
		"$SOCKXFER" $word | diff help.txt -
	done
}

@test "the manual page shows what --version prints, whatever the versions are" {
	sed -n '/^\.It Fl -version$/,/^\.Ed$/p' "$MAN" | grep -v '^\.' | sed '1,/^program was built/d' >man.txt
	[ "$(wc -l <man.txt)" -eq 4 ]
	diff <(sed -E 's/[0-9.]+/N/g' man.txt) <("$SOCKXFER" --version | sed -E 's/[0-9.]+/N/g')
}

@test "every documented option is taken, in its short and its long form, and by its role only" {
	local short long only value role form last=() expected count=0
	man_options >man.txt
	(umask 077 && "$SOCKXFER" key >key.txt)
	while read -r short long only; do
		value=$(argument "$long")
		for role in send recv; do
			# No option is refused before the file, which is: so 1 says that it was taken.
			last=("127.0.0.1:9" "$BATS_TEST_TMPDIR/no/such")
			case $long in
			help | version) continue ;;
			allow | port-file | keep-open) last=(-p 0 "$BATS_TEST_TMPDIR/no/such") ;;
			jobs | max-per-peer | grace) last=(-k -p 0 "$BATS_TEST_TMPDIR/no/such") ;;
			raw) last=(udp:127.0.0.1:9 "$BATS_TEST_TMPDIR/no/such") ;;&
			raw) [ "$role" = send ] || last=(-l udp:127.0.0.1:0 "$BATS_TEST_TMPDIR/no/such") ;;
			port | listen) last=("$BATS_TEST_TMPDIR/no/such") ;;
			max-entries) [ "$role" = send ] || last=(-x "${last[@]}") ;;
			esac
			expected=2
			case $only in both | "$role") expected=1 ;; esac
			for form in "--$long" "-$short"; do
				[ "$form" != -- ] || continue
				run "$SOCKXFER" "$role" "$form" ${value:+"$value"} "${last[@]}"
				echo "$role $form: $status: $output"
				[ "$status" -eq "$expected" ]
				[ "$expected" -eq 1 ] || [[ $output == *"is for $only only" ]]
				count=$((count + 1))
			done
		done
	done <man.txt
	[ "$count" -ge 60 ]
}

@test "no other letter or digit is an option" {
	local letter

	man_options >man.txt
	for letter in {a..z} {A..Z} {0..9}; do
		if grep -q "^$letter " man.txt; then continue; fi
		# recv has all that send has
		run "$SOCKXFER" recv "-$letter" 127.0.0.1:9 no/such
		echo "-$letter: $status: $output"
		[ "$status" -eq 2 ]
		[[ $output == *"-$letter"* ]]
	done
}

# The first words of the .It lines of the manual page's section $1 whose macro is $2.
man_items() {
	awk -v section="$1" -v macro="$2" '/^\.Sh / { here = substr($0, 5) == section }
	here && $1 == ".It" && $2 == macro { sub(/^\.It [^ ]+ /, ""); print }' "$MAN"
}

# The members of the JSON object in the last line of file $1, in their order; or the value of member $2.
json() {
	tail -n 1 "$1" | "$PYTHON" -c 'import json, sys
pairs = json.load(sys.stdin, object_pairs_hook=list)
print(*([dict(pairs)[sys.argv[1]]] if sys.argv[1:] else [name for name, _ in pairs]), sep="\n")' "${@:2}"
}

# ends NAME STATUS ENDED [TEXT]: NAME, started with --json, ends with that exit status; its object says the
# same, and how it ended; the text is in its message and in the manual page. What was seen is noted.
ends() {
	finish "$1" "$2"
	[ "$(json "$1.out" exit)" = "$2" ]
	[ "$(json "$1.out" ended)" = "$3" ]
	if [ $# -gt 3 ]; then
		has "$1.err" "$4"
		sed 's/\\&//g' "$MAN" >man.plain # "\&" only keeps mdoc from taking a word for a macro
		has man.plain "$4"
	fi
	echo "$2" >>seen.codes
	echo "$3" >>seen.ended
}

# Starts a receiver, us, and a sender of the picture, both with --json and options of their own.
both() {
	receive --json "$1"
	start them "$SOCKXFER" send --json "127.0.0.1:$port" in.jpg
}

# Sends the picture to a scripted peer that listens and does as "$@" say; $options are the sender's.
send_to_peer() {
	scripted stranger listen 127.0.0.1:0 "$@"
	wait_port stranger
	# shellcheck disable=SC2086  # words
	start them "$SOCKXFER" send --json $options "127.0.0.1:$port" in.jpg
}

@test "the exit codes and the ends documented are those of the design, and are what happens" {
	local documented options

	documented=$(awk '/^\.Sh / { here = $2 " " $3 == "EXIT STATUS" } here && /^\.It / { print $2 }' "$MAN")
	[ "$documented" = $'0\n1\n2\n3\n4\n5\n6\n7\n8\n128+N' ]
	picture in.jpg

	both out
	ends us 0 stored
	ends them 0 stored

	receive --json --idle-eof 0.3 silent
	scripted stranger connect "127.0.0.1:$port" send:1000 eof
	ends us 0 'ended by silence' 'ended by silence, not confirmed'
	finish stranger

	options='' send_to_peer eof
	ends them 0 'not confirmed' ', not confirmed'
	finish stranger

	start them "$SOCKXFER" send --json 127.0.0.1:9 no-such-file
	ends them 1 failed

	run "$SOCKXFER" send --json 127.0.0.1:80x -
	[ "$status" -eq 2 ]
	[[ $output != *"{"* ]] # as documented: there was no transfer
	echo 2 >>seen.codes

	start us "$SOCKXFER" recv --json -w 0.1 -l 127.0.0.1:0 out
	ends us 3 'timed out'

	receive --json -E xxh128:00000000000000000000000000000000 other
	start them "$SOCKXFER" send --json "127.0.0.1:$port" in.jpg
	ends us 4 mismatch 'the digest of the 252756 bytes received is xxh128:1701b6ea'
	ends them 6 'receiver failed' 'the receiver failed: '
	[ ! -e other ]
	options='' send_to_peer eof 'text:sockxfer/1 received 7 xxh128:0123456789abcdef0123456789abcdef\n' \
		'text:sockxfer/1 stored\n'
	ends them 4 mismatch 'the receiver got '
	finish stranger

	options=-V send_to_peer eof
	ends them 5 'not confirmed' '252756 bytes were sent, but no receipt came'
	finish stranger

	both /dev/full
	ends us 1 failed ': write: No space left on device'
	ends them 6 'receiver failed' 'the receiver failed: No space left on device'
	[ "$(json them.out peer_text)" = 'No space left on device' ]

	(umask 077 && "$SOCKXFER" key >our.key && "$SOCKXFER" key >their.key)
	receive -K our.key other
	start them "$SOCKXFER" send --json -K their.key "127.0.0.1:$port" in.jpg
	ends them 7 'no key' 'handshake: the other end does not have this key'
	stop us
	[ ! -e other ]

	start us "$SOCKXFER" recv --json -l udp:127.0.0.1:0 -B 5 --idle-eof 0.1 new
	wait_port us
	"$SOCKXFER" send "udp:127.0.0.1:$port" - <<<'longer than that'
	ends us 8 'datagrams lost' 'losses on the way are unknown'
	rm new

	receive --json new
	kill -TERM "${PID[us]}"
	ends us 143 interrupted
	[ ! -e new ]

	sed 's/^143$/128+N/' seen.codes | sort -u | diff - <(sort <<<"$documented")
	sort -u seen.ended | diff - <(man_items 'RESULT AS JSON' Li | sort)
}

@test "the README and --help have the same exit codes as the manual page" {
	local file codes

	"$SOCKXFER" --help | sed -n '/^Exit status:/,$p' >help.txt
	sed -n '/^ *exit status /,/^$/p' "$README" >readme.txt
	for file in help.txt readme.txt; do
		codes=$(grep -oE '(^|[ ,])([0-9]|128\+N) [a-z]' "$file" | grep -oE '[0-9]+(\+N)?')
		[ "$codes" = $'0\n1\n2\n3\n4\n5\n6\n7\n8\n128+N' ] || { cat "$file"; return 1; }
	done
}

@test "the JSON object has the members of the manual page, in its order" {
	man_items 'RESULT AS JSON' Cm >members.txt
	[ "$(wc -l <members.txt)" -ge 11 ]
	picture in.jpg

	both out
	finish us
	finish them
	grep -vxE 'entries|left_out|resumed_at|interruptions|datagrams|dropped|truncated|(other_)?peers' members.txt >plain.txt
	json us.out | diff plain.txt -
	json them.out | diff plain.txt -
	[ "$(json us.out digest)" = "$(json them.out digest)" ]
	[ "$(json us.out peer)" = "$(json them.out local)" ]
	[ "$(json them.out bytes)" = "$(stat -c %s in.jpg)" ]

	# where there was no connection too
	start them "$SOCKXFER" send --json 127.0.0.1:9 no-such-file
	finish them 1
	json them.out | diff plain.txt -

	# of a tree with one more, and with two where it is sent
	receive --json -x tree
	start them "$SOCKXFER" send --json --named "127.0.0.1:$port" in.jpg
	finish us
	finish them
	json us.out | diff <(grep -vxE 'left_out|resumed_at|interruptions|datagrams|dropped|truncated|(other_)?peers' members.txt) -
	json them.out | diff <(grep -vxE 'resumed_at|interruptions|datagrams|dropped|truncated|(other_)?peers' members.txt) -
	[ "$(json us.out entries)" = 1 ]
	[ "$(json them.out entries)" = 1 ]
	[ "$(json them.out left_out)" = 0 ]

	# with -R by one more, and with -r by two
	head -c 200000 in.jpg >resumed.part
	receive --json -R resumed
	start them "$SOCKXFER" send --json -R -r 60 "127.0.0.1:$port" in.jpg
	finish us
	finish them
	json us.out | diff <(grep -vxE 'entries|left_out|interruptions|datagrams|dropped|truncated|(other_)?peers' members.txt) -
	json them.out | diff <(grep -vxE 'entries|left_out|datagrams|dropped|truncated|(other_)?peers' members.txt) -
	[ "$(json us.out resumed_at) $(json them.out resumed_at)" = '200000 200000' ]
	[ "$(json us.out bytes) $(json them.out bytes)" = '252756 252756' ]
	[ "$(json them.out interruptions)" = 0 ]

	# and of datagrams with others
	start us "$SOCKXFER" recv --json -l udp:127.0.0.1:0 --idle-eof 0.1 lines
	wait_port us
	start them "$SOCKXFER" send --json "udp:127.0.0.1:$port" - <<<line
	finish them
	finish us
	grep -vxE 'entries|left_out|resumed_at|interruptions' members.txt >datagrams.txt
	json us.out | diff datagrams.txt -
	json them.out | diff <(grep -vxE 'dropped|truncated|(other_)?peers' datagrams.txt) -
	[ "$(json us.out datagrams)" = 1 ]
}

@test "where standard output may carry the data, the JSON object is on standard error" {
	local last

	picture in.jpg
	for last in - '-- cat'; do
		# shellcheck disable=SC2086  # words
		receive --json $last
		start them "$SOCKXFER" send "127.0.0.1:$port" in.jpg
		finish them
		finish us
		same us.out in.jpg
		[ "$(json us.err ended)" = stored ]
	done
}

# The three receipt lines of the manual page.
man_receipts() {
	man_lines | grep -vE '^sockxfer/1 (have|from) '
}

# All lines of its protocol.
man_lines() {
	sed -n '/^\.Sh PROTOCOL/,/^\.Sh SEE/{/^sockxfer\/1 /p}' "$MAN"
}

@test "the receipt lines of the manual page are what a receiver writes, byte for byte" {
	picture in.jpg
	man_receipts >receipts.txt
	[ "$(wc -l <receipts.txt)" -eq 3 ]

	receive out
	scripted sender connect "127.0.0.1:$port" file:in.jpg half eof save:stored.txt
	finish sender
	finish us
	head -n 2 receipts.txt | same stored.txt -

	receive /dev/full
	scripted sender connect "127.0.0.1:$port" file:in.jpg half gone save:failed.txt
	finish sender
	finish us 1
	tail -n 1 receipts.txt | same failed.txt -
}

@test "the receipt lines of the manual page are what a sender takes for a receipt" {
	local received stored failed options

	{ read -r received && read -r stored && read -r failed; } < <(man_receipts)
	picture in.jpg

	options=-V send_to_peer eof "text:$received\\n" "text:$stored\\n"
	finish them
	finish stranger
	options=-V send_to_peer eof "text:hello\\n" "text:$received\\n" "text:$stored\\n"
	finish them 5
	finish stranger
	options=-V send_to_peer eof "text:$received\\n"
	finish them 1
	finish stranger
	has them.err 'the receiver went away before it had stored'
	has "$MAN" 'the receiver went away before it had stored'
	options='' send_to_peer eof "text:$failed\\n"
	finish them 6
	finish stranger
	has them.err "${failed#* * }"
}

# The two lines, of a receiver that has 200,000 bytes and of the sender.
man_resumes() {
	man_lines | grep -E '^sockxfer/1 (have|from) '
}

@test "the lines of resuming in the manual page are what both ends write, byte for byte" {
	local have from token

	{ read -r have && read -r from; } < <(man_resumes)
	token=${have##* }
	[[ $from == *" $token "* ]]
	picture in.jpg

	head -c 200000 in.jpg >out.part
	receive -R out
	scripted sender connect "127.0.0.1:$port" "expect:$((${#have} + 1))" save:have.txt reset
	finish sender
	sed "s/ [0-9a-f]\{16\}\$/ $token/" have.txt | diff - <(echo "$have")
	stop us

	scripted receiver listen 127.0.0.1:0 "text:$have\\n" eof save:stream.bin
	wait_port receiver
	start us "$SOCKXFER" send -R "127.0.0.1:$port" in.jpg
	finish receiver
	finish us
	{
		echo "$from"
		tail -c +200001 in.jpg
	} | cmp - stream.bin
}

@test "a receiver goes on by the line of the manual page" {
	local have from token

	{ read -r have && read -r from; } < <(man_resumes)
	picture in.jpg
	head -c 200000 in.jpg >out.part
	tail -c +200001 in.jpg >rest
	receive -R out
	# The token is the one that this receiver has said.
	start sender "$PYTHON" - "$port" "$from" "${have##* }" <<-'END'
		import socket, sys
		port, line, token = int(sys.argv[1]), sys.argv[2], sys.argv[3]
		with socket.create_connection(("127.0.0.1", port)) as s:
		    have = s.makefile("rb").readline().split()
		    s.sendall(line.replace(token, have[3].decode()).encode() + b"\n" + open("rest", "rb").read())
		    s.shutdown(socket.SHUT_WR)
		    print(s.makefile().read())
	END
	finish sender
	finish us
	same out in.jpg
	[ ! -e out.part ]
	has sender.out 'sockxfer/1 stored'
}

# exec_start: prints the command of the unit in the subsection By itself, with this test's program and port.
exec_start() {
	sed -n 's/^ExecStart=//p' image-receiver.service | sed "s:/usr/local/bin/sockxfer:$SOCKXFER:; s/9009/$port/"
}

@test "the unit of a receiver that is started again works as written" {
	local command

	displays 'By itself' '# /etc/systemd/system/image-receiver.service' >image-receiver.service
	if command -v systemd-analyze >/dev/null; then
		sed "s:/usr/local/bin/sockxfer:$SOCKXFER:" image-receiver.service >verified.service
		SYSTEMD_UNIT_PATH=$PWD: run systemd-analyze verify --man=no "$PWD/verified.service"
		[ -z "$output" ]
	fi
	free_port
	read -ra command < <(exec_start)
	"$PYTHON" "$PEER/pattern.py" 4000000 >in
	start us "${command[@]}"
	start them "$SOCKXFER" send -R -r 60 -b 2M "127.0.0.1:$port" in
	wait_for [ -e disk.img.part ]
	kill -KILL "${PID[us]}"
	stop us
	start us "${command[@]}"
	finish them
	finish us
	same disk.img in
	has us.err ', resumed at '
	has_not us.err interrupted
}

@test "the digests of the manual page are those of xxh128sum" {
	local digest

	need xxh128sum
	digest=xxh128:$(xxh128sum <"$ROOT/test/data/picture.jpg" | cut -d ' ' -f 1)
	[[ $(man_receipts) == *" $digest"* ]]
	has "$MAN" "-E $digest"
	digest=xxh128:$(head -c 200000 "$ROOT/test/data/picture.jpg" | xxh128sum | cut -d ' ' -f 1)
	[[ $(man_lines) == *" $digest"* ]]
}

@test "mandoc has nothing to say about the manual page" {
	command -v mandoc >/dev/null || skip "no mandoc here"
	run mandoc -Tlint -W warning "$MAN"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "the examples of the manual page work as written" {
	play_examples "$MAN"
}

@test "the examples of several receivers work as written" {
	local file command i count=0

	need jq
	for file in "$MAN" "$README"; do
		unescape <"$file" | sed -E ':more; /\|$/{N; s/\n */ /; b more}' |
			sed -nE 's/^ *(sockxfer send .*host1:9009,host2:9009 .*)$/\1/p' >examples.txt
		while read -r command; do
			for i in 1 2; do
				start "host$i" "$SOCKXFER" recv -l 127.0.0.1:0 "got$i"
				wait_port "host$i"
				command=${command/"host$i:9009"/"127.0.0.1:$port"}
			done
			picture in.jpg
			start us bash -c "sockxfer() { \"$SOCKXFER\" \"\$@\"; }; $command"
			finish us
			for i in 1 2; do
				finish "host$i"
				same "got$i" in.jpg
			done
			[[ $command != *jq* ]] || [ "$(wc -l <us.out)" -eq 2 ]
			count=$((count + 1))
		done <examples.txt
	done
	[ "$count" -eq 2 ]
}

# The literal displays of section or subsection $1 of the manual page whose first line begins with $2.
displays() {
	unescape <"$MAN" | awk -v section="$1" -v first="$2" '
	/^\.S[hs] / { inside = substr($0, 5) == section }
	/^\.Ed/ { here = 0 }
	here == 1 { here = inside && index($0, first) == 1 ? 2 : 3 }
	here == 2
	/^\.Bd -literal/ { here = 1 }'
}

# script TEXT: writes the script of the manual page that contains the text, with this test's host and port.
script() {
	localize "$(displays 'In a script' '#!/bin/sh')" |
		awk -v text="$1" '/^#!/ { if (index(all, text)) exit; all = "" } { all = all $0 "\n" }
		END { printf "%s", all }' >script
	has script "$1"
	chmod +x script
	mkdir -p here
}

# Runs it in a directory of its own.
run_script() {
	start script env -C here ../script
}

@test "the receiving script of the manual page works as written, also when the receiver fails" {
	need jq
	prepare
	script --port-file
	for name in first second; do # an old file of the port misleads nobody
		rm -f here/shop.dump
		run_script
		wait_said script 'to be sent to port '
		start send "$SOCKXFER" send -V "127.0.0.1:$(sed -n 's/^to be sent to port //p' script.out)" sender/in.jpg
		finish send
		finish script
		same sender/in.jpg here/shop.dump
		[ "$(tail -n 1 script.out)" = xxh128:1701b6ea894fbc06f975178e1fdad45f ]
	done

	rm here/shop.dump
	run_script
	wait_said script 'to be sent to port '
	scripted sender connect "127.0.0.1:$(<here/port)" send:1000 reset
	finish sender
	finish script 1
	tail -n 1 script.out | grep -q 'connection reset after 1000 bytes$'
	[ ! -e here/shop.dump ]

	echo yesterday >here/shop.dump
	run_script
	finish script 1
	has script.err 'shop.dump: File exists'
}

@test "the sending script of the manual page works as written, and says what became of it" {
	need jq
	prepare
	free_port
	script pg_dump
	has script '-r 60'
	run_script
	wait_for [ -e here/messages ]
	start us "$SOCKXFER" recv -p "$port" got
	finish script
	finish us
	same got <(pg_dump shop)
	grep -qx "stored: xxh128:[0-9a-f]*" script.out

	start us "$SOCKXFER" recv -p "$port" /dev/full
	run_script
	finish script 6
	finish us 1
	[ "$(<script.out)" = 'not stored: No space left on device' ]

	touch no-database
	start us "$SOCKXFER" recv -p "$port" got
	run_script
	finish script 1
	finish us 1
	has script.out 'failed: 127.0.0.1:'
	has script.out 'pg_dump: exited with status 1'
}

# What is different each time: how long it took, and how fast, and the other end's address.
same_each_time() {
	tr -d '\r' | sed -E 's/ in [^(]*\([^)]*\)/ in TIME (RATE)/; s/ from .*/ from PEER/'
}

# A network with the addresses of the manual page.
documented_addresses() {
	make_namespace
	"${NS[@]}" ip link add v0 type veth peer name w0 2>/dev/null || skip "needs veth"
	"${NS[@]}" ip link set v0 addrgenmode none
	"${NS[@]}" ip link set w0 addrgenmode none
	"${NS[@]}" ip link set v0 up
	"${NS[@]}" ip link set w0 up
	"${NS[@]}" ip addr add 192.0.2.7/24 dev v0
	"${NS[@]}" ip -6 addr add 2001:db8::7/64 dev v0 nodad
}

# shows FILE: what us has printed is, but for what differs each time, the rest of the display.
shows() {
	tail -n +2 "$1" | same_each_time | diff - <(cat us.out us.err | same_each_time)
}

@test "a terminal shows what the manual page says it does, and the command in it works" {
	local command

	prepare
	documented_addresses
	displays DESCRIPTION '$ ' >shown
	command=$(sed -n '1s/^\$ sockxfer //p' shown)
	# shellcheck disable=SC2086  # words
	start us "${NS[@]}" env TERM=dumb "$PYTHON" "$ROOT/test/fault/terminal.py" "$SOCKXFER" $command
	wait_said us 'Or with another address'
	start peer "${NS[@]}" sh -c "cd sender && $(sed -n 's/^On the other machine: //p' shown)"
	finish peer
	finish us
	same in.jpg sender/in.jpg
	shows shown
}

@test "--peer prints the command that the manual page says, first" {
	local command

	prepare
	displays HAND-OVER '$ ' >shown
	command=$(sed -n '1s/^\$ sockxfer //p' shown)
	# Nothing is sent: the source address is nobody's.
	# shellcheck disable=SC2086  # words
	start us env -C sender "$SOCKXFER" $command -s 203.0.113.1
	finish us 1
	[ "$(sed -n 2p shown)" = "$(head -n 1 us.err)" ]
}

@test "ENVIRONMENT has what the program asks for or sets, and FILES what make install puts there" {
	local file

	man_items ENVIRONMENT Ev | grep -v '^LC_' | sort >documented
	{
		grep -oh 'getenv("[^"]*")' "$ROOT"/src/*/*.c
		grep -oh '"SOCKXFER_[A-Z]*"' "$ROOT"/src/*/*.c
	} | sed -E "s/.*\"([A-Z_]+)[=\"].*/\1/" | sort -u | diff documented -
	man_items FILES Pa | grep '^/usr/local/' >files
	[ "$(wc -l <files)" -eq 3 ]
	make -C "$ROOT" -n install PREFIX=/usr/local DESTDIR= >install
	while read -r file; do has install " $file"; done <files
}

@test "the hint of a refused connection is the one that the manual page shows" {
	start us "$SOCKXFER" send 127.0.0.1:9 "$MAN"
	finish us 1
	has "$MAN" "$(sed -n 2p us.err)"
	start us "$SOCKXFER" send -q 127.0.0.1:9 "$MAN"
	finish us 1
	has_not us.err hint
}

@test "the examples of the README work as written" {
	play_examples "$README"
}

# The command of the README's crontab that contains $1, as "role command".
cron_job() {
	sed -nE "s/^ *[0-9]+ [0-9]+ \\* \\* \\* +(.*\\<$1\\>.*)/\\1/p" "$README"
}

# play_cron RECEIVER SENDER: runs the two jobs with stdin at /dev/null; both have to exit with these.
play_cron() {
	free_port
	exec 8</dev/null
	play "sender $(cron_job send)" # -r: the order does not matter
	pass 0.3
	play "receiver $(cron_job recv)"
	finish sender "$2"
	finish receiver "$1"
}

@test "the servers of the manual page work as written" {
	play_servers "$MAN"
}

@test "the servers of the README work as written" {
	play_servers "$README"
}

@test "the README's cron jobs say nothing when all is well, and do not lie when the producer fails" {
	prepare
	play_cron 0 0
	same receiver/shop.dump <(pg_dump shop)
	[ ! -s sender.err ] && [ ! -s sender.out ]
	[ ! -s receiver.err ] && [ ! -s receiver.out ]

	echo yesterday >receiver/shop.dump
	touch no-database
	play_cron 1 1
	has sender.err 'pg_dump: exited with status 1'
	has "$MAN" 'pg_dump: exited with status 1'
	one_line sender.err
	one_line receiver.err
	[ "$(<receiver/shop.dump)" = yesterday ]
	holds receiver shop.dump
}

# "label<tab>command" of the manual page's lists of commands for the other end.
peer_commands() {
	sed -nE 's/^\.It (.*) Ta Li (.*)$/\1\t\2/p' "$MAN"
}

# Makes nc the program that the label $1 means; fails where this machine does not have it.
make_nc() {
	local program
	case $1 in
	"OpenBSD nc") program=nc.openbsd ;;
	"traditional nc") program=nc.traditional ;;
	busybox | toybox) program="$1 nc" ;;
	*) command -v "$1" >/dev/null; return ;;
	esac
	command -v "${program%% *}" >/dev/null || return 1
	printf '#!/bin/sh\nexec %s "$@"\n' "$program" >bin/nc
	chmod +x bin/nc
}

@test "the commands for the other end work as written, in both directions" {
	local label command count=0

	prepare
	peer_commands >commands.txt
	[ "$(wc -l <commands.txt)" -ge 12 ]
	while IFS=$'\t' read -r label command; do
		if ! make_nc "$label"; then
			echo "# not on this machine: $label" >&3
			continue
		fi
		case $command in
		*host*) play_pair "receiver sockxfer recv -p 9009 f" "sender $command" ;;
		*) play_pair "receiver $command" "sender sockxfer send host:9009 f" ;;
		esac
		same sender/f receiver/f
		rm receiver/f
		count=$((count + 1))
	done <commands.txt
	[ "$count" -gt 0 ] || skip "none of them is on this machine"
}

# The displays for programs that encrypt, which have their keys, and what they are at the end of.
keyed() {
	displays 'With a key and other programs' "$1" | sed -E ':more; /\\$/{N; s/\\\n *//; b more}'
}

# play_keyed COMMAND: plays the command of another program, and sockxfer at the other end; the file arrives.
play_keyed() {
	case $1 in
	*s_server*'<f') play_pair "sender $1" 'receiver sockxfer recv -K host.key host:9009 f' ;;
	*s_server*) play_pair "receiver $1" 'sender sockxfer send -K host.key host:9009 f' ;;
	*'<f') play_pair 'receiver sockxfer recv -K host.key -p 9009 f' "sender $1" ;;
	*) play_pair 'sender sockxfer send -K host.key -p 9009 f' "receiver $1" ;;
	esac
	same sender/f receiver/f
	rm receiver/f
}

@test "the commands of openssl for the other end work as written, in both roles and directions" {
	local command options count=0

	need openssl
	prepare
	new_receiver
	(umask 077 && "$SOCKXFER" key --openssl sender/host.key >sender/key.pem)
	cp -p sender/key.pem receiver
	keyed 'X=' >commands.txt
	read -r options <commands.txt
	while read -r command; do
		play_keyed "$options; $command"
		count=$((count + 1))
	done < <(tail -n +2 commands.txt)
	[ "$count" -eq 4 ]
}

@test "the command of gnutls-cli for the other end works as written" {
	need gnutls-cli
	prepare
	new_receiver
	play_keyed "$(keyed 'P=' | sed 's/9009 host /9009 127.0.0.1 /' | tr '\n' ';' | sed 's/;$//')"
}

# Starts stunnel with the section of the manual page that begins with [$1], on the ports $near and $far.
start_stunnel() {
	{
		printf '%s\n' 'foreground = yes' 'pid =' 'syslog = no'
		displays 'With a key and other programs' "[$1]" |
			sed "s|/etc/|$PWD/sender/|; s/host:9009/127.0.0.1:$far/; s/9009/$far/; s/9010/$near/"
	} >"$1.conf"
	start stunnel stunnel "$1.conf"
}

@test "the configurations of stunnel work as written, and hide a cut, as the manual page says" {
	local near far

	need stunnel
	prepare
	free_port
	near=$port
	free_port
	far=$port

	start_stunnel client
	wait_for listening "$near"
	start us "$SOCKXFER" recv -K sender/host.key -l "127.0.0.1:$far" out
	wait_for listening "$far"
	start them "$SOCKXFER" send -V "127.0.0.1:$near" sender/f
	finish them
	finish us
	same out sender/f
	stop stunnel

	start_stunnel server
	wait_for listening "$far"
	start us "$SOCKXFER" recv -l "127.0.0.1:$near" -
	wait_for listening "$near"
	mkfifo endless
	exec 9<>endless
	start them "$SOCKXFER" send -K sender/host.key "127.0.0.1:$far" endless
	cat sender/f >&9
	wait_for cmp -s us.out sender/f
	kill -KILL "${PID[them]}"
	finish us # with 0, though nobody has ended the stream
	stop stunnel
}

@test "the README says at its beginning that nothing is encrypted, and where there is more about it" {
	head -n 30 "$README" >begin.txt
	has begin.txt 'Nothing is encrypted by itself: it moves plain bytes'
	has begin.txt 'With a key at both ends (-K) all is encrypted'
	has begin.txt '"With a key"'
	grep -qx 'With a key' "$README"
	has begin.txt '"What it does not do"'
	grep -qx 'What it does not do' "$README"
}

@test "the README and the manual page say where to report a bug, and what belongs into a report" {
	sed -n '/^Bugs$/,/^Licence$/p' "$README" >bugs.txt
	has bugs.txt 'issue tracker'
	has bugs.txt 'sockxfer --version'
	sed -n '/^\.Sh BUGS$/,$p' "$MAN" >bugs.txt
	has bugs.txt 'issue tracker'
	has bugs.txt '.Fl -version'
}

@test "the README has the same commands for the other end as the manual page" {
	diff <(peer_commands) <(sed -nE '/^No sockxfer/,/^Compared/s/^    ([A-Za-z]+( nc)?)  +(.*)$/\1\t\3/p' "$README" |
		grep -v ^Python)
}

@test "the Python program of the manual page works as written" {
	prepare
	awk '/^import socket/ { here = 1 } /^\.Ed/ { here = 0 } here' "$MAN" >program
	grep -q 'host", 9009' program
	play_pair "receiver sockxfer recv -p 9009 out.jpg" "sender python3 - <<'END'
$(<program)
END"
	same sender/in.jpg receiver/out.jpg
}

@test "the README's line of Python works as written" {
	local line

	prepare
	line=$(sed -nE 's/^    Python  +//p' "$README")
	[[ $line == socket.* ]]
	play_pair "receiver sockxfer recv -p 9009 out.jpg" "sender python3 - <<'END'
import socket
data = open(\"in.jpg\", \"rb\").read()
$line
END"
	same sender/in.jpg receiver/out.jpg
}

@test "what the README tells to make and to read is there" {
	local name

	for name in deps demo check compare bench soak install; do
		grep -qE "make (.* )?$name" "$README"
		grep -qE "^([a-z-]+ )*$name( [a-z-]+)*:" "$ROOT/Makefile"
	done
	[ -e "$ROOT/COPYING" ]
	grep -oE '\b(man|test|src)/[a-z0-9./_-]*[a-z0-9]' "$README" | sort -u >names.txt
	[ -s names.txt ]
	while read -r name; do
		[ -e "$ROOT/$name" ] || { echo "README: $name is not there"; return 1; }
	done <names.txt
}

@test "the README's row of faults for sockxfer is the one that the comparison is held to" {
	local row

	row=$(grep -E '^ *sockxfer +K ' "$README" | tr -s ' ')
	[ -n "$row" ]
	has "$ROOT/test/compare/compare.bats" "\"${row# }\""
}
