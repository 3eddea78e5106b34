/*
 * A set of listening sockets, one for each address, that accepts as one socket. "Every address"
 * ("", *) is an IPv6 and an IPv4 socket with the same port, also if the port is 0. As Python's
 * bind(), listen() and accept().
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "net/addr.h"
#include "net/sock.h"

/* The most addresses to listen on, of one name. */
#define LISTEN_MAX 32

struct listen_set {
	size_t count;
	int fd[LISTEN_MAX];
	size_t next; /* the socket to accept from first, if connections wait at several */
	/* The file of a unix socket; listen_close() removes it, if it is still the same file. */
	char path[sizeof(((struct addr *)0)->path)];
	dev_t dev;
	ino_t ino;
};

/*
 * Listens on addr, of any kind (ADDR_FD: an inherited socket that listens already), with the family
 * AF_UNSPEC, AF_INET or AF_INET6. A name may have LISTEN_MAX addresses of this host. A unix
 * socket's file is made with umask 077, and replaces one that no program listens on any more,
 * unless it is a stranger's (sys/place.h). Blocks until the deadline at the latest while a name is
 * looked up, and for a second at most while other programs replace a file in the same directory.
 *
 * Returns 0, the set then being the caller's to close, or -1: ERR_FAILED, whose text names the
 * address that cannot be had, ERR_USAGE if ADDR_FD is no listening stream socket, or an error of
 * resolve(). A family that this host lacks is no error if the other one works.
 */
int listen_open(struct listen_set *set, const struct addr *addr, int family, int64_t deadline,
    struct err *err);

/* An accepted connection and its peer's address, which cannot be had any more after a reset. */
struct listen_accepted {
	int sock;
	struct sock_addr addr;
	char name[ADDR_TEXT_MAX]; /* addr as text; our own if the peer's unix socket has none */
};

/*
 * Accepts the next connection of any of the sockets, in turn if connections wait at several. Blocks
 * until one is there or the deadline. Passes over connections that have gone before.
 *
 * Returns 0, and *accepted, whose socket is the caller's to close, or -1: ERR_FAILED, ERR_TIMEOUT
 * or ERR_INTERRUPTED. The socket is as sock_open() makes it, not yet prepared; to close it is a
 * reset.
 */
int listen_accept(struct listen_set *set, int64_t deadline, struct listen_accepted *accepted,
    struct err *err);

/*
 * Writes the addresses that the set listens on, "[::]:9009, 0.0.0.0:9009", into text of size bytes,
 * at least ADDR_TEXT_MAX. Those for which there is no room are counted: " and 3 more". Does not
 * block.
 */
void listen_names(const struct listen_set *set, char *text, size_t size);

/*
 * Closes the sockets in this process only; another process that shares them goes on listening. Does
 * not block.
 */
void listen_leave(struct listen_set *set);

/*
 * Closes the sockets, which refuses the peers that still wait to be accepted, and removes the file
 * of a unix socket. A second call does nothing. Does not block.
 */
void listen_close(struct listen_set *set);

#endif
