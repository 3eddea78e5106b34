/*
 * Getting the connection of a job: an endpoint, the file that the port is written to, and what the
 * user is told.
 */
#ifndef RENDEZVOUS_H
#define RENDEZVOUS_H

#include "base/deadline.h"
#include "base/err.h"
#include "net/endpoint.h"
#include "net/listen.h"
#include "ui/invite.h"

struct rendezvous_options {
	struct endpoint_options endpoint;
	const char *port_file; /* or NULL */
	const char
	    *data_path; /* where the data are, which the port must not go to; NULL: unknown */
};

/*
 * Listens, writes the port file, and says where, and what to run at the other end. Blocks while a name
 * is looked up, until the deadline at the most. Returns 0, the set then being the caller's to close,
 * or -1.
 */
int rendezvous_listen(const struct rendezvous_options *options, const struct invite *invite,
    struct listen_set *listening, int64_t deadline, struct err *err);

/*
 * Gets the connection, each wait being no longer than limits allow. Where it listens, listening stays
 * open for the next one, by rendezvous_next(), and is the caller's to close, in any case. Returns 0, the
 * connection then being the caller's to close, or -1.
 */
int rendezvous_open(const struct rendezvous_options *options, const struct invite *invite,
    struct listen_set *listening, const struct time_limits *limits, struct connection *connection,
    struct err *err);

/* Closes the connection, which was none of a transfer, and gets the next one, as rendezvous_open(). */
int rendezvous_next(const struct rendezvous_options *options, struct listen_set *listening,
    const struct time_limits *limits, struct connection *connection, struct err *err);

#endif
