#!/usr/bin/env bats
# How the source is laid out: the floors of the README, the sizes, what is banned. Reads files only.

bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/.." || return 1
}

# "stem floor", a line for each name on the README's floor lines.
floors() {
	awk '$1 == "floor" && $2 ~ /^[0-9]$/ { for (i = 3; i <= NF; i++) print $i, $2 }' README
}

# The names of the files in src/ without their endings.
stems() {
	local file
	for file in src/*.[ch]; do
		file=${file#src/}
		echo "${file%.?}"
	done | sort -u
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

@test "every source file is on exactly one floor of the README, and every file named there exists" {
	[ "$(stems | wc -l)" -ge 15 ]
	diff <(floors | cut -d ' ' -f 1 | sort) <(stems)
}

@test "the README says in one sentence what each source file is for" {
	local stem count
	for stem in $(stems); do
		count=$(grep -cE "^  $stem  +[A-Za-z0-9].* .* " README) || true
		[ "$count" -eq 1 ] || { echo "$stem: $count sentences"; return 1; }
	done
}

@test "a file includes headers of its own floor or a lower one, and headers that are its own project's exist" {
	declare -A floor
	local stem level file header includes=0 bad=0
	while read -r stem level; do
		floor[$stem]=$level
	done < <(floors)
	while IFS=: read -r file header; do
		includes=$((includes + 1))
		stem=${file#src/}
		stem=${stem%.?}
		header=${header#*\"}
		header=${header%%\"*}
		[ -e "src/$header" ] || { echo "$file includes \"$header\", which is not there"; bad=1; }
		if [ "${floor[${header%.h}]}" -gt "${floor[$stem]}" ]; then
			echo "$file (floor ${floor[$stem]}) includes $header (floor ${floor[${header%.h}]})"
			bad=1
		fi
	done < <(grep -HE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' src/*.[ch])
	[ "$includes" -gt 0 ]
	[ "$bad" -eq 0 ]
}

@test "no source file has more than 500 lines" {
	local file lines bad=0
	for file in src/*.[ch]; do
		lines=$(wc -l <"$file")
		[ "$lines" -le 500 ] || { echo "$file has $lines lines"; bad=1; }
	done
	[ "$bad" -eq 0 ]
}

@test "the braces of functions stand alone in the first column" {
	run grep -nE '^[A-Za-z_][^=]*\)[[:space:]]*\{' src/*.[ch]
	[ "$status" -eq 1 ]
}

@test "no function has more than 80 lines, and the median is at most 20" {
	local count
	functions src/*.c | sort -n >"$BATS_TEST_TMPDIR/functions"
	count=$(wc -l <"$BATS_TEST_TMPDIR/functions")
	[ "$count" -ge 50 ]
	run awk '$1 > 80' "$BATS_TEST_TMPDIR/functions"
	echo "$output"
	[ -z "$output" ]
	[ "$(sed -n "$(((count + 1) / 2))s/ .*//p" "$BATS_TEST_TMPDIR/functions")" -le 20 ]
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
	code src/*.[ch] >"$BATS_TEST_TMPDIR/code"
	grep -q 'int main(' "$BATS_TEST_TMPDIR/code" # else the search below would prove nothing
	run grep -E '(^|[^_[:alnum:]])(strcpy|strcat|v?sprintf|ato(i|l|ll|f)|gets|system|popen)[[:space:]]*\(' \
		"$BATS_TEST_TMPDIR/code"
	echo "$output"
	[ "$status" -eq 1 ]
}

@test "below floor 4 nothing prints and nothing exits" {
	local stem level files=()
	while read -r stem level; do
		[ "$level" -ge 4 ] || files+=("src/$stem.c")
	done < <(floors)
	code "${files[@]}" >"$BATS_TEST_TMPDIR/code"
	run grep -E '(^|[^_[:alnum:]])(v?f?printf|f?puts|putchar|perror|v?errx?|v?warnx?|exit)[[:space:]]*\(' \
		"$BATS_TEST_TMPDIR/code"
	echo "$output"
	[ "$status" -eq 1 ]
	run grep -wE 'stdout|stderr' "$BATS_TEST_TMPDIR/code"
	echo "$output"
	[ "$status" -eq 1 ]
}

@test "every function that a header declares has its contract above it" {
	local header
	for header in src/*.h; do
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

@test "the top level holds src, man, test, Makefile, README, COPYING and dotfiles, and nothing else" {
	git rev-parse --is-inside-work-tree >/dev/null 2>&1 || skip "not a git checkout"
	git ls-files --cached --others --exclude-standard | cut -d / -f 1 | sort -u >"$BATS_TEST_TMPDIR/top"
	grep -qx README "$BATS_TEST_TMPDIR/top"
	run grep -vxE 'src|man|test|Makefile|README|COPYING|\..*' "$BATS_TEST_TMPDIR/top"
	echo "$output"
	[ "$status" -eq 1 ]
}
