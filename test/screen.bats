#!/usr/bin/env bats
# What a person sees: screens of a real terminal (tmux), in mid-transfer, resized, and afterwards.

load helper

# A terminal of this size in which the script, the rest, is run by sh, with $SOCKXFER for the program. It ends with
# a line "END status" and stays.
terminal() {
	local columns=$1 lines=$2

	need tmux
	printf '%s\n' 'trap : INT' "$3" 'echo "END $?"' 'exec cat' >script
	start tmux env -u TMUX TERM=xterm-256color SOCKXFER="$SOCKXFER" tmux -S "$PWD/tmux" -f /dev/null -D
	wait_for [ -S tmux ]
	tmux_do new-session -d -x "$columns" -y "$lines" "cd '$PWD' && exec sh script"
	tmux_do set-option -g window-size manual
}

# The process id of the program that runs there.
on_terminal() {
	local tty

	tty=$(tmux_do display -p '#{pane_tty}')
	pgrep -t "${tty#/dev/}" -x sockxfer
}

tmux_do() {
	env -u TMUX tmux -S "$PWD/tmux" "$@" 8>&-
}

resize() {
	tmux_do resize-window -x "$1" -y "$2"
}

# What is on the screen, without the empty lines at its end.
screen() {
	tmux_do capture-pane -p | sed -e 's/ *$//' | sed -e ':a' -e '/^\n*$/{$d;N;ba' -e '}' >screen
}

# shows PATTERN...: that the screen is just these lines, each a whole one (grep -E).
shows() {
	local pattern count=0

	screen
	[ "$(wc -l <screen)" -eq $# ] || return 1
	for pattern; do
		count=$((count + 1))
		sed -n "${count}p" screen | grep -qxE -e "$pattern" || return 1
	done
}

wait_shows() {
	wait_for shows "$@" || {
		cat -A screen
		return 1
	}
}

# receive_on_terminal ARGUMENTS: a receiver on a terminal, and a sender that stops after 1,000,000 bytes until "go"
# exists, and then sends as many.
receive_on_terminal() {
	receive_on_terminal_after : "$1"
}

# receive_on_terminal_after COMMAND ARGUMENTS: the same, after a command there.
receive_on_terminal_after() {
	free_port
	terminal 80 24 "$1; \"\$SOCKXFER\" recv -l 127.0.0.1:$port $2"
	half_sender_to "$port"
}

# half_sender_to PORT [STEP]: what it does after the first half, if not wait for "go".
half_sender_to() {
	wait_for listening "$1"
	"$PYTHON" "$PEER/pattern.py" 2000000 >expected
	scripted sender connect "127.0.0.1:$port" send:1000000 "${2:-await:go}" upto:2000000 half eof
	wait_said sender 'send:1000000 done'
}

STORED='out\.jpg: 2\.0 MB in [0-9.]+ s \([0-9.]+ [kM]B/s\), stored, from 127\.0\.0\.1:[0-9]+'

# The same of the last lines only. Above them is what a receiver says before; nothing of a line that was drawn.
last_shows() {
	local pattern count=0

	screen
	tail -n "$#" screen >last
	[ "$(wc -l <last)" -eq $# ] || return 1
	for pattern; do
		count=$((count + 1))
		sed -n "${count}p" last | grep -qxE -e "$pattern" || return 1
	done
	head -n "-$#" screen >above
	! grep -qE 'B/s|stalled|left' above
}

wait_last_shows() {
	wait_for last_shows "$@" || {
		cat -A screen
		return 1
	}
}

@test "a receiver on a terminal shows name, bytes, rate and time, and in the end what is known" {
	free_port
	terminal 80 24 "\"\$SOCKXFER\" recv -l 127.0.0.1:$port out.jpg"
	# It does not stop, and so is not stalled, however late somebody looks.
	half_sender_to "$port" trickle:go
	wait_last_shows 'out\.jpg +1\.0 MB +([0-9.]+ [kM]?B/s) +[0-9]:[0-9]{2}'
	echo go >go
	finish sender
	wait_last_shows "$STORED" 'END 0'
	same out.jpg expected
}

@test "a sender on a terminal shows the right per cent of the bytes, and the time left" {
	local fields percent bytes

	head -c 20000000 /dev/zero >in.jpg
	receive -b 4M out.jpg
	terminal 80 24 "\"\$SOCKXFER\" send 127.0.0.1:$port in.jpg"
	wait_shows 'in\.jpg +[1-9][0-9]% +[0-9.]+ MB +[0-9.]+ MB/s +[0-9]:[0-9]{2} +[0-9]:[0-9]{2} left'
	read -ra fields <screen
	percent=${fields[1]%\%}
	bytes=${fields[2]}
	echo "$percent% of 20 MB: $bytes MB"
	[ "$percent" -le 99 ]
	awk -v p="$percent" -v b="$bytes" 'BEGIN { d = p - b * 5; exit !(d >= -5.1 && d <= 5.1) }'
	finish us
	wait_shows "in\\.jpg: 20 MB in [0-9.]+ s \\([0-9.]+ MB/s\\), stored and verified by 127\\.0\\.0\\.1:$port" 'END 0'
}

# A tree of 21 entries and 20 MB.
make_photos() {
	local i

	mkdir -p photos/old
	for i in {1..20}; do head -c 1000000 /dev/zero >"photos/old/$i.jpg"; done
}

@test "a sender of a tree on a terminal shows the entries, and the per cent of all once they have been counted" {
	local fields percent bytes

	make_photos
	receive -x -b 4M out
	terminal 100 24 "\"\$SOCKXFER\" send 127.0.0.1:$port photos"
	wait_shows 'photos +[1-9][0-9]% +[0-9]+ entries +[0-9.]+ MB +[0-9.]+ MB/s +[0-9]:[0-9]{2} +[0-9]:[0-9]{2} left'
	read -ra fields <screen
	percent=${fields[1]%\%}
	bytes=${fields[4]}
	echo "$percent% of 20 MB: $bytes MB"
	[ "${fields[2]}" -le 21 ]
	awk -v p="$percent" -v b="$bytes" 'BEGIN { d = p - b * 5; exit !(d >= -5.1 && d <= 5.1) }'
	finish us
	wait_shows 'photos: 21 entries, 20 MB in .*, stored and verified by .*' 'END 0'
}

@test "a sender of a tree to two receivers shows the same" {
	local first

	make_photos
	free_port
	first=$port
	start one "$SOCKXFER" recv -q -x -b 4M -l "127.0.0.1:$first" out1
	wait_for listening "$first"
	receive -x out2
	terminal 80 24 "\"\$SOCKXFER\" send 127.0.0.1:$first,127.0.0.1:$port photos"
	wait_shows 'photos +[1-9][0-9]% +[0-9]+ entries +[0-9.]+ MB +[0-9.]+ MB/s +[0-9]:[0-9]{2} +[0-9]:[0-9]{2} left'
	finish us
	finish one
	wait_for ended_on_terminal
}

@test "a receiver of a tree on a terminal shows how many entries are there" {
	make_photos
	free_port
	terminal 80 24 "\"\$SOCKXFER\" recv -x -l 127.0.0.1:$port out"
	wait_for listening "$port"
	start send "$SOCKXFER" send -b 4M "127.0.0.1:$port" photos
	wait_last_shows 'out +[1-9][0-9]* entries +[0-9.]+ MB +[0-9.]+ MB/s +[0-9]:[0-9]{2}'
	finish send
	wait_last_shows 'out: 21 entries, 20 MB in .*, stored, from .*' out/old 'END 0'
}

# A full screen, so that our line is at its bottom. (One that is not has empty lines below, which tmux keeps when it
# breaks lines, and moves the upper ones out instead.)
FILL='seq -f "line %g" 40'

@test "a terminal that is resized in mid-transfer has neither a wrapped line nor the rest of an old one" {
	local sizes=('40 10' '80 24' '23 6' '120 30' '30 10' '80 24' '40 10') size
	local drawn='(in\.jpg)? *[0-9]+% +[0-9.]+ MB +[0-9.]+ [Mk]B/s( .*)?'

	truncate -s 600000000 in.jpg # for more time than it all takes
	receive -b 4M out.jpg
	terminal 80 24 "$FILL; \"\$SOCKXFER\" send 127.0.0.1:$port in.jpg"
	wait_last_shows 'line 40' "$drawn"
	for size in "${sizes[@]}"; do
		# shellcheck disable=SC2086  # two words
		resize $size
		wait_last_shows 'line 40' "$drawn"
		pass 0.4
		wait_last_shows 'line 40' "$drawn"
		# each line above is one of those that were there, whole
		run grep -vxE 'line [0-9]+' above
		[ "$output" = 'line 40' ] || [ -z "$output" ]
		[ "$(awk '{ if (length > n) n = length } END { print n }' screen)" -lt "${size% *}" ]
	done
	wait_last_shows 'line 40' 'in\.jpg +[0-9]+% [0-9. ]+ MB [0-9. ]+ MB/s +[0-9:]+ left'
	resize 80 24
	tmux_do send-keys C-c
	wait_last_shows 'line 40' 'END 130' # without "^C", which was erased together with the line
	finish us 1
}

# That no line is drawn in mid-transfer; then lets it end.
ends_without_a_line() {
	pass 1
	screen
	has_not screen MB
	touch go
	finish sender
}

@test "-q shows nothing but errors, and --no-progress no line, but in the end what is known" {
	receive_on_terminal '-q out.jpg'
	ends_without_a_line
	wait_shows 'END 0'
	stop tmux
	rm tmux go
	receive_on_terminal '--no-progress out.jpg'
	ends_without_a_line
	wait_last_shows "$STORED" 'END 0'
}

# Whether out.jpg.part has so many bytes.
part_has() {
	[ "$(stat -c %s out.jpg.part 2>/dev/null)" = "$1" ]
}

@test "with -R -r a terminal shows where it was interrupted, and in the end how it went" {
	free_port
	terminal 120 24 "\"\$SOCKXFER\" recv -R -r 60 -l 127.0.0.1:$port out.jpg"
	wait_for listening "$port"
	"$PYTHON" "$PEER/pattern.py" 2000000 >expected
	scripted stranger connect "127.0.0.1:$port" send:1500000 await:go reset
	wait_for part_has 1500000
	touch go
	finish stranger
	wait_last_shows 'out\.jpg +interrupted at 1\.5 MB, trying again +[0-9]:[0-9]{2}'
	grep -q '^sockxfer: recv: interrupted at 1\.5 MB, trying again for 1 min 00 s: 127' above
	start us "$SOCKXFER" send -R -r 60 "127.0.0.1:$port" expected
	finish us
	wait_last_shows 'out\.jpg: 2\.0 MB in [0-9.]+ s \([0-9.]+ [kM]B/s\), interrupted 1 time, stored, from.*' 'END 0'
	same out.jpg expected
}

@test "who sees no line is told what is waited for" {
	local how

	head -c 1000 /dev/zero >in.jpg
	for how in 'TERM=dumb "$SOCKXFER" send' '"$SOCKXFER" send --no-progress'; do
		scripted peer listen 127.0.0.1:0 eof await:go
		wait_port peer
		terminal 80 24 "$how 127.0.0.1:$port in.jpg"
		wait_shows 'sockxfer: send: waiting for the receiver to confirm or close'
		touch go
		finish peer
		wait_for ended_on_terminal
		stop tmux
		rm tmux go
	done
}

@test "a transfer that does not move is stalled" {
	receive_on_terminal out.jpg
	wait_last_shows 'out\.jpg +1\.0 MB +stalled +[0-9]:[0-9]{2}'
	touch go
	finish sender
	wait_last_shows "$STORED" 'END 0'
}

@test "a terminal that is narrower than it says has the line clipped, not wrapped" {
	local name=a-name-of-so-many-letters-that-they-do-not-fit-into-the-eighty-columns-which-there-are-in-truth.jpg

	receive_on_terminal_after 'stty columns 200' "$name"
	wait_last_shows "${name:0:79}"
	touch go
	finish sender
	wait_for ended_on_terminal
}

@test "a stray connection takes the line away again" {
	free_port
	terminal 80 24 "$FILL; \"\$SOCKXFER\" recv -l 127.0.0.1:$port out.jpg"
	wait_for listening "$port"
	scripted stray connect "127.0.0.1:$port" await:seen
	wait_last_shows 'out\.jpg +0 B +.*'
	touch seen
	finish stray
	wait_for no_line
	kill -USR1 "$(on_terminal)"
	wait_last_shows 'sockxfer: recv: waiting for the peer'
	kill -INT "$(on_terminal)"
	wait_last_shows 'END 130'
}

no_line() {
	screen
	! grep -qE 'out\.jpg +0 B' screen
}

@test "a command that asks something before it sends is not drawn over" {
	receive out
	terminal 80 24 "\"\$SOCKXFER\" send 127.0.0.1:$port -- sh -c 'printf password: >/dev/tty; read -r x </dev/tty; echo \$x'"
	wait_shows 'password:'
	pass 1
	shows 'password:'
	tmux_do send-keys secret Enter
	finish us
	[ "$(<out)" = secret ]
}

@test "where standard error is no terminal, nothing is shown there, nor on the terminal that standard output is" {
	receive_on_terminal 'out.jpg 2>messages'
	pass 1
	touch go
	finish sender
	wait_shows 'END 0'
	[ ! -s messages ]
	same out.jpg expected
}

@test "a terminal that cannot redraw a line gets none, but what is known in the end" {
	local term

	for term in dumb ''; do
		free_port
		terminal 80 24 "TERM=$term \"\$SOCKXFER\" recv -l 127.0.0.1:$port out.jpg"
		half_sender_to "$port"
		ends_without_a_line
		wait_last_shows "$STORED" 'END 0'
		stop tmux
		rm tmux go
	done
}

@test "data that a terminal shows are not drawn over" {
	free_port
	terminal 80 24 "\"\$SOCKXFER\" recv -l 127.0.0.1:$port"
	wait_for listening "$port"
	scripted sender connect "127.0.0.1:$port" 'text:first\n' await:more 'text:second\n' half eof
	wait_last_shows first
	pass 1
	last_shows first
	touch more
	finish sender
	wait_last_shows first second 'stdout: 13 B in .*, written, from .*' 'END 0'
}

@test "data that are typed at a terminal are not drawn over" {
	receive out
	terminal 80 24 "\"\$SOCKXFER\" send 127.0.0.1:$port"
	wait_shows 'sockxfer: send: no file given: .*'
	tmux_do send-keys hello Enter
	wait_shows 'sockxfer: send: no file given: .*' hello
	pass 1
	shows 'sockxfer: send: no file given: .*' hello
	tmux_do send-keys C-d
	finish us
	wait_shows '.*' hello 'stdin: 6 B in .*, stored and verified by .*' 'END 0'
	[ "$(<out)" = hello ]
}

@test "what is said in mid-transfer comes above the line" {
	local sentence='sockxfer: recv: out\.jpg: 1\.0 MB, ([0-9.]+ [kM]?B/s|stalled), 0:[0-9][0-9] elapsed'

	receive_on_terminal out.jpg
	wait_last_shows 'out\.jpg +1\.0 MB +.*'
	kill -USR1 "$(on_terminal)"
	wait_last_shows "$sentence" 'out\.jpg +1\.0 MB +.*'
	touch go
	finish sender
	wait_last_shows "$sentence" "$STORED" 'END 0'
}

@test "a sender that waits for the receiver says so" {
	local received

	head -c 1000 /dev/zero >in.jpg
	need xxh128sum
	received="received 1000 xxh128:$(xxh128sum <in.jpg | cut -d ' ' -f 1)"
	scripted peer listen 127.0.0.1:0 eof await:taken "text:sockxfer/1 $received\n" await:go 'text:sockxfer/1 stored\n'
	wait_port peer
	terminal 80 24 "$FILL; \"\$SOCKXFER\" send 127.0.0.1:$port in.jpg"
	wait_last_shows 'line 40' 'in\.jpg  1\.0 kB  waiting for the receiver to confirm or close  [0-9]:[0-9]{2}'
	touch taken
	wait_last_shows 'line 40' 'in\.jpg  1\.0 kB  waiting for the receiver to store it  [0-9]:[0-9]{2}'
	resize 40 10
	wait_last_shows 'line 40' 'waiting for the receiver to store it'
	touch go
	finish peer
	resize 80 24
	wait_last_shows 'line 40' "in\\.jpg: 1\\.0 kB in .*, stored and verified by 127\\.0\\.0\\.1:$port" 'END 0'
}

@test "a transfer in the background draws nothing, wipes nothing, and goes on drawing in the foreground" {
	free_port
	terminal 80 24 "PS1='> ' bash --norc --noprofile -i"
	wait_shows '>'
	tmux_do send-keys "\"\$SOCKXFER\" recv -l 127.0.0.1:$port x" Enter
	half_sender_to "$port"
	wait_last_shows 'x +1\.0 MB +.*'
	kill -STOP "$(on_terminal)"
	wait_for grep_screen Stopped
	tmux_do send-keys 'clear; bg >/dev/null' Enter
	wait_shows '>'
	pass 1
	shows '>'
	kill -USR1 "$(on_terminal)"
	wait_shows '> sockxfer: recv: x: 1\.0 MB, .*'
	tmux_do send-keys 'clear; fg >/dev/null' Enter
	wait_shows 'x +1\.0 MB +.*'
	touch go
	finish sender
	wait_last_shows "${STORED/out*jpg/x}" '>'
}

grep_screen() {
	screen
	grep -q "$1" screen
}

@test "a terminal that takes no output does not keep the transfer" {
	receive_on_terminal out.jpg
	wait_last_shows 'out\.jpg +1\.0 MB +.*'
	tmux_do send-keys C-s
	pass 1
	touch go
	finish sender
	wait_for [ -e out.jpg ]
	same out.jpg expected
	tmux_do send-keys C-q
	wait_last_shows "$STORED" 'END 0'
}

ended_on_terminal() {
	screen
	grep -qx 'END 0' screen
}

# Whether nothing is drawn any more: the line has a clock.
screen_stands() {
	screen
	cp screen before
	sleep 1.2
	screen
	same before screen
}

@test "a terminal that takes no output, asked for the status or not, does not keep a signal to stop" {
	local asks pid

	for asks in no yes; do
		receive_on_terminal out.jpg
		wait_last_shows 'out\.jpg +1\.0 MB +.*'
		pid=$(on_terminal)
		tmux_do send-keys C-s
		wait_for screen_stands
		[ "$asks" = no ] || kill -USR1 "$pid"
		kill -TERM "$pid"
		wait_for ended "$pid"
		stop tmux
		stop sender
		rm tmux
	done
}

@test "a pipe on standard error that nobody reads does not keep a signal to stop, asked for the status or not" {
	local pid

	mkfifo full
	exec 8<>full
	dd if=/dev/zero bs=4096 count=64 oflag=nonblock >&8 2>/dev/null || true
	start us sh -c 'exec "$0" recv -l 127.0.0.1:0 --port-file port out 2>full' "$SOCKXFER"
	wait_for [ -s port ]
	kill -USR1 "${PID[us]}"
	pass 0.3
	kill -TERM "${PID[us]}"
	finish us 143
}

@test "a long name is cut, and escape sequences in it are not passed on" {
	local name=$'evil\e]0;title\a-and-a-very-long-name-it-is-that-would-never-fit-into-a-line-of-the-terminal'

	receive_on_terminal "'$name'"
	wait_last_shows 'evil.*title.*\.\.\.  1\.0 MB +.*'
	touch go
	finish sender
	wait_for ended_on_terminal
	has screen 'evil^[]0;title'
}

### Without a terminal

@test "SIGUSR1 asks for a line of status, before, in and after the data, and ends nothing" {
	receive out
	kill -USR1 "${PID[us]}"
	wait_said us 'sockxfer: recv: waiting for the peer'
	scripted sender connect "127.0.0.1:$port" send:1000000 await:go send:1000000 half eof
	wait_said sender 'send:1000000 done'
	wait_for status_says '1.0 MB, .*B/s, 0:[0-9]* elapsed'
	touch go
	finish sender
	finish us
	"$PYTHON" "$PEER/pattern.py" 2000000 | same out -
}

# Asks the receiver for its status; whether it has said this.
status_says() {
	kill -USR1 "${PID[us]}" || return 99
	grep -qE "^sockxfer: recv: out: $1\$" us.err
}

@test "SIGUSR1 is no concern of a quiet one, nor is it kept from a command" {
	free_port
	start us "$SOCKXFER" recv -q -l "127.0.0.1:$port" out
	half_sender_to "$port"
	kill -USR1 "${PID[us]}"
	pass 0.3
	touch go
	finish sender
	finish us
	[ ! -s us.err ]
	receive out
	grep SigBlk /proc/self/status >plain
	start send "$SOCKXFER" send "127.0.0.1:$port" -- grep SigBlk /proc/self/status
	finish send
	finish us
	same out plain
}
