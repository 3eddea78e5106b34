#!/usr/bin/env bats
# That the benchmark works: what it would take too long to find out only when somebody wants its figures.

load ../helper

bench() {
	"$PYTHON" "$ROOT/test/bench/bench.py" --rounds 1 --csv rows.csv "$@" "$SOCKXFER" >table 2>messages || {
		cat table messages
		return 1
	}
}

@test "the benchmark moves files by sockxfer and cp, checks them and writes a row for each" {
	need_plain_build
	bench --cases disk,unix,null --size 64K --tools sockxfer,sockxfer-no-receipt,cp --disk "$PWD"
	[ "$(grep -cE '^disk,(sockxfer|sockxfer-no-receipt|cp),65536,0,[0-9.]+,.*,ok$' rows.csv)" -eq 3 ]
	[ "$(grep -cE '^unix,sockxfer.*,65536,0,.*,ok$' rows.csv)" -eq 2 ]
	[ "$(grep -cE '^null,sockxfer.*,65536,0,.*,ok$' rows.csv)" -eq 2 ]
	[ "$(awk 'length > 100' table | wc -l)" -eq 0 ]
}

@test "the benchmark counts the datagrams that arrive" {
	need_plain_build
	bench --cases udp --tools sockxfer,socat
	[ "$(grep -cE '^udp,(sockxfer|socat),[0-9]+,0,[0-9.]+,.*,ok$' rows.csv)" -eq "$(grep -c '^udp' rows.csv)" ]
	[ "$(awk 'length > 100' table | wc -l)" -eq 0 ]
}

@test "the benchmark tells a sockxfer that delivers wrong bytes: exit 1" {
	need_plain_build
	cat >wrong <<-END
		#!/bin/sh
		"$SOCKXFER" "\$@" || exit
		[ "\$1" = send ] || { eval "out=\\\${\$#}"; printf x >>"\$out"; }
	END
	chmod +x wrong
	run "$PYTHON" "$ROOT/test/bench/bench.py" --rounds 1 --csv rows.csv --cases disk --size 64K --disk "$PWD" \
		--tools sockxfer ./wrong
	[ "$status" -eq 1 ]
	grep -q '^disk,sockxfer,65536,0,.*,wrong$' rows.csv
}

@test "the benchmark sends small files into servers of many, serves one to many, and checks what arrives" {
	need_plain_build
	bench --cases many,serve --size 64K --tools sockxfer,socat
	[ "$(grep -cE '^many(-raw)?,sockxfer,1024,0,[0-9.]+,,[0-9.]+,,,ok$' rows.csv)" -eq 2 ]
	[ "$(grep -cE '^serve(-own)?,sockxfer,65536,0,[0-9.]+,[0-9.]+,,,,ok$' rows.csv)" -eq 2 ]
	[ "$(awk 'length > 100' table | wc -l)" -eq 0 ]
}

@test "the benchmark moves trees by sockxfer, tar and cp, compares them with modes and times, and writes rows" {
	need_plain_build
	bench --cases trees --size 64K --disk "$PWD" \
		--tools sockxfer,sockxfer-command,sockxfer-key,nc,rsync,ssh,cp
	grep -q '^tree-disk,cp,[0-9]*,0,[0-9.]*,.*,ok$' rows.csv
	[ "$(grep -cE '^tree-(tmpfs|disk|uncached|large-tmpfs|large-disk),sockxfer(-command|-key)?,.*,ok$' rows.csv)" -ge 6 ]
	grep -q '^tree-large-disk,sockxfer-named,65536,0,.*,ok$' rows.csv
	grep -q '^tree-large-disk,sockxfer-plain,65536,0,.*,ok$' rows.csv
	[ "$(grep -v ',scp,' rows.csv | grep -cvE '^case,|,ok$')" -eq 0 ] # a container may have no sshd that starts
	[ "$(awk 'length > 100' table | wc -l)" -eq 0 ]
}

@test "the benchmark tells a sockxfer that delivers a tree with a wrong time or mode: exit 1" {
	need_plain_build
	for change in 'touch -d @1' 'chmod 777'; do
		cat >wrong <<-END
			#!/bin/sh
			"$SOCKXFER" "\$@" || exit
			[ "\$1" != recv ] || { eval "out=\\\${\$#}"; $change "\$out"/d00/e0/f00000; }
		END
		chmod +x wrong
		run "$PYTHON" "$ROOT/test/bench/bench.py" --rounds 1 --csv rows.csv --cases trees --size 64K --disk "$PWD" \
			--tools sockxfer ./wrong
		[ "$status" -eq 1 ]
		grep -q '^tree-disk,sockxfer,.*,wrong$' rows.csv
	done
}
