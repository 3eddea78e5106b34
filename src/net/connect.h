/*
 * A connection to the first address of a host that answers, as Python's create_connection() makes
 * it: the addresses of both families race as RFC 8305 says (happy_eyeballs.h), under one deadline.
 */
#ifndef CONNECT_H
#define CONNECT_H

#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"

struct connect_options {
	int family;                /* AF_UNSPEC, AF_INET or AF_INET6 */
	const struct addr *source; /* the ADDR_INET to connect from, or NULL */
};

/*
 * Connects to an ADDR_INET or ADDR_UNIX address; blocks until connected or the deadline.
 *
 * Returns the socket (as sock_open() makes it, not yet prepared), the caller's to close, or -1:
 * ERR_FAILED, ERR_TIMEOUT, ERR_INTERRUPTED, or an error of resolve(). If every address has failed,
 * the text names each with its reason, and errnum is that of the most telling reason.
 */
int connect_open(const struct addr *addr, const struct connect_options *options, int64_t deadline,
    struct err *err);

#endif
