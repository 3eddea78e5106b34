#include "net/channel_open.h"

#include <unistd.h>

#include "net/channel_tcp.h"
#include "net/channel_unix.h"
#include "net/sock.h"

struct channel *channel_open(int sock, enum channel_role role, struct err *err)
{
	bool offers = role == CHANNEL_SENDS;
	struct channel *channel =
	    sock_is_unix(sock) ? channel_unix_open(sock, offers, err) : channel_tcp_open(sock, err);

	if (channel == NULL)
		close(sock);
	return channel;
}
