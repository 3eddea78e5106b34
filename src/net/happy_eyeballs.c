#include "net/happy_eyeballs.h"

#include <stdbool.h>

void happy_eyeballs_init(struct happy_eyeballs *happy, size_t count)
{
	*happy = (struct happy_eyeballs){.count = count};
}

struct happy_eyeballs_step happy_eyeballs_next(struct happy_eyeballs *happy, int64_t now)
{
	bool more = happy->started < happy->count;

	if (more && now >= happy->next_start) {
		happy->next_start = now + HAPPY_EYEBALLS_DELAY;
		return (struct happy_eyeballs_step){.verb = HAPPY_EYEBALLS_START,
		    .index = happy->started++};
	}
	if (happy->failed == happy->count)
		return (struct happy_eyeballs_step){.verb = HAPPY_EYEBALLS_EXHAUSTED};
	return (struct happy_eyeballs_step){
	    .verb = HAPPY_EYEBALLS_WAIT,
	    .until = more ? happy->next_start : DEADLINE_NEVER,
	};
}

void happy_eyeballs_failed(struct happy_eyeballs *happy)
{
	happy->failed++;
	happy->next_start = 0;
}

void happy_eyeballs_postponed(struct happy_eyeballs *happy)
{
	happy->started--;
	happy->next_start = DEADLINE_NEVER;
}

/*
 * Returns the first index from start on whose family is (same) or is not (!same) family, or count.
 */
static size_t find_family(const int *families, size_t count, size_t start, int family, bool same)
{
	while (start < count && (families[start] == family) != same)
		start++;
	return start;
}

void happy_eyeballs_order(const int *families, size_t count, size_t *order)
{
	int first = count > 0 ? families[0] : 0;
	size_t of_first = find_family(families, count, 0, first, true);
	size_t of_other = find_family(families, count, 0, first, false);
	bool take_first = true;

	for (size_t i = 0; i < count; i++) {
		if (of_other == count || (take_first && of_first < count)) {
			order[i] = of_first;
			of_first = find_family(families, count, of_first + 1, first, true);
		} else {
			order[i] = of_other;
			of_other = find_family(families, count, of_other + 1, first, false);
		}
		take_first = !take_first;
	}
}
