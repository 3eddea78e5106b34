/* Deadlines: absolute, and with both ends of the scale. */
#include "base/deadline.h"

#include "check.h"

#define LONG (3600 * CLOCK_SECOND)

static void after(void)
{
	static const int64_t times[] = {0, 1, CLOCK_MILLISECOND, CLOCK_SECOND,
	    1000000000 * CLOCK_SECOND};

	for (size_t i = 0; i < ROWS(times); i++) {
		int64_t before = clock_now();
		int64_t deadline = deadline_after(times[i]);
		check_row("%" PRId64 " ns", times[i]);
		CHECK(deadline >= before + times[i]);
		CHECK(deadline <= clock_now() + times[i]);
	}
}

static void after_overflow(void)
{
	CHECK_INT(deadline_after(DEADLINE_NEVER), DEADLINE_NEVER);
	CHECK_INT(deadline_after(DEADLINE_NEVER - 1), DEADLINE_NEVER);
	CHECK_INT(deadline_after(DEADLINE_NEVER - clock_now() / 2), DEADLINE_NEVER);
	CHECK(deadline_after(DEADLINE_NEVER - clock_now() - LONG) < DEADLINE_NEVER);
}

static void of_limit(void)
{
	int64_t before = clock_now();

	CHECK_INT(deadline_of_limit(0), DEADLINE_NEVER);
	int64_t deadline = deadline_of_limit(LONG);
	CHECK(deadline >= before + LONG && deadline <= clock_now() + LONG);
}

static void earlier(void)
{
	static const struct {
		int64_t a, b, min;
	} rows[] = {
	    {1, 2, 1},
	    {2, 1, 1},
	    {7, 7, 7},
	    {DEADLINE_NEVER, 5, 5},
	    {5, DEADLINE_NEVER, 5},
	    {DEADLINE_NOW, DEADLINE_NEVER, DEADLINE_NOW},
	    {DEADLINE_NEVER, DEADLINE_NEVER, DEADLINE_NEVER},
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		CHECK_INT(deadline_min(rows[i].a, rows[i].b), rows[i].min);
}

static void timespec(void)
{
	static const struct {
		int64_t deadline, now, sec, nsec;
	} rows[] = {
	    {1500000000, 0, 1, 500000000},
	    {5 * CLOCK_SECOND, 3 * CLOCK_SECOND, 2, 0},
	    {1000, 999, 0, 1},
	    {1999999999, 1000000000, 0, 999999999},
	    {DEADLINE_NEVER - 1, 1, 9223372036, 854775805},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct timespec ts = deadline_timespec(rows[i].deadline, rows[i].now);
		check_row("%" PRId64 " at %" PRId64, rows[i].deadline, rows[i].now);
		CHECK_INT(ts.tv_sec, rows[i].sec);
		CHECK_INT(ts.tv_nsec, rows[i].nsec);
	}
}

static void timespec_past(void)
{
	static const struct {
		int64_t deadline, now;
	} rows[] = {
	    {7, 7},
	    {7, 8},
	    {CLOCK_SECOND, 100 * CLOCK_SECOND},
	    {DEADLINE_NOW, 1},
	    {DEADLINE_NOW, DEADLINE_NEVER},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct timespec ts = deadline_timespec(rows[i].deadline, rows[i].now);
		check_row("%" PRId64 " at %" PRId64, rows[i].deadline, rows[i].now);
		CHECK_INT(ts.tv_sec, 0);
		CHECK_INT(ts.tv_nsec, 0);
	}
}

static void limits(void)
{
	struct time_limits none = {.idle = 0, .end = DEADLINE_NEVER};
	struct time_limits end_only = {.idle = 0, .end = 12345};
	struct time_limits idle_only = {.idle = LONG, .end = DEADLINE_NEVER};
	struct time_limits end_first = {.idle = LONG, .end = clock_now() + LONG / 2};
	int64_t before = clock_now();

	CHECK_INT(deadline_of(&none), DEADLINE_NEVER);
	CHECK_INT(deadline_of(&end_only), 12345);
	CHECK_INT(deadline_of(&end_first), end_first.end);
	int64_t deadline = deadline_of(&idle_only);
	CHECK(deadline >= before + LONG);
	CHECK(deadline <= clock_now() + LONG);
}

int main(void)
{
	promise("a deadline lies as far from now as was asked", after);
	promise("a deadline beyond the clock's range is never, and does not wrap", after_overflow);
	promise("a limit of 0 is none", of_limit);
	promise("the earlier of two deadlines is found, never being the latest of all", earlier);
	promise("the time that is left has all its nanoseconds", timespec);
	promise("of a deadline that has passed, no time is left", timespec_past);
	promise("a wait ends at its idle limit or the end of the transfer, what comes first",
	    limits);
	return check_end();
}
