#include "base/deadline.h"

int64_t deadline_after(int64_t ns)
{
	int64_t now = clock_now();

	return ns > DEADLINE_NEVER - now ? DEADLINE_NEVER : now + ns;
}

int64_t deadline_of_limit(int64_t ns)
{
	return ns == 0 ? DEADLINE_NEVER : deadline_after(ns);
}

int64_t deadline_of(const struct time_limits *limits)
{
	return deadline_min(deadline_of_limit(limits->idle), limits->end);
}

int64_t deadline_min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

struct timespec deadline_timespec(int64_t deadline, int64_t now)
{
	int64_t left = deadline > now ? deadline - now : 0;

	return (struct timespec){.tv_sec = left / CLOCK_SECOND, .tv_nsec = left % CLOCK_SECOND};
}
