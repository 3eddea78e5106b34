/* The counts of datagrams: by peer, whatever its family, and in bounded memory. */
#include "transfer/datagram_counts.h"

#include <arpa/inet.h>

#include "check.h"
#include "net/addr.h"

static struct sock_addr ipv4(const char *host, unsigned port)
{
	struct sock_addr addr = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	CHECK_INT(inet_pton(AF_INET, host, &in.sin_addr), 1);
	memcpy(&addr.storage, &in, sizeof(in));
	return addr;
}

static struct sock_addr ipv6(const char *host, unsigned port, unsigned scope)
{
	struct sock_addr addr = {.len = sizeof(struct sockaddr_in6)};
	struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6,
	    .sin6_port = htons((uint16_t)port),
	    .sin6_scope_id = scope,
	    .sin6_flowinfo = port, /* that of each datagram is another */
	};

	CHECK_INT(inet_pton(AF_INET6, host, &in6.sin6_addr), 1);
	memcpy(&addr.storage, &in6, sizeof(in6));
	return addr;
}

static void add(struct datagram_counts *counts, struct sock_addr addr)
{
	datagram_counts_add(counts, &addr);
}

static void is_peer(const struct datagram_counts *counts, size_t index, const char *name,
    int64_t datagrams)
{
	char text[ADDR_TEXT_MAX];

	datagram_counts_name(&counts->peer[index], text);
	CHECK_STR(text, name);
	CHECK_INT(counts->peer[index].datagrams, datagrams);
}

static void by_peer(void)
{
	static struct datagram_counts counts;

	add(&counts, ipv4("192.0.2.7", 514));
	add(&counts, ipv6("2001:db8::7", 514, 0));
	add(&counts, ipv4("192.0.2.7", 515));
	add(&counts, ipv6("fe80::1", 514, 1));
	add(&counts, ipv4("192.0.2.7", 514));
	add(&counts, ipv6("::ffff:192.0.2.7", 514, 0));
	add(&counts, ipv6("fe80::1", 514, 4711));
	CHECK_INT(counts.datagrams, 7);
	CHECK_INT((int)counts.peers, 5);
	is_peer(&counts, 0, "192.0.2.7:514", 3);
	is_peer(&counts, 1, "[2001:db8::7]:514", 1);
	is_peer(&counts, 2, "192.0.2.7:515", 1);
	is_peer(&counts, 4, "[fe80::1%4711]:514", 1);
	CHECK_INT(counts.of_others, 0);
}

static void many(void)
{
	static struct datagram_counts counts;

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned port = 1; port <= 10000; port++)
			add(&counts, ipv4("192.0.2.7", port));
	}
	CHECK_INT(counts.datagrams, 20000);
	CHECK_INT((int)counts.peers, DATAGRAM_COUNTS_PEERS);
	CHECK_INT(counts.of_others, 20000 - 2 * DATAGRAM_COUNTS_PEERS);
	for (size_t i = 0; i < counts.peers; i++)
		CHECK_INT(counts.peer[i].datagrams, 2);
	is_peer(&counts, 255, "192.0.2.7:256", 2);
}

int main(void)
{
	promise("each address and port is a peer, IPv4 mapped into IPv6 the same as IPv4", by_peer);
	promise("of 10,000 peers the first have counts of their own, the others one", many);
	return check_end();
}
