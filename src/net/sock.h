/*
 * Sockets as the rest of the program needs them: close-on-exec, non-blocking, with options by name.
 * No function here blocks. A function that takes a struct err returns 0, or -1 with ERR_FAILED, the
 * operation and the errno, unless its contract says otherwise.
 */
#ifndef SOCK_H
#define SOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

/* The address of a socket of any family. */
struct sock_addr {
	struct sockaddr_storage storage;
	socklen_t len;
};

/* Returns addr as bind(2) and connect(2) take it; valid as long as addr is. */
const struct sockaddr *sock_sockaddr(const struct sock_addr *addr);

/* Returns the address of a unix socket at path, which has to fit (struct addr). */
struct sock_addr sock_unix_addr(const char *path);

/*
 * Fills err for a bind(2) or connect(2) to addr that has just failed; operation may be empty. What
 * EINVAL means is said: an IPv6 address that is link-local (RFC 4291, 2.5.6) names no interface.
 * Returns -1.
 */
int sock_set_error(const struct sock_addr *addr, const char *operation, struct err *err);

/* Returns the port of an IPv4 or IPv6 address. */
uint16_t sock_port_of(const struct sock_addr *addr);

/* Sets the port of an IPv4 or IPv6 address. */
void sock_set_port(struct sock_addr *addr, uint16_t port);

/*
 * Makes a stream socket of the family (AF_INET, AF_INET6, AF_UNIX), with SO_OOBINLINE set. Returns
 * the descriptor, the caller's to close, or -1.
 */
int sock_open(int family, struct err *err);

/* Returns the family of a socket (AF_INET, AF_UNIX, ...), or -1, with ENOTSOCK if it is none. */
int sock_family(int sock, struct err *err);

/*
 * Takes over an inherited descriptor: checks that it is a stream socket of IPv4, IPv6 or unix, and
 * makes it close-on-exec and non-blocking. *listening becomes whether it listens (SO_ACCEPTCONN);
 * else its close is an abort from now on (sock_begin_abort()), and waits for nothing. Returns 0, or
 * -1 with ERR_USAGE if fd is no such socket, else with ERR_FAILED.
 */
int sock_adopt(int fd, bool *listening, struct err *err);

/*
 * Prepares a connection, before its first byte, with the options that every connection gets. An
 * inherited socket, and a connection accepted from one, may have any value before:
 *
 * - SO_LINGER {1, 0}: the death of the process, however it comes, is an RST, and not the FIN of a
 *   complete stream;
 * - SO_OOBINLINE: an urgent byte (MSG_OOB) is not lost, but received as part of the stream;
 * - SO_RCVLOWAT 1: a single byte is an event;
 * - unix: SO_PEEK_OFF -1: a look sees the first byte;
 * - TCP: keepalive after 30 s idle, every 10 s, 3 probes: the death of the peer's host is noticed;
 * - TCP_NODELAY, no TCP_CORK: the end of a receipt does not wait until its beginning is
 *   acknowledged;
 * - TCP_LINGER2 0: after a close our FIN stays a FIN, and does not become a reset;
 * - TCP_USER_TIMEOUT of idle_limit ns (RFC 5482), or none if that is 0: a connection whose data
 *   stay unacknowledged ends.
 */
int sock_prepare(int sock, int64_t idle_limit, struct err *err);

/*
 * Asks the kernel to put no more than rate bytes a second on the wire, headers included, evenly
 * (SO_MAX_PACING_RATE, socket(7)). A socket that cannot do so, as a unix socket, goes without it;
 * that is no error.
 */
void sock_pace(int sock, int64_t rate);

/*
 * Sets the congestion control of a TCP socket (TCP_CONGESTION, tcp(7)). Returns 0, or -1 with
 * ERR_USAGE; if the kernel has none of that name, the text lists those that it has.
 */
int sock_set_congestion(int sock, const char *name, struct err *err);

/*
 * Makes the death of the process, and a close, an RST, as sock_prepare() does among other things. A
 * socket that is known to listen stays as it is, for other processes may share it.
 */
void sock_begin_abort(int sock);

/*
 * Undoes sock_begin_abort() when the outcome is certain: from here on a close is a FIN, whatever is
 * still on its way.
 */
void sock_end_abort(int sock);

/* Ends our stream cleanly (shutdown(2)): by a FIN, even under SO_LINGER {1, 0}. */
int sock_shutdown_write(int sock, struct err *err);

/* Lets a listening socket take its port while old connections of it linger (SO_REUSEADDR). */
int sock_reuse_addr(int sock, struct err *err);

/*
 * Keeps an IPv6 socket from taking IPv4, so that one of each can have the same port (IPV6_V6ONLY).
 */
int sock_v6_only(int sock, struct err *err);

/*
 * Makes bind(2) to an address without a port leave the choice of the port to connect(2)
 * (IP_BIND_ADDRESS_NO_PORT, ip(7)). A port that bind(2) chooses is kept from all other connections,
 * wherever they go; so does a kernel without the option, which is no error.
 */
void sock_leave_port(int sock);

/*
 * Returns what became of a connect(2), an errno or 0, and clears it (SO_ERROR, socket(7)). Not for
 * a socket that has carried data: without its error, the next recv(2) would look like the end of
 * the stream.
 */
int sock_take_error(int sock);

/*
 * Returns how many bytes the peer's host has not acknowledged, the FIN counted as one (SIOCOUTQ,
 * tcp(7)), or, on a unix socket, how many the peer has not read; -1 if the kernel cannot tell.
 */
int64_t sock_unacknowledged(int sock);

/*
 * Write the address of our end (getsockname(2)) or of the peer's (getpeername(2)) into text, of
 * ADDR_TEXT_MAX bytes, as addr_format() does, or "unknown address" if it cannot be had.
 */
void sock_local_name(int sock, char *text);
void sock_peer_name(int sock, char *text);

/*
 * Gets the peer's address (getpeername(2)). Returns 0, or -1 with errno set: a connection that was
 * reset has no peer any more.
 */
int sock_peer_addr(int sock, struct sock_addr *addr);

/* Returns the port that a socket is bound to, or 0 if it has none. */
uint16_t sock_port(int sock);

/* Whether two descriptors are the same open socket (fstat(2)); false if one is no socket. */
bool sock_same(int a, int b);

#endif
