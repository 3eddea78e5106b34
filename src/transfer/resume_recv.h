/*
 * How a receiver tells the sender how much it has, and makes sure that the sender means the same
 * bytes (-R).
 */
#ifndef RESUME_RECV_H
#define RESUME_RECV_H

#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"
#include "data/sink.h"
#include "net/channel.h"
#include "transfer/digest.h"
#include "transfer/progress.h"
#include "transfer/resume_lines.h"
#include "transfer/transfer.h"

/* What the receiver has for it. */
struct resume_recv {
	struct channel *channel;
	struct sink *sink;     /* which has not begun */
	struct digest *digest; /* of the stream */
	const struct time_limits *limits;
	int64_t max_size; /* the most bytes of the stream; 0: no limit */
	struct progress *progress;
	struct transfer_result *result;
	char *chunk;
	size_t chunk_size;
};

/* What a sender begins with. */
struct resume_answer {
	char bytes[RESUME_LINES_MAX];
	size_t len;      /* of them */
	size_t line_len; /* of these, how many are its line; the rest is data */
	enum resume_begin begin;
	struct resume_from from; /* RESUME_LINE */
};

/*
 * Tells the sender how much there is, and receives until it shows whether it answers with its line.
 * As long as it has not begun, and may read what we have, the time without progress has no limit.
 * Returns 0, or -1, answer->len being set in both cases: ERR_FAILED if the answer is neither a line
 * nor data, or the connection has failed, which sets result->is_broken; ERR_TIMEOUT;
 * ERR_INTERRUPTED. Blocks as long as the limits allow.
 */
int resume_recv_meet(const struct resume_recv *receiver, struct resume_answer *answer,
    struct err *err);

/*
 * Acts on the sender's line: if it begins behind the part, reads that, compares it with the
 * sender's digest, and makes sink and digest go on with it. While it reads, the time without
 * progress has no limit. Sets result->both_resume, and resumed_at and bytes. Returns 0, or -1:
 * ERR_MISMATCH if the part has other bytes; ERR_FAILED if the line says what cannot be, the stream
 * will be too large, the part cannot be read, or the connection is broken, which sets
 * result->is_broken; ERR_TIMEOUT of -W; ERR_INTERRUPTED. The part is as it was then. Blocks as long
 * as reading it takes.
 */
int resume_recv_follow(const struct resume_recv *receiver, const struct resume_from *from,
    struct err *err);

/*
 * Checks, at the end of the stream, that it has at least the size that the sender's line said: a
 * proxy may have cut it. Returns 0, or -1 with ERR_FAILED and result->is_broken. Does not block.
 */
int resume_recv_end(struct transfer_result *result, int64_t size, struct err *err);

#endif
