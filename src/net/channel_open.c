#include "net/channel_open.h"

#include <sys/socket.h>
#include <unistd.h>

#include "net/channel_tcp.h"
#include "net/channel_tls.h"
#include "net/channel_unix.h"
#include "net/sock.h"

static struct channel *open_kind(int sock, const struct channel_options *options, struct err *err)
{
	int family = sock_family(sock, err);

	if (family == -1)
		return NULL;
	if (options->tls != NULL)
		return channel_tls_open(sock, options->tls, options->is_tls_server,
		    CHANNEL_TLS_KEY_BYTES, err);
	if (family == AF_UNIX)
		return channel_unix_open(sock, options->role == CHANNEL_SENDS, err);
	return channel_tcp_open(sock, err);
}

struct channel *channel_open(int sock, const struct channel_options *options, struct err *err)
{
	struct channel *channel = open_kind(sock, options, err);

	if (channel == NULL)
		close(sock);
	return channel;
}
