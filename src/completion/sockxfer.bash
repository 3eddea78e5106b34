# shellcheck shell=bash
# Completion of sockxfer for bash, with or without the bash-completion package.

# The options: whose, the letter, the name, and what the value is; - where there is none.
_sockxfer_options='
both p port port
both l listen address
both 4 ipv4 -
both 6 ipv6 -
both s source source
both w timeout seconds
both W max-time seconds
both r retry seconds
both k keep-open -
both j jobs number
both - max-per-peer number
both - grace seconds
recv - idle-eof seconds
both B chunk-size size
both b rate rate
send C congestion congestion
both - raw -
recv - max-size size
recv x extract -
recv - max-entries number
recv n no-clobber -
recv S sync -
recv - no-sync -
recv E expect digest
send V verify -
send - named -
send - skip-unreadable -
both R resume -
both - no-receipt -
both q quiet -
both v verbose -
both - no-progress -
both - json -
both - allow networks
both - port-file path
both - peer tool
both K key key
both h help -
both - version -
'

# The functions below share the variables that are local to _sockxfer, the last of them.

# Sets kind to what the value of the option called $1 is: - if it has none, empty for no option.
_sockxfer_kind() {
	local whose letter name value

	kind=
	while read -r whose letter name value; do
		[[ $1 == "$name" || ($1 == "$letter" && $1 != -) ]] || continue
		kind=$value
		return
	done <<<"$_sockxfer_options"
}

# bash takes words apart at colons, among others. Here they are put together again: words[] has
# them without quotes, and starts[] where each begins in COMP_WORDS. words[cword] is the one with
# the cursor, as far as the cursor, and piece the end of it that bash will replace, as typed.
_sockxfer_words() {
	local line=$COMP_LINE at=0 last='' part plain gap i

	for i in "${!COMP_WORDS[@]}"; do
		part=${COMP_WORDS[i]}
		gap=${line%%[![:space:]]*}
		line=${line#"$gap$part"}
		((at += ${#gap} + ${#part}))
		if ((i == COMP_CWORD)); then
			# An empty word ends at the cursor, whatever blanks there are behind it.
			[[ -z $part ]] || ((at <= COMP_POINT)) || part=${part:0:${#part} - (at - COMP_POINT)}
			[[ $part =~ ^[:=@]+$ ]] || piece=$part
		fi
		plain=${part//[\\\"\']/}
		if [[ -n $gap || ! ($part =~ ^[:=@]+$ || $last =~ ^[:=@]+$) ]]; then
			words+=("$plain")
			starts+=("$i")
		elif ((i <= COMP_CWORD || ${#words[@]} > cword + 1)); then
			words[${#words[@]} - 1]+=$plain
		fi
		((i > COMP_CWORD)) || cword=$((${#words[@]} - 1))
		last=$part
	done
}

# Sets option to the option in the word $1, or the last of its letters, kind to what its value is,
# and before to what stands in front of the value if that is in the same word.
_sockxfer_option() {
	local i

	before=
	if [[ $1 == --* ]]; then
		option=${1%%=*}
		[[ $1 != *=* ]] || before=$option=
		_sockxfer_kind "${option#--}"
		return
	fi
	for ((i = 1; i < ${#1}; i++)); do
		option=-${1:i:1}
		_sockxfer_kind "${option#-}"
		[[ $kind == - ]] || break
	done
	((i >= ${#1} - 1)) || before=${1:0:i + 1}
}

# The word i begins with a dash, and is no value.
_sockxfer_scan_option() {
	local option kind before

	_sockxfer_option "${words[i]}"
	if ((i == cword)); then
		prefix=$before
		want=option
		[[ -z $before ]] || want=$kind
		return
	fi
	[[ -n $before || $kind == - ]] || next=$kind
	case $option in -p | --port | -l | --listen) listens=1 ;; esac
}

# Sets want to what the word with the cursor is: an option, an address, a path, what the value of an
# option is (then prefix is what stands in front of it), or part of the command from words[command].
_sockxfer_scan() {
	local i word next='' listens=0 operands=0

	# Of all words: with a -p behind the cursor, too, the first operand is a file.
	for ((i = 2; i < ${#words[@]}; i++)); do
		word=${words[i]}
		if [[ -n $next ]]; then
			((i != cword)) || want=$next
			next=
		elif [[ $word =~ ^[\<\>\&\|]+$ ]]; then
			next=path
		elif [[ $word =~ ^[0-9]+$ && ${words[i + 1]-} == [\<\>]* &&
			$COMP_LINE == *[[:space:]]"$word${words[i + 1]-}"* ]]; then
			continue # the descriptor that is redirected
		elif [[ $word == -- && $i -ne $cword ]]; then
			((i > cword)) || want=command command=$((i + 1))
			break
		elif [[ $word == -?* || ($word == - && $i -eq $cword) ]]; then
			_sockxfer_scan_option
		elif ((i == cword)); then
			want=operand
		elif ((i < cword)); then
			((operands += 1))
		fi
	done
	[[ $want == operand ]] || return
	case $((listens + operands)) in
	0) [[ ${words[1]} != send ]] && want=address || want=addresses ;;
	1) want=path ;;
	*) [[ ${words[1]} != send ]] || want=path ;;
	esac
}

# Offers those of the words that begin with what is typed, less what bash keeps of that.
_sockxfer_offer() {
	local kept word

	kept=${words[cword]%"${piece//[\\\"\']/}"}
	for word; do
		word=$prefix$word
		[[ $word != "${words[cword]}"* ]] || COMPREPLY+=("${word#"$kept"}")
	done
	# Behind a colon the word goes on.
	[[ ${COMPREPLY[*]} != *: ]] || compopt -o nospace
}

# Offers names of hosts, each with $1 behind it. It has to be the first that offers anything. IPv6
# addresses, which would need brackets, are left out.
_sockxfer_hosts() {
	local typed=${words[cword]#"$prefix"} host names

	[[ $typed != *:* ]] || return
	if declare -F _known_hosts_real >/dev/null; then
		_known_hosts_real -a -- "$typed"
		names=("${COMPREPLY[@]}")
		COMPREPLY=()
	else
		mapfile -t names < <(compgen -A hostname -- "$typed")
	fi
	for host in "${names[@]}"; do
		[[ $host == *:* ]] || _sockxfer_offer "$host$1"
	done
}

# Offers files. Where bash is going to replace the whole name of one, it does that best by itself.
_sockxfer_files() {
	if [[ ${piece//[\\\"\']/} == "${words[cword]#"$prefix"}" ]]; then
		compopt -o default
	else
		_sockxfer_paths
	fi
}

# Offers files. It has to be the first that offers anything.
_sockxfer_paths() {
	local path=${words[cword]#"$prefix"} files i

	mapfile -t files < <(compgen -f -- "$path")
	_sockxfer_offer "${files[@]}"
	for i in "${!COMPREPLY[@]}"; do
		if [[ -d ${files[i]} ]]; then
			COMPREPLY[i]+=/
			compopt -o nospace
		fi
		[[ $piece == [\"\']* ]] || printf -v "COMPREPLY[i]" %q "${COMPREPLY[i]}"
	done
}

_sockxfer_address() {
	if [[ ${words[cword]#"$prefix"} == unix:* ]]; then
		prefix+=unix:
		_sockxfer_files
	elif [[ ${words[cword]#"$prefix"} == udp:* ]]; then
		prefix+=udp:
		_sockxfer_hosts :
	else
		_sockxfer_hosts :
		_sockxfer_offer unix: udp:
	fi
}

# Of several, each but the last is there already. In a path a comma is a comma.
_sockxfer_addresses() {
	local list=${words[cword]}

	[[ $list != *,* || $list == unix:* ]] || prefix=${list%,*},
	_sockxfer_address
}

# The two words, and files: by itself bash offers these only where there is nothing else.
_sockxfer_key() {
	local typed=${words[cword]#"$prefix"}

	if [[ new == "$typed"* || ask == "$typed"* ]]; then
		_sockxfer_paths
		_sockxfer_offer new ask
	else
		_sockxfer_files
	fi
}

# Sets want, or offers, what there is behind the word key.
_sockxfer_scan_key() {
	case $cword:${words[2]-} in
	2:*) _sockxfer_offer --openssl ;;
	3:--openssl) want=path ;;
	esac
}

# Offers the options of this command.
_sockxfer_names() {
	local whose letter name value

	while read -r whose letter name value; do
		[[ $whose == both || $whose == "${words[1]-}" ]] || continue
		[[ $letter == - ]] || _sockxfer_offer "-$letter"
		_sockxfer_offer "--$name"
	done <<<"$_sockxfer_options"
}

# Completes what is behind -- as if it stood alone.
_sockxfer_command() {
	if declare -F _command_offset >/dev/null; then
		_command_offset "${starts[command]}"
	elif ((cword == command)) && [[ $piece != */* ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$piece")
	else
		compopt -o default
	fi
}

_sockxfer() {
	local words=() starts=() cword=0 piece='' want='' prefix='' command=0 names
	local controls=/proc/sys/net/ipv4/tcp_available_congestion_control

	COMPREPLY=()
	_sockxfer_words
	case $cword:${words[1]-} in
	1:*) _sockxfer_offer send recv key --help --version ;;
	*:send | *:recv) _sockxfer_scan ;;
	*:key) _sockxfer_scan_key ;;
	esac
	case $want in
	option) _sockxfer_names ;;
	address) _sockxfer_address ;;
	addresses) _sockxfer_addresses ;;
	source) _sockxfer_hosts '' ;;
	path) _sockxfer_files ;;
	tool) _sockxfer_offer nc ncat socat busybox python openssl ;;
	key) _sockxfer_key ;;
	digest) _sockxfer_offer xxh128: ;;
	congestion)
		[[ ! -r $controls ]] || read -ra names <"$controls"
		_sockxfer_offer "${names[@]}"
		;;
	command) _sockxfer_command ;;
	esac
}

complete -F _sockxfer sockxfer
