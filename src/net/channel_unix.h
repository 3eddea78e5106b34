/*
 * The channel over a unix socket, where SO_LINGER does nothing and the death of a process looks
 * like the end of a stream. A lifeline tells a peer of our kind that died from one that finished,
 * and both from any other program:
 *
 * The sender passes one end of a socket pair along with the first byte (SCM_RIGHTS, unix(7)). The
 * kernel of another program's receiver closes it unseen. Our receiver takes it before it takes the
 * byte, and says so on it; from then on each side says on it when its end is certain, and a side
 * that goes without that word has died. Nothing of this is on the data path, and nothing of it
 * blocks.
 */
#ifndef CHANNEL_UNIX_H
#define CHANNEL_UNIX_H

#include <stdbool.h>

#include "base/err.h"
#include "net/channel.h"

/*
 * As channel_open(), which chooses it, but on failure sock stays open. A sender offers a lifeline;
 * a receiver takes the one that comes with the first byte. Does not block. Returns the channel,
 * the caller's to close, or NULL with ERR_FAILED.
 */
struct channel *channel_unix_open(int sock, bool offers, struct err *err);

#endif
