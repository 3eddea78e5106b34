/*
 * Which kind of channel a socket needs.
 */
#ifndef CHANNEL_OPEN_H
#define CHANNEL_OPEN_H

#include <stdbool.h>

#include "base/err.h"
#include "net/channel.h"
#include "net/tls.h"

/* The two roles in which a channel is opened. */
enum channel_role { CHANNEL_SENDS, CHANNEL_RECEIVES };

struct channel_options {
	enum channel_role role;
	const struct tls *tls; /* for an encrypted channel; NULL: it is plain */
	bool is_tls_server;    /* the end that has accepted the connection, or was started for it */
};

/*
 * Opens the channel over sock, a connected stream socket that is prepared (sock_prepare()), of the
 * kind that the options and the family of the socket need. The handshake of an encrypted one is
 * still to be done (channel_tls.h). sock becomes the channel's to close; on failure it is closed.
 * options->tls has to outlive the channel. Does not block. Returns the channel, the caller's to
 * close, or NULL with ERR_FAILED.
 */
struct channel *channel_open(int sock, const struct channel_options *options, struct err *err);

#endif
