#include "transfer/resume_send.h"

#include <string.h>

#include "transfer/transfer.h"

/* How long a receiver may take to say how much it has; one that resumes says so at once. */
#define HAVE_WAIT (10 * CLOCK_SECOND)

/* Whether what the peer has said so far may become the line of a receiver that resumes. */
static bool may_say_have(const struct back_channel *back)
{
	const struct receipt *receipt = &back->receipt;

	return !receipt->has_have && receipt->state == RECEIPT_NONE && !back->has_ended &&
	       (receipt->line_len == 0 || receipt_has_begun(receipt));
}

int resume_send_wait(const struct resume_send *sender, struct err *err)
{
	int64_t until = deadline_min(deadline_after(HAVE_WAIT), sender->limits->end);

	while (may_say_have(sender->back) && clock_now() < until) {
		if (back_channel_wait(sender->back, until, err) == -1)
			return -1;
	}
	if (transfer_check_time(sender->limits, err) == -1)
		return -1;
	return sender->back->receipt.has_have;
}

/*
 * Looks whether the peer speaks or is gone. One that has closed its side may still read; on a unix
 * socket one that is dead has closed it, too.
 */
static int look_at_peer(const struct resume_send *sender, struct err *err)
{
	struct channel *channel = sender->back->channel;
	unsigned wanted = back_channel_events(sender->back);
	int events = channel->type->wait(channel, wanted, NULL, DEADLINE_NOW, err);

	return events == -1 ? -1 : back_channel_hear(sender->back, events, err);
}

/* Reads the first bytes of the source. Returns as resume_send_check(). */
static int read_beginning(const struct resume_send *sender, int64_t bytes, struct err *err)
{
	while (bytes > 0) {
		size_t size = sender->chunk_size;
		if (bytes < (int64_t)size)
			size = (size_t)bytes;
		ssize_t n =
		    source_read(sender->source, sender->chunk, size, sender->limits->end, err);
		if (n <= 0)
			return -2;
		digest_add(sender->digest, sender->chunk, (size_t)n);
		progress_add(sender->progress, n);
		bytes -= n;
		if (look_at_peer(sender, err) == -1 ||
		    transfer_check_time(sender->limits, err) == -1)
			return -1;
	}
	return 0;
}

int resume_send_check(const struct resume_send *sender, struct resume_from *from, struct err *err)
{
	const struct receipt *receipt = &sender->back->receipt;
	int64_t size = sender->source->size;

	/* A file without a size is one of /proc, or is empty: there is nothing to go on with. */
	*from = (struct resume_from){.size = size == SOURCE_SIZE_UNKNOWN ? 0 : size};
	if (receipt->have <= from->size)
		from->from = receipt->have;
	if (from->from > 0) {
		progress_check(sender->progress, from->from);
		int status = read_beginning(sender, from->from, err);
		if (status != 0)
			return status;
	}
	strlcpy(from->token, receipt->token, sizeof(from->token));
	digest_text(sender->digest, from->digest);
	return 0;
}
