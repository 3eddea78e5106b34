#include "net/interfaces.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#define CANDIDATES_MAX 64

struct candidates {
	size_t count;
	struct sock_addr addr[CANDIDATES_MAX];
};

/* The traits of an address that matter here, for both families. */
struct traits {
	bool any;
	bool loopback;
	bool link_local;
	bool multicast;
};

static struct traits traits_in(const struct sock_addr *addr)
{
	struct sockaddr_in in;

	memcpy(&in, &addr->storage, sizeof(in));
	in_addr_t host = ntohl(in.sin_addr.s_addr);
	return (struct traits){
	    .any = host == INADDR_ANY,
	    .loopback = host >> 24 == IN_LOOPBACKNET,
	    .link_local = host >> 16 == 0xa9fe, /* 169.254 */
	    .multicast = IN_MULTICAST(host) || host == INADDR_BROADCAST,
	};
}

static struct traits traits_in6(const struct sock_addr *addr)
{
	struct sockaddr_in6 in6;

	memcpy(&in6, &addr->storage, sizeof(in6));
	return (struct traits){
	    .any = IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr),
	    .loopback = IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr),
	    .link_local = IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr),
	    .multicast = IN6_IS_ADDR_MULTICAST(&in6.sin6_addr),
	};
}

static bool is_inet(int family)
{
	return family == AF_INET || family == AF_INET6;
}

static struct traits traits_of(const struct sock_addr *addr)
{
	return addr->storage.ss_family == AF_INET ? traits_in(addr) : traits_in6(addr);
}

/* Asks bind(2), which takes only this host's own addresses. */
bool interfaces_have(const struct sock_addr *addr)
{
	struct sock_addr any_port = *addr;
	int sock = socket(addr->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock == -1)
		return false;
	sock_set_port(&any_port, 0);
	bool have = bind(sock, sock_sockaddr(&any_port), any_port.len) == 0;
	close(sock);
	return have;
}

static bool has_host(const struct interfaces *found, const char *host)
{
	for (size_t i = 0; i < found->count; i++) {
		if (strcmp(found->host[i], host) == 0)
			return true;
	}
	return false;
}

static void add_host(struct interfaces *found, const struct sock_addr *addr)
{
	char host[INTERFACES_HOST_MAX];

	if (found->count == INTERFACES_MAX || getnameinfo(sock_sockaddr(addr), addr->len, host,
						  sizeof(host), NULL, 0, NI_NUMERICHOST) != 0)
		return;
	if (!has_host(found, host))
		strlcpy(found->host[found->count++], host, sizeof(host));
}

static void add_hosts(struct interfaces *found, const struct sock_addr *addr, size_t count,
    bool link_local)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_inet(addr[i].storage.ss_family))
			continue;
		struct traits traits = traits_of(&addr[i]);
		if (!traits.any && !traits.loopback && !traits.multicast &&
		    traits.link_local == link_local)
			add_host(found, &addr[i]);
	}
}

void interfaces_sort(struct interfaces *found, const struct sock_addr *addr, size_t count)
{
	*found = (struct interfaces){.count = 0};
	add_hosts(found, addr, count, false);
	add_hosts(found, addr, count, true);
}

static void add_candidate(struct candidates *all, const struct sock_addr *addr)
{
	if (all->count < CANDIDATES_MAX)
		all->addr[all->count++] = *addr;
}

static struct sock_addr inet_addr_of(int family, const char *host)
{
	struct sock_addr addr = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};

	if (family == AF_INET) {
		inet_pton(family, host, &in.sin_addr);
		memcpy(&addr.storage, &in, sizeof(in));
	} else {
		inet_pton(family, host, &in6.sin6_addr);
		memcpy(&addr.storage, &in6, sizeof(in6));
		addr.len = sizeof(in6);
	}
	return addr;
}

/*
 * Adds the address that the kernel would use towards the internet: connect(2) of a datagram socket
 * chooses it, and sends nothing. The addresses that it connects to are reserved for documentation
 * (RFC 5737, RFC 3849), and routed as any other.
 */
static void add_source(struct candidates *all, int family)
{
	struct sock_addr far =
	    inet_addr_of(family, family == AF_INET ? "192.0.2.1" : "2001:db8::1");
	struct sock_addr near = {.len = sizeof(near.storage)};
	int sock = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock == -1)
		return;
	if (connect(sock, sock_sockaddr(&far), far.len) == 0 &&
	    getsockname(sock, (struct sockaddr *)&near.storage, &near.len) == 0)
		add_candidate(all, &near);
	close(sock);
}

static void add_interfaces(struct candidates *all, const struct ifaddrs *list, int family)
{
	const unsigned int needed = IFF_UP | IFF_RUNNING;

	for (; list != NULL; list = list->ifa_next) {
		struct sock_addr addr = {.len = sizeof(struct sockaddr_in)};
		if (list->ifa_addr == NULL || list->ifa_addr->sa_family != family ||
		    (list->ifa_flags & (needed | IFF_LOOPBACK)) != needed)
			continue;
		if (family == AF_INET6)
			addr.len = sizeof(struct sockaddr_in6);
		memcpy(&addr.storage, list->ifa_addr, addr.len);
		add_candidate(all, &addr);
	}
}

/* Adds the host's own addresses: IPv4 if in, IPv6 if in6. */
static void add_machine(struct candidates *all, bool in, bool in6)
{
	struct ifaddrs *list = NULL;

	if (in)
		add_source(all, AF_INET);
	if (in6)
		add_source(all, AF_INET6);
	if (getifaddrs(&list) == -1)
		return;
	if (in)
		add_interfaces(all, list, AF_INET);
	if (in6)
		add_interfaces(all, list, AF_INET6);
	freeifaddrs(list);
}

/* Whether an IPv6 socket takes IPv4 too: an inherited one may. */
static bool takes_both(int sock)
{
	int only = 1;
	socklen_t len = sizeof(only);

	return getsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len) == 0 && only == 0;
}

void interfaces_listening(struct interfaces *found, const struct listen_set *set)
{
	struct candidates all = {.count = 0};
	struct sock_addr loopback = {.len = 0};
	bool any_in = false;
	bool any_in6 = false;

	for (size_t i = 0; i < set->count; i++) {
		struct sock_addr addr = {.len = sizeof(addr.storage)};
		if (getsockname(set->fd[i], (struct sockaddr *)&addr.storage, &addr.len) == -1 ||
		    !is_inet(addr.storage.ss_family))
			continue;
		bool in6 = addr.storage.ss_family == AF_INET6;
		add_candidate(&all, &addr);
		if (traits_of(&addr).any) {
			any_in |= !in6 || takes_both(set->fd[i]);
			any_in6 |= in6;
			addr = inet_addr_of(addr.storage.ss_family, in6 ? "::1" : "127.0.0.1");
		}
		if (loopback.len == 0 || !in6)
			loopback = addr;
	}
	add_machine(&all, any_in, any_in6);
	interfaces_sort(found, all.addr, all.count);
	if (found->count == 0 && loopback.len != 0) {
		found->only_here = true;
		add_host(found, &loopback);
	}
}
