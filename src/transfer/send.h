/*
 * One direction of a transfer: from a source to a channel, and what became of it at the other end.
 */
#ifndef SEND_H
#define SEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "data/ends.h"
#include "data/source.h"
#include "net/channel.h"
#include "transfer/progress.h"
#include "transfer/transfer.h"

/* What the sender demands of a transfer. */
struct send_policy {
	struct time_limits limits; /* idle is the limit of each wait for the peer */
	size_t chunk;              /* bytes moved at a time, at least 1 */
	int64_t rate;              /* bytes a second at the most, 0: no limit */
	bool heeds_receipts;       /* else what the peer says is read and ignored */
	bool must_confirm;         /* without a matching receipt the transfer has failed */
	struct progress *progress; /* kept up to date */
};

/*
 * Sends all of source over channel, which connects ends, ends the stream and waits for the receipt, or for the peer to
 * close. Blocks as long as that takes within the limits; with a peer that does neither, for 30 s or
 * limits.idle after it has acknowledged everything, and as long as it takes once it has said that it
 * has received everything. An end of the peer's stream before ours means nothing: many receivers end
 * theirs at once.
 *
 * Returns 0, or -1 and then closing the channel resets the connection, so that the peer knows:
 * ERR_FAILED, ERR_TIMEOUT, ERR_INTERRUPTED, ERR_PEER (the receiver reports a failure, at once when it
 * comes), ERR_MISMATCH (it has received something else), ERR_UNCONFIRMED. The caller closes source
 * and channel in either case.
 */
int transfer_send(struct source *source, struct channel *channel, const struct ends *ends,
    const struct send_policy *policy, struct transfer_result *result, struct err *err);

#endif
