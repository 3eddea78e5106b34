#include "job/conclude.h"

#include <stdio.h>
#include <string.h>

#include "sys/signals.h"

struct outcome run_outcome(const struct settings *settings)
{
	const char *path = settings->command != NULL ? settings->command[0] : settings->path;
	const char *stdio = settings->role == SETTINGS_SEND ? "stdin" : "stdout";

	return (struct outcome){
	    .path = path,
	    .name = strcmp(path, "-") == 0 ? stdio : path,
	    .done = "stored",
	    .is_verified = true,
	};
}

/* The time of the transfer begins now. */
static struct time_limits limits_of(const struct settings *settings)
{
	struct time_limits limits = {.idle = settings->idle_limit, .end = DEADLINE_NEVER};

	if (settings->total_limit != 0)
		limits.end = deadline_after(settings->total_limit);
	return limits;
}

struct send_policy run_send_policy(const struct settings *settings, struct progress *progress)
{
	return (struct send_policy){
	    .limits = limits_of(settings),
	    .chunk = (size_t)settings->chunk,
	    .rate = settings->rate,
	    .heeds_receipts = !settings->no_receipt,
	    .must_confirm = settings->must_confirm,
	    .progress = progress,
	};
}

struct recv_policy run_recv_policy(const struct settings *settings, struct progress *progress)
{
	return (struct recv_policy){
	    .limits = limits_of(settings),
	    .chunk = (size_t)settings->chunk,
	    .rate = settings->rate,
	    .idle_eof = settings->idle_eof,
	    .max_size = settings->max_size,
	    .gives_receipts = !settings->no_receipt,
	    .expect = settings->has_expected ? settings->expected : NULL,
	    .progress = progress,
	};
}

int run_exit_code(const struct err *err)
{
	if (err->kind != ERR_NONE && signals_caught() != 0)
		return 128 + signals_caught();
	switch (err->kind) {
	case ERR_NONE:
		return 0;
	case ERR_USAGE:
		return 2;
	case ERR_TIMEOUT:
		return 3;
	case ERR_MISMATCH:
		return 4;
	case ERR_UNCONFIRMED:
		return 5;
	case ERR_PEER:
		return 6;
	default:
		return 1;
	}
}

bool run_prints_data(const struct settings *settings)
{
	return settings->role == SETTINGS_RECV &&
	       (settings->command != NULL || settings_stdio(settings) != -1);
}

/* What is for a program to read. Returns 0, or -1 if it could not be written. */
static int print_result(const struct settings *settings, const struct report *report,
    const struct outcome *outcome, const struct err *why)
{
	if (settings->json)
		return report_json(report, outcome, why, run_exit_code(why),
		    run_prints_data(settings) ? stderr : stdout);
	if (why->kind == ERR_NONE && outcome->inbox_file[0] != '\0')
		return report_inbox_file(report, outcome, stdout);
	return 0;
}

int run_conclude(const struct settings *settings, const struct report *report,
    const struct outcome *outcome, struct err *err)
{
	if (err->kind == ERR_NONE)
		report_outcome(report, outcome);
	else if (err->kind != ERR_INTERRUPTED)
		report_error(report, err);
	if (print_result(settings, report, outcome, err) == -1 && err->kind == ERR_NONE) {
		err_sys(err, "%s", settings->json ? "--json" : "stdout");
		if (settings->keeps && outcome->peer[0] != '\0')
			err_prefix(err, "%s", outcome->peer);
		report_error(report, err);
	}
	return run_exit_code(err);
}
