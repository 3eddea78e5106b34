/*
 * Which kind of channel a socket needs.
 */
#ifndef CHANNEL_OPEN_H
#define CHANNEL_OPEN_H

#include "base/err.h"
#include "net/channel.h"

/* The two roles in which a channel is opened. */
enum channel_role { CHANNEL_SENDS, CHANNEL_RECEIVES };

/*
 * Opens the channel over sock, a connected stream socket that is prepared (sock_prepare()), of the
 * kind that the family of the socket needs. sock becomes the channel's to close; on failure it is
 * closed. Does not block. Returns the channel, the caller's to close, or NULL with ERR_FAILED.
 */
struct channel *channel_open(int sock, enum channel_role role, struct err *err);

#endif
