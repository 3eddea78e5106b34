/*
 * This machine's addresses, for another machine to reach it. Which of them the other one gets to cannot be
 * known here, so they are a list, the likeliest first.
 */
#ifndef INTERFACES_H
#define INTERFACES_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/listen.h"
#include "net/sock.h"

#define INTERFACES_MAX 8
#define INTERFACES_HOST_MAX (INET6_ADDRSTRLEN + IF_NAMESIZE)

struct interfaces {
	bool only_here; /* host[0] is a loopback address */
	size_t count;
	/* "192.0.2.7", "fe80::1%eth0": without brackets */
	char host[INTERFACES_MAX][INTERFACES_HOST_MAX];
};

/* Whether addr is one of this machine's own, loopback, "every address" and multicast included. Does not block. */
bool interfaces_have(const struct sock_addr *addr);

/*
 * Fills found with the count addresses as text, in their order, but link-local ones (RFC 3927; RFC 4291,
 * 2.5.6) last. Left out are those of other families than IPv4 and IPv6, loopback, what is not one machine's
 * (any, broadcast, multicast), repeated ones, and what is too many. Does not block.
 */
void interfaces_sort(struct interfaces *found, const struct sock_addr *addr, size_t count);

/*
 * Fills found with the hosts at which the sockets of the set are reached, by interfaces_sort():
 * those that they are bound to, or for every address, of each family that is meant, IPv4 first, the
 * one that the kernel would use towards the internet, and then those of interfaces that are up and
 * running (getifaddrs(3)). Where none is left it is a loopback address, and only_here is set. Sends
 * nothing and does not block. count is 0 if the set has no socket of IPv4 or IPv6.
 */
void interfaces_listening(struct interfaces *found, const struct listen_set *set);

#endif
