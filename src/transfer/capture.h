/*
 * A capture: datagrams from a socket to a sink. It is no transfer, for it has no end of its own,
 * and nobody can know what was lost on the way.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"
#include "data/ends.h"
#include "data/sink.h"
#include "transfer/datagram_counts.h"
#include "transfer/progress.h"
#include "transfer/transfer.h"

struct capture_policy {
	struct time_limits limits; /* idle limits each wait for a datagram; end ends the capture */
	int64_t idle_eof;          /* ns of silence after the first datagram that end it; 0: none */
	int64_t max_size;          /* the most bytes that are written; 0: no limit */
	size_t longest;            /* bytes of a datagram, of which the rest is cut off */
	bool raw;                  /* as they are; else each becomes a line */
	struct progress *progress; /* capture_run() keeps these up to date */
	struct datagram_counts *counts;
};

/*
 * Writes what comes to sock, by datagram_socket_listen(), to sink, until limits.end, a silence, or
 * one of the signals of signals_watch_end() ends the capture; then what had come by that time, too,
 * and commits the sink. Behind a datagram without a newline at its end one is added, unless raw.
 * local is the address of sock. A sink whose reader is slow is waited for, meanwhile the kernel
 * keeps what comes, and counts what it drops; after the end it is waited for without a limit but
 * the idle one, and a second signal.
 *
 * Of result the bytes and the end are set. Returns 0, also if datagrams were dropped or truncated,
 * or -1: ERR_FAILED, ERR_TIMEOUT (the idle limit), or ERR_INTERRUPTED; what could not be written
 * is counted as dropped then. The caller closes sink and sock.
 */
int capture_run(int sock, struct sink *sink, const char *local, const struct capture_policy *policy,
    struct transfer_result *result, struct err *err);

#endif
