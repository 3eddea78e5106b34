/*
 * A connection to the first address of a host that answers, as Python's create_connection() makes
 * it: the addresses of both families race as RFC 8305 says (happy_eyeballs.h), under one deadline.
 */
#ifndef CONNECT_H
#define CONNECT_H

#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"
#include "net/resolve.h"

struct connect_options {
	int family;                /* AF_UNSPEC, AF_INET or AF_INET6 */
	const struct addr *source; /* the ADDR_INET to connect from, or NULL */
	/* Called with context, once, when a try has had no answer for two seconds; or NULL. */
	void (*on_slow)(void *context);
	void *context;
};

/* What one try leaves to the next; all 0 and NULL at first. */
struct connect_state {
	struct resolve_lookup *host; /* look-ups that have not ended */
	struct resolve_lookup *source;
	int64_t slow_at; /* when to call on_slow; DEADLINE_NEVER: it has been called */
};

/*
 * Connects to an ADDR_INET or ADDR_UNIX address; blocks until connected or the deadline. The
 * caller hands the same state to every try with the same address and options.
 *
 * Returns the socket (as sock_open() makes it, not yet prepared), the caller's to close, which is a
 * reset, or -1: ERR_FAILED, ERR_TIMEOUT, ERR_INTERRUPTED, or an error of resolve(). If every
 * address has failed, the text names each with its reason, and errnum is that of the most telling
 * reason.
 */
int connect_open(const struct addr *addr, const struct connect_options *options,
    struct connect_state *state, int64_t deadline, struct err *err);

/* Frees what the last try has left in state. Does not block. */
void connect_forget(struct connect_state *state);

#endif
