#include "net/datagram_socket.h"

#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/resolve.h"
#include "net/sock.h"

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29 /* Linux 4.20 */
#endif

/* What the text of an address means. */
struct target {
	const struct addr *addr;
	int family;           /* AF_UNSPEC: both */
	unsigned int ifindex; /* of the interface behind %, or 0 */
	struct resolve_list list;
};

static int set_flag(int sock, int level, int option, int value, const char *what, struct err *err)
{
	if (setsockopt(sock, level, option, &value, sizeof(value)) == 0)
		return 0;
	return err_sys(err, "%s", what);
}

static const struct sockaddr_in *as_ipv4(const struct sock_addr *to)
{
	return (const struct sockaddr_in *)&to->storage;
}

static struct sockaddr_in6 *as_ipv6(struct sock_addr *to)
{
	return (struct sockaddr_in6 *)&to->storage;
}

static bool is_group(struct sock_addr *to)
{
	if (to->storage.ss_family == AF_INET)
		return IN_MULTICAST(ntohl(as_ipv4(to)->sin_addr.s_addr));
	return IN6_IS_ADDR_MULTICAST(&as_ipv6(to)->sin6_addr);
}

/* Finds the interface behind %; host, of ADDR_HOST_MAX bytes, becomes what is in front of it. */
static int split_interface(struct target *target, char *host, struct err *err)
{
	const char *name = strchr(target->addr->host, '%');

	strlcpy(host, target->addr->host, ADDR_HOST_MAX);
	if (name == NULL)
		return 0;
	host[name - target->addr->host] = '\0';
	target->ifindex = if_nametoindex(name + 1);
	return target->ifindex != 0 ? 0 : err_sys(err, "interface %s", name + 1);
}

/* Puts the interface into the address. Returns 0, or -1 if that address has none. */
static int set_interface(const struct target *target, struct sock_addr *to, struct err *err)
{
	bool is_ipv6 = to->storage.ss_family == AF_INET6;

	if (target->ifindex == 0)
		return 0;
	if (!is_group(to) && !(is_ipv6 && IN6_IS_ADDR_LINKLOCAL(&as_ipv6(to)->sin6_addr)))
		return err_set(err, ERR_USAGE, 0,
		    "an interface is for a multicast group or a link-local address");
	if (is_ipv6)
		as_ipv6(to)->sin6_scope_id = target->ifindex;
	return 0;
}

/* Looks up the addresses, the caller's to free. */
static int find(struct target *target, int64_t deadline, struct err *err)
{
	char host[ADDR_HOST_MAX];

	if (split_interface(target, host, err) == -1 ||
	    resolve(host, target->addr->port, target->family, deadline, &target->list, err) == -1)
		return -1;
	for (size_t i = 0; i < target->list.count; i++) {
		if (set_interface(target, &target->list.addr[i], err) == -1)
			return -1;
	}
	return 0;
}

static int open_socket(const struct sock_addr *addr, struct err *err)
{
	int sock = socket(addr->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (sock == -1)
		err_sys(err, "socket");
	return sock;
}

/* Joins the group, and takes what comes to it there only. */
static int join_group(int sock, struct sock_addr *group, unsigned int ifindex, struct err *err)
{
	int status;

	if (group->storage.ss_family == AF_INET) {
		const struct ip_mreqn member = {
		    .imr_multiaddr = as_ipv4(group)->sin_addr,
		    .imr_ifindex = (int)ifindex,
		};
		(void)set_flag(sock, IPPROTO_IP, IP_MULTICAST_ALL, 0, "", err);
		status = setsockopt(sock, IPPROTO_IP, IP_ADD_MEMBERSHIP, &member, sizeof(member));
	} else {
		const struct ipv6_mreq member = {
		    .ipv6mr_multiaddr = as_ipv6(group)->sin6_addr,
		    .ipv6mr_interface = ifindex,
		};
		(void)set_flag(sock, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0, "", err);
		status = setsockopt(sock, IPPROTO_IPV6, IPV6_JOIN_GROUP, &member, sizeof(member));
	}
	err_clear(
	    err); /* an old kernel lacks the flag, and then other groups of the port come, too */
	if (status == 0)
		return 0;
	err_sys(err, "join");
	return err->errnum == ENODEV && ifindex == 0
	           ? err_advise(err, "name the interface, as in udp:239.1.2.3%eth0:9009")
	           : -1;
}

/* Asks for the buffer, beyond the limit of the system where that is allowed. */
static void widen_buffer(int sock)
{
	const int size = DATAGRAM_SOCKET_BUFFER;

	if (setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == -1)
		(void)setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static const char *bind_advice(const struct sock_addr *addr, int errnum)
{
	switch (errnum) {
	case EADDRINUSE:
		return "another program receives there; udp::0 takes a free port";
	case EACCES:
		return sock_port_of(addr) < IPPORT_RESERVED
		           ? "ports below 1024 are kept for root; choose a higher one"
		           : NULL;
	case EADDRNOTAVAIL:
		return "this machine has no such address; udp::port receives on all it has";
	default:
		return NULL;
	}
}

static int prepare_and_bind(const struct target *target, int sock, struct sock_addr *addr,
    struct err *err)
{
	bool group = is_group(addr);
	bool only_ipv6 = target->addr->host[0] != '\0' || target->family == AF_INET6;

	if (addr->storage.ss_family == AF_INET6 &&
	    set_flag(sock, IPPROTO_IPV6, IPV6_V6ONLY, only_ipv6, "IPV6_V6ONLY", err) == -1)
		return -1;
	if (group && sock_reuse_addr(sock, err) == -1)
		return -1;
	widen_buffer(sock);
	if (bind(sock, sock_sockaddr(addr), addr->len) == -1) {
		sock_set_error(addr, "bind", err);
		return err_advise(err, bind_advice(addr, err->errnum));
	}
	return group ? join_group(sock, addr, target->ifindex, err) : 0;
}

static int bound_socket(const struct target *target, struct sock_addr *addr, struct err *err)
{
	int sock = open_socket(addr, err);

	if (sock == -1 || prepare_and_bind(target, sock, addr, err) == 0)
		return sock;
	close(sock);
	return -1;
}

/* Every address: of the two families IPv6, whose socket has both, where there is IPv6. */
static int listen_everywhere(const struct target *target, struct err *err)
{
	int sock = -1;

	for (int last = 0; last <= 1 && sock == -1; last++) {
		for (size_t i = 0; i < target->list.count && sock == -1; i++) {
			struct sock_addr *addr = &target->list.addr[i];
			if ((addr->storage.ss_family == AF_INET) == (last == 1))
				sock = bound_socket(target, addr, err);
		}
		if (sock == -1 && err->kind != ERR_NONE && err->errnum != EAFNOSUPPORT)
			return -1;
	}
	if (sock != -1)
		err_clear(err);
	return sock;
}

static int listen_at(const struct target *target, struct err *err)
{
	if (target->addr->host[0] == '\0')
		return listen_everywhere(target, err);
	if (target->list.count > 1) {
		err_set(err, ERR_FAILED, 0, "the name has %zu addresses", target->list.count);
		return err_advise(err, "give one of them, or -4 or -6; udp::port receives on all");
	}
	return bound_socket(target, &target->list.addr[0], err);
}

/* Connects, to a broadcast address only where the kernel wants to be told that it is one. */
static int connect_to(const struct target *target, int sock, struct sock_addr *to, struct err *err)
{
	bool is_ipv4 = to->storage.ss_family == AF_INET;
	const struct ip_mreqn from = {.imr_ifindex = (int)target->ifindex};

	if (target->ifindex != 0 && is_ipv4 &&
	    setsockopt(sock, IPPROTO_IP, IP_MULTICAST_IF, &from, sizeof(from)) == -1)
		return err_sys(err, "IP_MULTICAST_IF");
	if (target->ifindex != 0 && !is_ipv4 &&
	    set_flag(sock, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)target->ifindex,
		"IPV6_MULTICAST_IF", err) == -1)
		return -1;
	if (connect(sock, sock_sockaddr(to), to->len) == 0)
		return 0;
	if (errno == EACCES &&
	    set_flag(sock, SOL_SOCKET, SO_BROADCAST, 1, "SO_BROADCAST", err) == 0 &&
	    connect(sock, sock_sockaddr(to), to->len) == 0)
		return 0;
	return sock_set_error(to, "connect", err);
}

static int connect_first(const struct target *target, struct err *err)
{
	for (size_t i = 0; i < target->list.count; i++) {
		struct sock_addr *to = &target->list.addr[i];
		int sock = open_socket(to, err);
		if (sock == -1)
			continue;
		if (connect_to(target, sock, to, err) == 0) {
			err_clear(err);
			return sock;
		}
		close(sock);
	}
	return -1;
}

/* Looks up the address, and makes its socket by make. */
static int make_for(const struct addr *addr, int family, int64_t deadline,
    int (*make)(const struct target *target, struct err *err), struct err *err)
{
	struct target target = {.addr = addr, .family = family};
	char name[ADDR_TEXT_MAX];
	int sock = find(&target, deadline, err) == -1 ? -1 : make(&target, err);

	resolve_free(&target.list);
	addr_text(addr, name);
	return sock == -1 ? err_prefix(err, "%s", name) : sock;
}

int datagram_socket_listen(const struct addr *addr, int family, int64_t deadline, struct err *err)
{
	return make_for(addr, family, deadline, listen_at, err);
}

int datagram_socket_connect(const struct addr *addr, int family, int64_t deadline, struct err *err)
{
	return make_for(addr, family, deadline, connect_first, err);
}

bool datagram_socket_group(int sock, char *host)
{
	struct sock_addr addr = {.len = sizeof(addr.storage)};

	host[0] = '\0';
	return getsockname(sock, (struct sockaddr *)&addr.storage, &addr.len) == 0 &&
	       is_group(&addr) &&
	       getnameinfo(sock_sockaddr(&addr), addr.len, host, ADDR_HOST_MAX, NULL, 0,
		   NI_NUMERICHOST) == 0;
}

int64_t datagram_socket_buffer(int sock)
{
	int size = 0;
	socklen_t len = sizeof(size);

	/* The kernel doubles what it is asked for, for its own needs (socket(7)). */
	(void)getsockopt(sock, SOL_SOCKET, SO_RCVBUF, &size, &len);
	return size / 2 < DATAGRAM_SOCKET_BUFFER ? size / 2 : DATAGRAM_SOCKET_BUFFER;
}
