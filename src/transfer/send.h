/*
 * One direction of a transfer: from a source to a channel, until the outcome at the peer is known.
 */
#ifndef SEND_H
#define SEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"
#include "data/ends.h"
#include "data/source.h"
#include "net/channel.h"
#include "transfer/progress.h"
#include "transfer/transfer.h"

/* The sender's demands on a transfer. */
struct send_policy {
	struct time_limits limits; /* idle limits each wait for the peer */
	size_t chunk;              /* the most bytes moved at a time, at least 1 */
	int64_t rate;              /* the most bytes a second; 0: no limit */
	bool heeds_receipts;       /* else the peer's stream is read and ignored */
	bool resumes;              /* goes on from what a receiver says that it has */
	bool must_resume;          /* a receiver that says nothing of the kind is a break */
	bool must_confirm;         /* without a matching receipt the transfer fails */
	struct progress *progress; /* transfer_send() keeps it up to date */
};

/*
 * Sends all of source over channel, which connects ends; then ends the stream, and waits for the
 * receipt or for the peer to close. Blocks as long as that takes within the limits. If the peer
 * does neither, the wait lasts 30 s or limits.idle after the peer's host has acknowledged
 * everything; once the receipt says that the peer has received everything, it has no limit of its
 * own. An end of the peer's stream before ours means nothing, for many receivers end theirs at
 * once.
 *
 * Returns 0, or -1: ERR_FAILED, ERR_TIMEOUT, ERR_INTERRUPTED, ERR_PEER (the receiver reports a
 * failure; returned as soon as that comes), ERR_MISMATCH (the peer has received other data) or
 * ERR_UNCONFIRMED. After -1 the close of the channel resets the connection, which tells the peer.
 * The caller closes source and channel in both cases.
 */
int transfer_send(struct source *source, struct channel *channel, const struct ends *ends,
    const struct send_policy *policy, struct transfer_result *result, struct err *err);

#endif
