/*
 * The job of receiving from one sender: it brings sink, connection and transfer together.
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
	struct recv_policy policy; /* without limits.end and progress, which each transfer has */
	int64_t total_limit;       /* ns that a whole transfer may take; 0: no limit */
	struct talk talk;
};

/* Does the job and reports its end. Blocks as long as the limits allow. Returns the exit status. */
int recv_one(const struct recv_job *job);

/*
 * Returns the policy of a transfer that begins now and keeps progress up to date. progress has to
 * outlive the policy. Does not block.
 */
struct recv_policy recv_one_policy(const struct recv_job *job, struct progress *progress);

/*
 * Opens the sink of options and notes its word for success in outcome. Blocks and returns as
 * open_sink().
 */
struct sink *recv_one_open_sink(const struct sink_options *options, int64_t deadline,
    struct outcome *outcome, struct err *err);

/*
 * Notes in outcome where the file is that sink has made, if that is not, or no longer, the path
 * that was given. Does not block.
 */
void recv_one_name_made(const struct sink *sink, struct outcome *outcome);

/*
 * Receives from connection, which outcome has noted, into sink, and fills outcome, which has to
 * outlive sink. Blocks and returns as transfer_recv(), with the peer's name in front of an error.
 * The caller closes connection and sink.
 */
int recv_one_over(struct connection *connection, struct sink *sink,
    const struct recv_policy *policy, struct outcome *outcome, struct err *err);

/*
 * Tells the sender for which we were started, if it waits at an inherited socket, why we have
 * failed before a connection was accepted. If it were left to wait, we would be started again.
 * Blocks for 2 s at most.
 */
void recv_one_refuse(const struct recv_job *job, const struct recv_policy *policy,
    const struct err *why);

#endif
