/*
 * Serving many peers at once, each in a process of its own, so that a fault in one touches no other.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/endpoint.h"
#include "net/listen.h"
#include "ui/log.h"

/* Beyond the exit statuses that mean something. */
#define SERVER_STRAY 64

struct server_options {
	const struct log *log;
	struct endpoint_options endpoint; /* which peers may connect; its events are not used */
	size_t max;                       /* connections at once; further ones are left waiting */
	int64_t grace;   /* ns that those that run have to end, once SIGTERM asks us to */
	bool has_reader; /* what standard output carries has to have a reader: without one we end */
	/*
	 * Serves a connection, in a process of its own, which then exits with what this returns: 0 if all is well,
	 * SERVER_STRAY if it was none.
	 */
	int (*work)(void *context, const struct listen_accepted *accepted);
	void *context;
};

/*
 * Accepts connections until a signal asks us to end, and closes listening then. Who may not connect, and who has as
 * many connections as one may have, sees a reset, noted with -v. Of descriptors, memory or processes there may be too
 * few for a time: that is said, once a minute at the most, and waited for. SIGUSR1 (INFO, where there is one) prints
 * what goes on. SIGHUP is to be survived already (signals_survive_hangup()).
 *
 * SIGTERM leaves those that run the grace, another signal or a second one none; then they are told to end, and killed
 * if they have not ended soon. The signal is as if it had come only then: signals_caught() tells it.
 *
 * Returns -1, always: ERR_INTERRUPTED, or ERR_FAILED if listening or standard output is of no more use. No process that
 * was started is left then.
 */
int server_run(struct listen_set *listening, const struct server_options *options, struct err *err);

#endif
