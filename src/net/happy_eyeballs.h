/*
 * Happy Eyeballs (RFC 8305): which address to try next, and when. A pure stepper: it opens nothing,
 * reads no clock and does not block; its caller tells it the time and which attempts have failed.
 *
 * Section 4: the addresses alternate between the families, beginning with the resolver's first
 * address. Section 5: the next attempt starts 250 ms after the last one, or at once when an attempt
 * fails; the first to connect wins. Section 3 (separate queries for A and AAAA) is left out,
 * because getaddrinfo(3) answers with both at once.
 */
#ifndef HAPPY_EYEBALLS_H
#define HAPPY_EYEBALLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

#define HAPPY_EYEBALLS_DELAY (250 * CLOCK_MILLISECOND)

struct happy_eyeballs {
	size_t count;       /* addresses, tried in the order 0 .. count - 1 */
	size_t started;     /* attempts begun */
	size_t failed;      /* attempts that have failed */
	int64_t next_start; /* when the next attempt may begin */
};

enum happy_eyeballs_verb {
	HAPPY_EYEBALLS_START, /* begin the attempt on address index, then ask again */
	HAPPY_EYEBALLS_WAIT, /* wait for an attempt to end, or for the time until, then ask again */
	HAPPY_EYEBALLS_EXHAUSTED, /* every attempt has failed */
};

struct happy_eyeballs_step {
	enum happy_eyeballs_verb verb;
	size_t index;  /* HAPPY_EYEBALLS_START */
	int64_t until; /* HAPPY_EYEBALLS_WAIT: DEADLINE_NEVER once every attempt is begun */
};

/* Begins a race over count addresses. */
void happy_eyeballs_init(struct happy_eyeballs *happy, size_t count);

/* Returns what to do at the time now, in ns of any one monotonic clock. Never fails. */
struct happy_eyeballs_step happy_eyeballs_next(struct happy_eyeballs *happy, int64_t now);

/* Takes note that an attempt has failed, so that the next one starts at once. */
void happy_eyeballs_failed(struct happy_eyeballs *happy);

/*
 * Takes note that the attempt that was to start could not, for lack of a descriptor: it starts when
 * another has failed. Others have to be under way.
 */
void happy_eyeballs_postponed(struct happy_eyeballs *happy);

/*
 * Fills order[0 .. count - 1] with indexes of addresses, in the order in which to try them.
 * families[0 .. count - 1] are the addresses' families (AF_INET, AF_INET6), as the resolver sorted
 * them.
 */
void happy_eyeballs_order(const int *families, size_t count, size_t *order);

#endif
