#!/usr/bin/env bats
# How the source is laid out: the wings and their order, the sizes, what is banned. Reads files only.

bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/.." || return 1
}

# The wings, each of which may include those that stand before it; net and data do not know each other.
WINGS=(base sys net data transfer ui job cli)

# "wing stem" of each file in src/.
stems() {
	local file
	for file in src/*/*.[ch]; do
		file=${file#src/}
		file=${file%.?}
		echo "${file%/*} ${file#*/}"
	done | sort -u
}

# "wing stem" of each line of src/README that says what a file is for.
described() {
	awk '/^src\/[a-z]+\// { wing = $1; gsub(/^src\/|\/:?$/, "", wing); next }
	/^[^ ]/ { wing = "" }
	wing != "" && /^  [a-z0-9_]+  +[^ ]/ { print wing, $1 }' src/README | sort
}

# "file header" of each include of the project's own.
includes() {
	sed -nE 's|^[[:space:]]*#[[:space:]]*include[[:space:]]+"([^"]*)".*|\1|;T;F;p' src/*/*.[ch] |
		paste -d ' ' - -
}

# "stem stem" of the includes on stdin ("file header" lines) inside the wing $1; a file and its own header are one.
edges() {
	sed -nE "s|^src/$1/([^ ]*)\.[ch] $1/([^ ]*)\.h\$|\1 \2|p" | awk '$1 != $2' | sort -u
}

# Which wing ${1} may include which wing ${2}.
may_include() {
	local wing order=" ${WINGS[*]} "
	[ "$1" != "$2" ] || return 0
	[ "$1 $2" != "data net" ] || return 1
	for wing in ${order%%" $1 "*}; do
		[ "$wing" != "$2" ] || return 0
	done
	return 1
}

# The C files "$@" without comments and the contents of strings, each line after "file:number:".
code() {
	awk 'FNR == 1 { comment = 0 }
	{
		line = $0; out = ""
		while (line != "") {
			if (comment) {
				if (!match(line, /\*\//)) break
				comment = 0
				line = substr(line, RSTART + 2)
			} else if (match(line, /\/\*|\/\/|"([^"\\]|\\.)*"|'\''([^'\''\\]|\\.)*'\''/)) {
				token = substr(line, RSTART, 2)
				out = out substr(line, 1, RSTART - 1) " "
				line = substr(line, RSTART + RLENGTH)
				if (token == "/*") comment = 1
				else if (token == "//") break
				else out = out "\"\""
			} else { out = out line; line = "" }
		}
		print FILENAME ":" FNR ":" out
	}' "$@"
}

# "lines file:line", the length of each function in the C files "$@", signature and braces counted.
# It takes the braces of a function to stand alone in the first column, as a test below makes sure.
functions() {
	awk 'FNR == 1 { start = 0; body = 0 }
	body && /^}/ { print FNR - start + 1, FILENAME ":" start; body = 0; start = 0; next }
	body { next }
	/^{/ { body = 1; next }
	/^[A-Za-z_]/ && !start { start = FNR }
	/^$/ || /[;:]$/ || /\*\/$/ || /^#/ { start = 0 }' "$@"
}

# "name file" of each function that the C files "$@" define, static ones included, sorted.
definitions() {
	awk 'FNR == 1 { start = 0; body = 0 }
	body && /^}/ { body = 0; start = 0; next }
	body { next }
	/^{/ {
		sub(/^ __attribute__\(\([a-z_]+(\([^()]*\))?\)\) */, "", text)
		if (match(text, /[A-Za-z_0-9]+\(/)) print substr(text, RSTART, RLENGTH - 1), FILENAME
		body = 1
		next
	}
	/^[A-Za-z_]/ && !start { start = FNR; text = "" }
	start { text = text " " $0 }
	/^$/ || /[;:]$/ || /\*\/$/ || /^#/ { start = 0 }' "$@" | sort -u
}

# Of such lines on stdin the names that are in more than one.
twice() {
	cut -d ' ' -f 1 | uniq -d
}

# "file:line: columns" of each line of the files "$@" that is wider than 100 columns, but for one that is nothing but
# a string: a message can be searched for only if it is in one piece (.clang-format).
wide_lines() {
	local file

	for file; do
		expand "$file" | awk -v file="$file" 'length > 100 &&
			!/^ *"([^"\\]|\\.)*"[]),;]*$/ { print file ":" NR ": " length }'
	done
}

# The declarations of functions in the header $1 whose block has no comment directly above it.
undocumented() {
	awk '/^[A-Za-z_]/ && !/^(struct|enum|union|typedef)[^(]*[;{]$/ && !/^extern "C"/ {
		if (!inside && !told) print FILENAME ":" FNR ": " $0
		inside = 1
	}
	inside { told = 1 }
	/;$/ { inside = 0 }
	/\*\/$/ && !inside { told = 1; next }
	/^$/ || /^#/ { told = 0 }' "$1"
}

@test "src/README says in one sentence what each source file is for, and names no other" {
	[ "$(stems | wc -l)" -ge 15 ]
	diff <(described) <(stems)
}

@test "every file that src/README names is there, but for those of its worked examples" {
	local file
	grep -oE '\<(test/)?[a-z]+/[a-z_/]+\.(c|h|bats)\>' src/README | sort -u >"$BATS_TEST_TMPDIR/named"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/named")" -ge 20 ]
	while read -r file; do
		[[ $file != *_null.[ch] && $file != *_pipes.[ch] ]] || continue
		[[ -e $file || -e src/$file ]] || { echo "$file is not there"; return 1; }
	done <"$BATS_TEST_TMPDIR/named"
}

@test "a source file lies in a wing, and an include names the wing of a header that is there" {
	local wing file header
	while read -r wing _; do
		[[ " ${WINGS[*]} " == *" $wing "* ]] || { echo "src/$wing is no wing"; return 1; }
	done < <(stems)
	[ -z "$(find src -maxdepth 1 -name '*.[ch]')" ]
	[ "$(includes | wc -l)" -ge 100 ]
	while read -r file header; do
		[[ $header == */* && -e src/$header ]] || { echo "$file includes \"$header\""; return 1; }
	done < <(includes)
}

@test "a file includes headers of its own wing and of the wings below it only" {
	local file header wing bad=0
	while read -r file header; do
		wing=${file#src/}
		may_include "${wing%%/*}" "${header%%/*}" && continue
		echo "$file includes $header"
		bad=1
	done < <(includes)
	[ "$bad" -eq 0 ]
}

@test "the order of the wings is one that can be broken" {
	may_include sys base && may_include cli job && may_include transfer data && may_include net net
	! may_include base sys && ! may_include data net && ! may_include net data && ! may_include job cli
}

@test "no wing has a circle among its files" {
	local wing bad=0
	for wing in "${WINGS[@]}"; do
		includes | edges "$wing" >"$BATS_TEST_TMPDIR/$wing"
		tsort "$BATS_TEST_TMPDIR/$wing" >"$BATS_TEST_TMPDIR/order" 2>&1 && continue
		echo "src/$wing:"
		cat "$BATS_TEST_TMPDIR/order"
		bad=1
	done
	[ "$bad" -eq 0 ]
	[ "$(cat "${WINGS[@]/#/$BATS_TEST_TMPDIR/}" | wc -l)" -ge 20 ]
}

@test "the search for circles finds one" {
	edges sys <<-'end' >"$BATS_TEST_TMPDIR/circle"
		src/sys/one.c sys/one.h
		src/sys/one.c sys/two.h
		src/sys/two.h sys/three.h
		src/sys/three.c base/err.h
	end
	printf 'one two\ntwo three\n' | sort | diff - "$BATS_TEST_TMPDIR/circle"
	tsort "$BATS_TEST_TMPDIR/circle"
	echo "src/sys/three.c sys/one.h" | edges sys >>"$BATS_TEST_TMPDIR/circle"
	run tsort "$BATS_TEST_TMPDIR/circle"
	[ "$status" -ne 0 ]
	[[ $output == *loop* ]]
}

@test "no line of the source is wider than 100 columns" {
	local wing bad=0
	for wing in "${WINGS[@]}"; do
		wide_lines src/"$wing"/*.[ch] >"$BATS_TEST_TMPDIR/wide"
		cat "$BATS_TEST_TMPDIR/wide"
		[ ! -s "$BATS_TEST_TMPDIR/wide" ] || bad=1
	done
	[ "$bad" -eq 0 ]
}

@test "the search for wide lines finds them, with tabs of eight columns" {
	{
		printf '\t%092d\n' 0
		printf '\t%093d\n' 0
		printf '\t    "%0100d \\"%%s\\"",\n' 0
		printf '\tf("%0100d");\n' 0
	} >"$BATS_TEST_TMPDIR/wide.c"
	run wide_lines "$BATS_TEST_TMPDIR/wide.c"
	[ "${lines[0]}" = "$BATS_TEST_TMPDIR/wide.c:2: 101" ]
	[ "${lines[1]}" = "$BATS_TEST_TMPDIR/wide.c:4: 114" ]
	[ "${#lines[@]}" -eq 2 ]
}

@test "no two functions, static ones included, have one name in different files" {
	definitions src/*/*.[ch] >"$BATS_TEST_TMPDIR/definitions"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/definitions")" -ge 500 ]
	twice <"$BATS_TEST_TMPDIR/definitions" >"$BATS_TEST_TMPDIR/twice"
	grep -f <(sed 's/.*/^& /' "$BATS_TEST_TMPDIR/twice") "$BATS_TEST_TMPDIR/definitions" || true
	[ ! -s "$BATS_TEST_TMPDIR/twice" ]
}

@test "the search for functions of one name finds them" {
	printf 'static int\nf(int a)\n{\n\tg();\n}\n\nint g(void)\n{\n}\n\nint h(void);\n' >"$BATS_TEST_TMPDIR/a.c"
	printf '__attribute__((format(printf, 1, 2))) static void g(int a,\n    int b)\n{\n}\n\nint h(void)\n{\n}\n' \
		>"$BATS_TEST_TMPDIR/b.c"
	run definitions "$BATS_TEST_TMPDIR"/[ab].c
	[ "${lines[*]##*/}" = "a.c a.c b.c b.c" ]
	[ "${lines[*]%% *}" = "f g g h" ]
	[ "$(definitions "$BATS_TEST_TMPDIR"/[ab].c | twice)" = g ]
}

@test "no source file has more than 500 lines" {
	local file lines bad=0
	for file in src/*/*.[ch]; do
		lines=$(wc -l <"$file")
		[ "$lines" -le 500 ] || { echo "$file has $lines lines"; bad=1; }
	done
	[ "$bad" -eq 0 ]
}

@test "the braces of functions stand alone in the first column" {
	run grep -nE '^[A-Za-z_][^=]*\)[[:space:]]*\{' src/*/*.[ch]
	[ "$status" -eq 1 ]
}

@test "no function has more than 80 lines" {
	functions src/*/*.c >"$BATS_TEST_TMPDIR/functions"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/functions")" -ge 50 ]
	run awk '$1 > 80' "$BATS_TEST_TMPDIR/functions"
	echo "$output"
	[ -z "$output" ]
}

@test "the function counter counts" {
	{
		printf '/* what it does */\nstruct a {\n\tint b;\n};\n\nstatic int\nf(int a,\n    int b)\n{\n'
		printf '\tg();\n%.0s' {1..77}
		printf '}\n'
		printf '\nvoid h(void)\n{\n}\n'
	} >"$BATS_TEST_TMPDIR/long.c"
	run functions "$BATS_TEST_TMPDIR/long.c"
	[ "${lines[0]}" = "82 $BATS_TEST_TMPDIR/long.c:6" ]
	[ "${lines[1]}" = "3 $BATS_TEST_TMPDIR/long.c:89" ]
	[ "${#lines[@]}" -eq 2 ]
}

@test "calls that overflow, guess or start a shell are not used" {
	code src/*/*.[ch] >"$BATS_TEST_TMPDIR/code"
	grep -q 'int main(' "$BATS_TEST_TMPDIR/code" # else the search below would prove nothing
	run grep -E '(^|[^_[:alnum:]])(strcpy|strcat|v?sprintf|ato(i|l|ll|f)|gets|system|popen)[[:space:]]*\(' \
		"$BATS_TEST_TMPDIR/code"
	echo "$output"
	[ "$status" -eq 1 ]
}

@test "below ui nothing prints and nothing exits" {
	local wing files=()
	for wing in base sys net data transfer; do
		files+=(src/"$wing"/*.c)
	done
	code "${files[@]}" >"$BATS_TEST_TMPDIR/all"
	# It writes to the stream that it is given.
	grep -v '^src/base/json\.c:' "$BATS_TEST_TMPDIR/all" >"$BATS_TEST_TMPDIR/code"
	run grep -E '(^|[^_[:alnum:]])(v?f?printf|f?puts|putchar|perror|v?errx?|v?warnx?)[[:space:]]*\(' \
		"$BATS_TEST_TMPDIR/code"
	echo "$output"
	[ "$status" -eq 1 ]
	run grep -wE 'stdout|stderr' "$BATS_TEST_TMPDIR/code"
	echo "$output"
	[ "$status" -eq 1 ]
	# A process that we have forked does exit.
	grep -v '^src/sys/workers\.c:' "$BATS_TEST_TMPDIR/all" >"$BATS_TEST_TMPDIR/code"
	run grep -E '(^|[^_[:alnum:]])exit[[:space:]]*\(' "$BATS_TEST_TMPDIR/code"
	echo "$output"
	[ "$status" -eq 1 ]
}

@test "every function that a header declares has its contract above it" {
	local header
	for header in src/*/*.h; do
		undocumented "$header"
	done >"$BATS_TEST_TMPDIR/missing"
	cat "$BATS_TEST_TMPDIR/missing"
	[ ! -s "$BATS_TEST_TMPDIR/missing" ]
}

@test "the search for contracts finds a function without one" {
	printf '/* a */\n#ifndef A\n\nint a(int x,\n    int y);\n\n/* b and c */\nint b(void);\nint c(void);\n\nint d;\n' \
		>"$BATS_TEST_TMPDIR/a.h"
	run undocumented "$BATS_TEST_TMPDIR/a.h"
	[ "${lines[0]}" = "$BATS_TEST_TMPDIR/a.h:4: int a(int x," ]
	[ "${lines[1]}" = "$BATS_TEST_TMPDIR/a.h:11: int d;" ]
	[ "${#lines[@]}" -eq 2 ]
}

# The first words of the indented lines of test/README from the line $1 to the line $2, without a slash behind them.
listed() {
	sed -nE "/^$1/,/^$2/s/^  ([a-z_]+)\/? +[^ ].*/\1/p" test/README | sort
}

@test "test/README names each folder of test, and no other" {
	[ "$(listed 'How they are' 'How to run' | wc -l)" -ge 5 ]
	diff <(listed 'How they are' 'How to run') <(cd test && printf '%s\n' */ | tr -d / | sort)
}

@test "the verbs, targets and files that test/README names are there" {
	local name

	[ "$(listed 'How to write' 'How to find' | wc -l)" -ge 10 ]
	while read -r name; do
		grep -q "^$name() {" test/helper.bash || { echo "$name is no verb"; return 1; }
	done < <(listed 'How to write' 'How to find')
	grep -q '^  make check ' test/README
	while read -r name; do
		grep -q "^$name:" Makefile || { echo "make $name"; return 1; }
	done < <(sed -nE 's/.*(^  |")make ([a-z-]+).*/\2/p' test/README | sort -u)
	while read -r name; do
		[ -e "$name" ] || { echo "$name"; return 1; }
	done < <(grep -oE '\<test/[a-z][a-z0-9./_]*[a-z0-9]' test/README | sort -u)
}

@test "the top level holds src, man, test, Makefile, README, COPYING and dotfiles, and nothing else" {
	git rev-parse --is-inside-work-tree >/dev/null 2>&1 || skip "not a git checkout"
	git ls-files --cached --others --exclude-standard | cut -d / -f 1 | sort -u >"$BATS_TEST_TMPDIR/top"
	grep -qx README "$BATS_TEST_TMPDIR/top"
	run grep -vxE 'src|man|test|Makefile|README|COPYING|\..*' "$BATS_TEST_TMPDIR/top"
	echo "$output"
	[ "$status" -eq 1 ]
}
