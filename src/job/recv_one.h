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
 * Opens the sink that settings ask for (sink_open()), with what how says and settings do not, and writes into outcome what
 * it means to be stored there. how and outcome have to outlive the sink. Returns 0, the sink then being the caller's to
 * close, or -1.
 */
int recv_open_sink(struct sink *sink, struct sink_options *how, const struct settings *settings,
    int64_t deadline, struct outcome *outcome, struct err *err);

/*
 * Receives from peer into sink: transfer_recv(), whose return and errors these are, with the peer named in them and in
 * outcome, which has to outlive sink. The caller closes both.
 */
int recv_from(struct peer *peer, struct sink *sink, const struct recv_policy *transfer,
    struct outcome *outcome, struct err *err);

/*
 * Where we have failed before anybody was accepted: who has had us started by connecting to an inherited socket is told
 * why, and not left waiting, which would have us started again. Blocks for 2 s at the most.
 */
void recv_refuse(const struct settings *settings, const struct recv_policy *transfer,
    const struct report *report, const struct err *why);

/*
 * Does what settings ask for. Blocks as long as the limits of transfer let it. Fills outcome as far as it
 * comes. Returns 0, or -1 with what is to be said of the failure in err.
 */
int recv_run(const struct settings *settings, const struct recv_policy *transfer,
    const struct report *report, struct outcome *outcome, struct err *err);

#endif
