#include "job/server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "sys/io.h"
#include "sys/shared_memory.h"
#include "sys/signals.h"
#include "sys/workers.h"

/* The pause after a shortage; the end of a worker, which may give something back, ends it early. */
#define SHORTAGE_PAUSE (500 * CLOCK_MILLISECOND)

/* How long workers may take to end when they are asked to: a write to a disk is not interrupted. */
#define ABORT_WAIT (5 * CLOCK_SECOND)

/* The time between two messages of a shortage. */
#define SHORTAGE_SAID (60 * CLOCK_SECOND)

/* How long a peer has to have been silent to lose its place to another. */
#define SILENCE_MIN (10 * CLOCK_SECOND)

struct server {
	const struct server_options *options;
	struct endpoint_options endpoint; /* that of options, with our events */
	struct listen_set *listening;
	struct workers workers;
	struct sock_addr *host;      /* the peer's address, for each slot of workers */
	struct server_place *places; /* for each slot; in memory that the workers share */
	bool makes_room;             /* a worker was aborted for another peer, and has not ended */
	int queries;                 /* signalfd(2), readable when a signal asks for the numbers */
	/* a connection that is accepted and has no worker yet; sock is -1: there is none */
	struct listen_accepted waiting;
	/* the time to try again after a shortage; DEADLINE_NOW: there is no shortage */
	int64_t retry_at;
	int64_t say_at; /* the time from which a shortage is said again */
	struct log_limit refused;
	uint64_t done;
	uint64_t failed;
};

/* The descriptors to poll; the listening sockets come last, as they are not always polled. */
enum { POLL_ENDED, POLL_QUERIES, POLL_OUTPUT, POLL_LISTENING };

/* Notes a shortage, as shortage describes it, and tells the user at times. */
static void pause_for(struct server *server, const struct err *shortage)
{
	server->retry_at = deadline_after(SHORTAGE_PAUSE);
	if (clock_now() < server->say_at)
		return;
	server->say_at = deadline_after(SHORTAGE_SAID);
	log_note(server->options->log, "%s; %zu are being served, others wait", shortage->text,
	    server->workers.count);
}

static bool is_full(const struct server *server)
{
	return server->workers.count == server->options->max || server->waiting.sock != -1;
}

/* Whether somebody may have to go for another to come. */
static bool is_crowded(const struct server *server)
{
	return server->options->makes_room && !server->makes_room && server->waiting.sock == -1 &&
	       server->workers.count == server->options->max;
}

/* Since when the peer of the slot has been silent. It is not while our side holds it up. */
static int64_t silent_since(const struct server *server, size_t slot)
{
	bool counts = server->workers.pid[slot] != 0 &&
	              sock_sockaddr(&server->host[slot])->sa_family != AF_UNIX;

	return counts ? atomic_load(&server->places[slot].waits_since) : DEADLINE_NEVER;
}

/* Returns the slot of the peer that has been silent longest. */
static size_t most_silent(const struct server *server)
{
	size_t found = 0;

	for (size_t slot = 1; slot < server->options->max; slot++) {
		if (silent_since(server, slot) < silent_since(server, found))
			found = slot;
	}
	return found;
}

/* Returns the earliest time at which a peer can have been silent for too long. */
static int64_t room_at(const struct server *server)
{
	int64_t since = deadline_min(silent_since(server, most_silent(server)), clock_now());

	return since + SILENCE_MIN;
}

/* Aborts the worker whose peer is silent, as another waits. That peer sees a reset. */
static void make_room(struct server *server)
{
	size_t slot = most_silent(server);

	if (clock_now() < room_at(server))
		return;
	atomic_store(&server->places[slot].is_wanted, true);
	server->makes_room = kill(server->workers.pid[slot], SIGNALS_ABORT) == 0;
}

/* Returns the time to go on if no event comes. */
static int64_t wake_at(const struct server *server, bool is_paused, bool looks)
{
	if (is_crowded(server) && !looks)
		return room_at(server);
	return is_paused || server->waiting.sock != -1 ? server->retry_at : DEADLINE_NEVER;
}

/* Waits until there is something to do; *comes becomes whether a peer waits to be accepted. */
static int wait_for_event(struct server *server, bool *comes, struct err *err)
{
	const struct listen_set *listening = server->listening;
	bool is_paused = clock_now() < server->retry_at;
	bool accepts = !is_paused && !is_full(server);
	bool looks = is_crowded(server) && clock_now() >= room_at(server);
	struct pollfd fds[POLL_LISTENING + LISTEN_MAX] = {
	    [POLL_ENDED] = {.fd = server->workers.ended, .events = POLLIN},
	    [POLL_QUERIES] = {.fd = server->queries, .events = POLLIN},
	    [POLL_OUTPUT] = {.fd = server->options->has_reader ? STDOUT_FILENO : -1},
	};
	size_t count = POLL_LISTENING;

	*comes = false;
	for (size_t i = 0; (accepts || looks) && i < listening->count; i++)
		fds[count++] = (struct pollfd){.fd = listening->fd[i], .events = POLLIN};
	if (io_poll(fds, count, wake_at(server, is_paused, looks), err) == -1)
		return -1;
	if ((fds[POLL_OUTPUT].revents & (POLLERR | POLLHUP)) != 0)
		return err_set(err, ERR_FAILED, EPIPE, "stdout");
	for (size_t i = POLL_LISTENING; i < count; i++)
		*comes = *comes || fds[i].revents != 0;
	return 0;
}

static void answer_query(const struct server *server)
{
	struct signalfd_siginfo info;

	while (read(server->queries, &info, sizeof(info)) > 0) {
		if (info.ssi_signo == SIGWINCH)
			continue;
		log_note(server->options->log, "serving %zu at once, %llu done, %llu failed",
		    server->workers.count, (unsigned long long)server->done,
		    (unsigned long long)server->failed);
	}
}

/* Counts the end of a worker. It has reported its transfer itself, unless it was killed. */
static void note_end(struct server *server, size_t slot, int status)
{
	const struct sock_addr *host = &server->host[slot];
	char name[ADDR_TEXT_MAX];
	struct err err;

	server->retry_at = DEADLINE_NOW; /* the shortage may be over */
	server->makes_room = server->makes_room && !atomic_load(&server->places[slot].is_wanted);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SERVER_STRAY)
		return;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		server->done++;
	else
		server->failed++;
	if (!WIFSIGNALED(status))
		return;
	addr_format(sock_sockaddr(host), host->len, name);
	err_set(&err, ERR_FAILED, 0, "%s: the process that served it was killed by signal %d (%s)",
	    name, WTERMSIG(status), strsignal(WTERMSIG(status)));
	log_error(server->options->log, &err);
}

static void reap(struct server *server)
{
	ssize_t slot;
	int status;

	while ((slot = workers_reap(&server->workers, &status)) != -1)
		note_end(server, (size_t)slot, status);
	workers_reap_others(&server->workers);
}

/* Serves the connection that waits, in the new worker. */
static int work_for_waiting(void *context)
{
	struct server *server = context;

	listen_leave(server->listening);
	close(server->queries);
	return server->options->work(server->options->context, &server->waiting,
	    &server->places[workers_next(&server->workers)]);
}

static void start(struct server *server)
{
	struct err err;
	struct server_place *place = &server->places[workers_next(&server->workers)];

	atomic_store(&place->waits_since, DEADLINE_NEVER);
	atomic_store(&place->is_wanted, false);
	ssize_t slot = workers_start(&server->workers, work_for_waiting, server, &err);

	if (slot == -1) {
		pause_for(server, &err);
		return;
	}
	server->host[slot] = server->waiting.addr;
	close(server->waiting.sock);
	server->waiting.sock = -1;
}

/* Returns how many of the peers that are being served have the same host. */
static size_t count_served_from(void *context, const struct sock_addr *host)
{
	const struct server *server = context;
	size_t count = 0;

	for (size_t slot = 0; slot < server->options->max; slot++) {
		if (server->workers.pid[slot] != 0 &&
		    allow_same_host(sock_sockaddr(&server->host[slot]), sock_sockaddr(host)))
			count++;
	}
	return count;
}

static void log_refused(void *context, const char *peer, const char *why)
{
	struct server *server = context;

	log_detail_limited(server->options->log, &server->refused, "%s: %s", peer, why);
}

/* Closes the connection that waits: the peer sees a reset, and its bytes are not read. */
static void turn_away(struct server *server)
{
	close(server->waiting.sock);
	server->waiting.sock = -1;
}

/* Whether the error is that of the listening socket itself, which is of no more use. */
static bool is_unusable(const struct err *err)
{
	return err->errnum == EBADF || err->errnum == EINVAL || err->errnum == ENOTSOCK;
}

static int accept_and_start(struct server *server, struct err *err)
{
	struct listen_accepted *waiting = &server->waiting;

	if (endpoint_accept(&server->endpoint, server->listening, DEADLINE_NOW, waiting, err) ==
	    0) {
		start(server);
		return 0;
	}
	waiting->sock = -1;
	if (err->kind == ERR_INTERRUPTED || is_unusable(err))
		return -1;
	if (err->kind != ERR_TIMEOUT) /* else the peer has gone already, or may not connect */
		pause_for(server, err);
	return 0;
}

/* Serves until the server has to end. Returns -1 with the reason. */
static int serve_all(struct server *server, struct err *err)
{
	bool comes;

	for (;;) {
		if (wait_for_event(server, &comes, err) == -1)
			return -1;
		reap(server);
		answer_query(server);
		if (server->waiting.sock != -1 && clock_now() >= server->retry_at)
			start(server);
		if (comes && is_crowded(server))
			make_room(server);
		else if (comes && !is_full(server) && accept_and_start(server, err) == -1)
			return -1;
	}
}

/* Waits until no worker runs, the deadline or a signal. */
static void wait_for_all(struct server *server, int64_t deadline)
{
	struct pollfd fds[] = {
	    [POLL_ENDED] = {.fd = server->workers.ended, .events = POLLIN},
	    [POLL_QUERIES] = {.fd = server->queries, .events = POLLIN},
	};
	struct err err;

	while (server->workers.count > 0 &&
	       io_poll(fds, sizeof(fds) / sizeof(fds[0]), deadline, &err) > 0) {
		reap(server);
		answer_query(server);
	}
}

static void end_all(struct server *server, int64_t grace)
{
	const struct log *log = server->options->log;
	int64_t abort_until;

	if (server->workers.count > 0)
		log_detail(log, "ending: %.3g s for what is under way (%zu)",
		    (double)grace / (double)CLOCK_SECOND, server->workers.count);
	wait_for_all(server, deadline_after(grace));
	workers_signal(&server->workers, SIGNALS_ABORT);
	abort_until = deadline_after(ABORT_WAIT);
	while (server->workers.count > 0 && clock_now() < abort_until) {
		signals_take(); /* no further signal can hurry the workers */
		wait_for_all(server, abort_until);
	}
	if (server->workers.count > 0)
		log_note(log, "killed, since they did not end: %zu", server->workers.count);
}

static size_t places_size(const struct server *server)
{
	return server->options->max * sizeof(*server->places);
}

static int open_server(struct server *server, struct err *err)
{
	sigset_t queries;

	server->host = calloc(server->options->max, sizeof(*server->host));
	if (server->host == NULL)
		return err_sys(err, "-j, --jobs");
	server->places = shared_memory_open(places_size(server), err);
	if (server->places == NULL)
		return -1;
	signals_queries(&queries);
	server->queries = signalfd(-1, &queries, SFD_CLOEXEC | SFD_NONBLOCK);
	if (server->queries == -1)
		return err_sys(err, "signalfd");
	return workers_open(&server->workers, server->options->max, err);
}

static void close_server(struct server *server)
{
	workers_close(&server->workers);
	if (server->queries != -1)
		close(server->queries);
	shared_memory_close(server->places, places_size(server));
	free(server->host);
}

int server_run(struct listen_set *listening, const struct server_options *options, struct err *err)
{
	struct server server = {
	    .options = options,
	    .endpoint = options->endpoint,
	    .listening = listening,
	    .workers = {.ended = -1},
	    .queries = -1,
	    .waiting = {.sock = -1},
	};

	server.endpoint.events = (struct endpoint_events){
	    .context = &server,
	    .on_refused = log_refused,
	    .count_from = count_served_from,
	};
	if (open_server(&server, err) == 0)
		serve_all(&server, err);
	listen_close(listening);
	if (server.waiting.sock != -1)
		turn_away(&server);
	int sig = signals_take();
	end_all(&server, sig == 0 || sig == SIGTERM ? options->grace : 0);
	close_server(&server);
	if (sig != 0)
		raise(sig);
	return -1;
}
