#!/usr/bin/env bats
# What bash, zsh and fish offer on a command line of sockxfer. They are real ones on a terminal of their own
# (test/tools/keyboard.py), without anybody's configuration, and know two hosts, quux-one and quux-two.

load helper

COMPLETION=$ROOT/src/completion
SHELLS=(bash zsh fish)
BASH_COMPLETION=/usr/share/bash-completion/bash_completion

# What is in front of a shell, so that nothing of this machine's or user's is in it.
clean() {
	env -i PATH="$BATS_TEST_TMPDIR/bin:$PATH" HOME="$BATS_TEST_TMPDIR/home" \
		HOSTFILE="$BATS_TEST_TMPDIR/hosts" ZDOTDIR="$BATS_TEST_TMPDIR/home" INPUTRC=/dev/null \
		COMPLETION="$COMPLETION" LC_ALL=C TERM=dumb "$@"
}

# Their configuration: the prompt, ^G and, in bash and zsh, ^A, which inserts all that a TAB would list.
prepare() {
	need "${SHELLS[@]}"
	# fish would make completions of all manual pages if the last of these were not there.
	mkdir -p bin work home/.ssh home/.config/fish home/.local/share/fish/generated_completions
	printf '192.0.2.1 quux-one\n192.0.2.2 quux-two\n' >hosts
	printf '%s ssh-ed25519 AAAA\n' quux-one,192.0.2.1 '[quux-two]:2222' >home/.ssh/known_hosts
	cat >home/bash <<-'END'
		. "$COMPLETION/sockxfer.bash"
		take_line() {
			printf '%s\0' "$READLINE_LINE" >&"$KEYBOARD"
			READLINE_LINE='' READLINE_POINT=0
		}
		bind -x '"\C-g": take_line'
		bind '"\C-a": insert-completions'
		PROMPT_COMMAND=
	END
	cat >home/.zshrc <<-'END'
		PS1='ready> ' LISTMAX=1000
		unsetopt prompt_sp
		fpath=("$COMPLETION" $fpath)
		autoload -Uz compinit
		compinit -u -d ~/compdump
		take-line() {
			print -rn -- "$BUFFER"$'\0' >&$KEYBOARD
			BUFFER=
		}
		zle -N take-line
		zle -C all-matches complete-word _generic
		zstyle ':completion:all-matches::::' completer _all_matches _complete
		zstyle ':completion:all-matches:*' insert true
		bindkey -e
		bindkey '^G' take-line
		bindkey '^A' all-matches
	END
	cat >home/.config/fish/config.fish <<-'END'
		source $COMPLETION/sockxfer.fish
		set -g fish_greeting
		function fish_prompt
		    echo -n 'ready> '
		end
		function take_line
		    printf '%s\0' (commandline | string collect) >&$KEYBOARD
		    commandline ''
		end
		bind \cg take_line
	END
	cd work || return
}

# keyboard SHELL STEP...: those steps of keyboard.py, in the directory work.
keyboard() {
	local shell=$1

	shift
	case $shell in
	bash) set -- "$@" -- env PS1='ready> ' PROMPT_COMMAND='. ~/bash' bash --norc --noprofile -i ;;
	zsh) set -- "$@" -- zsh -d -i ;;
	fish) set -- "$@" -- fish -i ;;
	esac
	clean "$PYTHON" "$TOOLS/keyboard.py" "$LIMIT" "$@"
}

# becomes_in SHELL LINE RESULT [LINE RESULT]...: a TAB at the end of each line makes that of it.
becomes_in() {
	local shell=$1 steps=()

	shift
	: >../expected
	while [ $# -gt 0 ]; do
		steps+=("type:$1"$'\t' line)
		printf '%s\n' "$2" >>../expected
		shift 2
	done
	keyboard "$shell" "${steps[@]}" >../seen
	diff ../expected ../seen || {
		echo "in $shell" >&2
		return 1
	}
}

becomes() {
	local shell

	for shell in "${SHELLS[@]}"; do
		becomes_in "$shell" "$@"
	done
}

# all_in SHELL LINE: all that it offers behind a line that ends with a blank, or for the dash at its end.
# Of directories the names only: bash inserts them so.
all_in() {
	if [ "$1" = fish ]; then
		clean fish -c 'complete -C $argv[1]' "$2" | cut -f 1
	else
		keyboard "$1" "type:$2"$'\001' line >../seen
		sed "s/^${2% *} //" ../seen | xargs -r printf '%s\n'
	fi | sed 's:/$::' | sort
}

# offers LINE WORD...: all that each of the shells offers is these words.
offers() {
	local shell line=$1

	shift
	printf '%s\n' "$@" | sed '/^$/d' | sort >../expected
	for shell in "${SHELLS[@]}"; do
		all_in "$shell" "$line" | diff ../expected - || {
			echo "in $shell: $line" >&2
			return 1
		}
	done
}

### The options

# "letter name value text" of each option of send or recv, sorted; where there is no letter or value it is -.
# In the parser's table:
parser_rows() {
	tr -s '\n\t ' ' ' <"$ROOT/src/cli/options.c" |
		grep -oE "\{('.'|OPTION_[A-Z_]+), ROLE_[A-Z]+, \"[^\"]+\", (NULL|\"[^\"]+\"), \"[^\"]+\"\}" |
		sed -E "s/^\{('(.)'|[A-Z_]+), ROLE_([A-Z]+), \"(.+)\", (NULL|\".+\"), \"((send|recv): )?(.*)\"\}\$/\L\3\E \2 \4 \5 \8/
			s/^([a-z]+)  /\1 - /" | role_rows "$1"
}

# of "role letter name value text" those of a role, with what the value is like left out.
role_rows() {
	awk -v role="$1" '$1 == "both" || $1 == role {
		$1 = ""
		$4 = $4 == "NULL" || $4 == "-" ? "-" : "value"
		print substr($0, 2)
	}' | sort
}

bash_rows() {
	sed -n "/^_sockxfer_options='/,/^'/p" "$COMPLETION/sockxfer.bash" | role_rows "$1"
}

fish_rows() {
	sed -nE "/^set -l options/,/^\$/s/^ +['\"](.*)['\"]( \\\\)?\$/\1/p" "$COMPLETION/sockxfer.fish" |
		role_rows "$1"
}

# What _arguments is given: "(what it excludes)-w+[text]:seconds: ", and the next with --timeout=.
zsh_rows() {
	# shellcheck disable=SC2016  # zsh's
	zsh -f -c '
		function _arguments { print -rl -- "$@" }
		words=(sockxfer $2 "") CURRENT=3
		source $1/_sockxfer' - "$COMPLETION" "$1" |
		sed -nE 's/^\*?(\([^)]*\))?-(-?)([^[+=]+)[+=]?\[(.*)\](:.*)?$/\2\t\3\t\5\t\4/p' | sed 's/\\:/:/g' |
		awk -F '\t' '$1 == "" { letter = $2; next }
		{ print letter == "" ? "-" : letter, $2, $3 == "" ? "-" : "value", $4; letter = "" }' | sort
}

@test "the options of each completion are those of the parser, with the same letters and values" {
	local role shell

	need zsh
	[ "$(parser_rows send | wc -l)" -ge 16 ]
	parser_rows recv | grep -qx 'E expect value .*'
	parser_rows recv | grep -qx -- '- json - .*'
	for role in send recv; do
		parser_rows "$role" | cut -d ' ' -f 1-3 >expected
		for shell in "${SHELLS[@]}"; do
			echo "$shell, $role"
			"${shell}_rows" "$role" | cut -d ' ' -f 1-3 | diff expected -
		done
	done
}

@test "the descriptions in zsh and fish are those of --help" {
	local role shell

	need zsh
	for role in send recv; do
		for shell in zsh fish; do
			echo "$shell, $role"
			parser_rows "$role" | diff - <("${shell}_rows" "$role")
		done
	done
}

# The names of a role's options, as they are typed.
parser_names() {
	parser_rows "$1" | awk '$1 != "-" { print "-" $1 } { print "--" $2 }'
}

@test "each shell offers all options of the command, and no other" {
	local role names

	prepare
	for role in send recv; do
		mapfile -t names < <(parser_names "$role")
		offers "sockxfer $role -" "${names[@]}"
		# behind operands as well
		offers "sockxfer $role quux-one:9 file -" "${names[@]}"
	done
}

@test "zsh and fish show the descriptions" {
	prepare
	keyboard zsh "type:sockxfer send -"$'\t' 'see:--timeout -w -- give up after so long without progress' \
		"see:--congestion -C -- TCP's congestion control"
	clean fish -c 'complete -C "sockxfer send -"' >../seen
	grep -qx -- $'-w\tgive up after so long without progress' ../seen
	grep -qx -- $'--timeout\tgive up after so long without progress' ../seen
}

@test "the command comes first, or --help or --version" {
	prepare
	becomes 'sockxfer s' 'sockxfer send ' 'sockxfer r' 'sockxfer recv ' \
		'sockxfer k' 'sockxfer key ' 'sockxfer --h' 'sockxfer --help ' 'sockxfer --v' 'sockxfer --version ' \
		'sockxfer qu' 'sockxfer qu' 'sockxfer other qu' 'sockxfer other qu' \
		'sockxfer -w' 'sockxfer -w'
}

### What their values are, and the operands

@test "an address is completed by a host and a colon, and a host to connect from by that host" {
	prepare
	becomes 'sockxfer send quux-o' 'sockxfer send quux-one:' \
		'sockxfer recv quux-t' 'sockxfer recv quux-two:' \
		'sockxfer send qu' 'sockxfer send quux-' \
		'sockxfer send quux-one:90' 'sockxfer send quux-one:90' \
		'sockxfer send -q --timeout 5 -W5 --rate=1M -VC bbr quux-o' \
		'sockxfer send -q --timeout 5 -W5 --rate=1M -VC bbr quux-one:' \
		'sockxfer recv -l quux-o' 'sockxfer recv -l quux-one:' \
		'sockxfer recv -nlquux-o' 'sockxfer recv -nlquux-one:' \
		'sockxfer recv --listen quux-o' 'sockxfer recv --listen quux-one:' \
		'sockxfer recv --listen=quux-o' 'sockxfer recv --listen=quux-one:' \
		'sockxfer recv file -l quux-o' 'sockxfer recv file -l quux-one:' \
		'sockxfer send -s quux-o' 'sockxfer send -s quux-one ' \
		'sockxfer send --source=quux-o' 'sockxfer send --source=quux-one '
}

@test "of several receivers the last is completed, behind a comma" {
	prepare
	mkdir directory
	touch directory/socket a,b
	becomes 'sockxfer send quux-one:9,quux-t' 'sockxfer send quux-one:9,quux-two:' \
		'sockxfer send -q quux-one:9,quux-two:8,qu' 'sockxfer send -q quux-one:9,quux-two:8,quux-' \
		'sockxfer send quux-one:9,quux-two:80' 'sockxfer send quux-one:9,quux-two:80' \
		'sockxfer send quux-one:9,un' 'sockxfer send quux-one:9,unix:' \
		'sockxfer send quux-one:9,unix:directory/s' 'sockxfer send quux-one:9,unix:directory/socket ' \
		'sockxfer send unix:a,' 'sockxfer send unix:a,b ' \
		'sockxfer recv quux-one:9,quux-t' 'sockxfer recv quux-one:9,quux-t' \
		'sockxfer send -l quux-one:9,quux-t' 'sockxfer send -l quux-one:9,quux-t'
	bash_with 'COMP_WORDBREAKS=${COMP_WORDBREAKS//[:=]/}'
	becomes_in bash 'sockxfer send quux-one:9,quux-t' 'sockxfer send quux-one:9,quux-two:'
}

@test "behind unix: a path is completed" {
	prepare
	mkdir -p directory/below
	touch directory/socket 'a socket'
	becomes 'sockxfer send un' 'sockxfer send unix:' \
		'sockxfer send unix:dir' 'sockxfer send unix:directory/' \
		"sockxfer send unix:$PWD/dir" "sockxfer send unix:$PWD/directory/" \
		'sockxfer send unix:directory/s' 'sockxfer send unix:directory/socket ' \
		'sockxfer recv -l unix:directory/s' 'sockxfer recv -l unix:directory/socket ' \
		'sockxfer recv --listen=unix:directory/s' 'sockxfer recv --listen=unix:directory/socket ' \
		'sockxfer send unix:a' 'sockxfer send unix:a\ socket ' \
		'sockxfer send unix:a\ s' 'sockxfer send unix:a\ socket ' \
		'sockxfer send -s unix:dir' 'sockxfer send -s unix:dir'
}

@test "behind udp: a host is completed" {
	prepare
	becomes 'sockxfer send ud' 'sockxfer send udp:' \
		'sockxfer send udp:quux-o' 'sockxfer send udp:quux-one:' \
		'sockxfer recv -l udp:quux-t' 'sockxfer recv -l udp:quux-two:' \
		'sockxfer recv --listen=udp:quux-t' 'sockxfer recv --listen=udp:quux-two:' \
		'sockxfer send udp:quux-one:9' 'sockxfer send udp:quux-one:9'
}

@test "behind the address a file is completed, and with -p or -l the first operand is one" {
	prepare
	mkdir directory
	touch file 'two words' quux-file
	offers 'sockxfer send quux-one:9 ' directory file quux-file 'two words'
	offers 'sockxfer recv -p 0 ' directory file quux-file 'two words'
	offers 'sockxfer recv -l unix:s ' directory file quux-file 'two words'
	becomes 'sockxfer send quux-one:9 fi' 'sockxfer send quux-one:9 file ' \
		'sockxfer recv -p 0 quux' 'sockxfer recv -p 0 quux-file ' \
		'sockxfer recv -qSp0 quux' 'sockxfer recv -qSp0 quux-file ' \
		'sockxfer recv --listen=:0 quux' 'sockxfer recv --listen=:0 quux-file ' \
		'sockxfer recv --port-file file quux-o' 'sockxfer recv --port-file file quux-one:' \
		'sockxfer send quux-one:9 -q -w 5 quux' 'sockxfer send quux-one:9 -q -w 5 quux-file ' \
		'sockxfer send quux-one:9 di' 'sockxfer send quux-one:9 directory/' \
		'sockxfer send quux-one:9 tw' 'sockxfer send quux-one:9 two\ words ' \
		'sockxfer send quux-one:9 two\ w' 'sockxfer send quux-one:9 two\ words ' \
		'sockxfer send quux-one:9 "two w' 'sockxfer send quux-one:9 "two words" ' \
		"sockxfer send quux-one:9 'two w" "sockxfer send quux-one:9 'two words' " \
		'sockxfer send ./tw' 'sockxfer send ./tw' \
		'sockxfer send quux-one:9 file quux-f' 'sockxfer send quux-one:9 file quux-file ' \
		'sockxfer send --port=0 file quux-o' 'sockxfer send --port=0 file quux-o'
}

@test "a -p behind the cursor makes a file of the operand, too, in bash and zsh" {
	local shell back=$'\002\002\002\002\002'

	prepare
	touch quux-file
	for shell in bash zsh; do
		keyboard "$shell" "type:sockxfer recv quu -p 0$back"$'\t' line | tr -s ' ' >../seen
		[ "$(<../seen)" = 'sockxfer recv quux-file -p 0' ]
		keyboard "$shell" "type:sockxfer recv quux-o -w 0$back"$'\t' line | tr -s ' ' >../seen
		[ "$(<../seen)" = 'sockxfer recv quux-one: -w 0' ]
	done
}

@test "tools, digests, congestion controls and the file of --port-file are completed, numbers are not" {
	local controls

	prepare
	touch file
	offers 'sockxfer send --peer ' nc ncat socat busybox python openssl
	becomes 'sockxfer recv --peer=soc' 'sockxfer recv --peer=socat ' \
		'sockxfer recv -E ' 'sockxfer recv -E xxh128:' \
		'sockxfer recv --expect=xx' 'sockxfer recv --expect=xxh128:' \
		'sockxfer recv -E xxh128:00' 'sockxfer recv -E xxh128:00' \
		'sockxfer recv --port-file fi' 'sockxfer recv --port-file file ' \
		'sockxfer recv --port-file=fi' 'sockxfer recv --port-file=file '
	offers 'sockxfer send -p '
	offers 'sockxfer recv --idle-eof '
	offers 'sockxfer recv --allow '
	offers 'sockxfer send quux-one:9 -B '
	[ -r /proc/sys/net/ipv4/tcp_available_congestion_control ] || skip "needs /proc/sys/net"
	read -ra controls </proc/sys/net/ipv4/tcp_available_congestion_control
	offers 'sockxfer send -C ' "${controls[@]}"
	offers 'sockxfer send quux-one:9 -qVC ' "${controls[@]}"
}

@test "a key is completed by a file, or the words new and ask, and key by its option" {
	prepare
	mkdir directory
	touch keys 'new key'
	offers 'sockxfer send -K ' ask directory keys new 'new key'
	becomes 'sockxfer send -K ke' 'sockxfer send -K keys ' \
		'sockxfer send quux-one:9 -qVKke' 'sockxfer send quux-one:9 -qVKkeys ' \
		'sockxfer recv --key=ke' 'sockxfer recv --key=keys ' \
		'sockxfer recv --key di' 'sockxfer recv --key directory/' \
		'sockxfer recv --key as' 'sockxfer recv --key ask ' \
		'sockxfer recv --key=as' 'sockxfer recv --key=ask ' \
		'sockxfer recv --key keys quux-o' 'sockxfer recv --key keys quux-one:' \
		'sockxfer key --o' 'sockxfer key --openssl ' \
		'sockxfer key --openssl ke' 'sockxfer key --openssl keys ' \
		'sockxfer key ke' 'sockxfer key ke'
}

@test "behind -- a command is completed, and what belongs to it" {
	prepare
	touch file
	printf '#!/bin/sh\n' >../bin/quux-dump
	chmod +x ../bin/quux-dump
	becomes 'sockxfer send quux-one:9 -- quux' 'sockxfer send quux-one:9 -- quux-dump ' \
		'sockxfer send -p 0 -- quux' 'sockxfer send -p 0 -- quux-dump ' \
		'sockxfer send -p 0 -- quux-dump fi' 'sockxfer send -p 0 -- quux-dump file ' \
		'sockxfer send -p 0 -- quux-dump --no fi' 'sockxfer send -p 0 -- quux-dump --no file ' \
		'sockxfer send -p 0 -- quux-dump --lis' 'sockxfer send -p 0 -- quux-dump --lis' \
		'sockxfer send -p 0 -- ../bin/quux' 'sockxfer send -p 0 -- ../bin/quux-dump '
	# their own completion: here that of sockxfer
	becomes_in zsh 'sockxfer send -p 0 -- sockxfer send quux-o' 'sockxfer send -p 0 -- sockxfer send quux-one:'
	becomes_in fish 'sockxfer send -p 0 -- sockxfer send quux-o' 'sockxfer send -p 0 -- sockxfer send quux-one:'
}

### bash, whose words are a matter of settings and of another package

# With "$1" in bash's configuration, before the completion is loaded.
bash_with() {
	printf '%s\n' "$1" | cat - ../home/bash >../home/bash.new
	mv ../home/bash.new ../home/bash
}

@test "bash completes addresses when a colon or an equals sign does not divide words, too" {
	prepare
	mkdir directory
	touch 'directory/a socket'
	bash_with 'COMP_WORDBREAKS=${COMP_WORDBREAKS//[:=]/}'
	becomes_in bash 'sockxfer send quux-o' 'sockxfer send quux-one:' \
		'sockxfer send quux-one:9' 'sockxfer send quux-one:9' \
		'sockxfer recv --listen=quux-o' 'sockxfer recv --listen=quux-one:' \
		'sockxfer recv --expect=xx' 'sockxfer recv --expect=xxh128:' \
		'sockxfer send unix:dir' 'sockxfer send unix:directory/' \
		'sockxfer send unix:directory/a' 'sockxfer send unix:directory/a\ socket ' \
		'sockxfer send unix:directory/a\ s' 'sockxfer send unix:directory/a\ socket ' \
		'sockxfer recv --port-file=directory/a' 'sockxfer recv --port-file=directory/a\ socket ' \
		'sockxfer send "unix:directory/a s' 'sockxfer send "unix:directory/a socket" ' \
		'sockxfer recv -p 0 dir' 'sockxfer recv -p 0 directory/'
}

@test "in bash redirections are no operands, and lead to files" {
	prepare
	touch file quux-file
	becomes_in bash 'sockxfer send 2>file quux-o' 'sockxfer send 2>file quux-one:' \
		'sockxfer send quux-one:9 2> file fi' 'sockxfer send quux-one:9 2> file file ' \
		'sockxfer send >>file quux-one:9 fi' 'sockxfer send >>file quux-one:9 file ' \
		'sockxfer recv --json >quux' 'sockxfer recv --json >quux-file ' \
		'sockxfer send quux-one:9 file 2>fi' 'sockxfer send quux-one:9 file 2>file '
}

@test "bash takes hosts and what is behind -- from bash-completion's functions where they are loaded" {
	prepare
	bash_with '_known_hosts_real() { COMPREPLY+=(quux-three 2001:db8::7); echo "$*" >known; }
		_command_offset() { COMPREPLY=("word-${COMP_WORDS[$1]}"); }'
	becomes_in bash 'sockxfer send quux-' 'sockxfer send quux-three:' \
		'sockxfer send quux-one:9 -- tar ' 'sockxfer send quux-one:9 -- tar word-tar '
	[ "$(<known)" = '-a -- quux-' ]
}

need_bash_completion() {
	[ -r "$BASH_COMPLETION" ] || skip "needs bash-completion"
}

@test "bash-completion itself finds hosts, and completes what is behind --" {
	need_bash_completion
	prepare
	rm ../hosts # so that they can only be the known hosts
	bash_with ". $BASH_COMPLETION"
	becomes_in bash 'sockxfer send quux-t' 'sockxfer send quux-two:' \
		'sockxfer send quux-two:90' 'sockxfer send quux-two:90' \
		'sockxfer send -p 0 -- sockxfer send quux-t' 'sockxfer send -p 0 -- sockxfer send quux-two:'
}

# What the function offers when another one calls it, sorted, and how it calls compopt: "$@" are the words,
# the cursor is behind the last.
called() {
	# shellcheck disable=SC2016  # bash's
	clean bash --norc --noprofile -c '
		. "$COMPLETION/sockxfer.bash"
		compopt() { echo "compopt $*"; }
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE=$*
		COMP_LINE=${COMP_LINE// : /:}
		COMP_POINT=${#COMP_LINE}
		_sockxfer "$1" "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
		printf "%s\n" "${COMPREPLY[@]}"' - "$@" | sort -u
}

@test "bash's function can be called by another one, with the words alone" {
	prepare
	[ "$(called sockxfer send quux-o)" = $'compopt -o nospace\nquux-one:' ]
	[ "$(called sockxfer send unix : /tm)" = $'\ncompopt -o default' ]
	[ "$(called sockxfer send quux-one : 90)" = '' ]
	[ "$(called sockxfer recv --v)" = $'--verbose\n--version' ]
}

### Installation

# make, which is not to build another program than the one under test.
make_installed() {
	make -s -C "$ROOT" -o "$SOCKXFER" PROGRAM="$SOCKXFER" DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr "$@"
}

@test "make install puts each file where it belongs, make uninstall removes it" {
	local share=usr/share

	make_installed install
	(cd root && find . -type f | sort) >found
	printf './%s\n' usr/bin/sockxfer "$share/bash-completion/completions/sockxfer" \
		"$share/fish/vendor_completions.d/sockxfer.fish" "$share/man/man1/sockxfer.1" \
		"$share/zsh/site-functions/_sockxfer" | diff found -
	same "root/$share/bash-completion/completions/sockxfer" "$COMPLETION/sockxfer.bash"
	same "root/$share/zsh/site-functions/_sockxfer" "$COMPLETION/_sockxfer"
	same "root/$share/fish/vendor_completions.d/sockxfer.fish" "$COMPLETION/sockxfer.fish"
	[ "$(find root -type f -perm 644 | wc -l)" -eq 4 ]
	make_installed uninstall
	[ -z "$(find root -type f)" ]

	make_installed BASHCOMPDIR=/b ZSHCOMPDIR=/z FISHCOMPDIR=/f install
	[ -s root/b/sockxfer ] && [ -s root/z/_sockxfer ] && [ -s root/f/sockxfer.fish ]
	make_installed BASHCOMPDIR=/b ZSHCOMPDIR=/z FISHCOMPDIR=/f uninstall
	[ -z "$(find root -type f)" ]
}

@test "zsh and fish find by themselves what is installed" {
	local share=$BATS_TEST_TMPDIR/root/usr/share

	prepare
	make_installed install
	ln -s ../root/usr/bin/sockxfer ../bin # fish does not complete what is not there
	sed -i "s:\$COMPLETION:$share/zsh/site-functions:" ../home/.zshrc
	becomes_in zsh 'sockxfer send quux-o' 'sockxfer send quux-one:'
	rm ../home/.config/fish/config.fish
	clean XDG_DATA_DIRS="$share" fish -c 'complete -C "sockxfer send quux-o"' >../seen
	[ "$(<../seen)" = quux-one: ]
}

@test "bash-completion finds by itself what is installed" {
	need_bash_completion
	prepare
	make_installed install
	sed -i "s:.*sockxfer.bash.*:export XDG_DATA_DIRS=$BATS_TEST_TMPDIR/root/usr/share; . $BASH_COMPLETION:" \
		../home/bash
	becomes_in bash 'sockxfer send quux-o' 'sockxfer send quux-one:'
}
