#include "transfer/datagram_counts.h"

#include <stdbool.h>
#include <string.h>

#include "net/addr.h"

/* The address as IPv6, so that it has one form. */
static struct sockaddr_in6 one_form(const struct sock_addr *peer)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in;

	if (peer->storage.ss_family == AF_INET) {
		memcpy(&in, &peer->storage, sizeof(in));
		in6.sin6_port = in.sin_port;
		memset(&in6.sin6_addr.s6_addr[10], 0xff, 2);
		memcpy(&in6.sin6_addr.s6_addr[12], &in.sin_addr, sizeof(in.sin_addr));
	} else {
		const struct sockaddr_in6 *from = (const struct sockaddr_in6 *)&peer->storage;
		in6.sin6_port = from->sin6_port;
		in6.sin6_addr = from->sin6_addr;
		in6.sin6_scope_id = from->sin6_scope_id;
	}
	return in6;
}

/* FNV-1a. Peers that choose their ports to collide make a search of at most 256 steps. */
static size_t hash(const struct sockaddr_in6 *addr)
{
	const unsigned char *bytes = (const unsigned char *)addr;
	uint32_t sum = 2166136261U;

	for (size_t i = 0; i < sizeof(*addr); i++)
		sum = (sum ^ bytes[i]) * 16777619U;
	return (sum ^ sum >> 16) % DATAGRAM_COUNTS_PLACES;
}

/* Returns the place of the peer, or the one that is free for it. */
static uint16_t *place_of(struct datagram_counts *counts, const struct sockaddr_in6 *addr)
{
	for (size_t i = hash(addr);; i = (i + 1) % DATAGRAM_COUNTS_PLACES) {
		uint16_t number = counts->place[i];
		if (number == 0 || memcmp(&counts->peer[number - 1].addr, addr, sizeof(*addr)) == 0)
			return &counts->place[i];
	}
}

void datagram_counts_add(struct datagram_counts *counts, const struct sock_addr *peer)
{
	struct sockaddr_in6 addr = one_form(peer);
	uint16_t *place = place_of(counts, &addr);

	counts->datagrams++;
	if (*place == 0 && counts->peers == DATAGRAM_COUNTS_PEERS) {
		counts->of_others++;
		return;
	}
	if (*place == 0) {
		counts->peer[counts->peers] = (struct datagram_peer){.addr = addr};
		*place = (uint16_t)++counts->peers;
	}
	counts->peer[*place - 1].datagrams++;
}

void datagram_counts_name(const struct datagram_peer *peer, char *text)
{
	addr_format((const struct sockaddr *)&peer->addr, sizeof(peer->addr), text);
}
