/*
 * The networks from which a connection is accepted, as text in the notation of RFC 4632 and RFC 4291:
 * 192.0.2.0/24, 2001:db8::/32, or an address alone. An IPv4 address mapped into IPv6 (RFC 4291, 2.5.5.2) is the IPv4
 * address, both in the list and as a peer's. Nothing here blocks or looks a name up.
 */
#ifndef ALLOW_H
#define ALLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

#define ALLOW_MAX 64

struct allow_net {
	int family;        /* AF_INET or AF_INET6 */
	unsigned bits;     /* how many have to be the same */
	uint8_t bytes[16]; /* of an IPv4 address, the first 4; those behind the prefix are 0 */
};

struct allow_list {
	size_t count; /* 0: nothing was said of who may connect */
	struct allow_net net[ALLOW_MAX];
};

/*
 * Adds the networks in text, separated by commas, to the list. Returns 0, or -1 with ERR_USAGE saying which of them
 * cannot be taken and, where bits are set behind the prefix, which network may be meant; the list is of no use then.
 */
int allow_add(struct allow_list *list, const char *text, struct err *err);

/*
 * Whether two sockets' addresses are of the same host, whatever their ports and, of IPv6, the scope. What is neither
 * IPv4 nor IPv6 is of none.
 */
bool allow_same_host(const struct sockaddr *a, const struct sockaddr *b);

/* Whether a peer with this address may connect: where nothing was said of that, everybody may. */
bool allow_admits(const struct allow_list *list, const struct sockaddr *sa);

/* Whether sa, a socket's address, lies in a network of the list. What is no IPv4 or IPv6 address lies in none. */
bool allow_matches(const struct allow_list *list, const struct sockaddr *sa);

#endif
