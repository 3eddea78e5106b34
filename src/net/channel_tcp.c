#include "net/channel_tcp.h"

#include <stdlib.h>

#include "net/channel_socket.h"

/* TCP tells nothing of the program at the other end. */
static enum channel_peer tcp_peer(struct channel *channel)
{
	(void)channel;
	return CHANNEL_PEER_UNKNOWN;
}

static const struct channel_type channel_tcp = {
    .send = channel_socket_send,
    .recv = channel_socket_recv,
    .wait = channel_socket_wait,
    .say = channel_socket_say,
    .finish = channel_socket_finish,
    .settle = channel_socket_settle,
    .check = channel_socket_check,
    .peer = tcp_peer,
    .in_flight = channel_socket_in_flight,
    .is_gone = channel_socket_is_gone,
    .pace = channel_socket_pace,
    .close = channel_socket_close,
};

struct channel *channel_tcp_open(int sock, struct err *err)
{
	struct channel_socket *tcp = malloc(sizeof(*tcp));

	if (tcp == NULL) {
		err_sys(err, "channel");
		return NULL;
	}
	*tcp = (struct channel_socket){.channel = {.type = &channel_tcp}, .fd = sock};
	return &tcp->channel;
}
