/*
 * Names to addresses, under a deadline. getaddrinfo(3) knows no deadline, and a signal does not end
 * it; so a name is looked up in a thread, which is left to itself when the time is up.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/sock.h"

struct resolve_list {
	size_t count; /* at least 1, once a name is found */
	struct sock_addr *addr;
};

/*
 * Looks up host ("": every address, for listening) and port, a number or a service name, in one
 * family (AF_UNSPEC: in both). *list becomes the addresses, in the order of RFC 6724, without
 * repeated ones. Blocks until the answer or the deadline; an address in numbers does not block.
 *
 * Returns 0, the list then being the caller's to free by resolve_free(), or -1, it being empty:
 * ERR_FAILED for an unknown name, ERR_USAGE for an unknown service, ERR_TIMEOUT or ERR_INTERRUPTED;
 * the text begins with "resolve".
 */
int resolve(const char *host, const char *port, int family, int64_t deadline,
    struct resolve_list *list, struct err *err);

/* Frees the addresses; the list becomes empty. Does not block. */
void resolve_free(struct resolve_list *list);

/* What is looked up: see resolve(). */
struct resolve_query {
	const char *host;
	const char *port;
	int family;
};

/* A look-up that has not ended. */
struct resolve_lookup;

/*
 * As resolve(), but a look-up that has not ended by the deadline stays in *kept, and the next call,
 * with the same query, goes on waiting for it: so tries that follow one another do not leave a
 * thread each behind. *kept is NULL at first, and again when a look-up has ended.
 */
int resolve_keeping(struct resolve_lookup **kept, const struct resolve_query *query,
    int64_t deadline, struct resolve_list *list, struct err *err);

/* Leaves the look-up that is kept to itself; *kept becomes NULL. Does not block. */
void resolve_forget(struct resolve_lookup **kept);

#endif
