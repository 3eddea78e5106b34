/*
 * The networks from which connections are accepted, as text in the notation of RFC 4632 and RFC
 * 4291: 192.0.2.0/24, 2001:db8::/32, or a single address. An IPv4 address mapped into IPv6 (RFC
 * 4291, 2.5.5.2) counts as the IPv4 address, both in the list and as a peer's. No function here
 * blocks or looks up a name.
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
	unsigned bits;     /* length of the prefix */
	uint8_t bytes[16]; /* IPv4 uses the first 4; the bits behind the prefix are 0 */
};

struct allow_list {
	size_t count; /* 0: every peer may connect */
	struct allow_net net[ALLOW_MAX];
};

/*
 * Adds the networks in text, separated by commas, to the list. Returns 0, or -1 with ERR_USAGE, and
 * then the list is of no use. The error's text names the network that is wrong; where bits are set
 * behind the prefix, also the network that may be meant.
 */
int allow_add(struct allow_list *list, const char *text, struct err *err);

/*
 * Whether two sockets' addresses count as the same host, with any port and, for IPv6, any scope:
 * the same IPv4 address, or IPv6 addresses of the same /64, from which a host may take as many as
 * it likes. An address that is neither IPv4 nor IPv6 belongs to no host.
 */
bool allow_same_host(const struct sockaddr *a, const struct sockaddr *b);

/* Whether a peer with the address sa may connect: if the list is empty, every peer may. */
bool allow_admits(const struct allow_list *list, const struct sockaddr *sa);

/*
 * Whether sa, a socket's address, lies in a network of the list. An address that is neither IPv4
 * nor IPv6 lies in none.
 */
bool allow_matches(const struct allow_list *list, const struct sockaddr *sa);

#endif
