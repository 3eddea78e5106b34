/* The limit on the rate, without waiting for anything. */
#include "transfer/rate_limit.h"

#include "base/clock.h"
#include "check.h"

#define START (1000 * CLOCK_SECOND)

static void no_limit(void)
{
	struct rate_limit rate_limit;

	rate_limit_init(&rate_limit, 0);
	CHECK_INT((int64_t)rate_limit_piece(&rate_limit, 2097152), 2097152);
	CHECK_INT(rate_limit_count(&rate_limit, 2097152, START), 0);
	CHECK_INT(rate_limit_count(&rate_limit, INT64_MAX, START), 0);
}

static void pieces(void)
{
	static const struct {
		int64_t rate;
		size_t size;
		int64_t piece;
	} rows[] = {
	    {1, 2097152, 1},
	    {19, 2097152, 1},
	    {20, 2097152, 1},
	    {40, 2097152, 2},
	    {1000000, 2097152, 50000},
	    {1000000, 1000, 1000},
	    {INT64_C(1) << 40, 2097152, 2097152},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct rate_limit rate_limit;
		check_row("%" PRId64 " a second", rows[i].rate);
		rate_limit_init(&rate_limit, rows[i].rate);
		CHECK_INT((int64_t)rate_limit_piece(&rate_limit, rows[i].size), rows[i].piece);
	}
}

/* Moves pieces for a while, each late by lag, and returns how many bytes there were in it. */
static int64_t moved(int64_t rate, int64_t lag, int64_t time)
{
	struct rate_limit rate_limit;
	int64_t now = START;
	int64_t bytes = 0;

	rate_limit_init(&rate_limit, rate);
	while (now < START + time) {
		int64_t piece = (int64_t)rate_limit_piece(&rate_limit, 2097152);
		int64_t until = rate_limit_count(&rate_limit, piece, now);
		bytes += piece;
		now = (until > now ? until : now) + lag;
	}
	return bytes;
}

static void mean(void)
{
	static const int64_t rates[] = {1, 7, 1000, 1000000, 1000000000, INT64_C(1) << 33};

	for (size_t i = 0; i < ROWS(rates); i++) {
		int64_t bytes = moved(rates[i], 0, 1000 * CLOCK_SECOND);
		check_row("%" PRId64 " a second", rates[i]);
		CHECK(bytes >= 999 * rates[i]);
		CHECK(bytes <= 1001 * rates[i] + 2097152);
	}
}

static void late_wakes(void)
{
	int64_t bytes = moved(1000000, 10 * CLOCK_MILLISECOND, 1000 * CLOCK_SECOND);

	CHECK(bytes >= 999 * INT64_C(1000000));
	CHECK(bytes <= 1001 * INT64_C(1000000));
}

static void pause_is_lost(void)
{
	struct rate_limit rate_limit;

	rate_limit_init(&rate_limit, 1000);
	CHECK_INT(rate_limit_count(&rate_limit, 50, START), START + 50 * CLOCK_MILLISECOND);
	int64_t later = START + 3600 * CLOCK_SECOND;
	int64_t until = rate_limit_count(&rate_limit, 1000, later);
	CHECK(until >= later + 800 * CLOCK_MILLISECOND);
	CHECK(until <= later + CLOCK_SECOND);
}

static void first_piece_waits(void)
{
	struct rate_limit rate_limit;

	rate_limit_init(&rate_limit, 100);
	CHECK_INT(rate_limit_count(&rate_limit, 1, START), START + 10 * CLOCK_MILLISECOND);
}

int main(void)
{
	promise("without a limit nothing waits", no_limit);
	promise("a piece is what is due in a twentieth of a second, at least a byte", pieces);
	promise("the mean is the rate, from a byte a second on", mean);
	promise("wake-ups that come late are made up for", late_wakes);
	promise("a pause is not", pause_is_lost);
	promise("nothing is given in advance", first_piece_waits);
	return check_end();
}
