/*
 * This host's addresses, by which another host can reach it. No host knows which of its addresses
 * another one can reach, so they are a list, the likeliest first. No function here blocks.
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

/* Whether addr is one of this host's own, loopback, "every address" and multicast included. */
bool interfaces_have(const struct sock_addr *addr);

/*
 * Fills found with the count addresses as text, in their order, but link-local ones (RFC 3927; RFC
 * 4291, 2.5.6) last. It leaves out addresses that are neither IPv4 nor IPv6, loopback addresses,
 * those that belong to no single host (any, broadcast, multicast), repeated ones, and those beyond
 * INTERFACES_MAX.
 */
void interfaces_sort(struct interfaces *found, const struct sock_addr *addr, size_t count);

/*
 * Fills found with the addresses by which the sockets of the set are reached, sorted as
 * interfaces_sort() does. A socket that is bound to one address gives that address. A socket bound
 * to every address gives, for each family that it takes, IPv4 first, the address that the kernel
 * would use towards the internet, and then those of the interfaces that are up and running
 * (getifaddrs(3)). If none is left, found has one loopback address, and only_here is set. count is
 * 0 if the set has no socket of IPv4 or IPv6. Sends nothing.
 */
void interfaces_listening(struct interfaces *found, const struct listen_set *set);

#endif
