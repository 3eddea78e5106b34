/*
 * A server: it serves many peers at once, each in a worker, so that a fault in one harms no other.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/endpoint.h"
#include "net/listen.h"
#include "ui/log.h"

/*
 * The exit status of a worker whose connection was no transfer; no other exit status is the same.
 */
#define SERVER_STRAY 64

/* What the server and one worker tell each other, in memory that both share. */
struct server_place {
	_Atomic int64_t waits_since; /* the worker: of struct recv_policy */
	atomic_bool is_wanted;       /* the server, as it aborts it: for another, who waits */
};

struct server_options {
	const struct log *log;
	struct endpoint_options endpoint; /* which peers may connect; its events are not used */
	size_t max;                       /* the most connections at once; further ones wait */
	int64_t grace;   /* ns that workers may go on after SIGTERM has asked the server to end */
	bool has_reader; /* standard output needs a reader: the server ends when that has gone */
	bool makes_room; /* who is silent loses his place to another, but at a unix socket */
	/*
	 * Serves a connection, in a worker, which exits with the value returned: 0 if all is well,
	 * SERVER_STRAY if the connection was no transfer, else a failure.
	 */
	int (*work)(void *context, const struct listen_accepted *accepted,
	    struct server_place *place);
	void *context;
};

/*
 * Accepts connections until a signal asks the server to end, then closes listening. A peer that may
 * not connect, or whose host has as many connections as are allowed, sees a reset; with -v it is
 * logged, as long as such peers are few. If descriptors, memory or processes are short, the server
 * says so, at most once a minute, and tries again later. SIGUSR1 (or INFO, on a system that has it)
 * prints the numbers of transfers. The caller has called signals_survive_hangup().
 *
 * With makes_room, when all places are taken and another peer waits, the worker that has waited for
 * bytes longest, 10 s at least, is aborted.
 *
 * After SIGTERM the workers may go on for the grace; after another signal, or a second one, they
 * may not. Then they are asked to end, and killed if they have not ended soon. signals_caught()
 * tells the signal afterwards.
 *
 * Blocks until all workers have ended. Always returns -1: ERR_INTERRUPTED, or ERR_FAILED if
 * listening or standard output is of no more use.
 */
int server_run(struct listen_set *listening, const struct server_options *options, struct err *err);

#endif
