#include "net/handshakes.h"

#include <string.h>

#include "base/deadline.h"
#include "net/channel_tls.h"

static void remove_one(struct handshakes *handshakes, size_t i)
{
	struct handshake *one = &handshakes->one[i];

	handshakes->count--;
	memmove(one, one + 1, (handshakes->count - i) * sizeof(*one));
}

static void fail_one(struct handshakes *handshakes, size_t i, struct err *why)
{
	struct connection *connection = &handshakes->one[i].connection;

	channel_tls_detail(connection->channel, why);
	if (handshakes->on_failed != NULL)
		handshakes->on_failed(handshakes->context, connection->peer, why->text);
	connection_close(connection);
	remove_one(handshakes, i);
}

void handshakes_add(struct handshakes *handshakes, const struct connection *connection,
    int64_t deadline)
{
	struct err err;

	if (handshakes->count == HANDSHAKES_MAX) {
		err_set(&err, ERR_FAILED, 0, "handshake: gave way to others that came later");
		fail_one(handshakes, 0, &err);
	}
	handshakes->one[handshakes->count++] = (struct handshake){
	    .connection = *connection,
	    .events = POLLIN, /* a client speaks first */
	    .deadline = deadline,
	};
}

size_t handshakes_poll(const struct handshakes *handshakes, struct pollfd *fds, int64_t *deadline)
{
	for (size_t i = 0; i < handshakes->count; i++) {
		const struct handshake *one = &handshakes->one[i];
		fds[i] = (struct pollfd){
		    .fd = channel_tls_fd(one->connection.channel),
		    .events = one->events,
		};
		*deadline = deadline_min(*deadline, one->deadline);
	}
	return handshakes->count;
}

/* Goes on with one, which is ready or late. Returns as channel_tls_shake(). */
static int advance_one(struct handshake *one, bool is_ready, struct err *err)
{
	int status = 0;

	if (is_ready)
		status = channel_tls_shake(one->connection.channel, &one->events, err);
	if (status == 0 && clock_now() >= one->deadline)
		return err_set(err, ERR_TIMEOUT, 0, "handshake: timed out");
	return status;
}

int handshakes_advance(struct handshakes *handshakes, const struct pollfd *fds,
    struct connection *done)
{
	struct err err;
	size_t looked_at = 0;

	for (size_t i = 0; i < handshakes->count; looked_at++) {
		int status = advance_one(&handshakes->one[i], fds[looked_at].revents != 0, &err);
		if (status == 1) {
			*done = handshakes->one[i].connection;
			remove_one(handshakes, i);
			return 1;
		}
		if (status == -1)
			fail_one(handshakes, i, &err);
		else
			i++;
	}
	return 0;
}

void handshakes_close(struct handshakes *handshakes)
{
	while (handshakes->count > 0) {
		connection_close(&handshakes->one[0].connection);
		remove_one(handshakes, 0);
	}
}
