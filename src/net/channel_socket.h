/*
 * The members of a channel's table (channel.h) as a single socket has them, for the kinds of
 * channel that are one. The contracts are those of the table.
 */
#ifndef CHANNEL_SOCKET_H
#define CHANNEL_SOCKET_H

#include "net/channel.h"

/* A kind of channel over a socket embeds this as its first member. */
struct channel_socket {
	struct channel channel;
	int fd; /* non-blocking */
};

/* send(2). */
ssize_t channel_socket_send(struct channel *channel, const void *bytes, size_t size,
    struct err *err);

/* recv(2). */
ssize_t channel_socket_recv(struct channel *channel, void *bytes, size_t size, int64_t deadline,
    struct err *err);

/* poll(2) of the socket and of the other descriptor. */
int channel_socket_wait(struct channel *channel, unsigned events, struct pollfd *other,
    int64_t deadline, struct err *err);

/* io_tell(). */
void channel_socket_say(struct channel *channel, const char *line, size_t len);

/* shutdown(2), a FIN even under SO_LINGER {1, 0}. */
int channel_socket_finish(struct channel *channel, struct err *err);

/* SO_LINGER is switched off. */
void channel_socket_settle(struct channel *channel);

/* SO_ERROR. */
int channel_socket_check(struct channel *channel, struct err *err);

/* SIOCOUTQ. */
int64_t channel_socket_in_flight(const struct channel *channel);

/* POLLHUP. */
bool channel_socket_is_gone(const struct channel *channel);

/* SO_MAX_PACING_RATE. */
void channel_socket_pace(struct channel *channel, int64_t rate);

/* close(2), and free(3) of the channel. */
void channel_socket_close(struct channel *channel);

#endif
