/*
 * The job of sending to one receiver: it brings source, connection and transfer together.
 */
#ifndef SEND_ONE_H
#define SEND_ONE_H

#include <stdint.h>

#include "base/err.h"
#include "data/open.h"
#include "data/source.h"
#include "job/rendezvous.h"
#include "job/talk.h"
#include "net/endpoint.h"
#include "transfer/outcome.h"
#include "transfer/progress.h"
#include "transfer/send.h"

struct send_job {
	struct rendezvous_options rendezvous;
	struct source_options source;
	struct send_policy policy; /* without limits.end and progress, which each transfer has */
	int64_t total_limit;       /* ns that a whole transfer may take; 0: no limit */
	struct talk talk;
};

/* Does the job and reports its end. Blocks as long as the limits allow. Returns the exit status. */
int send_one(const struct send_job *job);

/*
 * Returns the policy of a transfer that begins now and keeps progress up to date. progress has to
 * outlive the policy. Does not block.
 */
struct send_policy send_one_policy(const struct send_job *job, struct progress *progress);

/*
 * Sends source over connection, which outcome has noted, and fills outcome, which has to outlive
 * source. Blocks and returns as transfer_send(), with the peer's name in front of an error. The
 * caller closes source and connection.
 */
int send_one_over(struct source *source, struct connection *connection,
    const struct send_policy *policy, struct outcome *outcome, struct err *err);

/* Takes into outcome what there is to say of the source, as far as it was read. Does not block. */
void send_one_note_source(const struct source *source, struct outcome *outcome);

/*
 * Resets the connection for which we were started, if one waits at an inherited socket, when we
 * have failed before a connection was accepted. Does not block.
 */
void send_one_refuse(const struct send_job *job);

#endif
