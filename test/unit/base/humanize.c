/* Sizes, rates and times, as text. */
#include "base/humanize.h"

#include "base/clock.h"
#include "check.h"

#define SECONDS(n) ((int64_t)((n) * (double)CLOCK_SECOND))

static void sizes(void)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} rows[] = {
	    {0, "0 B"},
	    {1, "1 B"},
	    {999, "999 B"},
	    {1000, "1.0 kB"},
	    {9949, "9.9 kB"},
	    {9999, "10 kB"},
	    {252756, "253 kB"},
	    {999499, "999 kB"},
	    {999999, "1.0 MB"},
	    {4200000, "4.2 MB"},
	    {35000000, "35 MB"},
	    {INT64_C(2700000000), "2.7 GB"},
	    {INT64_C(123456789012345), "123 TB"},
	    {INT64_MAX, "9.2 EB"},
	};
	char text[HUMANIZE_TEXT_MAX];

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("%" PRId64, rows[i].bytes);
		humanize_bytes(text, rows[i].bytes);
		CHECK_STR(text, rows[i].text);
	}
}

static void counts(void)
{
	static const struct {
		int64_t count;
		const char *text;
	} rows[] = {
	    {0, "0"},
	    {999, "999"},
	    {1000, "1,000"},
	    {88064, "88,064"},
	    {123456, "123,456"},
	    {INT64_C(1234567), "1,234,567"},
	    {INT64_MAX, "9,223,372,036,854,775,807"},
	};
	char text[HUMANIZE_TEXT_MAX];

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("%" PRId64, rows[i].count);
		humanize_count(text, rows[i].count);
		CHECK_STR(text, rows[i].text);
	}
}

static void rates(void)
{
	static const struct {
		int64_t bytes;
		double seconds;
		const char *text;
	} rows[] = {
	    {0, 0, "0 B/s"},
	    {0, 5, "0 B/s"},
	    {4200000, 0.12, "35 MB/s"},
	    {1, 2, "0 B/s"},
	    {3000, 2, "1.5 kB/s"},
	    {INT64_MAX, 1, "4.6 EB/s"},
	    {INT64_MAX, 0, "4.6 EB/s"},
	};
	char text[HUMANIZE_TEXT_MAX];

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("%" PRId64 " in %g s", rows[i].bytes, rows[i].seconds);
		humanize_rate(text, rows[i].bytes, SECONDS(rows[i].seconds));
		CHECK_STR(text, rows[i].text);
		CHECK(strlen(text) <= 8);
	}
}

struct time_row {
	double seconds;
	const char *text;
};

static void check_times(const struct time_row *rows, size_t count,
    void (*write)(char *text, int64_t ns))
{
	char text[HUMANIZE_TEXT_MAX];

	for (size_t i = 0; i < count; i++) {
		check_row("%g s", rows[i].seconds);
		write(text, SECONDS(rows[i].seconds));
		CHECK_STR(text, rows[i].text);
	}
}

static void durations(void)
{
	static const struct time_row rows[] = {
	    {0, "0.00 s"},
	    {0.1234, "0.12 s"},
	    {9.994, "9.99 s"},
	    {12.34, "12.3 s"},
	    {59.94, "59.9 s"},
	    {60, "1 min 00 s"},
	    {123, "2 min 03 s"},
	    {3599.4, "59 min 59 s"},
	    {3599.6, "1 h 00 min"},
	    {360000, "100 h 00 min"},
	};

	check_times(rows, ROWS(rows), humanize_duration);
}

static void clocks(void)
{
	static const struct time_row rows[] = {
	    {0, "0:00"},
	    {0.9, "0:00"},
	    {12, "0:12"},
	    {754, "12:34"},
	    {3723, "1:02:03"},
	    {345599, "95:59:59"},
	    {345600, "4d 00h"},
	    {86400.0 * 999, "999d 00h"},
	};

	check_times(rows, ROWS(rows), humanize_clock);
}

int main(void)
{
	promise("sizes are three digits, or two with a point, in powers of 1000", sizes);
	promise("counts have a comma between groups of three digits", counts);
	promise("rates are that much a second, also of no time at all", rates);
	promise("durations have the digits that matter", durations);
	promise("clocks run in minutes, then hours, then days", clocks);
	return check_end();
}
