#include "net/peer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "job/port_file.h"
#include "net/channel_open.h"
#include "net/connect_retry.h"
#include "net/sock.h"
#include "ui/announce.h"

/* Who may not connect sees a reset, and nothing that he sends is read. */
static void turn_away(const struct listen_accepted *accepted, const struct report *report)
{
	close(accepted->sock);
	report_detail(report, "%s: not allowed; waiting for another", accepted->name);
}

/*
 * One deadline for all of the wait: those who are turned away do not renew it, nor does it go unnoticed because there
 * is always another.
 */
static int accept_one(struct peer *peer, const struct settings *settings, int64_t deadline,
    const struct report *report, struct err *err)
{
	struct listen_accepted accepted;

	while (listen_accept(&peer->listening, deadline, &accepted, err) == 0) {
		if (allow_admits(&settings->allow, sock_sockaddr(&accepted.addr))) {
			peer->sock = accepted.sock;
			strlcpy(peer->name, accepted.name, sizeof(peer->name));
			return 0;
		}
		turn_away(&accepted, report);
		if (deadline != DEADLINE_NOW && clock_now() >= deadline)
			return err_set(err, ERR_TIMEOUT, 0, "accept: timed out");
	}
	return -1;
}

/* Of an inherited socket: a unix socket's peers have no address by which to tell them apart. */
static int check_inherited(const struct settings *settings, struct err *err)
{
	const char *only = settings->allow.count > 0 ? "--allow" : "--max-per-peer";

	if ((settings->allow.count == 0 && settings->max_per_peer == 0) ||
	    settings->address.kind != ADDR_FD || !sock_is_unix(settings->address.fd))
		return 0;
	return err_set(err, ERR_USAGE, 0, "%s: fd:%d is no TCP socket", only, settings->address.fd);
}

/* Takes the connection that we were started for, and that no other will come after. */
static int take_connected(struct peer *peer, const struct settings *settings, struct err *err)
{
	struct sock_addr addr;

	peer->sock = settings->address.fd;
	sock_peer_name(peer->sock, peer->name);
	if (settings->allow.count == 0 ||
	    (sock_peer_addr(peer->sock, &addr) == 0 &&
		allow_matches(&settings->allow, sock_sockaddr(&addr))))
		return 0;
	return err_set(err, ERR_FAILED, 0, "%s: not allowed", peer->name);
}

static int open_listening(struct listen_set *listening, const struct settings *settings,
    int64_t deadline, struct err *err)
{
	if (listen_open(listening, &settings->address, settings->family, deadline, err) == 0)
		return 0;
	return err_prefix(err, "listen");
}

static const char *data_path(const struct settings *settings)
{
	switch (settings_stdio(settings)) {
	case STDIN_FILENO:
		return "/dev/stdin";
	case STDOUT_FILENO:
		return "/dev/stdout";
	default:
		return settings->command == NULL ? settings->path : NULL;
	}
}

/* Listens, and writes down on which port. */
static int open_with_portfile(struct listen_set *listening, const struct settings *settings,
    int64_t deadline, struct err *err)
{
	struct port_file portfile;
	const char *data = data_path(settings);

	if (port_file_open(&portfile, settings->port_file, data, deadline, err) == -1)
		return -1;
	int status = open_listening(listening, settings, deadline, err);
	if (status == 0)
		status = port_file_write(&portfile, listening, deadline, err);
	port_file_close(&portfile);
	return status;
}

int peer_listen(struct listen_set *listening, const struct settings *settings, int64_t deadline,
    const struct report *report, struct err *err)
{
	if (check_inherited(settings, err) == -1)
		return -1;
	int status = settings->port_file != NULL
	                 ? open_with_portfile(listening, settings, deadline, err)
	                 : open_listening(listening, settings, deadline, err);

	if (status == 0 && announce_listening(listening, settings, report, err) == 0)
		return 0;
	listen_close(listening);
	return -1;
}

static int listen_and_accept(struct peer *peer, const struct settings *settings,
    const struct time_limits *limits, const struct report *report, struct err *err)
{
	if (peer_listen(&peer->listening, settings, deadline_of(limits), report, err) == -1)
		return -1;
	return accept_one(peer, settings, deadline_of(limits), report, err);
}

/* An inherited socket may be a connection (inetd) or listen (systemd): it says itself which. */
static int inherit(struct peer *peer, const struct settings *settings,
    const struct time_limits *limits, const struct report *report, struct err *err)
{
	bool listening;

	if (sock_adopt(settings->address.fd, &listening, err) == -1)
		return -1;
	if (listening)
		return listen_and_accept(peer, settings, limits, report, err);
	if (settings->peer != HANDOVER_SOCKXFER || settings->port_file != NULL)
		return err_set(err, ERR_USAGE, 0, "%s: fd:%d is connected already",
		    settings->port_file != NULL ? "--port-file" : "--peer", settings->address.fd);
	return take_connected(peer, settings, err);
}

/* Tries that are each followed by another. */
struct tries {
	const struct settings *settings;
	const struct report *report;
	int failed;
};

/* Who waits at a terminal wants to know of the first one, and what there has to be at the other end. */
static void try_failed(void *context, const struct err *err)
{
	struct tries *tries = context;

	if (tries->failed++ > 0 || !tries->report->terminal->is_terminal) {
		report_detail(tries->report, "%s; trying again", err->text);
		return;
	}
	report_note(tries->report, "%s; trying again", err->text);
	if (tries->settings->peer == HANDOVER_SOCKXFER)
		announce_connecting(tries->settings, tries->report);
}

/* After so many tries the advice to try again would be of no use. */
static int gave_up(int failed, struct err *err)
{
	if (failed == 0 || err->kind == ERR_INTERRUPTED)
		return -1;
	if (err->errnum == ECONNREFUSED || err->errnum == ENOENT)
		err_advise(err, NULL);
	return err_prefix(err, "gave up after %d tries", failed + 1);
}

static int connect_to(struct peer *peer, const struct settings *settings,
    const struct time_limits *limits, const struct report *report, struct err *err)
{
	struct connect_options how = {
	    .family = settings->family,
	    .source = settings->has_source ? &settings->source : NULL,
	};
	struct tries tries = {.settings = settings, .report = report};
	struct connect_retry_options retry = {
	    .until = settings->retry == 0 ? DEADLINE_NOW : deadline_after(settings->retry),
	    .limits = limits,
	    .on_failure = try_failed,
	    .context = &tries,
	};

	if (settings->peer != HANDOVER_SOCKXFER)
		announce_connecting(settings, report);
	peer->sock = connect_retry(&settings->address, &how, &retry, err);
	if (peer->sock == -1)
		return gave_up(tries.failed, err);
	sock_peer_name(peer->sock, peer->name);
	return 0;
}

static int get_connection(struct peer *peer, const struct settings *settings,
    const struct time_limits *limits, const struct report *report, struct err *err)
{
	if (settings->listens)
		return listen_and_accept(peer, settings, limits, report, err);
	if (settings->address.kind == ADDR_FD)
		return inherit(peer, settings, limits, report, err);
	return connect_to(peer, settings, limits, report, err);
}

int peer_check_congestion(const struct settings *settings, struct err *err)
{
	bool has_inet = settings->address.kind == ADDR_INET;

	if (settings->congestion == NULL || settings->address.kind == ADDR_FD)
		return 0;
	int sock = sock_open(has_inet ? AF_INET : AF_UNIX, err);
	if (sock == -1 && err->errnum == EAFNOSUPPORT)
		return 0;
	if (sock == -1)
		return -1;
	int status = sock_set_congestion(sock, settings->congestion, err);
	close(sock);
	return status == 0 ? 0 : err_prefix(err, "-C, --congestion");
}

/* The socket becomes the channel's. Its own descriptor is of no more use here. */
static int open_channel(struct peer *peer, const struct settings *settings, struct err *err)
{
	enum channel_role role = settings->role == SETTINGS_SEND ? CHANNEL_SENDS : CHANNEL_RECEIVES;

	sock_local_name(peer->sock, peer->local);
	peer->channel = channel_open(peer->sock, role, err);
	peer->sock = -1;
	return peer->channel == NULL ? -1 : 0;
}

static int prepare(struct peer *peer, const struct settings *settings, const struct report *report,
    struct err *err)
{
	if (sock_prepare(peer->sock, settings->idle_limit, err) == -1)
		return -1;
	if (settings->congestion != NULL &&
	    sock_set_congestion(peer->sock, settings->congestion, err) == -1)
		return err_prefix(err, "-C, --congestion");
	if (open_channel(peer, settings, err) == -1)
		return -1;
	report_detail(report, "connected to %s", peer->name);
	return 0;
}

int peer_open(struct peer *peer, const struct settings *settings, const struct time_limits *limits,
    const struct report *report, struct err *err)
{
	*peer = (struct peer){.sock = -1};
	if (check_inherited(settings, err) == 0 &&
	    get_connection(peer, settings, limits, report, err) == 0 &&
	    prepare(peer, settings, report, err) == 0)
		return 0;
	peer_close(peer);
	return -1;
}

int peer_take(struct peer *peer, const struct listen_accepted *accepted,
    const struct settings *settings, const struct report *report, struct err *err)
{
	*peer = (struct peer){.sock = accepted->sock};
	strlcpy(peer->name, accepted->name, sizeof(peer->name));
	if (prepare(peer, settings, report, err) == 0)
		return 0;
	peer_close(peer);
	return -1;
}

/* The connection that fd is, or the first that waits to be accepted there. */
static int take_waiting(struct peer *peer, const struct settings *settings,
    const struct report *report, struct err *err)
{
	bool listening;

	if (sock_adopt(settings->address.fd, &listening, err) == -1)
		return -1;
	if (listening && open_listening(&peer->listening, settings, DEADLINE_NOW, err) == -1)
		return -1;
	if (listening)
		return accept_one(peer, settings, DEADLINE_NOW, report, err);
	return take_connected(peer, settings, err);
}

int peer_open_waiting(struct peer *peer, const struct settings *settings,
    const struct report *report)
{
	struct err err;

	*peer = (struct peer){.sock = -1};
	if (settings->address.kind == ADDR_FD && take_waiting(peer, settings, report, &err) == 0 &&
	    prepare(peer, settings, report, &err) == 0)
		return 0;
	peer_close(peer);
	return -1;
}

int peer_next(struct peer *peer, const struct settings *settings, const struct time_limits *limits,
    const struct report *report, struct err *err)
{
	peer->channel->type->close(peer->channel);
	peer->channel = NULL;
	if (accept_one(peer, settings, deadline_of(limits), report, err) == 0 &&
	    prepare(peer, settings, report, err) == 0)
		return 0;
	peer_close(peer);
	return -1;
}

void peer_describe(const struct peer *peer, struct outcome *outcome)
{
	strlcpy(outcome->peer, peer->name, sizeof(outcome->peer));
	strlcpy(outcome->local, peer->local, sizeof(outcome->local));
	outcome->started = clock_now();
}

void peer_close(struct peer *peer)
{
	listen_close(&peer->listening);
	if (peer->channel != NULL)
		peer->channel->type->close(peer->channel);
	peer->channel = NULL;
	if (peer->sock != -1)
		close(peer->sock);
	peer->sock = -1;
}
