/*
 * Absolute deadlines on the monotonic clock, in nanoseconds.
 *
 * A deadline is made once and passed down; no function takes "time remaining", so a call that is
 * woken early or retried cannot stretch its limit. Python's three socket timeout modes are three
 * deadlines: settimeout(None) is DEADLINE_NEVER, settimeout(0) is DEADLINE_NOW, settimeout(t) is
 * deadline_after(t). No function here blocks or fails.
 */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdint.h>
#include <time.h>

#include "base/clock.h"

#define DEADLINE_NEVER INT64_MAX /* blocking: wait as long as it takes */
#define DEADLINE_NOW INT64_C(0)  /* non-blocking: take what is there, do not wait */

/* How long a transfer may take: the -w and -W of the command line. */
struct time_limits {
	int64_t idle; /* ns that one wait may last without progress; 0: no limit */
	int64_t end;  /* deadline of the whole transfer */
};

/* The deadline that lies ns from now; DEADLINE_NEVER if that is beyond the clock's range. */
int64_t deadline_after(int64_t ns);

/* The deadline of a limit of ns that begins to count now; DEADLINE_NEVER if ns is 0: no limit. */
int64_t deadline_of_limit(int64_t ns);

/* The deadline of a wait that begins now: after the idle limit, or the end if that is earlier. */
int64_t deadline_of(const struct time_limits *limits);

/* The earlier of two deadlines. */
int64_t deadline_min(int64_t a, int64_t b);

/* The time from now to deadline for ppoll(2), 0 if it has passed. Not for DEADLINE_NEVER. */
struct timespec deadline_timespec(int64_t deadline, int64_t now);

#endif
