#include "job/go_on.h"

#include "base/deadline.h"

#define FIRST_PAUSE (250 * CLOCK_MILLISECOND)
#define LAST_PAUSE (2 * CLOCK_SECOND)

void go_on_init(struct go_on *go_on, int64_t patience)
{
	*go_on = (struct go_on){.patience = patience};
}

/* The time ns after another, or DEADLINE_NEVER. */
static int64_t later(int64_t time, int64_t ns)
{
	return ns > DEADLINE_NEVER - time ? DEADLINE_NEVER : time + ns;
}

/*
 * Learns from what the receiver had what became of the bytes of the try before. A try that did not
 * come to that teaches nothing.
 */
static void judge_last(struct go_on *go_on, const struct go_on_try *tried)
{
	if (tried->had == -1)
		return;
	if (tried->had > go_on->had)
		go_on->proven = go_on->moved;
	else
		go_on->moved = go_on->proven;
}

bool go_on_next(struct go_on *go_on, const struct go_on_try *tried, int64_t now,
    struct go_on_step *step)
{
	if (go_on->broken++ == 0)
		go_on->proven = go_on->moved = now;
	else
		judge_last(go_on, tried);
	if (tried->had > go_on->had)
		go_on->had = tried->had;
	/* The end of a try says less: one that moves bytes may last for hours. */
	if (tried->met > later(go_on->moved, go_on->patience))
		return false;
	if (tried->moved > 0 && tried->had != -1) {
		go_on->moved = now;
		go_on->pause = 0;
	} else {
		go_on->pause = go_on->pause == 0 ? FIRST_PAUSE : 2 * go_on->pause;
		go_on->pause = deadline_min(go_on->pause, LAST_PAUSE);
	}
	step->until = later(go_on->moved, go_on->patience);
	step->at = deadline_min(later(now, go_on->pause), step->until);
	return now < step->until;
}
