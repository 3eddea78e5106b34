#include "net/connect_retry.h"

#include <errno.h>
#include <stdbool.h>

#include "sys/io.h"

#define FIRST_PAUSE (100 * CLOCK_MILLISECOND)
#define LAST_PAUSE (2 * CLOCK_SECOND)
#define LAST_TRY (1 * CLOCK_SECOND)

/* Whether the error may pass, so that another try makes sense. */
static bool is_passing(const struct err *err, bool has_source)
{
	if (err->kind != ERR_FAILED && err->kind != ERR_TIMEOUT)
		return false;
	switch (err->errnum) {
	case EADDRNOTAVAIL: /* with -s, a wrong address; without it, there is no network yet */
		return !has_source;
	case EACCES:
	case EPERM:
	case EAFNOSUPPORT:
	case EPROTO: /* it has answered, and not as it should */
	case EINVAL: /* a link-local address without its interface */
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return false;
	default:
		return true;
	}
}

/* Returns the deadline of a try. One that begins at the last moment has LAST_TRY, for a chance. */
static int64_t deadline_of_try(const struct connect_retry_options *options)
{
	int64_t deadline = deadline_of(options->limits);
	int64_t least = deadline_after(LAST_TRY);

	if (options->until == DEADLINE_NOW)
		return deadline;
	return deadline_min(deadline, options->until > least ? options->until : least);
}

/* Ends the tries: with ERR_TIMEOUT if -W has passed, else with the last try's error as it is. */
static int set_retry_error(const struct connect_retry_options *options, struct err *err)
{
	if (options->until == DEADLINE_NOW || clock_now() < options->limits->end)
		return -1;
	err->kind = ERR_TIMEOUT;
	return err_prefix(err, "the time limit of -W has passed");
}

static int try_until(const struct addr *addr, const struct connect_options *how,
    const struct connect_retry_options *options, struct connect_state *state, struct err *err)
{
	int64_t until = deadline_min(options->until, options->limits->end);
	int64_t pause = FIRST_PAUSE;

	for (;;) {
		int sock = connect_open(addr, how, state, deadline_of_try(options), err);
		if (sock != -1 && options->on_socket(options->context, sock, err) == 0) {
			err_clear(err);
			return 0;
		}
		if (!is_passing(err, how->source != NULL))
			return -1;
		if (clock_now() >= until)
			return set_retry_error(options, err);
		if (options->on_failure != NULL)
			options->on_failure(options->context, err);
		if (io_sleep(deadline_min(deadline_after(pause), until), err) == -1)
			return err_prefix(err, "connect");
		if (clock_now() >= options->limits->end)
			return set_retry_error(options, err);
		pause = deadline_min(2 * pause, LAST_PAUSE);
	}
}

int connect_retry(const struct addr *addr, const struct connect_options *how,
    const struct connect_retry_options *options, struct err *err)
{
	struct connect_state state = {.host = NULL};
	int status = try_until(addr, how, options, &state, err);

	connect_forget(&state);
	return status;
}
