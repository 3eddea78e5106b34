/*
 * Connections that have been accepted, and have yet to show that they have the key. Several are
 * waited for at once, so that a silent one does not keep the others out.
 */
#ifndef HANDSHAKES_H
#define HANDSHAKES_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/connection.h"

/* So many at once; for one more, the oldest goes. */
#define HANDSHAKES_MAX 16

struct handshake {
	struct connection connection;
	short events;     /* that it waits for (poll(2)) */
	int64_t deadline; /* by which it has to be done */
};

struct handshakes {
	struct handshake one[HANDSHAKES_MAX]; /* the oldest first */
	size_t count;
	/* Called with context when a handshake has failed: for the log. */
	void (*on_failed)(void *context, const char *peer, const char *why);
	void *context;
};

/*
 * Adds a connection over TLS (channel_tls.h), which becomes theirs, and begins its handshake, for
 * which it has until the deadline. If there are too many, the oldest is closed. Does not block.
 */
void handshakes_add(struct handshakes *handshakes, const struct connection *connection,
    int64_t deadline);

/*
 * Fills fds, of HANDSHAKES_MAX, with what they wait for. Returns how many there are. *deadline
 * becomes sooner if one has to be done before.
 */
size_t handshakes_poll(const struct handshakes *handshakes, struct pollfd *fds, int64_t *deadline);

/*
 * Goes on with those that fds, as handshakes_poll() has filled it, says are ready, and closes those
 * that fail or are late. Does not block. Returns 1 if one is done, *done then being the caller's to
 * close, else 0.
 */
int handshakes_advance(struct handshakes *handshakes, const struct pollfd *fds,
    struct connection *done);

/* Closes those that are left. */
void handshakes_close(struct handshakes *handshakes);

#endif
