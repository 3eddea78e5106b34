/*
 * Trying to connect again and again until somebody is there, with a pause that grows from try to try.
 */
#ifndef CONNECT_RETRY_H
#define CONNECT_RETRY_H

#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "net/addr.h"
#include "net/connect.h"

struct connect_retry_options {
	int64_t until; /* deadline of the last try to begin; DEADLINE_NOW: one try */
	const struct time_limits *limits; /* idle: of each try; end: of all */
	/* Called with context after each try that failed and will be followed by another; or NULL. */
	void (*on_failure)(void *context, const struct err *err);
	void *context;
};

/*
 * connect_open(), until it succeeds or time is up: 0.1 s after a failure, then after twice as long each time, 2 s
 * at the most, and once more when time is up, for a second at the most. The first try has the time that it would
 * have by itself, be it beyond options->until. What cannot become better by waiting ends it at once: a
 * service that is not known, a source address that is not ours, a family that there is not, what is not permitted,
 * a path that cannot be, a lack of descriptors or of memory. Blocks as long as that takes.
 *
 * Returns the socket, as connect_open(), err being clean then, or -1 with the last try's error; ERR_TIMEOUT if it was limits->end that
 * put an end to it.
 */
int connect_retry(const struct addr *addr, const struct connect_options *how,
    const struct connect_retry_options *options, struct err *err);

#endif
