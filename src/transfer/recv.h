/*
 * The other direction of a transfer: from a channel to a sink, its commit, and the receipt.
 */
#ifndef RECV_H
#define RECV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "data/ends.h"
#include "data/sink.h"
#include "net/channel.h"
#include "transfer/progress.h"
#include "transfer/transfer.h"

/* What the receiver demands of a transfer. */
struct recv_policy {
	struct time_limits limits; /* idle is the limit of each wait for the peer */
	size_t chunk;              /* bytes moved at a time, at least 1 */
	int64_t rate;              /* bytes a second at the most, 0: no limit */
	int64_t idle_eof;          /* ns of silence that end another program's stream; 0: none do */
	int64_t max_size;          /* bytes that a stream may have, 0: no limit */
	bool may_be_stray; /* others may come instead: a connection without a byte is no transfer */
	bool gives_receipts;       /* else nothing is said to the peer */
	const char *expect;        /* the digest that the bytes must have, or NULL */
	struct progress *progress; /* kept up to date */
	/* Called once, with context, when the first byte is there: this is the transfer. Or NULL. */
	void (*on_claim)(void *context);
	void *context;
};

/*
 * Receives from channel, which connects ends, into sink until the peer ends its stream, and commits the sink; gives
 * receipts, also of a failure. Blocks as long as that takes within the limits.
 *
 * With idle_eof, a silence of that time after the first byte is the end, unless the peer is known to
 * be one of ours, which is over a unix socket only; nothing is said then, for the peer may yet send.
 *
 * A stream of more than max_size bytes has failed when the first byte beyond them is there. That byte
 * is not written to the sink, which may have all those before it.
 *
 * Returns 0 when the output is committed, or -1: ERR_FAILED, ERR_TIMEOUT, ERR_INTERRUPTED,
 * ERR_MISMATCH (not the expected digest), or ERR_STRAY for a connection without a byte from a peer
 * that is gone, after which the sink can be used for another. The caller closes the channel, at once,
 * since many peers wait for it, and the sink.
 */
int transfer_recv(struct channel *channel, struct sink *sink, const struct ends *ends,
    const struct recv_policy *policy, struct transfer_result *result, struct err *err);

/*
 * Tells the sender, as transfer_recv() does, that we have failed before it began, and why. Blocks for
 * 2 s at the most. The caller closes the channel.
 */
void transfer_refuse(struct channel *channel, const struct recv_policy *policy,
    const struct err *why);

#endif
