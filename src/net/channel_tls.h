/*
 * A channel over TLS 1.3 (tls.h) over a stream socket. The end of a stream is a close_notify, which
 * only an end that has the key can send; any other end of the connection is an error, also one that
 * a proxy has made a FIN of. A peer that has ended its stream so is CHANNEL_PEER_DONE, and until
 * then it is CHANNEL_PEER_OPEN: no silence is taken for its end.
 *
 * The channel is for a transfer only after its handshake.
 */
#ifndef CHANNEL_TLS_H
#define CHANNEL_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/channel.h"
#include "net/tls.h"

/* How many bytes are sent with one key (RFC 8446, 5.5): long before its limit another follows. */
#define CHANNEL_TLS_KEY_BYTES (INT64_C(64) * 1024 * 1024 * 1024)

/*
 * Makes a channel of the connected socket, which becomes the channel's. tls has to outlive it.
 * key_bytes is CHANNEL_TLS_KEY_BYTES, or fewer in a test. Does not block. Returns the channel, the
 * caller's to close, or NULL with ERR_FAILED, the socket then still being the caller's.
 */
struct channel *channel_tls_open(int sock, const struct tls *tls, bool is_server, int64_t key_bytes,
    struct err *err);

/*
 * Goes on with the handshake as far as it goes without waiting. Returns 1 when it is done, 0 if it
 * has to wait for the socket to be ready for *events (poll(2)), or -1 as tls_handshake_error(), and
 * with EPROTO in err->errnum if the peer has sent something: then another try is of no use.
 */
int channel_tls_shake(struct channel *channel, short *events, struct err *err);

/*
 * Does the whole handshake. Blocks until the deadline at the latest. Returns 0, or -1: as
 * channel_tls_shake(), or ERR_TIMEOUT, or ERR_INTERRUPTED.
 */
int channel_tls_handshake(struct channel *channel, int64_t deadline, struct err *err);

/* Returns the socket, for a poll(2) during the handshake. */
int channel_tls_fd(const struct channel *channel);

/*
 * Makes the text of err, ERR_NO_KEY of a handshake, tell whether the peer has named a key that we
 * do not have, or has another of that name. This is for our log only: the peer is not to know.
 * Other errors stay as they are.
 */
void channel_tls_detail(const struct channel *channel, struct err *err);

#endif
