/*
 * What SO_LINGER {1, 0} does for TCP, done for unix sockets, where the death of a process looks like the
 * end of a stream: a way to tell our own kind that died from our own kind that finished, and
 * both from a stranger.
 *
 * The sender passes one end of a socket pair along with the first byte (SCM_RIGHTS, unix(7)). A
 * stranger's kernel closes it unseen. Our receiver takes it before it takes the byte, and says so;
 * from then on each side says on it when its end is certain, and whoever goes without that word has
 * died. Nothing of this is on the data path, and nothing here blocks.
 */
#ifndef LIFELINE_H
#define LIFELINE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum lifeline_peer {
	LIFELINE_STRANGER, /* the peer knows nothing of lifelines */
	LIFELINE_HELD,     /* it is our kind, and has not said that its end is certain */
	LIFELINE_ENDED,    /* it has said so */
};

struct lifeline {
	int fd;    /* our end, -1: there is none */
	int offer; /* the other end, until it is passed on */
	enum lifeline_peer peer;
};

/* What there is on a socket that is no unix socket, and before the other calls. */
extern const struct lifeline lifeline_none;

/*
 * Sender: makes a lifeline if sock is a unix socket. Returns 0, or -1 with ERR_FAILED. To be closed.
 */
int lifeline_open(struct lifeline *lifeline, int sock, struct err *err);

/*
 * Sender: sends what the socket takes of the first size bytes, the other end along with them. As io_send().
 */
ssize_t lifeline_send(struct lifeline *lifeline, int sock, const void *buffer, size_t size,
    struct err *err);

/*
 * Receiver: takes the lifeline that came with the first byte, if one did. To be called once the first
 * byte is there and before it is read. To be closed.
 */
void lifeline_take(struct lifeline *lifeline, int sock);

/* Says that our end is certain: what comes now, our death included, is no abort. */
void lifeline_end(const struct lifeline *lifeline);

/* What is known of the peer by now. */
enum lifeline_peer lifeline_peer(struct lifeline *lifeline);

/* Closes what lifeline_open() or lifeline_take() opened; a peer that still holds its end sees that. */
void lifeline_close(struct lifeline *lifeline);

#endif
