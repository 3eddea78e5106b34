/*
 * What became of the datagrams of a capture, in all and by peer, or of those that were sent. It has
 * the same size whatever comes: of a flood from many ports the first peers have counts of their
 * own. No function here blocks or fails.
 */
#ifndef DATAGRAM_COUNTS_H
#define DATAGRAM_COUNTS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "net/sock.h"

/* The most peers with a count of their own. */
#define DATAGRAM_COUNTS_PEERS 256

/* The places of a hash table of them: twice as many, so that it never gets full. */
#define DATAGRAM_COUNTS_PLACES 512

struct datagram_peer {
	struct sockaddr_in6 addr; /* of IPv4 mapped into IPv6 (RFC 4291, 2.5.5.2) */
	int64_t datagrams;
};

/* Zeroed, it has counted none. */
struct datagram_counts {
	int64_t datagrams; /* recv: written to the output; send: taken by the kernel */
	int64_t dropped;   /* recv: that came to this host and are not in the output */
	int64_t truncated; /* recv: of those in the output, without their ends */
	size_t peers;
	struct datagram_peer peer[DATAGRAM_COUNTS_PEERS]; /* in the order of their first ones */
	int64_t of_others;                                /* datagrams of all further peers */
	uint16_t place[DATAGRAM_COUNTS_PLACES]; /* the number of a peer, from 1 on; 0: none */
};

/* Counts a datagram in the output, of the peer (an IPv4 or IPv6 address with its port). */
void datagram_counts_add(struct datagram_counts *counts, const struct sock_addr *peer);

/* Writes the address of the peer into text, of ADDR_TEXT_MAX bytes, as addr_format() does. */
void datagram_counts_name(const struct datagram_peer *peer, char *text);

#endif
