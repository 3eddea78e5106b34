/*
 * The job of sending to one receiver: source, connection and transfer wired together.
 */
#ifndef SEND_ONE_H
#define SEND_ONE_H

#include <stdint.h>

#include "base/err.h"
#include "data/source.h"
#include "job/rendezvous.h"
#include "job/talk.h"
#include "net/endpoint.h"
#include "transfer/outcome.h"
#include "transfer/progress.h"
#include "transfer/send.h"

struct send_job {
	struct rendezvous_options rendezvous;
	const char *path;          /* the file, or "-" */
	char *const *argv;         /* a command in its place, or NULL */
	struct send_policy policy; /* but for limits.end and progress, which each transfer has */
	int64_t total_limit;       /* ns that a transfer may take in all; 0: no limit */
	struct talk talk;
};

/* Does the job, and reports it. Blocks as long as its limits let it. Returns the exit status. */
int send_one(const struct send_job *job);

/*
 * Returns the policy of a transfer that begins now. progress, which is to be kept up to date, has to
 * outlive it.
 */
struct send_policy send_one_policy(const struct send_job *job, struct progress *progress);

/*
 * Sends source over connection: transfer_send(), whose blocking, return and errors these are, with the
 * peer named in them and in outcome, which has to outlive source. The caller closes both.
 */
int send_one_over(struct source *source, struct connection *connection,
    const struct send_policy *policy, struct outcome *outcome, struct err *err);

/*
 * Resets the connection for which we were started, if an inherited socket has one, where we have
 * failed before any was accepted. Does not block.
 */
void send_one_refuse(const struct send_job *job);

#endif
