/*
 * The other direction of a transfer: from a channel to a sink, its commit, and the receipt.
 */
#ifndef RECV_H
#define RECV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"
#include "data/ends.h"
#include "data/sink.h"
#include "net/channel.h"
#include "transfer/progress.h"
#include "transfer/transfer.h"

/* The receiver's demands on a transfer. */
struct recv_policy {
	struct time_limits limits; /* idle limits each wait for the peer */
	size_t chunk;              /* the most bytes moved at a time, at least 1 */
	int64_t rate;              /* the most bytes a second; 0: no limit */
	int64_t idle_eof;          /* ns of silence that end another program's stream; 0: none */
	int64_t max_size;          /* the most bytes of a stream; 0: no limit */
	bool may_be_stray;         /* a peer that goes without a byte is ERR_STRAY */
	bool gives_receipts;       /* else it sends nothing to the peer */
	bool resumes;              /* tells the sender how much is there; needs receipts */
	const char *expect;        /* the digest that the data must have, or NULL */
	/* since when bytes of the peer are waited for; DEADLINE_NEVER: they are not; or NULL */
	_Atomic int64_t *waits_since;
	struct progress *progress; /* transfer_recv() keeps it up to date */
	/* Called once with context, when the first byte makes it a transfer; or NULL. */
	void (*on_claim)(void *context);
	void *context;
};

/*
 * Receives from channel, which connects ends, into sink until the peer ends its stream; then
 * commits the sink. Gives a receipt, also of a failure. Blocks as long as that takes within the
 * limits.
 *
 * If idle_eof is not 0, a silence of that time after the first byte ends the stream, unless the
 * peer is known to be one of ours, which only a unix socket can tell. Such an end gets no receipt,
 * for the peer may yet send.
 *
 * A stream of more than max_size bytes fails as soon as the first byte beyond them comes. That byte
 * is not written to the sink, which may have all bytes before it.
 *
 * A stream that is empty, or begins as strays talk (stray_talk.h), is committed only if the peer is
 * still there when it is told that all is received; that takes 0.6 s, unless the peer is known to
 * be one of ours. One that begins so and has the expected digest is committed in any case.
 *
 * Returns 0 when the sink is committed, or -1: ERR_FAILED, ERR_TIMEOUT, ERR_INTERRUPTED,
 * ERR_MISMATCH (not the expected digest), or ERR_STRAY for a connection without a byte from a peer
 * that has gone; after ERR_STRAY the sink can be used for another connection. The caller closes the
 * channel, at once because many peers wait for that, and the sink.
 */
int transfer_recv(struct channel *channel, struct sink *sink, const struct ends *ends,
    const struct recv_policy *policy, struct transfer_result *result, struct err *err);

/*
 * Tells the sender, by a receipt as of transfer_recv(), that we have failed before the transfer
 * began, and why. Blocks for 2 s at most. The caller closes the channel.
 */
void transfer_refuse(struct channel *channel, const struct recv_policy *policy,
    const struct err *why);

#endif
