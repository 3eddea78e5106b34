/*
 * The job of receiving from one sender: sink, connection and transfer wired together.
 */
#ifndef RECV_ONE_H
#define RECV_ONE_H

#include <stdint.h>

#include "base/err.h"
#include "data/open.h"
#include "data/sink.h"
#include "job/rendezvous.h"
#include "job/talk.h"
#include "net/endpoint.h"
#include "transfer/outcome.h"
#include "transfer/progress.h"
#include "transfer/recv.h"

struct recv_job {
	struct rendezvous_options rendezvous;
	struct sink_options sink;
	struct recv_policy policy; /* but for limits.end and progress, which each transfer has */
	int64_t total_limit;       /* ns that a transfer may take in all; 0: no limit */
	struct talk talk;
};

/* Does the job, and reports it. Blocks as long as its limits let it. Returns the exit status. */
int recv_one(const struct recv_job *job);

/*
 * Returns the policy of a transfer that begins now. progress, which is to be kept up to date, has to
 * outlive it.
 */
struct recv_policy recv_one_policy(const struct recv_job *job, struct progress *progress);

/*
 * Opens the sink that options ask for, open_sink(), whose blocking, return and errors these are, and
 * notes in outcome what it means to be stored there.
 */
struct sink *recv_one_open_sink(const struct sink_options *options, int64_t deadline,
    struct outcome *outcome, struct err *err);

/*
 * Receives from connection into sink: transfer_recv(), whose blocking, return and errors these are,
 * with the peer named in them and in outcome, which has to outlive sink. The caller closes both.
 */
int recv_one_over(struct connection *connection, struct sink *sink,
    const struct recv_policy *policy, struct outcome *outcome, struct err *err);

/*
 * Tells the sender that has had us started by connecting to an inherited socket why we have failed
 * before any was accepted: left waiting, it would have us started again. Blocks for 2 s at the most.
 */
void recv_one_refuse(const struct recv_job *job, const struct recv_policy *policy,
    const struct err *why);

#endif
