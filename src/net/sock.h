/*
 * Sockets as the rest of the program wants them: close-on-exec, non-blocking, with options by name.
 * Nothing here blocks. Functions that take a struct err give ERR_FAILED, operation and errno in it.
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

/* The address as bind(2) and connect(2) take it; valid as long as addr is. */
const struct sockaddr *sock_sockaddr(const struct sock_addr *addr);

/* The address of a unix socket at path, which fits (addr.h). */
struct sock_addr sock_unix_addr(const char *path);

/* The port of an IPv4 or IPv6 address. */
uint16_t sock_port_of(const struct sock_addr *addr);

/* Sets the port of an IPv4 or IPv6 address. */
void sock_set_port(struct sock_addr *addr, uint16_t port);

/* A stream socket of that family (AF_...). Returns the descriptor, the caller's to close, or -1. */
int sock_open(int family, struct err *err);

/*
 * Takes over an inherited descriptor: checks that it is a stream socket and makes it close-on-exec and
 * non-blocking. *listening tells which of the two kinds it is (SO_ACCEPTCONN). Returns 0, or -1 with
 * ERR_USAGE if fd is no such socket.
 */
int sock_adopt(int fd, bool *listening, struct err *err);

/*
 * What every data connection gets before its first byte: SO_LINGER {1, 0}, so that the death of the
 * process, however it comes, is an RST and not the FIN of a complete stream; keepalive after
 * 30 s idle, every 10 s, 3 probes, so that a peer's dead machine is noticed; TCP_NODELAY, for the end of a
 * receipt must not wait until its beginning is acknowledged; and, unless idle_limit
 * (ns) is 0, TCP_USER_TIMEOUT of that time (RFC 5482), which ends a connection whose data stay
 * unacknowledged. Options that the family does not have are left out.
 */
int sock_prepare(int sock, int64_t idle_limit, struct err *err);

/*
 * Asks the kernel to put no more than rate bytes a second on the wire, headers included and evenly
 * (SO_MAX_PACING_RATE, socket(7)). A wish: what has no such thing, as a unix socket, goes without.
 */
void sock_pace(int sock, int64_t rate);

/*
 * Sets the congestion control of a TCP socket (TCP_CONGESTION, tcp(7)). Returns 0, or -1 with ERR_USAGE naming
 * those that there are.
 */
int sock_set_congestion(int sock, const char *name, struct err *err);

/*
 * Of sock_prepare(), only that the death of the process is an RST. Does nothing to a socket that listens: it may be
 * others' too.
 */
void sock_begin_abort(int sock);

/* The end is certain: from here on a close is a FIN, whatever is still on its way. */
void sock_end_abort(int sock);

/* shutdown(2) of our direction: the clean end of our stream, a FIN even under SO_LINGER {1, 0}. */
int sock_shutdown_write(int sock, struct err *err);

/* Lets a listening socket take its port while old connections of it linger (SO_REUSEADDR). */
int sock_reuse_addr(int sock, struct err *err);

/* Keeps an IPv6 socket out of IPv4's way, so that one of each can have the same port (IPV6_V6ONLY). */
int sock_v6_only(int sock, struct err *err);

/*
 * SO_ERROR: what became of a connect(2). Returns an errno or 0. It clears the error: the next
 * recv(2) would look like an end of file, so never ask it of a socket with data.
 */
int sock_take_error(int sock);

/*
 * Bytes, the FIN counted as one, that the peer's kernel has not acknowledged (SIOCOUTQ, tcp(7)); on a
 * unix socket, those that the peer has not read. Returns -1 where the kernel cannot tell.
 */
int64_t sock_unacknowledged(int sock);

/* getsockname(2) and getpeername(2) as text of ADDR_TEXT_MAX bytes, "unknown address" if they fail. */
void sock_local_name(int sock, char *text);
void sock_peer_name(int sock, char *text);

/* getpeername(2). Returns 0, or -1 with errno set: a connection that was reset has no peer any more. */
int sock_peer_addr(int sock, struct sock_addr *addr);

/* The port a socket is bound to, 0 if it has none. */
uint16_t sock_port(int sock);

/* Whether it is a unix socket; false for what is no socket. */
bool sock_is_unix(int sock);

/* Whether two descriptors are the same open socket (fstat(2)); false for what is no socket. */
bool sock_same(int a, int b);

#endif
