/*
 * The channel over TCP, and over every other stream socket that is no unix socket. The death of the
 * process is an RST, by SO_LINGER {1, 0} (sock_prepare()); a stream that ends with FIN is whole.
 */
#ifndef CHANNEL_TCP_H
#define CHANNEL_TCP_H

#include "base/err.h"
#include "net/channel.h"

/*
 * As channel_open(), which chooses it, but on failure sock stays open. Does not block. Returns the
 * channel, the caller's to close, or NULL with ERR_FAILED (memory).
 */
struct channel *channel_tcp_open(int sock, struct err *err);

#endif
