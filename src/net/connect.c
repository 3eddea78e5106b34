#include "net/connect.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "net/connect_attempt.h"
#include "net/happy_eyeballs.h"
#include "net/resolve.h"
#include "net/sock.h"
#include "net/unix_path.h"
#include "sys/io.h"

/* So long there may be no answer before that is told. */
#define SLOW (2 * CLOCK_SECOND)

/* A try to connect. */
struct
try {
	const struct connect_options *options;
	struct connect_state *state;
	int64_t deadline;
};

/* Tells that there is no answer yet, if it is time. Returns whether it did. */
static bool tell_if_slow(const struct try *try)
{
	struct connect_state *state = try->state;

	if (state->slow_at == DEADLINE_NEVER || clock_now() < state->slow_at)
		return false;
	state->slow_at = DEADLINE_NEVER;
	if (try->options->on_slow != NULL)
		try->options->on_slow(try->options->context);
	return true;
}

/* The deadline of a wait, for tell_if_slow() may be due before that of the try. */
static int64_t deadline_of_wait(const struct try *try)
{
	return deadline_min(try->deadline, try->state->slow_at);
}

/* A race between the addresses of one name. The attempts are numbered as they start. */
struct race {
	const struct try *try;
	struct happy_eyeballs happy;
	const struct resolve_list *list;
	const struct resolve_list *sources; /* NULL: the kernel chooses */
	size_t *order;                      /* the address of each attempt, as an index of list */
	int *sock;                          /* of each attempt, -1 if it is not under way */
	struct pollfd *fds;                 /* room to wait for those under way */
	char reasons[768];                  /* of the attempts that failed, as text */
	size_t untold;                      /* so many more failed, and are not in the text */
	int errnum;                         /* of the reason that tells most */
	const char *advice;                 /* of that reason */
};

static const struct sock_addr *address_of(const struct race *race, size_t index)
{
	return &race->list->addr[race->order[index]];
}

/*
 * Adds a reason to the text: "reason" if there is one address, or
 * "[::1]:9009: reason; 127.0.0.1:9009: reason" if there are several.
 */
static void add_reason(struct race *race, size_t index, const char *reason)
{
	const struct sock_addr *addr = address_of(race, index);
	const char *separator = race->reasons[0] == '\0' ? "" : "; ";
	size_t len = strlen(race->reasons);
	size_t room = sizeof(race->reasons) - len;
	char name[ADDR_TEXT_MAX + sizeof(": ")] = "";

	if (race->list->count > 1) {
		addr_format(sock_sockaddr(addr), addr->len, name);
		strlcat(name, ": ", sizeof(name));
	}
	/* The first is there whatever its length; of the others there is none by half. */
	if (race->untold == 0 &&
	    (len == 0 || strlen(separator) + strlen(name) + strlen(reason) < room))
		snprintf(race->reasons + len, room, "%s%s%s", separator, name, reason);
	else
		race->untold++;
}

/* Writes the reasons, and how many more there are, into err, behind the text in front. */
static int set_reasons(const struct race *race, enum err_kind kind, const char *front,
    struct err *err)
{
	char more[48] = "";

	if (race->untold > 0)
		snprintf(more, sizeof(more), "; and %zu more", race->untold);
	return err_set(err, kind, 0, "%s%s%s%s", front,
	    front[0] != '\0' && race->reasons[0] != '\0' ? "; " : "", race->reasons, more);
}

/*
 * Whether the errno now tells more than the one before. A refusal tells most, for it proves that
 * the host is there; a family that cannot be used tells nothing about the other family.
 */
static bool tells_more(int before, int now)
{
	if (before == 0 || before == EAFNOSUPPORT)
		return now != 0;
	return before != ECONNREFUSED && now != 0 && now != EAFNOSUPPORT;
}

static void attempt_failed(struct race *race, size_t index, const struct err *reason)
{
	if (race->sock[index] != -1)
		close(race->sock[index]);
	race->sock[index] = -1;
	add_reason(race, index, reason->text);
	if (tells_more(race->errnum, reason->errnum)) {
		race->errnum = reason->errnum;
		race->advice = reason->advice;
	}
	happy_eyeballs_failed(&race->happy);
}

/* Whether there is no descriptor for an attempt now, but one will come free when another fails. */
static bool has_to_wait(const struct race *race, const struct err *reason)
{
	return (reason->errnum == EMFILE || reason->errnum == ENFILE) &&
	       race->happy.started - 1 > race->happy.failed;
}

static void start_attempt(struct race *race, size_t index)
{
	struct err err;

	race->sock[index] = connect_attempt_begin(address_of(race, index), race->sources, &err);
	if (race->sock[index] != -1)
		return;
	if (has_to_wait(race, &err))
		happy_eyeballs_postponed(&race->happy);
	else
		attempt_failed(race, index, &err);
}

/* Takes note of the end of an attempt. Returns whether it is connected. */
static bool finish_attempt(struct race *race, size_t index)
{
	struct err err;

	if (connect_attempt_end(race->sock[index], &err) == 0)
		return true;
	attempt_failed(race, index, &err);
	return false;
}

/*
 * Waits until an attempt ends, or until the time until. Returns the index of the attempt that is
 * connected, the count if none is, or -1.
 */
static ssize_t wait_for_attempts(struct race *race, int64_t until, struct err *err)
{
	size_t count = 0;

	/* Only those: poll(2) refuses more places than there may be descriptors. */
	for (size_t i = 0; i < race->happy.started; i++) {
		if (race->sock[i] != -1)
			race->fds[count++] =
			    (struct pollfd){.fd = race->sock[i], .events = POLLOUT};
	}
	if (io_poll(race->fds, count, until, err) == -1)
		return -1;
	count = 0;
	for (size_t i = 0; i < race->happy.started; i++) {
		if (race->sock[i] != -1 && race->fds[count++].revents != 0 &&
		    finish_attempt(race, i))
			return (ssize_t)i;
	}
	return (ssize_t)race->list->count;
}

static int set_timeout_error(const struct race *race, struct err *err)
{
	set_reasons(race, ERR_TIMEOUT, "timed out", err);
	return err_advise(err, connect_attempt_advice(ETIMEDOUT));
}

/* Runs the race. Returns the index of the attempt that is connected, or -1. */
static ssize_t run_race(struct race *race, struct err *err)
{
	ssize_t count = (ssize_t)race->list->count;

	for (;;) {
		int64_t now = clock_now();
		if (now >= race->try->deadline && race->happy.started > 0)
			return set_timeout_error(race, err);
		tell_if_slow(race->try);
		struct happy_eyeballs_step step = happy_eyeballs_next(&race->happy, now);
		ssize_t winner;
		switch (step.verb) {
		case HAPPY_EYEBALLS_START:
			start_attempt(race, step.index);
			break;
		case HAPPY_EYEBALLS_WAIT:
			winner = wait_for_attempts(race,
			    deadline_min(step.until, deadline_of_wait(race->try)), err);
			if (winner != count)
				return winner;
			break;
		case HAPPY_EYEBALLS_EXHAUSTED:
			set_reasons(race, ERR_FAILED, "", err);
			err->errnum = race->errnum;
			return err_advise(err, race->advice);
		}
	}
}

/* Makes the order of the attempts, of which none has a socket yet. */
static int prepare_race(struct race *race, struct err *err)
{
	size_t count = race->list->count;
	int *families = calloc(count, sizeof(*families));

	race->order = calloc(count, sizeof(*race->order));
	race->sock = calloc(count, sizeof(*race->sock));
	race->fds = calloc(count, sizeof(*race->fds));
	if (families == NULL || race->order == NULL || race->sock == NULL || race->fds == NULL) {
		free(families);
		return err_sys(err, "%s", "");
	}
	for (size_t i = 0; i < count; i++) {
		families[i] = race->list->addr[i].storage.ss_family;
		race->sock[i] = -1;
	}
	happy_eyeballs_order(families, count, race->order);
	happy_eyeballs_init(&race->happy, count);
	free(families);
	return 0;
}

/* Closes the sockets but that of the winner, which may be -1. Returns the winner's, or -1. */
static int finish_race(const struct race *race, ssize_t winner)
{
	for (size_t i = 0; i < race->happy.started; i++) {
		if ((ssize_t)i != winner && race->sock[i] != -1)
			close(race->sock[i]);
	}
	return winner == -1 ? -1 : race->sock[winner];
}

static int race_addresses(const struct try *try, const struct resolve_list *list,
    const struct resolve_list *sources, struct err *err)
{
	struct race race = {.try = try, .list = list, .sources = sources};
	int sock = -1;

	if (prepare_race(&race, err) == 0)
		sock = finish_race(&race, run_race(&race, err));
	free(race.order);
	free(race.sock);
	free(race.fds);
	return sock;
}

static int look_up(const struct try *try, struct resolve_lookup **kept, const struct addr *addr,
    struct resolve_list *list, struct err *err)
{
	const struct resolve_query query = {
	    .host = addr->host,
	    .port = addr->port,
	    .family = try->options->family,
	};
	int status;

	do {
		status = resolve_keeping(kept, &query, deadline_of_wait(try), list, err);
	} while (status == -1 && err->kind == ERR_TIMEOUT && tell_if_slow(try));
	return status;
}

/* Looks up the address and, if it has one, the source. Both lists are the caller's to free. */
static int look_up_both(const struct try *try, const struct addr *addr, struct resolve_list *list,
    struct resolve_list *sources, struct err *err)
{
	const struct addr *source = try->options->source;
	char name[ADDR_TEXT_MAX];

	addr_text(addr, name);
	if (look_up(try, &try->state->host, addr, list, err) == -1)
		return err_prefix(err, "%s", name);
	if (source != NULL && look_up(try, &try->state->source, source, sources, err) == -1)
		return err_prefix(err, "source address %s", source->host);
	return 0;
}

static int connect_inet(const struct try *try, const struct addr *addr, struct err *err)
{
	struct resolve_list list = {.count = 0};
	struct resolve_list sources = {.count = 0};
	char name[ADDR_TEXT_MAX];
	int sock = -1;

	if (look_up_both(try, addr, &list, &sources, err) == 0) {
		sock =
		    race_addresses(try, &list, try->options->source == NULL ? NULL : &sources, err);
		addr_text(addr, name);
		if (sock == -1)
			err_prefix(err, "%s: connect", name);
	}
	resolve_free(&list);
	resolve_free(&sources);
	return sock;
}

/* A unix socket with a full backlog gives EAGAIN at once, and no poll tells when it has room. */
#define BACKLOG_PAUSE (10 * CLOCK_MILLISECOND)

static int connect_backlog(const struct try *try, int sock, const struct sock_addr *addr,
    struct err *err)
{
	while (connect(sock, sock_sockaddr(addr), addr->len) == -1) {
		if (errno != EAGAIN && errno != EINTR) {
			err_sys(err, "%s", "");
			return err_advise(err, connect_attempt_advice(err->errnum));
		}
		if (clock_now() >= try->deadline)
			return err_set(err, ERR_TIMEOUT, 0, "timed out");
		tell_if_slow(try);
		if (io_sleep(deadline_min(try->deadline, deadline_after(BACKLOG_PAUSE)), err) == -1)
			return -1;
	}
	return 0;
}

static int connect_unix(const struct try *try, const char *path, struct err *err)
{
	struct sock_addr addr;
	int found = unix_path_find(path, &addr, err);
	int sock = found == -1 ? -1 : sock_open(AF_UNIX, err);

	if (found == -1 && err->advice == NULL)
		err_advise(err, connect_attempt_advice(err->errnum));
	if (sock != -1 && connect_backlog(try, sock, &addr, err) == -1) {
		close(sock);
		sock = -1;
	}
	if (found != -1)
		close(found);
	return sock == -1 ? err_prefix(err, "unix:%s: connect", path) : sock;
}

int connect_open(const struct addr *addr, const struct connect_options *options,
    struct connect_state *state, int64_t deadline, struct err *err)
{
	const struct try try = {.options = options, .state = state, .deadline = deadline};

	if (state->slow_at != DEADLINE_NEVER)
		state->slow_at = deadline_after(SLOW);
	if (addr->kind == ADDR_UNIX)
		return connect_unix(&try, addr->path, err);
	return connect_inet(&try, addr, err);
}

void connect_forget(struct connect_state *state)
{
	resolve_forget(&state->host);
	resolve_forget(&state->source);
}
