/*
 * How a connection comes about: we connect, we listen and accept, or we inherit it. What happens on
 * the way is told by callbacks; nothing is printed here.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"
#include "net/addr.h"
#include "net/allow.h"
#include "net/channel_open.h"
#include "net/connection.h"
#include "net/listen.h"
#include "net/tls.h"

/* The callbacks of an endpoint, called with context. Each may be NULL. */
struct endpoint_events {
	void *context;
	/* The peer may not connect, for the reason why; it is reset, and nothing of it is read. */
	void (*on_refused)(void *context, const char *peer, const char *why);
	/* The handshake with the peer has failed, which decides nothing: others may come. */
	void (*on_stray)(void *context, const char *peer, const char *why);
	/* So many tries to connect have failed, the last one as err says, and another follows. */
	void (*on_retry)(void *context, int failed, const struct err *err);
	/* To connect takes more than two seconds; called once. */
	void (*on_slow)(void *context);
	/* The connection to peer is there, and prepared. */
	void (*on_connected)(void *context, const char *peer);
	/* How many connections there are from that host already. */
	size_t (*count_from)(void *context, const struct sock_addr *host);
};

struct endpoint_options {
	bool listens; /* at address; else that is where to connect to, or inherited */
	struct addr address;
	int family;                     /* AF_INET, AF_INET6; else AF_UNSPEC */
	const struct addr *source;      /* where to connect from, or NULL */
	int64_t retry;                  /* ns to keep trying to connect for; 0: one try */
	const struct allow_list *allow; /* the peers that may connect to us */
	size_t max_per_host;            /* connections from one host at once; 0: no limit */
	const char *congestion;         /* TCP's congestion control by name, or NULL */
	int64_t idle_limit;             /* ns that a handshake may last; 0: no limit of -w */
	int64_t unacknowledged_limit;   /* ns that sent bytes may be so; 0: no limit */
	const struct tls *tls;          /* the keys, for encrypted connections only; or NULL */
	enum channel_role role;
	struct endpoint_events events;
};

/* How the connection will come about. */
enum endpoint_way { ENDPOINT_LISTENS, ENDPOINT_CONNECTS, ENDPOINT_INHERITS };

/*
 * Checks whether this kernel has the congestion control that options ask for: it is better found
 * now than when a peer is there. Returns 0, or -1 with ERR_USAGE. Does not block.
 */
int endpoint_check_congestion(const struct endpoint_options *options, struct err *err);

/*
 * Finds out how the connection will come about: an inherited socket says itself whether it
 * listens. Returns 0, or -1 with ERR_USAGE: it is no socket of use, or cannot tell peers apart as
 * --allow and --max-per-peer need it. Does not block.
 */
int endpoint_find_way(const struct endpoint_options *options, enum endpoint_way *way,
    struct err *err);

/*
 * Listens, for ENDPOINT_LISTENS. Blocks while a name is looked up, until the deadline at the most.
 * Returns 0, the set then being the caller's to close, or -1 as listen_open().
 */
int endpoint_listen(const struct endpoint_options *options, struct listen_set *listening,
    int64_t deadline, struct err *err);

/*
 * Accepts the next connection of a peer that may connect; the others are reset, which does not
 * renew the deadline. With DEADLINE_NOW it looks at a bounded number of those that wait. Blocks
 * until there is one or the deadline. Returns 0, accepted->sock then being the caller's to close,
 * or -1 as listen_accept().
 */
int endpoint_accept(const struct endpoint_options *options, struct listen_set *listening,
    int64_t deadline, struct listen_accepted *accepted, struct err *err);

/*
 * Makes a connection of one that was accepted, and prepares it for a transfer (sock_prepare()).
 * Blocks for the time of a handshake, if it is to be encrypted. Returns 0, the connection then
 * being the caller's to close, or -1, the socket being closed; with ERR_STRAY if the handshake has
 * failed.
 */
int endpoint_take(const struct endpoint_options *options, const struct listen_accepted *accepted,
    struct connection *connection, struct err *err);

/*
 * Gets the connection, prepared for a transfer: where it listens, listening being open, by
 * endpoint_accept(), and may be called again for the next one; else by connecting, again and again
 * as options->retry says, or by inheriting it. Each wait lasts no longer than limits allow.
 * Returns 0, the connection then being the caller's to close, or -1.
 */
int endpoint_open(const struct endpoint_options *options, enum endpoint_way way,
    struct listen_set *listening, const struct time_limits *limits, struct connection *connection,
    struct err *err);

/*
 * Gets the connection for which we were started, for a transfer that fails before it begins: an
 * inherited one, or the first that waits at an inherited socket, of peers that may connect; the
 * others are reset. Does not block. Returns 0, the connection then being the caller's to close,
 * which resets it, or -1 if there is none, or none to which a word can be said without a handshake.
 */
int endpoint_open_waiting(const struct endpoint_options *options, struct connection *connection);

#endif
