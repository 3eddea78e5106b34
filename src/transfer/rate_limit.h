/*
 * A limit on the rate: when the next bytes may be moved. A pure stepper; its caller tells it the time and how
 * many bytes were moved, and does the waiting. A pause of more than a fifth of a second is not made up for by going faster.
 */
#ifndef RATE_LIMIT_H
#define RATE_LIMIT_H

#include <stddef.h>
#include <stdint.h>

struct rate_limit {
	int64_t rate; /* bytes a second, 0: no limit */
	int64_t due;  /* when what has been moved so far may have been moved, ns */
};

/* Begins to count. rate in bytes a second, 0: no limit. */
void rate_limit_init(struct rate_limit *rate_limit, int64_t rate);

/*
 * How much to move in one go, at the most size bytes: what is due in a twentieth of a second, so that the rate
 * is an even one, and at least 1.
 */
size_t rate_limit_piece(const struct rate_limit *rate_limit, size_t size);

/*
 * Counts bytes that were moved at the time now (ns of any one monotonic clock). Returns until when nothing
 * more is to be moved; 0 if there is no limit.
 */
int64_t rate_limit_count(struct rate_limit *rate_limit, int64_t bytes, int64_t now);

#endif
