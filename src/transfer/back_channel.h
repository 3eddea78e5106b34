/*
 * What the receiver says while we send: its lines, the end of its stream, and its death. An end of
 * its stream before ours says nothing of ours.
 */
#ifndef BACK_CHANNEL_H
#define BACK_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/channel.h"
#include "transfer/receipt.h"

/* Zeroed but for what the caller sets, nothing has been heard yet. */
struct back_channel {
	struct channel *channel; /* set by the caller */
	bool heeds_receipts;     /* else it is read and ignored; set by the caller */
	bool data_ended;         /* our stream has; set by the caller */
	struct receipt receipt;
	bool has_ended; /* the peer's stream */
};

/*
 * Reads some of what the peer says, if it says anything now. Returns 0, or -1: ERR_PEER if it says
 * that it has failed, ERR_INTERRUPTED, or ERR_FAILED as the channel. Does not block.
 */
int back_channel_read(struct back_channel *back, struct err *err);

/* Returns the events (channel_event bits) to wait for besides room for data. */
unsigned back_channel_events(const struct back_channel *back);

/*
 * Acts on what there is (channel_event bits): the peer speaks, ends its stream, or is gone. Returns
 * as back_channel_read(), or -1 with ECONNRESET if it is gone. Does not block.
 */
int back_channel_hear(struct back_channel *back, int events, struct err *err);

/*
 * Hears the peer until the time, or until there was something. Its channel has nothing more to say
 * once its stream has ended. Returns as back_channel_hear().
 */
int back_channel_wait(struct back_channel *back, int64_t until, struct err *err);

/*
 * Whether the peer has said why the connection has failed, as err says: err is ERR_PEER then. Its
 * last words may still lie there; a peer that says very much tells nothing. Does not block.
 */
bool back_channel_explains(struct back_channel *back, struct err *err);

/*
 * Whether the connection has broken after the peer's stream had ended, which shows nowhere else.
 * Returns 0, or -1 with ERR_FAILED. Does not block.
 */
int back_channel_check(const struct back_channel *back, struct err *err);

#endif
