#include "base/humanize.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

#define MINUTE INT64_C(60)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* With room for this text humanize_number() writes three digits, or two and a point. */
#define BYTES_SIZE sizeof("9.9 MB")

void humanize_bytes(char *text, int64_t bytes)
{
	humanize_number(text, BYTES_SIZE, bytes, "B", HN_AUTOSCALE, HN_DECIMAL | HN_DIVISOR_1000);
}

void humanize_count(char *text, int64_t count)
{
	char digits[HUMANIZE_TEXT_MAX];
	int len = snprintf(digits, sizeof(digits), "%" PRId64, count);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*text++ = ',';
		*text++ = digits[i];
	}
	*text = '\0';
}

void humanize_rate(char *text, int64_t bytes, int64_t ns)
{
	char number[HUMANIZE_TEXT_MAX];
	double rate = (double)bytes * (double)CLOCK_SECOND / (double)(ns > 0 ? ns : 1);

	humanize_bytes(number, rate < (double)(INT64_MAX / 2) ? (int64_t)rate : INT64_MAX / 2);
	snprintf(text, HUMANIZE_TEXT_MAX, "%.8s/s", number);
}

void humanize_duration(char *text, int64_t ns)
{
	int64_t seconds = (ns + CLOCK_SECOND / 2) / CLOCK_SECOND;

	if (ns < 10 * CLOCK_SECOND)
		snprintf(text, HUMANIZE_TEXT_MAX, "%.2f s", (double)ns / (double)CLOCK_SECOND);
	else if (ns < MINUTE * CLOCK_SECOND)
		snprintf(text, HUMANIZE_TEXT_MAX, "%.1f s", (double)ns / (double)CLOCK_SECOND);
	else if (seconds < HOUR)
		snprintf(text, HUMANIZE_TEXT_MAX, "%" PRId64 " min %02" PRId64 " s",
		    seconds / MINUTE, seconds % MINUTE);
	else
		snprintf(text, HUMANIZE_TEXT_MAX, "%" PRId64 " h %02" PRId64 " min", seconds / HOUR,
		    seconds % HOUR / MINUTE);
}

void humanize_clock(char *text, int64_t ns)
{
	int64_t seconds = ns / CLOCK_SECOND;

	if (seconds < HOUR)
		snprintf(text, HUMANIZE_TEXT_MAX, "%" PRId64 ":%02" PRId64, seconds / MINUTE,
		    seconds % MINUTE);
	else if (seconds < 4 * DAY)
		snprintf(text, HUMANIZE_TEXT_MAX, "%" PRId64 ":%02" PRId64 ":%02" PRId64,
		    seconds / HOUR, seconds % HOUR / MINUTE, seconds % MINUTE);
	else
		snprintf(text, HUMANIZE_TEXT_MAX, "%" PRId64 "d %02" PRId64 "h", seconds / DAY,
		    seconds % DAY / HOUR);
}
