#include "transfer/doubt.h"

#include "transfer/transfer.h"

/* How long a peer of a doubtful stream may take to show that it is still there. */
#define PROBE_WAIT (5 * CLOCK_SECOND)

/*
 * Into how many pieces a line to such a peer is divided, and the time between two. A proxy, whose
 * peer is gone, takes the first piece and hands it on, which that peer's kernel answers with a
 * reset; many a one notices that by the second piece only, and then closes; between it and us there
 * may be another.
 */
#define DOUBT_PIECES 5
#define DOUBT_PAUSE (150 * CLOCK_MILLISECOND)

/* How often we look meanwhile whether it has closed. */
#define DOUBT_LOOK (10 * CLOCK_MILLISECOND)

/* No event tells that a line of ours has been acknowledged: how often we look. */
#define ANSWER_PAUSE (1 * CLOCK_MILLISECOND)

/* Whether the receipt is still on its way. Not knowing counts as no answer. */
static bool is_unanswered(const struct channel *channel)
{
	return !channel->type->is_gone(channel) && !channel->shows_death &&
	       channel->type->in_flight(channel) != 0;
}

int doubt_wait(struct channel *channel, int64_t deadline, struct err *err)
{
	while (is_unanswered(channel) && clock_now() < deadline) {
		if (channel->type->wait(channel, 0, NULL, deadline_after(ANSWER_PAUSE), err) == -1)
			return -1;
	}
	return 0;
}

int doubt_peer(struct channel *channel, const struct time_limits *limits, struct err *err)
{
	int64_t deadline = deadline_min(deadline_after(PROBE_WAIT), limits->end);

	if (doubt_wait(channel, deadline, err) == -1)
		return -1;
	return is_unanswered(channel) || channel->type->is_gone(channel);
}

/* Gives a proxy time to close. Returns 0, or -1: ERR_INTERRUPTED, or ERR_TIMEOUT of -W. */
static int wait_for_proxy(struct channel *channel, const struct time_limits *limits,
    struct err *err)
{
	int64_t until = deadline_min(deadline_after(DOUBT_PAUSE), limits->end);

	while (clock_now() < until && !channel->type->is_gone(channel)) {
		int64_t look = deadline_min(until, deadline_after(DOUBT_LOOK));
		if (channel->type->wait(channel, 0, NULL, look, err) == -1)
			return -1;
	}
	return transfer_check_time(limits, err);
}

int doubt_say(struct channel *channel, const char *line, size_t len,
    const struct time_limits *limits, struct err *err)
{
	bool is_ours = channel->type->peer(channel) == CHANNEL_PEER_DONE;
	size_t piece = is_ours ? len : len / DOUBT_PIECES + 1;
	size_t said = 0;
	int is_gone = 0;

	while (is_gone == 0 && said < len) {
		if (said > 0 && wait_for_proxy(channel, limits, err) == -1) {
			channel->type->say(channel, line + said, len - said);
			return -1;
		}
		if (piece > len - said)
			piece = len - said;
		channel->type->say(channel, line + said, piece);
		said += piece;
		is_gone = doubt_peer(channel, limits, err);
	}
	return is_gone;
}
