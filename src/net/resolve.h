/*
 * Names to addresses, under a deadline. getaddrinfo(3) knows no deadline and a signal does not end it,
 * so where a name has to be looked up it runs in a thread, which is left to itself when time is up.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/happy_eyeballs.h"
#include "net/sock.h"

struct resolve_list {
	size_t count; /* at least 1 */
	struct sock_addr addr[HAPPY_EYEBALLS_MAX];
};

/*
 * Looks up the addresses of host ("": every address, for listening) with port, a number or a service
 * name, in that family (AF_UNSPEC: both), in the order of RFC 6724. Addresses beyond HAPPY_EYEBALLS_MAX are
 * and repeated ones are left out. Blocks until the answer or the deadline; numbers need no waiting.
 *
 * Returns 0, or -1: ERR_FAILED for a name that is not known, ERR_USAGE for a service that is not,
 * ERR_TIMEOUT, ERR_INTERRUPTED; the text begins with "resolve".
 */
int resolve(const char *host, const char *port, int family, int64_t deadline,
    struct resolve_list *list, struct err *err);

#endif
