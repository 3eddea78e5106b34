#include "net/endpoint.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "net/channel_tls.h"
#include "net/connect_retry.h"
#include "net/handshakes.h"
#include "net/sock.h"
#include "sys/io.h"

/* So many peers that may not connect are looked at in one go, where nothing is waited for. */
#define REFUSED_MAX 64

/* The most time that a handshake may take. */
#define HANDSHAKE_LIMIT (10 * CLOCK_SECOND)

static bool is_limited(const struct endpoint_options *options)
{
	return options->allow->count > 0 || options->max_per_host != 0;
}

/* The peers of a unix socket have no address by which to tell them apart. */
static int check_inherited(const struct endpoint_options *options, struct err *err)
{
	const char *only = options->allow->count > 0 ? "--allow" : "--max-per-peer";

	if (!is_limited(options))
		return 0;
	int family = sock_family(options->address.fd, err);
	if (family == -1)
		return err_set(err, ERR_USAGE, err->errnum, "fd:%d", options->address.fd);
	if (family != AF_UNIX)
		return 0;
	return err_set(err, ERR_USAGE, 0, "%s: fd:%d is no TCP socket", only, options->address.fd);
}

int endpoint_find_way(const struct endpoint_options *options, enum endpoint_way *way,
    struct err *err)
{
	bool is_listening;

	if (options->address.kind != ADDR_FD) {
		*way = options->listens ? ENDPOINT_LISTENS : ENDPOINT_CONNECTS;
		return 0;
	}
	if (check_inherited(options, err) == -1)
		return -1;
	*way = ENDPOINT_LISTENS; /* endpoint_listen() finds out whether it can */
	if (options->listens)
		return 0;
	if (sock_adopt(options->address.fd, &is_listening, err) == -1)
		return -1;
	if (!is_listening)
		*way = ENDPOINT_INHERITS;
	return 0;
}

int endpoint_check_congestion(const struct endpoint_options *options, struct err *err)
{
	bool is_inet = options->address.kind == ADDR_INET;

	if (options->congestion == NULL || options->address.kind == ADDR_FD)
		return 0;
	int sock = sock_open(is_inet ? AF_INET : AF_UNIX, err);
	if (sock == -1 && err->errnum == EAFNOSUPPORT) {
		err_clear(err);
		return 0;
	}
	if (sock == -1)
		return -1;
	int status = sock_set_congestion(sock, options->congestion, err);
	close(sock);
	return status == 0 ? 0 : err_prefix(err, "-C, --congestion");
}

int endpoint_listen(const struct endpoint_options *options, struct listen_set *listening,
    int64_t deadline, struct err *err)
{
	if (listen_open(listening, &options->address, options->family, deadline, err) == 0)
		return 0;
	return err_prefix(err, "listen");
}

/* Why the peer may not connect, or NULL. */
static const char *objection(const struct endpoint_options *options, const struct sock_addr *host)
{
	const struct endpoint_events *events = &options->events;

	if (!allow_admits(options->allow, sock_sockaddr(host)))
		return "not allowed";
	if (options->max_per_host > 0 && events->count_from != NULL &&
	    events->count_from(events->context, host) >= options->max_per_host)
		return "has as many connections as --max-per-peer allows";
	return NULL;
}

static void refuse_peer(const struct endpoint_options *options, struct listen_accepted *accepted,
    const char *why)
{
	const struct endpoint_events *events = &options->events;

	close(accepted->sock);
	accepted->sock = -1;
	if (events->on_refused != NULL)
		events->on_refused(events->context, accepted->name, why);
}

int endpoint_accept(const struct endpoint_options *options, struct listen_set *listening,
    int64_t deadline, struct listen_accepted *accepted, struct err *err)
{
	for (int refused = 1;; refused++) {
		if (listen_accept(listening, deadline, accepted, err) == -1)
			return -1;
		const char *why = objection(options, &accepted->addr);
		if (why == NULL)
			return 0;
		refuse_peer(options, accepted, why);
		/* Without this look a flood of such peers would go on beyond the deadline. */
		if (deadline == DEADLINE_NOW ? refused == REFUSED_MAX : clock_now() >= deadline)
			return err_set(err, ERR_TIMEOUT, 0, "accept: timed out");
	}
}

/*
 * Makes a channel of the socket, which becomes its own; on failure it is closed. The handshake of
 * an encrypted one is not begun.
 */
static int open_channel(const struct endpoint_options *options, int sock, bool is_tls_server,
    struct connection *connection, struct err *err)
{
	const struct channel_options how = {
	    .role = options->role,
	    .tls = options->tls,
	    .is_tls_server = is_tls_server,
	};

	if (sock_prepare(sock, options->unacknowledged_limit, err) == -1) {
		close(sock);
		return -1;
	}
	if (options->congestion != NULL &&
	    sock_set_congestion(sock, options->congestion, err) == -1) {
		close(sock);
		return err_prefix(err, "-C, --congestion");
	}
	sock_local_name(sock, connection->local);
	connection->channel = channel_open(sock, &how, err);
	return connection->channel == NULL ? err_prefix(err, "%s", connection->peer) : 0;
}

/* When a handshake that begins now has to be done. */
static int64_t handshake_deadline(const struct endpoint_options *options)
{
	return deadline_min(deadline_of_limit(options->idle_limit),
	    deadline_after(HANDSHAKE_LIMIT));
}

static void note_connected(const struct endpoint_options *options,
    const struct connection *connection)
{
	if (options->events.on_connected != NULL)
		options->events.on_connected(options->events.context, connection->peer);
}

/* Does the handshake, if there is one to be done, by the deadline end. Returns 0, or -1. */
static int shake_hands(const struct endpoint_options *options, struct connection *connection,
    int64_t end, struct err *err)
{
	if (options->tls == NULL)
		return 0;
	return channel_tls_handshake(connection->channel,
	    deadline_min(handshake_deadline(options), end), err);
}

/* Closes a connection that came to nothing, for the reason err. Returns -1. */
static int give_back(struct connection *connection, struct err *err)
{
	connection_close(connection);
	return err_prefix(err, "%s", connection->peer);
}

int endpoint_take(const struct endpoint_options *options, const struct listen_accepted *accepted,
    struct connection *connection, struct err *err)
{
	*connection = (struct connection){.channel = NULL};
	strlcpy(connection->peer, accepted->name, sizeof(connection->peer));
	if (open_channel(options, accepted->sock, true, connection, err) == -1)
		return -1;
	if (shake_hands(options, connection, DEADLINE_NEVER, err) == -1) {
		channel_tls_detail(connection->channel, err);
		if (err->kind != ERR_INTERRUPTED)
			err->kind = ERR_STRAY;
		return give_back(connection, err);
	}
	note_connected(options, connection);
	return 0;
}

/* Accepts a connection that waits, and lets it begin its handshake. Returns 0, or -1. */
static int admit(const struct endpoint_options *options, struct listen_set *listening,
    struct handshakes *handshakes, struct err *err)
{
	struct connection connection = {.channel = NULL};
	struct listen_accepted accepted;

	if (endpoint_accept(options, listening, DEADLINE_NOW, &accepted, err) == -1) {
		if (err->kind != ERR_TIMEOUT)
			return -1;
		err_clear(err); /* it has gone before */
		return 0;
	}
	strlcpy(connection.peer, accepted.name, sizeof(connection.peer));
	if (open_channel(options, accepted.sock, true, &connection, err) == -1)
		return -1;
	handshakes_add(handshakes, &connection, handshake_deadline(options));
	return 0;
}

/* Waits for a connection or a step of a handshake. Returns 1 if one is done, 0 if none, or -1. */
static int await_handshake(const struct endpoint_options *options, struct listen_set *listening,
    struct handshakes *handshakes, int64_t deadline, struct connection *connection, struct err *err)
{
	struct pollfd fds[HANDSHAKES_MAX + LISTEN_MAX];
	size_t pending = handshakes_poll(handshakes, fds, &deadline);
	bool has_come = false;

	for (size_t i = 0; i < listening->count; i++)
		fds[pending + i] = (struct pollfd){.fd = listening->fd[i], .events = POLLIN};
	if (io_poll(fds, pending + listening->count, deadline, err) == -1)
		return err_prefix(err, "accept");
	for (size_t i = 0; i < listening->count; i++)
		has_come = has_come || fds[pending + i].revents != 0;
	if (handshakes_advance(handshakes, fds, connection) == 1)
		return 1;
	return has_come ? admit(options, listening, handshakes, err) : 0;
}

/* Accepts the first connection that has the key. What others send is not looked at. */
static int accept_encrypted(const struct endpoint_options *options, struct listen_set *listening,
    int64_t deadline, struct connection *connection, struct err *err)
{
	struct handshakes handshakes = {
	    .count = 0,
	    .on_failed = options->events.on_stray,
	    .context = options->events.context,
	};
	int status = 0;

	while (status == 0) {
		status =
		    await_handshake(options, listening, &handshakes, deadline, connection, err);
		if (status == 0 && clock_now() >= deadline)
			status = err_set(err, ERR_TIMEOUT, 0, "accept: timed out");
	}
	handshakes_close(&handshakes);
	if (status == -1)
		return -1;
	note_connected(options, connection);
	return 0;
}

static int accept_and_take(const struct endpoint_options *options, struct listen_set *listening,
    int64_t deadline, struct connection *connection, struct err *err)
{
	struct listen_accepted accepted;

	if (options->tls != NULL)
		return accept_encrypted(options, listening, deadline, connection, err);
	if (endpoint_accept(options, listening, deadline, &accepted, err) == -1)
		return -1;
	return endpoint_take(options, &accepted, connection, err);
}

/* Makes the connection whole that we have, or were started for; on failure the socket is closed. */
static int open_whole(const struct endpoint_options *options, int sock, bool is_tls_server,
    int64_t end, struct connection *connection, struct err *err)
{
	if (open_channel(options, sock, is_tls_server, connection, err) == -1)
		return -1;
	if (shake_hands(options, connection, end, err) == -1)
		return give_back(connection, err);
	note_connected(options, connection);
	return 0;
}

/* Takes the connection that we were started for, and that no other will come after. */
static int inherit(const struct endpoint_options *options, int64_t end,
    struct connection *connection, struct err *err)
{
	int sock = options->address.fd;
	struct sock_addr addr;

	sock_peer_name(sock, connection->peer);
	if (options->allow->count == 0 || (sock_peer_addr(sock, &addr) == 0 &&
					      allow_matches(options->allow, sock_sockaddr(&addr))))
		return open_whole(options, sock, true, end, connection, err);
	close(sock);
	return err_set(err, ERR_FAILED, 0, "%s: not allowed", connection->peer);
}

/* Tries to connect, of which one gets the connection. */
struct tries {
	const struct endpoint_options *options;
	const struct time_limits *limits;
	struct connection *connection;
	int failed; /* that were each followed by another */
};

static int take_socket(void *context, int sock, struct err *err)
{
	struct tries *tries = context;

	sock_peer_name(sock, tries->connection->peer);
	return open_whole(tries->options, sock, false, tries->limits->end, tries->connection, err);
}

static void try_failed(void *context, const struct err *err)
{
	struct tries *tries = context;
	const struct endpoint_events *events = &tries->options->events;

	tries->failed++;
	if (events->on_retry != NULL)
		events->on_retry(events->context, tries->failed, err);
}

/* After so many tries the advice to try again would be of no use. */
static int give_up(int failed, struct err *err)
{
	if (failed == 0 || err->kind == ERR_INTERRUPTED)
		return -1;
	if (err->errnum == ECONNREFUSED || err->errnum == ENOENT)
		err_advise(err, NULL);
	return err_prefix(err, "gave up after %d tries", failed + 1);
}

static int connect_and_take(const struct endpoint_options *options,
    const struct time_limits *limits, struct connection *connection, struct err *err)
{
	struct connect_options how = {
	    .family = options->family,
	    .source = options->source,
	    .on_slow = options->events.on_slow,
	    .context = options->events.context,
	};
	struct tries tries = {.options = options, .limits = limits, .connection = connection};
	struct connect_retry_options retry = {
	    .until = options->retry == 0 ? DEADLINE_NOW : deadline_after(options->retry),
	    .limits = limits,
	    .on_socket = take_socket,
	    .on_failure = try_failed,
	    .context = &tries,
	};

	if (connect_retry(&options->address, &how, &retry, err) == -1)
		return give_up(tries.failed, err);
	return 0;
}

int endpoint_open(const struct endpoint_options *options, enum endpoint_way way,
    struct listen_set *listening, const struct time_limits *limits, struct connection *connection,
    struct err *err)
{
	*connection = (struct connection){.channel = NULL};
	switch (way) {
	case ENDPOINT_LISTENS:
		return accept_and_take(options, listening, deadline_of(limits), connection, err);
	case ENDPOINT_INHERITS:
		return inherit(options, limits->end, connection, err);
	case ENDPOINT_CONNECTS:
		break;
	}
	return connect_and_take(options, limits, connection, err);
}

int endpoint_open_waiting(const struct endpoint_options *options, struct connection *connection)
{
	struct listen_set listening = {.count = 0};
	bool is_listening;
	struct err err;

	*connection = (struct connection){.channel = NULL};
	/* The socket itself says whether it listens: its peer waits, whatever -l says. */
	if (options->address.kind != ADDR_FD ||
	    sock_adopt(options->address.fd, &is_listening, &err) == -1)
		return -1;
	if (!is_listening && options->tls != NULL) {
		close(options->address.fd); /* nothing can be said before a handshake */
		return -1;
	}
	if (!is_listening)
		return inherit(options, DEADLINE_NEVER, connection, &err);
	if (endpoint_listen(options, &listening, DEADLINE_NOW, &err) == -1)
		return -1;
	int status = accept_and_take(options, &listening, DEADLINE_NOW, connection, &err);
	listen_close(&listening);
	return status;
}
