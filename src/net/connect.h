/*
 * Python's create_connection(): the first address that connects, of both families, raced as RFC 8305
 * says (happy_eyeballs.h), under one deadline.
 */
#ifndef CONNECT_H
#define CONNECT_H

#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"

struct connect_options {
	int family;                /* AF_UNSPEC, AF_INET or AF_INET6 */
	const struct addr *source; /* where to connect from, or NULL; an ADDR_INET */
};

/*
 * Connects to an ADDR_INET or ADDR_UNIX address; blocks until connected or the deadline.
 *
 * Returns the socket (sock.h's kind, not yet prepared), the caller's to close, or -1. When every address
 * has failed, the text names each with its reason, and errnum is that of the most telling one; ERR_TIMEOUT, ERR_INTERRUPTED and what resolve()
 * gives are possible too.
 */
int connect_open(const struct addr *addr, const struct connect_options *options, int64_t deadline,
    struct err *err);

#endif
