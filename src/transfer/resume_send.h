/*
 * How a sender learns how much of its source the receiver has, and shows that it means the same
 * bytes (-R).
 */
#ifndef RESUME_SEND_H
#define RESUME_SEND_H

#include <stddef.h>

#include "base/deadline.h"
#include "base/err.h"
#include "data/source.h"
#include "transfer/back_channel.h"
#include "transfer/digest.h"
#include "transfer/progress.h"
#include "transfer/resume_lines.h"

/* What the sender has for it. */
struct resume_send {
	struct back_channel *back;
	struct source *source; /* of which nothing is read yet */
	struct digest *digest; /* of its bytes */
	const struct time_limits *limits;
	struct progress *progress;
	char *chunk;
	size_t chunk_size;
};

/*
 * Waits until the receiver has said how much it has, or says anything else, or ends its stream, but
 * for 10 s at most. Returns 1 if it has, 0 if it does not resume, or -1 as back_channel_wait(), or
 * with ERR_TIMEOUT of -W.
 */
int resume_send_wait(const struct resume_send *sender, struct err *err);

/*
 * After resume_send_wait(): reads the bytes that the receiver has from the source, and adds them to
 * the digest; none if the source has fewer. Fills from. While it reads, the time without progress
 * has no limit. Returns 0; or -1 if the connection has failed, as back_channel_wait(), or with
 * ERR_TIMEOUT of -W; or -2 if the source has, as source_read(). Blocks as long as the source takes.
 */
int resume_send_check(const struct resume_send *sender, struct resume_from *from, struct err *err);

#endif
