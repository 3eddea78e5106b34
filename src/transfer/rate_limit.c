#include "transfer/rate_limit.h"

#include "base/clock.h"

/* The time that a piece takes at the rate. */
#define PIECE_TIME (50 * CLOCK_MILLISECOND)

/* How much lost time a transfer makes up for: as much as late wake-ups cost. */
#define CATCH_UP (200 * CLOCK_MILLISECOND)

void rate_limit_init(struct rate_limit *rate_limit, int64_t rate)
{
	*rate_limit = (struct rate_limit){.rate = rate};
}

size_t rate_limit_piece(const struct rate_limit *rate_limit, size_t size)
{
	int64_t piece = rate_limit->rate / (CLOCK_SECOND / PIECE_TIME);

	if (rate_limit->rate == 0 || piece >= (int64_t)size)
		return size;
	return piece > 0 ? (size_t)piece : 1;
}

int64_t rate_limit_count(struct rate_limit *rate_limit, int64_t bytes, int64_t now)
{
	if (rate_limit->rate == 0)
		return 0;
	int64_t earliest = rate_limit->due == 0 ? now : now - CATCH_UP;
	if (rate_limit->due < earliest)
		rate_limit->due = earliest;
	rate_limit->due +=
	    (int64_t)((double)bytes / (double)rate_limit->rate * (double)CLOCK_SECOND);
	return rate_limit->due;
}
