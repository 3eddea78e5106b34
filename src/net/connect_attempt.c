#include "net/connect_attempt.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "net/addr.h"

const char *connect_attempt_advice(int errnum)
{
	switch (errnum) {
	case ECONNREFUSED:
	case ENOENT: /* a unix socket */
		return "nobody listens there yet: start the other end, or use -r 60";
	case EADDRNOTAVAIL: /* for our end, while there is no network */
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
		return "no way there: is the address right, and the network up?";
	case ETIMEDOUT:
		return "no answer: is the address right, and no firewall between?";
	default:
		return NULL;
	}
}

/* Too many connections to that place have, or had a minute ago, all the ports of our address. */
static int set_no_port(struct err *err)
{
	err_set(err, ERR_FAILED, 0, "no local port is free");
	err->errnum = EADDRINUSE;
	return err_advise(err, "too many connections go there; wait a minute, or give -s another "
			       "address");
}

static int set_bind_error(const struct sock_addr *source, struct err *err)
{
	sock_set_error(source, "bind to source address", err);
	switch (err->errnum) {
	case EADDRINUSE:
		if (sock_port_of(source) == 0)
			return set_no_port(err);
		return err_advise(err, "that source port is taken; without one, -s takes any");
	case EADDRNOTAVAIL:
		return err_advise(err, "-s takes an address of this machine");
	default:
		return -1;
	}
}

static int bind_source(int sock, const struct resolve_list *sources, int family, struct err *err)
{
	for (size_t i = 0; i < sources->count; i++) {
		const struct sock_addr *source = &sources->addr[i];
		if (source->storage.ss_family != family)
			continue;
		if (sock_port_of(source) == 0)
			sock_leave_port(sock);
		if (bind(sock, sock_sockaddr(source), source->len) == 0)
			return 0;
		return set_bind_error(source, err);
	}
	err_set(err, ERR_FAILED, 0, "the source address is of the other family");
	err->errnum = EAFNOSUPPORT;
	return -1;
}

/*
 * Whether this machine has an address from which it would connect there. connect(2) of a datagram
 * socket chooses it, and needs no port of TCP and sends nothing.
 */
static bool has_own_address(const struct sock_addr *addr)
{
	int sock = socket(addr->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock == -1)
		return false;
	bool has = connect(sock, sock_sockaddr(addr), addr->len) == 0;
	close(sock);
	return has;
}

/* connect(2) says EADDRNOTAVAIL for two things: we have no address, or it has no port left. */
static int set_connect_error(const struct sock_addr *addr, struct err *err)
{
	sock_set_error(addr, "", err);
	if (err->errnum == EADDRNOTAVAIL && has_own_address(addr))
		return set_no_port(err);
	return err_advise(err, connect_attempt_advice(err->errnum));
}

/*
 * Whether the socket is connected to itself. A connect to a port of this host that no program
 * listens on can meet itself by simultaneous open (RFC 9293, 3.5), if the kernel happens to choose
 * the same port for our end.
 */
static bool is_self(int sock)
{
	char local[ADDR_TEXT_MAX];
	char peer[ADDR_TEXT_MAX];

	sock_local_name(sock, local);
	sock_peer_name(sock, peer);
	return sock_port(sock) != 0 && strcmp(local, peer) == 0;
}

int connect_attempt_begin(const struct sock_addr *addr, const struct resolve_list *sources,
    struct err *err)
{
	int sock = sock_open(addr->storage.ss_family, err);

	if (sock == -1)
		return -1;
	/*
	 * An attempt that loses the race or meets itself, or whose process dies, is no empty stream
	 * for whoever has accepted it, nor may its port stay in TIME-WAIT: a receiver that we wait
	 * for may be about to listen there.
	 */
	sock_begin_abort(sock);
	if (sources != NULL && bind_source(sock, sources, addr->storage.ss_family, err) == -1)
		goto fail;
	/* EINTR: the connect goes on in the background all the same (connect(2)). */
	if (connect(sock, sock_sockaddr(addr), addr->len) == 0 || errno == EINPROGRESS ||
	    errno == EINTR)
		return sock;
	set_connect_error(addr, err);
fail:
	close(sock);
	return -1;
}

int connect_attempt_end(int sock, struct err *err)
{
	int error = sock_take_error(sock);

	if (error == 0 && is_self(sock))
		error = ECONNREFUSED;
	if (error == 0)
		return 0;
	err_set(err, ERR_FAILED, error, "%s", "");
	return err_advise(err, connect_attempt_advice(error));
}
