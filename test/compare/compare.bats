#!/usr/bin/env bats
# The comparison of the README, for sockxfer's own row: in each of the faults both ends notice, and there
# is no file of which something is missing.

load ../helper

@test "killed, out of disk space, garbled or cut short: the comparison shows that sockxfer notices" {
	need_plain_build
	need mount umount
	"$PYTHON" "$ROOT/test/compare/compare.py" --only sockxfer --limit 120 "$SOCKXFER" >table 2>messages
	row=$(grep '^sockxfer ' table | tr -s ' ')
	case $row in
	*"not tried"*)
		has messages 'no mounts here'
		[ "$row" = "sockxfer K 1 - 1 K - not tried 4 0 bad 1 1 -" ]
		skip "a full disk needs root"
		;;
	esac
	[ "$row" = "sockxfer K 1 - 1 K - 6 1 - 4 0 bad 1 1 -" ] || {
		cat table messages
		return 1
	}
	[ "$(awk 'length > 80' table | wc -l)" -eq 0 ]
}
