#include "transfer/pace.h"

#include "base/clock.h"

/* A piece is what is due in this time. */
#define PIECE_TIME (50 * CLOCK_MILLISECOND)

/* How far behind its time a transfer may be and still catch up: the wake-ups that come late. */
#define CATCH_UP (200 * CLOCK_MILLISECOND)

void pace_init(struct pace *pace, int64_t rate)
{
	*pace = (struct pace){.rate = rate};
}

size_t pace_piece(const struct pace *pace, size_t size)
{
	int64_t piece = pace->rate / (CLOCK_SECOND / PIECE_TIME);

	if (pace->rate == 0 || piece >= (int64_t)size)
		return size;
	return piece > 0 ? (size_t)piece : 1;
}

int64_t pace_count(struct pace *pace, int64_t bytes, int64_t now)
{
	if (pace->rate == 0)
		return 0;
	int64_t earliest = pace->due == 0 ? now : now - CATCH_UP;
	if (pace->due < earliest)
		pace->due = earliest;
	pace->due += (int64_t)((double)bytes / (double)pace->rate * (double)CLOCK_SECOND);
	return pace->due;
}
