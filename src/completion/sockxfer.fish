# Completion of sockxfer for fish.

# The options: whose, the letter, the name, what the value is (- where there is none), and what it does.
set -l options \
    'both p port port listen on this port; 0: any free one' \
    'both l listen address listen on this address' \
    'both 4 ipv4 - only IPv4' \
    'both 6 ipv6 - only IPv6' \
    'both s source source connect from this address' \
    'both w timeout seconds give up after so long without progress' \
    'both W max-time seconds give up when the whole transfer takes longer' \
    'both r retry seconds keep trying to connect for so long' \
    'both k keep-open - keep listening, and serve many at once' \
    'both j jobs number with -k: so many at once at the most (64)' \
    'both - max-per-peer number with -k: of these, from one address or IPv6 /64' \
    'both - grace seconds with -k: time to end after SIGTERM (10)' \
    'recv - idle-eof seconds take so long a silence for the end' \
    'both B chunk-size size move that many bytes at a time (2M)' \
    'both b rate rate move no more than so many bytes a second' \
    "send C congestion congestion TCP's congestion control, such as bbr" \
    'both - raw - with udp: datagrams as they are, and not lines' \
    'recv - max-size size fail if more than so many bytes come' \
    'recv x extract - unpack the tree that comes into DIR' \
    'recv - max-entries number with -x: fail if it has more entries (1000000)' \
    'recv n no-clobber - never replace an existing file' \
    'recv S sync - store it safe from a power cut' \
    'recv - no-sync - replace a file before the new one is on disk' \
    'recv E expect digest fail unless the data have this digest' \
    'send V verify - fail unless the receiver confirms' \
    'send - named - send the names along, for recv -x or tar' \
    'send - skip-unreadable - of a directory, leave out what cannot be read' \
    'both R resume - go on where it broke off, if both ends have -R' \
    'both - no-receipt - give no receipt, or heed none' \
    'both q quiet - print nothing but errors' \
    'both v verbose - print what happens' \
    'both - no-progress - draw no progress line' \
    'both - json - print the result as a JSON object' \
    'both - allow networks serve only who connects from there' \
    'both - port-file path once listening, write the port there' \
    'both - peer tool print the command for nc, ncat, socat, ...' \
    'both K key key encrypt with the key in FILE; new, ask: a typed one' \
    'both h help - print this and exit' \
    'both - version - print the version and exit'

# The letters of those without a value, and the letters and names of those with one.
set -g __fish_sockxfer_flags
set -g __fish_sockxfer_letters
set -g __fish_sockxfer_names

# Whether the first word is one of these; '' is none yet.
function __fish_sockxfer_is
    set -l words (commandline -opc)
    contains -- "$words[2]" $argv
end

# Prints what the word at the cursor is if no option goes with it: address, path, or the number of the word
# that begins the command behind --. (It is not told of what is behind the cursor.)
function __fish_sockxfer_operand
    set -l words (commandline -opc)
    set -l names (string join '|' $__fish_sockxfer_names)
    set -l takes "^(-[$__fish_sockxfer_flags]*[$__fish_sockxfer_letters]|--($names))\$"
    set -l listens "^(-[$__fish_sockxfer_flags]*[pl]|--(port|listen)(=|\$))"
    set -l left address path
    set -l is_value no

    contains -- "$words[2]" send recv
    or return
    for i in (seq 3 (count $words))
        set -l word $words[$i]
        if test $is_value = yes
            set is_value no
            continue
        end
        if test "$word" = --
            math $i + 1
            return
        end
        if string match -qr -- $takes $word
            set is_value yes
        end
        if string match -qr -- $listens $word; or not string match -q -- '-?*' $word
            # send takes several files
            test (count $left) -eq 1 -a "$words[2]" = send
            or set left $left[2..]
        end
    end
    echo "$left[1]"
end

function __fish_sockxfer_operand_is
    contains -- (__fish_sockxfer_operand) $argv
end

function __fish_sockxfer_is_command
    string match -qr '^[0-9]+$' -- (__fish_sockxfer_operand)
end

# Prints the value at the cursor as far as it is typed, without an option in the same word.
function __fish_sockxfer_typed
    commandline -ct |
        string replace -r '^["\']' '' |
        string unescape |
        string replace -r "^(--[a-z-]+=|-[$__fish_sockxfer_flags]*[$__fish_sockxfer_letters])" ''
end

# What there is to offer for each of the kinds of values above.
function __fish_sockxfer_address
    __fish_sockxfer_address_like (__fish_sockxfer_typed)
end

# Of several, the last one. In a path a comma is a comma.
function __fish_sockxfer_operand_address
    set -l typed (__fish_sockxfer_typed)
    set -l others ''
    if __fish_sockxfer_is send; and string match -qr '^(?!unix:).*,' -- "$typed"
        set others (string match -r '^.*,' -- $typed)
        set typed (string replace -- $others '' $typed)
    end
    __fish_sockxfer_address_like "$typed" | string replace -r '^' -- $others
end

function __fish_sockxfer_address_like
    set -l typed $argv[1]
    if string match -q 'unix:*' -- $typed
        __fish_complete_path (string replace unix: '' -- $typed) | string replace -r '^' unix:
    else if string match -q 'udp:*' -- $typed
        __fish_sockxfer_source | string replace -r '^(.*)$' 'udp:$1:'
    else
        echo unix:
        echo udp:
        __fish_sockxfer_source | string replace -r '$' :
    end
end

# An IPv6 address would have to be in brackets.
function __fish_sockxfer_source
    __fish_print_hostnames | string match -r '^[^:]+$'
end

function __fish_sockxfer_congestion
    set -l names /proc/sys/net/ipv4/tcp_available_congestion_control
    if test -r $names
        string split ' ' <$names
    end
end

function __fish_sockxfer_digest
    echo xxh128:
end

function __fish_sockxfer_tool
    string split ' ' 'nc ncat socat busybox python openssl'
end

function __fish_sockxfer_key
    string split ' ' 'new ask'
    __fish_complete_path (__fish_sockxfer_typed | string collect --allow-empty)
end

# What is behind -- is completed as if it stood alone.
function __fish_sockxfer_command
    set -l words (commandline -opc)
    set -l command $words[(__fish_sockxfer_operand)..]
    complete -C (string join ' ' -- (string escape -- $command) (commandline -ct))
end

complete -c sockxfer -f
complete -c sockxfer -n "__fish_sockxfer_is ''" -a send -d 'send a file, standard input or what a command prints'
complete -c sockxfer -n "__fish_sockxfer_is ''" -a recv -d 'receive into a file, a directory, standard output or a command'
complete -c sockxfer -n "__fish_sockxfer_is ''" -a key -d 'make a key, or write one for openssl'
complete -c sockxfer -n '__fish_sockxfer_is key' -l openssl -r -F -d 'write its key as a session for openssl'
complete -c sockxfer -n '__fish_sockxfer_operand_is address' -a '(__fish_sockxfer_operand_address)'
complete -c sockxfer -n '__fish_sockxfer_operand_is path' -F
complete -c sockxfer -n __fish_sockxfer_is_command -a '(__fish_sockxfer_command)'

for option in $options
    echo $option | read -l whose letter name value about
    set -l description -l $name -d $about
    if test $letter != -
        set -a description -s $letter
    end
    switch $value
        case -
            test $letter = -; or set __fish_sockxfer_flags "$__fish_sockxfer_flags$letter"
        case '*'
            test $letter = -; or set __fish_sockxfer_letters "$__fish_sockxfer_letters$letter"
            set -a __fish_sockxfer_names $name
    end
    switch $value
        case -
        case path
            set -a description -r -F
        case port networks seconds size rate
            set -a description -x
        case '*'
            set -a description -x -a "(__fish_sockxfer_$value)"
    end
    if contains $name help version
        # As the first word by its name only: with -h fish would complete -w, which is no option there, to -wh.
        complete -c sockxfer -n "__fish_sockxfer_is ''" -l $name -d $about
    end
    if test $whose = both
        set whose 'send recv'
    end
    complete -c sockxfer -n "__fish_sockxfer_is $whose" $description
end
