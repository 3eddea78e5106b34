/*
 * A limit on the rate: when the next bytes may be moved. A pure stepper; its caller tells it the
 * time and how many bytes were moved, and does the waiting. Only a fifth of a second of lost time
 * is made up for by a faster rate. No function here blocks.
 */
#ifndef RATE_LIMIT_H
#define RATE_LIMIT_H

#include <stddef.h>
#include <stdint.h>

struct rate_limit {
	int64_t rate; /* bytes a second; 0: no limit */
	int64_t due;  /* ns; the time at which the rate allows the bytes moved so far */
};

/* Begins to count, for a rate in bytes a second; 0: no limit. */
void rate_limit_init(struct rate_limit *rate_limit, int64_t rate);

/*
 * Returns how many bytes to move in one go: those of a twentieth of a second, so that the rate is
 * even, but at least 1 and at most size.
 */
size_t rate_limit_piece(const struct rate_limit *rate_limit, size_t size);

/*
 * Counts bytes that were moved at the time now, in ns of any one monotonic clock. Returns the time
 * before which no more may be moved; 0 if there is no limit.
 */
int64_t rate_limit_count(struct rate_limit *rate_limit, int64_t bytes, int64_t now);

#endif
