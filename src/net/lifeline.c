#include "net/lifeline.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/sock.h"
#include "sys/io.h"
#include "sys/signals.h"

#define WORD_TAKEN 'T' /* the receiver holds its end */
#define WORD_ENDED 'E' /* this side's end is certain */

const struct lifeline lifeline_none = {.fd = -1, .offer = -1, .peer = LIFELINE_STRANGER};

/* Room for the one descriptor that is sent. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/*
 * Room for what may come: an inherited socket may be set to have credentials, a label or a pidfd come with
 * each message (SO_PASSCRED, SO_PASSSEC, SO_PASSPIDFD), and they come first.
 */
union incoming {
	struct cmsghdr header;
	char bytes[1024];
};

int lifeline_open(struct lifeline *lifeline, int sock, struct err *err)
{
	int pair[2];

	*lifeline = lifeline_none;
	if (!sock_is_unix(sock))
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == -1)
		return err_sys(err, "socketpair");
	lifeline->fd = pair[0];
	lifeline->offer = pair[1];
	return 0;
}

ssize_t lifeline_send(struct lifeline *lifeline, int sock, const void *buffer, size_t size,
    struct err *err)
{
	union control control = {.bytes = {0}};
	struct iovec data = {.iov_base = (void *)buffer, .iov_len = size};
	struct msghdr message = {
	    .msg_iov = &data,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &lifeline->offer, sizeof(int));
	if (signals_check(err) == -1)
		return -1;
	ssize_t n = sendmsg(sock, &message, MSG_NOSIGNAL);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : err_sys(err, "%s", "");
	close(lifeline->offer);
	lifeline->offer = -1;
	return n;
}

/* Keeps the first unix socket of a message and closes the others, which no peer of ours sends. */
static void take_descriptors(struct lifeline *lifeline, struct cmsghdr *header)
{
	size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;
		memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
		if (lifeline->fd == -1 && sock_is_unix(fd))
			lifeline->fd = fd;
		else
			close(fd);
	}
}

static void say(const struct lifeline *lifeline, char word)
{
	/* Whom it does not reach has gone. */
	if (lifeline->fd != -1)
		io_tell(lifeline->fd, &word, 1);
}

/* Only a look, so that if we die before we say that we hold it, the peer sees a reset. */
static ssize_t peek(int sock, struct msghdr *message)
{
	ssize_t n;

	do {
		n = recvmsg(sock, message, MSG_PEEK | MSG_CMSG_CLOEXEC);
	} while (n == -1 && errno == EINTR);
	return n;
}

void lifeline_take(struct lifeline *lifeline, int sock)
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

	*lifeline = lifeline_none;
	if (!sock_is_unix(sock) || peek(sock, &message) == -1)
		return;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
	     header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
			take_descriptors(lifeline, header);
	}
	/* One that was passed and could not be taken, for want of descriptors, is not a stranger's: never
	 * hearing its end, we do not take the stream for complete. */
	if (lifeline->fd != -1 || (message.msg_flags & MSG_CTRUNC) != 0)
		lifeline->peer = LIFELINE_HELD;
	say(lifeline, WORD_TAKEN);
}

void lifeline_end(const struct lifeline *lifeline)
{
	say(lifeline, WORD_ENDED);
}

/* The next word of the peer, if there is one by now. */
static bool hear(const struct lifeline *lifeline, char *word)
{
	ssize_t n;

	if (lifeline->fd == -1)
		return false;
	do {
		n = recv(lifeline->fd, word, 1, MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	return n == 1;
}

enum lifeline_peer lifeline_peer(struct lifeline *lifeline)
{
	char word;

	while (hear(lifeline, &word)) {
		if (word == WORD_TAKEN)
			lifeline->peer = LIFELINE_HELD;
		else if (word == WORD_ENDED)
			lifeline->peer = LIFELINE_ENDED;
	}
	return lifeline->peer;
}

void lifeline_close(struct lifeline *lifeline)
{
	if (lifeline->fd != -1)
		close(lifeline->fd);
	if (lifeline->offer != -1)
		close(lifeline->offer);
	*lifeline = lifeline_none;
}
