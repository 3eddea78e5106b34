/* The clock: it runs forwards, in nanoseconds. */
#include "base/clock.h"

#include "check.h"

static void clock_runs(void)
{
	int64_t last = clock_now();

	CHECK(last > 0);
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_now();
		if (now < last)
			CHECK_FAIL("the clock goes forwards");
		last = now;
	}
}

static void in_nanoseconds(void)
{
	int64_t before = clock_now();

	usleep(1000);
	CHECK(clock_now() - before >= CLOCK_MILLISECOND);
}

int main(void)
{
	promise("the clock never goes backwards and is never 0", clock_runs);
	promise("it counts in nanoseconds", in_nanoseconds);
	return check_end();
}
