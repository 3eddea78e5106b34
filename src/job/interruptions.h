/*
 * The interruptions of a transfer that goes on by itself (-R -r): each is told and waited for, and
 * then the two ends meet again. Without -R -r there are none: the first break is the end.
 */
#ifndef INTERRUPTIONS_H
#define INTERRUPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "job/go_on.h"
#include "job/rendezvous.h"
#include "transfer/outcome.h"
#include "transfer/progress.h"
#include "transfer/transfer.h"
#include "ui/invite.h"

struct interruptions {
	const struct rendezvous_options *options;
	const struct invite *invite;
	struct progress *progress;
	struct outcome *outcome; /* of the present try */
	struct go_on go_on;
	struct rendezvous_place again; /* where and how long to meet, after a break */
	int64_t at;                    /* the most bytes of the stream at a break */
	int64_t started;               /* clock_now() of the first connection; 0: there was none */
	int64_t resumed_at;            /* bytes that were there already by then */
	bool both_resume;              /* in one of the tries both ends have said so */
	struct transfer_result last;   /* of the last try that had a connection */
};

/*
 * Begins, before the first try of a rendezvous, with the patience of -r. All arguments have to
 * outlive it.
 */
struct interruptions interruptions_begin(const struct rendezvous_options *options,
    const struct invite *invite, struct progress *progress, struct outcome *outcome);

/*
 * Gets the connection of a try: of the first one by rendezvous_open(), of the others by
 * rendezvous_again(). Blocks and returns as these. A failure of the latter is one more break.
 */
int interruptions_meet(struct interruptions *interruptions, struct listen_set *listening,
    const struct time_limits *limits, struct connection *connection, struct err *err);

/*
 * Gets the next connection of the same try, by rendezvous_next(), when the last one was no
 * transfer. Blocks and returns as interruptions_meet().
 */
int interruptions_meet_next(struct interruptions *interruptions, struct listen_set *listening,
    const struct time_limits *limits, struct connection *connection, struct err *err);

/*
 * When a try has failed by err: whether another one is to be made. If so, tells of the
 * interruption, waits until it is time, and clears err and the outcome's result. Blocks for 2 s at
 * most.
 */
bool interruptions_pass(struct interruptions *interruptions, struct err *err);

/*
 * Ends, after the last try: the outcome becomes that of all tries together, and err, unless it is
 * ERR_NONE, says how many there were. Does not block.
 */
void interruptions_end(const struct interruptions *interruptions, struct err *err);

#endif
