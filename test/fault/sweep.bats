#!/usr/bin/env bats
# That `make sweep` works, and a small part of it. SWEEP_SEED takes another part.

load ../helper
load fault

# sweep ARGUMENT...: what it says is in "said".
sweep() {
	TMPDIR=$PWD "$PYTHON" "$ROOT/test/fault/sweep.py" "$@" "$SOCKXFER" "$ROOT/build/shim/pause.so" >said 2>&1
}

@test "of some calls that fail, none leaves half a file, a false exit status or a process" {
	local status=0

	need_strace
	sweep --scenario recv-replace,recv-resume,send-command,server-inbox,several-file --sample 20 --seed "${SWEEP_SEED:-12}" ||
		status=$?
	sed 's/^/# /' said >&3
	[ "$status" -eq 0 ] || cat said
	return "$status"
}

@test "a sweep goes on where it was ended, and begins anew with another program" {
	need_strace
	sweep --scenario recv-new --call listen --sample 3 --log log
	has said '3 of '
	sweep --scenario recv-new --call listen --sample 4 --log log
	has said '1 of '
	has said '3 before'
	cp "$SOCKXFER" other
	echo >>other
	SOCKXFER=./other sweep --scenario recv-new --call listen --sample 4 --log log
	has said '4 of '
	has said ' 0 before'
}

# judges RECV SEND FILE: what is said to be wrong of a receiver and a sender that ended so, and the file that is there.
judges() {
	"$PYTHON" - "$@" <<-'END'
		import sys
		sys.path.insert(0, sys.argv[4])
		import scenarios
		stage = scenarios.Stage("", "", ".", [])
		data = {"whole": scenarios.DATA, "half": scenarios.DATA[:130000], "old": scenarios.OLD, "none": None}[sys.argv[3]]
		if data is not None:
		    with open("d/out", "wb") as file:
		        file.write(data)
		stage.judge("d/out", int(sys.argv[1]), int(sys.argv[2]), True)
		print("; ".join(stage.result.wrong))
	END
}

@test "the sweep finds half a file, an old one that is gone, and exit statuses that lie" {
	set -- "$ROOT/test/fault"
	[ "$(judges 0 0 whole "$1")" = '' ]
	[ "$(judges 1 6 old "$1")" = '' ]
	[[ $(judges 1 6 half "$1") == 'partial: '* ]]
	[[ $(judges 1 6 none "$1") == 'the old file is gone' ]]
	[[ $(judges 0 6 old "$1") == "the receiver's 0 is a lie" ]]
	[[ $(judges 1 0 old "$1") == "the sender's 0 is a lie" ]]
	[[ $(judges 1 6 whole "$1") == "the receiver's failure is a lie"* ]]
}
