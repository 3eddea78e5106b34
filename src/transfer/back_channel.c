#include "transfer/back_channel.h"

#include <errno.h>

#include "base/deadline.h"

/* How many reads of a broken connection may pass before what the peer said last. */
#define DRAIN_MAX 64

int back_channel_read(struct back_channel *back, struct err *err)
{
	struct channel *channel = back->channel;
	char bytes[4096];

	if (back->has_ended)
		return 0;
	ssize_t n = channel->type->recv(channel, bytes, sizeof(bytes), DEADLINE_NOW, err);
	if (n == CHANNEL_LATER)
		return 0;
	if (n == -1)
		return -1;
	back->has_ended = n == 0;
	if (back->heeds_receipts)
		receipt_hear(&back->receipt, bytes, (size_t)n, back->data_ended);
	if (back->receipt.state != RECEIPT_FAILED)
		return 0;
	return err_set(err, ERR_PEER, 0, "the receiver failed: %s", back->receipt.text);
}

unsigned back_channel_events(const struct back_channel *back)
{
	return back->has_ended ? CHANNEL_HUNG_UP : CHANNEL_READABLE;
}

int back_channel_hear(struct back_channel *back, int events, struct err *err)
{
	if (!back->has_ended)
		return (events & CHANNEL_READABLE) != 0 ? back_channel_read(back, err) : 0;
	if ((events & CHANNEL_HUNG_UP) != 0)
		return err_set(err, ERR_FAILED, ECONNRESET, "%s", "");
	return 0;
}

int back_channel_wait(struct back_channel *back, int64_t until, struct err *err)
{
	struct channel *channel = back->channel;
	unsigned wanted = back->has_ended ? 0 : CHANNEL_READABLE;
	int events = channel->type->wait(channel, wanted, NULL, until, err);

	return events == -1 ? -1 : back_channel_hear(back, events, err);
}

bool back_channel_explains(struct back_channel *back, struct err *err)
{
	struct err last = *err;

	for (int i = 0; i < DRAIN_MAX && err->kind == ERR_FAILED && !back->has_ended; i++) {
		if (back_channel_read(back, err) == -1)
			break;
	}
	if (err->kind == ERR_PEER)
		return true;
	*err = last;
	return false;
}

int back_channel_check(const struct back_channel *back, struct err *err)
{
	struct channel *channel = back->channel;

	return back->has_ended ? channel->type->check(channel, err) : 0;
}
