#include "net/channel_socket.h"

#include <stdlib.h>
#include <unistd.h>

#include "net/sock.h"
#include "sys/io.h"

static int socket_of(const struct channel *channel)
{
	return ((const struct channel_socket *)channel)->fd;
}

ssize_t channel_socket_send(struct channel *channel, const void *bytes, size_t size,
    struct err *err)
{
	return io_send(socket_of(channel), bytes, size, err);
}

ssize_t channel_socket_recv(struct channel *channel, void *bytes, size_t size, int64_t deadline,
    struct err *err)
{
	return io_recv(socket_of(channel), bytes, size, deadline, err);
}

static short poll_events(unsigned events)
{
	return (short)(((events & CHANNEL_READABLE) != 0 ? POLLIN : 0) |
		       ((events & CHANNEL_WRITABLE) != 0 ? POLLOUT : 0));
}

static int channel_events(short revents)
{
	int events = 0;

	if ((revents & (POLLERR | POLLHUP)) != 0)
		events |= CHANNEL_HUNG_UP | CHANNEL_READABLE;
	if ((revents & POLLIN) != 0)
		events |= CHANNEL_READABLE;
	if ((revents & POLLOUT) != 0)
		events |= CHANNEL_WRITABLE;
	return events;
}

int channel_socket_wait(struct channel *channel, unsigned events, struct pollfd *other,
    int64_t deadline, struct err *err)
{
	struct pollfd fds[2] = {
	    {.fd = events == 0 ? -1 : socket_of(channel), .events = poll_events(events)},
	    {.fd = -1},
	};

	if (other != NULL)
		fds[1] = *other;
	if (io_poll(fds, 2, deadline, err) == -1)
		return -1;
	if (other != NULL)
		other->revents = fds[1].revents;
	return channel_events(fds[0].revents) | (fds[1].revents != 0 ? CHANNEL_OTHER : 0);
}

void channel_socket_say(struct channel *channel, const char *line, size_t len)
{
	io_tell(socket_of(channel), line, len);
}

int channel_socket_finish(struct channel *channel, struct err *err)
{
	return sock_shutdown_write(socket_of(channel), err);
}

void channel_socket_settle(struct channel *channel)
{
	sock_end_abort(socket_of(channel));
}

int channel_socket_check(struct channel *channel, struct err *err)
{
	int error = sock_take_error(socket_of(channel));

	return error == 0 ? 0 : err_set(err, ERR_FAILED, error, "%s", "");
}

int64_t channel_socket_in_flight(const struct channel *channel)
{
	return sock_unacknowledged(socket_of(channel));
}

bool channel_socket_is_gone(const struct channel *channel)
{
	return io_hung_up(socket_of(channel));
}

void channel_socket_pace(struct channel *channel, int64_t rate)
{
	sock_pace(socket_of(channel), rate);
}

void channel_socket_close(struct channel *channel)
{
	close(socket_of(channel));
	free(channel);
}
