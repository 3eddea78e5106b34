/*
 * The send command: source, peer and transfer wired together.
 */
#ifndef SEND_ONE_H
#define SEND_ONE_H

#include "base/err.h"
#include "cli/settings.h"
#include "data/source.h"
#include "net/peer.h"
#include "transfer/send.h"
#include "ui/report.h"

/*
 * Sends source to peer: transfer_send(), whose return and errors these are, with the peer named in
 * them and in outcome. Nobody else is accepted any more. The caller closes both.
 */
int send_to(struct source *source, struct peer *peer, const struct send_policy *transfer,
    struct outcome *outcome, struct err *err);

/* The same as recv_refuse(), but who receives is not told: it sees a reset. */
void send_refuse(const struct settings *settings, const struct report *report);

/*
 * Does what settings ask for. Blocks as long as the limits of transfer let it. Fills outcome as far
 * as it comes. Returns 0, or -1 with what is to be said of the failure in err.
 */
int send_run(const struct settings *settings, const struct send_policy *transfer,
    const struct report *report, struct outcome *outcome, struct err *err);

#endif
