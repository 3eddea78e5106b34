#include "net/channel_open.h"

#include <sys/socket.h>
#include <unistd.h>

#include "net/channel_tcp.h"
#include "net/channel_unix.h"
#include "net/sock.h"

struct channel *channel_open(int sock, enum channel_role role, struct err *err)
{
	bool offers = role == CHANNEL_SENDS;
	int family = sock_family(sock, err);
	struct channel *channel = NULL;

	if (family == AF_UNIX)
		channel = channel_unix_open(sock, offers, err);
	else if (family != -1)
		channel = channel_tcp_open(sock, err);
	if (channel == NULL)
		close(sock);
	return channel;
}
