/*
 * A connection: the channel, and the addresses of its two ends as text.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "net/addr.h"
#include "net/channel.h"

/* A connection that is there, or was: the texts stay if no channel could be made of it. */
struct connection {
	struct channel *channel; /* NULL: there is none */
	char peer[ADDR_TEXT_MAX];
	char local[ADDR_TEXT_MAX];
};

/*
 * Closes the channel, if there is one: an abort unless the transfer has settled it. The texts stay.
 * Does not block.
 */
void connection_close(struct connection *connection);

#endif
