/*
 * A set of listening sockets, one an address, accepted from as one. Every address ("", *) is an IPv6
 * and an IPv4 socket on the same port, with port 0 too. Python's bind(), listen() and accept().
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "net/addr.h"
#include "net/happy_eyeballs.h"
#include "net/sock.h"

struct listen_set {
	size_t count;
	int fd[HAPPY_EYEBALLS_MAX];
	size_t next; /* whose turn it is, if connections wait at several */
	/* The file of a unix socket; it is removed when we close, if it is still this one. */
	char path[sizeof(((struct addr *)0)->path)];
	dev_t dev;
	ino_t ino;
};

/*
 * Listens on addr (any kind; ADDR_FD: an inherited socket that listens already) with that family
 * (AF_UNSPEC, AF_INET, AF_INET6). Blocks only while a name is looked up. A unix socket's file is made
 * with umask 077; one that nobody listens on any more is replaced.
 *
 * Returns 0, the set then being the caller's to close, or -1: ERR_FAILED naming the address that
 * cannot be had, or what resolve() gives. A family that this host lacks is no error if the
 * other one works.
 */
int listen_open(struct listen_set *set, const struct addr *addr, int family, int64_t deadline,
    struct err *err);

/* A connection that was accepted, with whose it is: later, after a reset, that could not be had. */
struct listen_accepted {
	int sock;
	struct sock_addr addr;
	char name[ADDR_TEXT_MAX]; /* addr as text; where it is a unix socket without one, ours */
};

/*
 * Accepts the next connection of any of the sockets, in turn where connections wait at several; blocks until it is there
 * or the deadline. Connections that are gone before they are accepted are passed over.
 *
 * Returns 0, the socket (sock.h's kind, not yet prepared, but its close is a reset) then being the caller's to
 * close, or -1.
 */
int listen_accept(struct listen_set *set, int64_t deadline, struct listen_accepted *accepted,
    struct err *err);

/* Writes where the set listens, "[::]:9009, 0.0.0.0:9009", into text of size bytes. */
void listen_names(const struct listen_set *set, char *text, size_t size);

/* Closes the sockets in this process only, for one that another goes on listening with. */
void listen_leave(struct listen_set *set);

/* Closes the sockets: whoever still waits to be accepted is refused. A second call does nothing. */
void listen_close(struct listen_set *set);

#endif
