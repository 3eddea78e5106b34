/* Whether a transfer that broke off is tried once more, and when. */
#include "job/go_on.h"

#include "base/deadline.h"
#include "check.h"

#define START (1000 * CLOCK_SECOND)
#define PATIENCE (60 * CLOCK_SECOND)
#define MEGABYTE INT64_C(1000000)

/* A try, and what is to follow it. Times are in seconds after START; until < 0: nothing follows. */
struct row {
	double met; /* < 0: there was no connection */
	int64_t had;
	int64_t moved;
	double now;
	double pause;
	double until;
};

static int64_t at(double seconds)
{
	return START + (int64_t)(seconds * (double)CLOCK_SECOND);
}

static void check_tries(const struct row *rows, size_t count)
{
	struct go_on go_on;
	struct go_on_step step;

	go_on_init(&go_on, PATIENCE);
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		const struct go_on_try tried = {
		    .met = row->met < 0 ? 0 : at(row->met),
		    .had = row->had,
		    .moved = row->moved,
		};
		check_row("try %zu", i + 1);
		bool goes_on = go_on_next(&go_on, &tried, at(row->now), &step);
		CHECK_INT(goes_on, row->until >= 0);
		if (!goes_on || row->until < 0)
			return;
		CHECK_INT(step.at, at(row->now + row->pause));
		CHECK_INT(step.until, at(row->until));
	}
}

static void after_bytes_at_once(void)
{
	static const struct row rows[] = {
	    {0, 0, 100 * MEGABYTE, 3600, 0, 3660},
	    {3610, 100 * MEGABYTE, 1, 7200, 0, 7260},
	};

	check_tries(rows, ROWS(rows));
}

static void pauses_grow(void)
{
	static const struct row rows[] = {
	    {0, 0, 5 * MEGABYTE, 10, 0, 70},
	    {-1, -1, 0, 10, 0.25, 70},
	    {-1, -1, 0, 11, 0.5, 70},
	    {-1, -1, 0, 12, 1, 70},
	    {-1, -1, 0, 13, 2, 70},
	    {-1, -1, 0, 20, 2, 70},
	    {21, 4 * MEGABYTE, MEGABYTE, 22, 0, 82},
	    {-1, -1, 0, 30, 0.25, 82},
	};

	check_tries(rows, ROWS(rows));
}

static void patience_ends(void)
{
	static const struct row rows[] = {
	    {0, 0, 5 * MEGABYTE, 10, 0, 70},
	    {-1, -1, 0, 69.9, 0.1, 70},
	    {-1, -1, 0, 70, 0, -1},
	};

	check_tries(rows, ROWS(rows));
}

static void nothing_at_all(void)
{
	static const struct row rows[] = {
	    {0, 0, 0, 500, 0.25, 560},
	    {501, 0, 0, 559, 0.5, 560},
	    {559, 0, 0, 560, 0, -1},
	};

	check_tries(rows, ROWS(rows));
}

/* The receiver dies each time before it has kept anything; all that is sent is lost in buffers. */
static void lost_in_buffers(void)
{
	static const struct row rows[] = {
	    {0, MEGABYTE, 3 * MEGABYTE, 10, 0, 70},
	    {11, MEGABYTE, 3 * MEGABYTE, 12, 0, 72},
	    {13, MEGABYTE, 3 * MEGABYTE, 60, 0, 120},
	    {70, MEGABYTE, 3 * MEGABYTE, 80, 0, 140},
	    {81, MEGABYTE, 3 * MEGABYTE, 82, 0, -1},
	};

	check_tries(rows, ROWS(rows));
}

/* A try that is lost does not take from the long one after it what that has moved. */
static void long_after_lost(void)
{
	static const struct row rows[] = {
	    {0, 0, 50 * MEGABYTE, 10, 0, 70},
	    {12, 50 * MEGABYTE, 1, 13, 0, 73},
	    {20, 50 * MEGABYTE, 900 * MEGABYTE, 3600, 0, 3660},
	    {3650, 950 * MEGABYTE, 0, 3655, 0.25, 3660},
	};

	check_tries(rows, ROWS(rows));
}

/* What connects meanwhile neither counts nor takes from what has been moved. */
static void strangers(void)
{
	static const struct row rows[] = {
	    {0, 0, 50 * MEGABYTE, 10, 0, 70},
	    {12, 50 * MEGABYTE, 900 * MEGABYTE, 3600, 0, 3660},
	    {3605, -1, 79, 3606, 0.25, 3660},
	    {3650, -1, 10 * MEGABYTE, 3655, 0.5, 3660},
	    {3659, -1, 10 * MEGABYTE, 3665, 0, -1},
	};

	check_tries(rows, ROWS(rows));
}

static void no_overflow(void)
{
	const struct go_on_try tried = {.met = START, .moved = 1};
	struct go_on go_on;
	struct go_on_step step;

	go_on_init(&go_on, INT64_MAX);
	CHECK(go_on_next(&go_on, &tried, START, &step));
	CHECK_INT(step.at, START);
	CHECK_INT(step.until, DEADLINE_NEVER);
}

int main(void)
{
	promise("a try that moved bytes is followed at once", after_bytes_at_once);
	promise("the pause after tries that moved nothing grows to 2 s, and begins anew",
	    pauses_grow);
	promise("it ends when so much time has passed without progress", patience_ends);
	promise("a first try that moved nothing may be followed, too", nothing_at_all);
	promise("bytes that the receiver turns out not to have are no progress", lost_in_buffers);
	promise("a try may last for hours, also after one that was of no use", long_after_lost);
	promise("strangers' bytes are no progress, and take nothing from it", strangers);
	promise("no patience is too long", no_overflow);
	return check_end();
}
