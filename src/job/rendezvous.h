/*
 * How a job gets its connection: by an endpoint, with a port file and messages to the user.
 */
#ifndef RENDEZVOUS_H
#define RENDEZVOUS_H

#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"
#include "net/endpoint.h"
#include "net/listen.h"
#include "ui/invite.h"

struct rendezvous_options {
	struct endpoint_options endpoint;
	const char *port_file; /* or NULL */
	const char *data_path; /* of the data, which the port file must not be; NULL: unknown */
};

/*
 * Listens, writes the port file, and tells the user the addresses and the command for the other
 * end. Blocks until the deadline at the latest while a name is looked up. Returns 0, the set then
 * being the caller's to close, or -1 with the error of endpoint_listen(), port_file_open(),
 * port_file_write() or invite_listening().
 */
int rendezvous_listen(const struct rendezvous_options *options, const struct invite *invite,
    struct listen_set *listening, int64_t deadline, struct err *err);

/*
 * Gets the connection; blocks for each wait as long as limits allow. If it listens, listening stays
 * open for rendezvous_next(). Returns 0, the connection then being the caller's to close, or -1
 * with an error. listening is the caller's to close in both cases.
 */
int rendezvous_open(const struct rendezvous_options *options, const struct invite *invite,
    struct listen_set *listening, const struct time_limits *limits, struct connection *connection,
    struct err *err);

/*
 * Closes the connection, which was no transfer, and gets the next one that is accepted. Blocks and
 * returns as rendezvous_open().
 */
int rendezvous_next(const struct rendezvous_options *options, struct listen_set *listening,
    const struct time_limits *limits, struct connection *connection, struct err *err);

/* Where, and how long, two ends may meet again. */
struct rendezvous_place {
	uint16_t port; /* that was bound; 0: none was */
	int64_t until; /* deadline */
};

/*
 * Gets another connection when the last one broke: connects again and again, or listens again on
 * the port that was bound, of which nothing is written or told any more. Blocks and returns as
 * rendezvous_open().
 */
int rendezvous_again(const struct rendezvous_options *options, const struct rendezvous_place *place,
    struct listen_set *listening, const struct time_limits *limits, struct connection *connection,
    struct err *err);

/* Returns limits for a wait that is over at the time until, or with limits->end. */
struct time_limits rendezvous_limits(const struct time_limits *limits, int64_t until);

#endif
