/*
 * The recv command: sink, peer and transfer wired together.
 */
#ifndef RECV_ONE_H
#define RECV_ONE_H

#include "base/err.h"
#include "cli/settings.h"
#include "data/sink.h"
#include "net/peer.h"
#include "transfer/recv.h"
#include "ui/report.h"

/*
 * Opens the sink that settings ask for, as open_sink() does, with a lock for lines and whether it
 * has to be a directory, and writes into outcome what a success means there. Returns the sink, the
 * caller's to close, or NULL.
 */
struct sink *recv_open_sink(const struct settings *settings, struct shared_lock *lock,
    bool only_inbox, int64_t deadline, struct outcome *outcome, struct err *err);

/*
 * Receives from peer into sink: transfer_recv(), whose return and errors these are, with the peer
 * named in them and in outcome. The caller closes both.
 */
int recv_from(struct peer *peer, struct sink *sink, const struct recv_policy *transfer,
    struct outcome *outcome, struct err *err);

/*
 * Where we have failed before anybody was accepted: who has had us started by connecting to an
 * inherited socket is told why, and not left waiting, which would have us started again. Blocks for
 * 2 s at the most.
 */
void recv_refuse(const struct settings *settings, const struct recv_policy *transfer,
    const struct report *report, const struct err *why);

/*
 * Does what settings ask for. Blocks as long as the limits of transfer let it. Fills outcome as far
 * as it comes. Returns 0, or -1 with what is to be said of the failure in err.
 */
int recv_run(const struct settings *settings, const struct recv_policy *transfer,
    const struct report *report, struct outcome *outcome, struct err *err);

#endif
