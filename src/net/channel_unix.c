#include "net/channel_unix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/channel_socket.h"
#include "net/sock.h"
#include "sys/io.h"
#include "sys/signals.h"

#define WORD_TAKEN 'T' /* the receiver holds its end of the lifeline */
#define WORD_ENDED 'E' /* this side's end is certain */
#define READS_MAX 16

/*
 * A unix socket takes no more than its buffer of some 200 KiB at once, and the rest of a larger
 * chunk has left the cache by its turn. Measured: 2.2 GB/s in chunks of 2M, 2.5 of 512K.
 */
#define UNIX_CHUNK_MAX ((size_t)512 * 1024)

struct channel_unix {
	struct channel_socket socket;
	int lifeline;   /* our end, -1: there is none */
	int offer;      /* sender: the other end, until it is passed on */
	bool has_taken; /* receiver: a lifeline was looked for; sender: true */
	enum channel_peer peer;
};

/* Room for the one descriptor that is sent. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/*
 * Room for the messages that may come: an inherited socket may be set to have credentials, a label
 * or a pidfd come with each message (SO_PASSCRED, SO_PASSSEC, SO_PASSPIDFD), and they come first.
 */
union incoming {
	struct cmsghdr header;
	char bytes[1024];
};

static struct channel_unix *unix_of(struct channel *channel)
{
	return (struct channel_unix *)channel;
}

/* Sends bytes, and the other end of the lifeline along with the first of them. */
static ssize_t send_with_offer(struct channel_unix *local, const void *bytes, size_t size,
    struct err *err)
{
	union control control = {.bytes = {0}};
	struct iovec data = {.iov_base = (void *)bytes, .iov_len = size};
	struct msghdr message = {
	    .msg_iov = &data,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &local->offer, sizeof(int));
	if (signals_check(err) == -1)
		return -1;
	ssize_t n = sendmsg(local->socket.fd, &message, MSG_NOSIGNAL);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? CHANNEL_LATER : err_sys(err, "%s", "");
	close(local->offer);
	local->offer = -1;
	return n;
}

static ssize_t unix_send(struct channel *channel, const void *bytes, size_t size, struct err *err)
{
	struct channel_unix *local = unix_of(channel);

	if (local->offer != -1)
		return send_with_offer(local, bytes, size, err);
	return channel_socket_send(channel, bytes, size, err);
}

/* Says a word on the lifeline. A peer that it does not reach has gone. */
static void say_word(const struct channel_unix *local, char word)
{
	if (local->lifeline != -1)
		io_tell(local->lifeline, &word, 1);
}

/* Whether it is, or may be: what cannot be told is no reason to take the peer for a stranger. */
static bool may_be_unix(int fd)
{
	struct err err = {.kind = ERR_NONE};
	int family = sock_family(fd, &err);

	return family == AF_UNIX || (family == -1 && err.errnum != ENOTSOCK);
}

/* Keeps the first unix socket of a message and closes the others, which no peer of ours sends. */
static void take_descriptors(struct channel_unix *local, struct cmsghdr *header)
{
	size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;
		memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
		if (local->lifeline == -1 && may_be_unix(fd))
			local->lifeline = fd;
		else
			close(fd);
	}
}

/*
 * Takes the lifeline that came with the first byte, if one did; has_taken becomes true once that
 * byte is there. This is only a look, so that if we die before we say that we hold it, the peer
 * sees a reset. Returns 0, or -1: then nobody knows.
 */
static int take_lifeline(struct channel_unix *local, struct err *err)
{
	union incoming control;
	char byte;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {
	    .msg_iov = &data,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes),
	};

	if (recvmsg(local->socket.fd, &message, MSG_PEEK | MSG_CMSG_CLOEXEC) == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : err_sys(err, "%s", "");
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
	     header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
			take_descriptors(local, header);
	}
	/*
	 * A lifeline that was passed and could not be taken, for want of descriptors, still tells
	 * that the peer is of our kind: its end is never heard, and so the stream is not taken for
	 * whole.
	 */
	if (local->lifeline != -1 || (message.msg_flags & MSG_CTRUNC) != 0)
		local->peer = CHANNEL_PEER_OPEN;
	say_word(local, WORD_TAKEN);
	local->has_taken = true;
	return 0;
}

static ssize_t unix_recv(struct channel *channel, void *bytes, size_t size, int64_t deadline,
    struct err *err)
{
	struct channel_unix *local = unix_of(channel);

	while (!local->has_taken) {
		int events = channel_socket_wait(channel, CHANNEL_READABLE, NULL, deadline, err);
		if (events <= 0)
			return events == 0 ? CHANNEL_LATER : -1;
		if (take_lifeline(local, err) == -1)
			return -1;
		if (!local->has_taken && clock_now() >= deadline)
			return CHANNEL_LATER;
	}
	return channel_socket_recv(channel, bytes, size, deadline, err);
}

static int unix_finish(struct channel *channel, struct err *err)
{
	say_word(unix_of(channel), WORD_ENDED);
	return channel_socket_finish(channel, err);
}

static void unix_settle(struct channel *channel)
{
	say_word(unix_of(channel), WORD_ENDED);
	channel_socket_settle(channel);
}

/*
 * Hears the words that the peer has said by now, but not without end: one of our kind says two in
 * all, and another may go on for ever. A read may be interrupted, or short.
 */
static enum channel_peer unix_peer(struct channel *channel)
{
	struct channel_unix *local = unix_of(channel);
	char word;

	for (int reads = 0; reads < READS_MAX && local->lifeline != -1; reads++) {
		ssize_t n = recv(local->lifeline, &word, 1, MSG_DONTWAIT);
		if (n == 0 || (n == -1 && errno != EINTR))
			break;
		if (n == 1 && word == WORD_TAKEN)
			local->peer = CHANNEL_PEER_OPEN;
		else if (n == 1 && word == WORD_ENDED)
			local->peer = CHANNEL_PEER_DONE;
	}
	return local->peer;
}

/* Nothing goes over a wire here. */
static void unix_pace(struct channel *channel, int64_t rate)
{
	(void)channel;
	(void)rate;
}

/* A peer that still holds its end of the lifeline sees that ours is closed. */
static void close_lifeline(struct channel_unix *local)
{
	if (local->lifeline != -1)
		close(local->lifeline);
	if (local->offer != -1)
		close(local->offer);
}

static void unix_close(struct channel *channel)
{
	close_lifeline(unix_of(channel));
	channel_socket_close(channel);
}

static const struct channel_type channel_unix = {
    .send = unix_send,
    .recv = unix_recv,
    .wait = channel_socket_wait,
    .say = channel_socket_say,
    .finish = unix_finish,
    .settle = unix_settle,
    .check = channel_socket_check,
    .peer = unix_peer,
    .in_flight = channel_socket_in_flight,
    .is_gone = channel_socket_is_gone,
    .pace = unix_pace,
    .close = unix_close,
};

static int make_lifeline(struct channel_unix *local, struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == -1)
		return err_sys(err, "socketpair");
	local->lifeline = pair[0];
	local->offer = pair[1];
	return 0;
}

struct channel *channel_unix_open(int sock, bool offers, struct err *err)
{
	struct channel_unix *local = malloc(sizeof(*local));

	if (local == NULL) {
		err_sys(err, "channel");
		return NULL;
	}
	*local = (struct channel_unix){
	    .socket =
		{
		    .channel = {.type = &channel_unix,
			.chunk_max = UNIX_CHUNK_MAX,
			.shows_death = true},
		    .fd = sock,
		},
	    .lifeline = -1,
	    .offer = -1,
	    .has_taken = offers,
	};
	if (!offers || make_lifeline(local, err) == 0)
		return &local->socket.channel;
	free(local);
	return NULL;
}
