/*
 * The transfer: source to socket, socket to sink. Whether it succeeded is decided here and nowhere else.
 *
 * The data path carries the bytes and nothing but the bytes; FIN says that they are all there
 * are, and whatever else ends a connection says that they are not.
 */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "data/sink.h"
#include "data/source.h"
#include "net/listen.h"
#include "transfer/digest.h"
#include "transfer/progress.h"
#include "transfer/receipt.h"

struct transfer_options {
	struct time_limits limits; /* idle is the limit of each wait for the peer */
	size_t chunk;              /* bytes moved at a time, at least 1 */
	int64_t rate;              /* bytes a second at the most, 0: no limit */
	int64_t idle_eof; /* recv: ns of silence that end a stranger's stream; 0: none do */
	int64_t max_size; /* recv: bytes that a stream may have, 0: no limit */
	bool stays;    /* recv: others are served besides, and one without a byte may be a stray */
	bool receipts; /* recv: give receipts; send: listen to them */
	bool must_confirm;         /* send: without a matching receipt it has failed */
	const char *expect;        /* recv: the digest that the data must have, or NULL */
	struct progress *progress; /* kept up to date */
};

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
 * Sends all of source to sock (prepared, sock.h), ends the stream and waits for the receipt, or for the
 * peer to close. Blocks as long as that takes within the limits; with a peer that does neither, for
 * 30 s or limits.idle after it has acknowledged everything, and as long as it takes once
 * it has said that it has received everything. An end of the peer's stream before ours means
 * nothing: many receivers end theirs at once.
 *
 * Returns 0, or -1 and then closing sock resets the connection, so that the peer knows: ERR_FAILED,
 * ERR_TIMEOUT, ERR_INTERRUPTED, ERR_PEER (the receiver reports a failure, at once when it comes),
 * ERR_MISMATCH (it has received something else), ERR_UNCONFIRMED. The caller closes sock in either case.
 */
int transfer_send(struct source *source, int sock, const struct transfer_options *options,
    struct transfer_result *result, struct err *err);

/*
 * Receives from sock (prepared) into sink until the peer ends its stream, and commits the sink; gives
 * receipts, also of a failure. Blocks as long as that takes within the limits.
 *
 * With idle_eof, a silence of that time after the first byte is the end, unless the peer is known to be one of ours,
 * which is over a unix socket only; nothing is said then, for the peer may yet send.
 *
 * A stream of more than max_size bytes has failed when the first byte beyond them is there. It is not written to the
 * sink, which may have all those before it.
 *
 * listening, if not NULL, is where sock was accepted: it is closed with the first byte. Until then, as with
 * options->stays, the connection may be a stray.
 *
 * Returns 0 when the output is committed, or -1: ERR_FAILED, ERR_TIMEOUT, ERR_INTERRUPTED, ERR_MISMATCH
 * (not the expected digest), or ERR_STRAY for a connection without a byte from a peer that is gone, after
 * which the sink can be used for another. The caller closes sock, at once, since many peers wait
 * for it, and the sink.
 */
int transfer_recv(int sock, struct listen_set *listening, struct sink *sink,
    const struct transfer_options *options, struct transfer_result *result, struct err *err);

/*
 * Tells the sender at sock (prepared), as transfer_recv() does, that we have failed before it began, and why.
 * Blocks for 2 s at the most. The caller closes sock.
 */
void transfer_refuse(int sock, const struct transfer_options *options, const struct err *why);

/*
 * Whether the whole transfer's time is up, which no wait notices as long as nobody has to wait. Returns
 * 0, or -1 with ERR_TIMEOUT. For the two functions above.
 */
int transfer_check_time(const struct time_limits *limits, struct err *err);

/*
 * Makes of err, a failure of the connection, what a person reads: "receive: connection reset after 123
 * bytes". Returns -1. For the two functions above.
 */
int transfer_broken(const char *operation, int64_t bytes, const struct time_limits *limits,
    struct err *err);

#endif
