/*
 * The connection to the peer, however it comes about: we connect, we listen, or we inherit it.
 */
#ifndef PEER_H
#define PEER_H

#include "base/err.h"
#include "cli/settings.h"
#include "net/addr.h"
#include "net/channel.h"
#include "net/listen.h"
#include "ui/report.h"

struct peer {
	int sock;                /* -1, too, once the channel has it */
	struct channel *channel; /* NULL: there is no connection */
	char name[ADDR_TEXT_MAX];
	char local[ADDR_TEXT_MAX];
	struct listen_set listening; /* empty where we connect */
};

/*
 * Whether there is the congestion control that settings ask for: better found now than when a peer is there.
 * Returns 0, or -1 with ERR_USAGE.
 */
int peer_check_congestion(const struct settings *settings, struct err *err);

/*
 * Listens where settings say, which may be an inherited socket, writes the port file, and says where (on port 0 and
 * then always, else with -v), and on a terminal, and with --peer, what to run at the other end. Blocks while a name is
 * looked up, until the deadline at the most. Returns 0, the set then being the caller's to close, or -1.
 */
int peer_listen(struct listen_set *listening, const struct settings *settings, int64_t deadline,
    const struct report *report, struct err *err);

/*
 * Gets the connection that settings ask for, prepared for a transfer (sock_prepare()); blocks until
 * it is there, each wait for no longer than limits allow. Where we listen, as peer_listen(), it takes the first who
 * comes and is allowed; who is not is reset, and noted with -v, and an inherited connection of such a one is
 * ERR_FAILED. Others can wait in peer->listening until it is closed. Where we connect, --peer prints what to run there.
 *
 * Returns 0, peer then being the caller's to close, or -1.
 */
int peer_open(struct peer *peer, const struct settings *settings, const struct time_limits *limits,
    const struct report *report, struct err *err);

/*
 * Closes a connection that turned out to be none of a peer, and takes the next one where we listen. Blocks
 * and returns as peer_open() does.
 */
int peer_next(struct peer *peer, const struct settings *settings, const struct time_limits *limits,
    const struct report *report, struct err *err);

/*
 * Takes a connection that was accepted elsewhere, and prepares it for a transfer. Returns 0, peer then being the
 * caller's to close, or -1, the connection being closed.
 */
int peer_take(struct peer *peer, const struct listen_accepted *accepted,
    const struct settings *settings, const struct report *report, struct err *err);

/*
 * For a transfer that fails before it begins: gets the connection for which we were started, an inherited one, or
 * the first that waits at an inherited socket, of those that are allowed; the others are reset. Does not block.
 * Returns 0, peer then being the caller's to close, which resets it, or -1 if there is none.
 */
int peer_open_waiting(struct peer *peer, const struct settings *settings,
    const struct report *report);

/* Writes into outcome who is connected, and that it begins now. */
void peer_describe(const struct peer *peer, struct outcome *outcome);

/* Closes the connection: an abort unless the transfer has settled the channel. */
void peer_close(struct peer *peer);

#endif
