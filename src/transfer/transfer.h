/*
 * What both directions of a transfer share. Whether a transfer succeeded is decided by
 * transfer/send.c and transfer/recv.c, and nowhere else.
 *
 * The data path carries the bytes of the source and nothing else; the end of the stream (a FIN, on
 * TCP) says that they are all there are, and every other end of a connection says that they are not.
 */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "transfer/digest.h"
#include "transfer/receipt.h"

/* How a transfer ended, as far as is known. */
enum transfer_end {
	TRANSFER_FAILED,  /* it failed, or did not end yet */
	TRANSFER_STORED,  /* recv: committed; send: the peer says so, and what it says matches */
	TRANSFER_ASSUMED, /* recv: committed, but that it was all is taken from a silence */
	TRANSFER_CLOSED,  /* send: the peer took everything and closed, without a receipt */
	TRANSFER_SILENT, /* send: its machine has everything, but it neither spoke nor closed in time */
};

struct transfer_result {
	int64_t bytes; /* moved so far; filled on failure too */
	enum transfer_end end;
	char digest[DIGEST_TEXT_MAX];     /* of a whole stream; "": there is none */
	char peer_text[RECEIPT_LINE_MAX]; /* send: the failure that the peer reports, or "" */
};

/*
 * Tells whether the whole transfer's time is up, which no wait notices as long as nothing has to be
 * waited for. Returns 0, or -1 with ERR_TIMEOUT. Does not block.
 */
int transfer_check_time(const struct time_limits *limits, struct err *err);

/*
 * Makes of err, a failure of the connection in operation ("send") after so many bytes, a text for
 * people: "send: connection reset after 123 bytes". Returns -1. Does not block.
 */
int transfer_broken(const char *operation, int64_t bytes, const struct time_limits *limits,
    struct err *err);

#endif
