/*
 * The common part of both directions of a transfer. Only transfer/send.c and transfer/recv.c decide
 * whether a transfer has succeeded.
 *
 * The sender's stream carries the bytes of the source and nothing else. Its end (a FIN, on TCP)
 * says that the bytes are complete; any other end of the connection says that they are not.
 */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"
#include "transfer/digest.h"
#include "transfer/receipt.h"

/* The end of a transfer, as far as it is known. */
enum transfer_end {
	TRANSFER_FAILED,  /* it has failed, or has not ended yet */
	TRANSFER_STORED,  /* recv: committed; send: a matching receipt says so */
	TRANSFER_ASSUMED, /* recv: committed, but only a silence told the end */
	TRANSFER_CLOSED,  /* send: the peer has taken everything and closed, without a receipt */
	TRANSFER_SILENT,  /* send: the peer's host has everything; no receipt or close in time */
};

struct transfer_result {
	int64_t bytes;      /* of the stream so far, those of resumed_at included; on failure too */
	int64_t resumed_at; /* bytes that were there already, and did not travel */
	bool both_resume;   /* both ends have -R, and have said so */
	/*
	 * The connection broke, or was idle for too long, so that another try may get further.
	 * Never after a mismatch, a local failure or the peer's, nor when the time of -W has
	 * passed.
	 */
	bool is_broken;
	enum transfer_end end;
	char digest[DIGEST_TEXT_MAX];     /* of the whole stream; "": there is none */
	char peer_text[RECEIPT_LINE_MAX]; /* send: the failure in the receipt, or "" */
};

/*
 * Checks the limit of the whole transfer, which a transfer without a wait would never notice.
 * Returns 0, or -1 with ERR_TIMEOUT if the time is up. Does not block.
 */
int transfer_check_time(const struct time_limits *limits, struct err *err);

/* Fills err: the stream has more than max bytes. Returns -1. */
int transfer_too_large(int64_t max, struct err *err);

/*
 * Rewrites err, a failure of the connection in operation ("send") after the bytes of result, for
 * people: "send: connection reset after 123 bytes". Sets result->is_broken. Returns -1. Does not
 * block.
 */
int transfer_broken(const char *operation, struct transfer_result *result,
    const struct time_limits *limits, struct err *err);

#endif
