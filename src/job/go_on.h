/*
 * Whether a transfer that broke off is tried once more, and when (-R -r). A pure stepper: it opens
 * nothing, reads no clock and does not block; its caller tells it the time, and how each try went.
 *
 * It goes on until so much time has passed without progress. Bytes that were moved are progress
 * only by and by: a sender's may have been lost in the buffers between. So they count at first, and
 * count no more once the receiver turns out to have no more than before. Those of a stranger, who
 * says nothing of what there is, are none at all.
 */
#ifndef GO_ON_H
#define GO_ON_H

#include <stdbool.h>
#include <stdint.h>

struct go_on {
	int64_t patience; /* ns that may pass without progress */
	int broken;       /* tries that broke off */
	int64_t had;      /* the most bytes that the receiver had at the beginning of one */
	int64_t proven;   /* when bytes were moved last that it has kept */
	int64_t moved;    /* when bytes were moved last */
	int64_t pause;    /* ns before the next try */
};

/* How a try went that broke off. */
struct go_on_try {
	int64_t met;   /* when its connection was there; 0: there was none */
	int64_t had;   /* bytes that the receiver had then; -1: the two did not come to that */
	int64_t moved; /* bytes that were moved beyond these */
};

/* What comes next. */
struct go_on_step {
	int64_t at;    /* when the next try begins */
	int64_t until; /* when the wait for the other end is over */
};

/* Begins, before the first try, with a patience of at least 1 ns. */
void go_on_init(struct go_on *go_on, int64_t patience);

/*
 * Takes note that a try has broken off at the time now. Returns whether another follows, as *step
 * then says. One that has moved nothing is followed after a pause of 0.25 s, then of twice as long
 * each time, at most of 2 s.
 */
bool go_on_next(struct go_on *go_on, const struct go_on_try *tried, int64_t now,
    struct go_on_step *step);

#endif
