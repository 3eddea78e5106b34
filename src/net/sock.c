#include "net/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "base/clock.h"
#include "net/addr.h"

const struct sockaddr *sock_sockaddr(const struct sock_addr *addr)
{
	return (const struct sockaddr *)&addr->storage;
}

struct sock_addr sock_unix_addr(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct sock_addr addr = {.len = sizeof(sun)};

	strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	memcpy(&addr.storage, &sun, sizeof(sun));
	return addr;
}

static bool lacks_interface(const struct sock_addr *addr)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&addr->storage;

	return in6->sin6_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) &&
	       in6->sin6_scope_id == 0;
}

int sock_set_error(const struct sock_addr *addr, const char *operation, struct err *err)
{
	err_sys(err, "%s", operation);
	if (err->errnum != EINVAL || !lacks_interface(addr))
		return -1;
	err_set(err, ERR_FAILED, 0,
	    "%s%sa link-local address needs its interface, as fe80::1%%eth0", operation,
	    operation[0] == '\0' ? "" : ": ");
	err->errnum = EINVAL;
	return -1;
}

uint16_t sock_port_of(const struct sock_addr *addr)
{
	if (addr->storage.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&addr->storage)->sin6_port);
	return ntohs(((const struct sockaddr_in *)&addr->storage)->sin_port);
}

void sock_set_port(struct sock_addr *addr, uint16_t port)
{
	if (addr->storage.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&addr->storage)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)&addr->storage)->sin_port = htons(port);
}

static int set_option(int sock, int level, int name, int value, const char *what, struct err *err)
{
	if (setsockopt(sock, level, name, &value, sizeof(value)) == -1)
		return err_sys(err, "%s", what);
	return 0;
}

/*
 * An urgent byte (MSG_OOB) is a byte of the stream like any other. A listening socket hands the
 * option on to its connections; set on those only, it would be too late for two such bytes in
 * front.
 */
static int keep_urgent_in_line(int sock, struct err *err)
{
	const int on = 1;

	/* MPTCP has no such bytes, and no such option. */
	if (setsockopt(sock, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)) == 0 || errno == EOPNOTSUPP)
		return 0;
	return err_sys(err, "SO_OOBINLINE");
}

int sock_open(int family, struct err *err)
{
	int sock = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (sock == -1)
		return err_sys(err, "socket");
	if (keep_urgent_in_line(sock, err) == 0)
		return sock;
	close(sock);
	return -1;
}

static int get_option(int sock, int level, int name, int *value)
{
	socklen_t len = sizeof(*value);

	return getsockopt(sock, level, name, value, &len);
}

static int set_linger(int sock, bool on)
{
	struct linger linger = {.l_onoff = on, .l_linger = 0};

	return setsockopt(sock, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

int sock_family(int sock, struct err *err)
{
	int family;

	return get_option(sock, SOL_SOCKET, SO_DOMAIN, &family) == -1 ? err_sys(err, "SO_DOMAIN")
	                                                              : family;
}

/* Others are refused: on AF_VSOCK, for one, SO_LINGER resets nothing, and so no death shows. */
static int check_family(int fd, struct err *err)
{
	int family = sock_family(fd, err);

	if (family == -1)
		return err_prefix(err, "fd:%d", fd);
	if (family == AF_INET || family == AF_INET6 || family == AF_UNIX)
		return 0;
	return err_set(err, ERR_USAGE, 0,
	    "fd:%d: a socket of another family than IPv4, IPv6 and unix", fd);
}

int sock_adopt(int fd, bool *listening, struct err *err)
{
	int type;
	int accepts;

	if (get_option(fd, SOL_SOCKET, SO_TYPE, &type) == -1)
		return err_set(err, ERR_USAGE, errno, "fd:%d", fd);
	if (type != SOCK_STREAM)
		return err_set(err, ERR_USAGE, 0, "fd:%d: not a stream socket", fd);
	if (check_family(fd, err) == -1)
		return -1;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 || fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) == -1)
		return err_sys(err, "fd:%d: fcntl", fd);
	if (get_option(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts) == -1)
		return err_sys(err, "fd:%d: SO_ACCEPTCONN", fd);
	*listening = accepts != 0;
	if (!*listening && set_linger(fd, true) == -1)
		return err_sys(err, "fd:%d: SO_LINGER", fd);
	return 0;
}

/* Returns the number of the protocol, 0 of a unix socket, or -1. */
static int get_protocol(int sock, struct err *err)
{
	int protocol;

	return get_option(sock, SOL_SOCKET, SO_PROTOCOL, &protocol) == -1
	           ? err_sys(err, "SO_PROTOCOL")
	           : protocol;
}

static int set_tcp_limits(int sock, int64_t idle_limit, struct err *err)
{
	/* A limit below a millisecond would read as "none". */
	int64_t user_timeout = idle_limit == 0 ? 0 : idle_limit / CLOCK_MILLISECOND + 1;

	if (set_option(sock, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY", err) == -1 ||
	    set_option(sock, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE", err) == -1 ||
	    set_option(sock, IPPROTO_TCP, TCP_KEEPIDLE, 30, "TCP_KEEPIDLE", err) == -1 ||
	    set_option(sock, IPPROTO_TCP, TCP_KEEPINTVL, 10, "TCP_KEEPINTVL", err) == -1 ||
	    set_option(sock, IPPROTO_TCP, TCP_KEEPCNT, 3, "TCP_KEEPCNT", err) == -1 ||
	    set_option(sock, IPPROTO_TCP, TCP_CORK, 0, "TCP_CORK", err) == -1 ||
	    set_option(sock, IPPROTO_TCP, TCP_LINGER2, 0, "TCP_LINGER2", err) == -1)
		return -1;
	if (user_timeout > INT32_MAX)
		user_timeout = 0;
	return set_option(sock, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)user_timeout,
	    "TCP_USER_TIMEOUT", err);
}

int sock_prepare(int sock, int64_t idle_limit, struct err *err)
{
	if (set_linger(sock, true) == -1)
		return err_sys(err, "SO_LINGER");
	if (keep_urgent_in_line(sock, err) == -1 ||
	    set_option(sock, SOL_SOCKET, SO_RCVLOWAT, 1, "SO_RCVLOWAT", err) == -1)
		return -1;
	int family = sock_family(sock, err);
	if (family == AF_UNIX)
		return set_option(sock, SOL_SOCKET, SO_PEEK_OFF, -1, "SO_PEEK_OFF", err);
	int protocol = get_protocol(sock, err);
	if (family == -1 || protocol == -1)
		return -1;
	return protocol == IPPROTO_TCP ? set_tcp_limits(sock, idle_limit, err) : 0;
}

void sock_pace(int sock, int64_t rate)
{
	uint64_t value = (uint64_t)rate;

	(void)setsockopt(sock, SOL_SOCKET, SO_MAX_PACING_RATE, &value, sizeof(value));
}

/* Writes the names that the kernel has, "reno cubic", or an empty string. */
static void list_congestion_controls(char *names, size_t size)
{
	int fd = open("/proc/sys/net/ipv4/tcp_available_congestion_control", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd == -1 ? -1 : read(fd, names, size - 1);

	if (fd != -1)
		close(fd);
	names[len > 0 ? len : 0] = '\0';
	names[strcspn(names, "\n")] = '\0';
}

int sock_set_congestion(int sock, const char *name, struct err *err)
{
	char names[256];

	int protocol = get_protocol(sock, err);
	if (protocol == -1)
		return -1;
	if (protocol != IPPROTO_TCP)
		return err_set(err, ERR_USAGE, 0, "only TCP has a congestion control");
	if (setsockopt(sock, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) == 0)
		return 0;
	if (errno == EPERM)
		return err_set(err, ERR_USAGE, 0,
		    "\"%s\" is for root only, or to be added to net.ipv4.tcp_allowed_congestion_control",
		    name);
	if (errno != ENOENT)
		return err_set(err, ERR_USAGE, errno, "%s", name);
	list_congestion_controls(names, sizeof(names));
	return err_set(err, ERR_USAGE, 0, "this kernel has no \"%s\"; it has: %s", name, names);
}

void sock_begin_abort(int sock)
{
	int accepts;

	if (get_option(sock, SOL_SOCKET, SO_ACCEPTCONN, &accepts) == -1 || accepts == 0)
		set_linger(sock, true);
}

void sock_end_abort(int sock)
{
	set_linger(sock, false); /* cannot fail where sock_prepare() did not */
}

int sock_shutdown_write(int sock, struct err *err)
{
	return shutdown(sock, SHUT_WR) == -1 ? err_sys(err, "shutdown") : 0;
}

int sock_reuse_addr(int sock, struct err *err)
{
	return set_option(sock, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR", err);
}

int sock_v6_only(int sock, struct err *err)
{
	return set_option(sock, IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY", err);
}

void sock_leave_port(int sock)
{
	int on = 1;

	(void)setsockopt(sock, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
}

int sock_take_error(int sock)
{
	int error = 0;

	return get_option(sock, SOL_SOCKET, SO_ERROR, &error) == -1 ? errno : error;
}

int64_t sock_unacknowledged(int sock)
{
	int bytes;

	return ioctl(sock, SIOCOUTQ, &bytes) == -1 ? -1 : bytes;
}

static int get_local(int sock, struct sock_addr *addr)
{
	addr->len = sizeof(addr->storage);
	return getsockname(sock, (struct sockaddr *)&addr->storage, &addr->len);
}

int sock_peer_addr(int sock, struct sock_addr *addr)
{
	addr->len = sizeof(addr->storage);
	return getpeername(sock, (struct sockaddr *)&addr->storage, &addr->len);
}

static void name_text(int status, const struct sock_addr *addr, char *text)
{
	if (status == -1)
		strlcpy(text, "unknown address", ADDR_TEXT_MAX);
	else
		addr_format(sock_sockaddr(addr), addr->len, text);
}

void sock_local_name(int sock, char *text)
{
	struct sock_addr addr;
	int status = get_local(sock, &addr);

	name_text(status, &addr, text);
}

void sock_peer_name(int sock, char *text)
{
	struct sock_addr addr;
	int status = sock_peer_addr(sock, &addr);

	name_text(status, &addr, text);
}

uint16_t sock_port(int sock)
{
	struct sock_addr addr;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (get_local(sock, &addr) == -1)
		return 0;
	memcpy(&in, &addr.storage, sizeof(in));
	memcpy(&in6, &addr.storage, sizeof(in6));
	switch (addr.storage.ss_family) {
	case AF_INET:
		return ntohs(in.sin_port);
	case AF_INET6:
		return ntohs(in6.sin6_port);
	default:
		return 0;
	}
}

bool sock_same(int a, int b)
{
	struct stat first;
	struct stat second;

	return fstat(a, &first) == 0 && fstat(b, &second) == 0 && S_ISSOCK(first.st_mode) &&
	       first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}
