/*
 * Whether the peer of a doubtful stream is still there: one that is empty, or begins as strays
 * talk, is an end only if the peer stays to hear it. What we say tells: a peer that is there
 * acknowledges it, the kernel of one that is gone answers it with a reset.
 */
#ifndef DOUBT_H
#define DOUBT_H

#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"
#include "net/channel.h"

/*
 * Waits until what was said is no longer on its way, which not knowing counts as, or until the
 * deadline. Returns 0, or -1 with ERR_INTERRUPTED.
 */
int doubt_wait(struct channel *channel, int64_t deadline, struct err *err);

/*
 * Returns 0 if the peer is there, having heard what we have said last, 1 if it is gone, or -1 with
 * ERR_INTERRUPTED. Blocks for 5 s or until limits->end.
 */
int doubt_peer(struct channel *channel, const struct time_limits *limits, struct err *err);

/*
 * Says a line to the peer by and by, for the kernel of a proxy acknowledges what the peer behind it
 * never gets. A peer of our kind is behind none. Blocks and returns as doubt_peer(), for each of
 * five pieces, or -1 with ERR_TIMEOUT of -W; then the line is said, so that another can follow.
 */
int doubt_say(struct channel *channel, const char *line, size_t len,
    const struct time_limits *limits, struct err *err);

#endif
