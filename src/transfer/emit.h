/*
 * The other direction of a capture: a source as datagrams, of which nobody can know whether they
 * arrive.
 */
#ifndef EMIT_H
#define EMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"
#include "data/ends.h"
#include "data/source.h"
#include "transfer/datagram_counts.h"
#include "transfer/progress.h"
#include "transfer/transfer.h"

struct emit_policy {
	struct time_limits limits; /* idle limits each wait for the kernel */
	size_t longest;            /* the most bytes of a datagram, at most DATAGRAM_SEND_MAX */
	int64_t rate;              /* the most bytes a second; 0: no limit */
	bool raw; /* longest bytes each; else each is a line, without its newline */
	struct progress *progress; /* emit_run() keeps these up to date */
	struct datagram_counts *counts;
};

/*
 * Sends all of source by sock, of datagram_socket_connect(), which connects ends. Blocks as long as
 * that takes within the limits. A line that is too long is an error before anything of it is sent.
 * Of result the bytes and the end are set. Returns 0, or -1: ERR_FAILED (also for a refusal, which
 * the kernel tells of after the fact), ERR_TIMEOUT or ERR_INTERRUPTED. The caller closes source and
 * sock.
 */
int emit_run(struct source *source, int sock, const struct ends *ends,
    const struct emit_policy *policy, struct transfer_result *result, struct err *err);

#endif
