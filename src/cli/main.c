#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/inetd.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "cli/version.h"
#include "job/conclude.h"
#include "job/recv_one.h"
#include "job/send_many.h"
#include "job/send_one.h"
#include "job/serve_each.h"
#include "sys/signals.h"
#include "ui/progress_meter.h"
#include "ui/report.h"

/*
 * Opens each of the descriptors 0, 1 and 2 that is closed, as one that fails as a closed one does.
 * Else the first socket would get the number, and messages for stderr would be sent to the peer.
 */
static void fill_standard_descriptors(void)
{
	static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", modes[fd]) == -1)
			_exit(EXIT_FAILURE);
	}
}

/*
 * Whether to draw a line of progress: not if the data come from a terminal or go to one, or if a
 * command that receives them may write to one.
 */
static bool draws(const struct settings *settings)
{
	int fd = settings_stdio(settings);

	if (settings->quiet || settings->no_progress)
		return false;
	if (settings->role == SETTINGS_RECV && settings->command != NULL)
		fd = STDOUT_FILENO;
	return fd == -1 || !isatty(fd);
}

/* Without a file operand on a terminal, say that stdin is being read, or what is on the screen. */
static void tell_stdio(const struct settings *settings, const struct report *report)
{
	int fd = settings_stdio(settings);

	if (fd == -1 || !isatty(fd))
		return;
	report_note(report, "no file given: %s",
	    fd == STDIN_FILENO ? "type what is to be sent, and ^D at the end"
			       : "what arrives is shown here");
}

static struct progress_meter_options meter_of(const struct settings *settings,
    const struct report *report, const struct progress *progress)
{
	return (struct progress_meter_options){
	    .report = report,
	    .progress = progress,
	    .name = run_outcome(settings).name,
	    .sends = settings->role == SETTINGS_SEND,
	    .draws = draws(settings),
	    .is_command = settings->role == SETTINGS_SEND && settings->command != NULL,
	};
}

static int run_and_show(const struct settings *settings, const struct report *report,
    struct outcome *outcome, struct err *err)
{
	struct progress progress = {.phase = PROGRESS_WAITING};
	const struct progress_meter_options how = meter_of(settings, report, &progress);
	struct progress_meter meter;

	tell_stdio(settings, report);
	progress_meter_start(&meter, &how);
	int status;
	if (settings->role == SETTINGS_SEND) {
		const struct send_policy policy = run_send_policy(settings, &progress);
		status = send_run(settings, &policy, report, outcome, err);
	} else {
		const struct recv_policy policy = run_recv_policy(settings, &progress);
		status = recv_run(settings, &policy, report, outcome, err);
	}
	progress_meter_stop(&meter);
	return status;
}

/* Serves many. Each transfer is reported by itself, and then why there are no more. */
static int keep_and_report(const struct settings *settings, const struct report *report,
    const struct outcome *outcome, struct err *err)
{
	tell_stdio(settings, report);
	keep_run(settings, report, err);
	if (err->kind == ERR_INTERRUPTED)
		return run_exit_code(err);
	return run_conclude(settings, report, outcome, err);
}

/* Sends to several receivers; fanout_send() reports each of them. Returns the exit code. */
static int run_to_several(const struct settings *settings, const struct report *report)
{
	struct progress progress = {.phase = PROGRESS_WAITING};
	const struct progress_meter_options how = meter_of(settings, report, &progress);
	const struct send_policy transfer = run_send_policy(settings, &progress);

	tell_stdio(settings, report);
	return fanout_send(settings, &transfer, &how);
}

/* Runs the transfer and reports it. Returns the exit code. */
static int run_and_report(struct settings *settings)
{
	struct outcome outcome = run_outcome(settings);
	struct terminal terminal;
	struct report report = {
	    .terminal = &terminal,
	    .role = settings_role_name(settings->role),
	    .quiet = settings->quiet,
	    .verbose = settings->verbose,
	};
	struct err err = {.kind = ERR_NONE};
	int status = inetd_settle(settings, &err);

	terminal_open(&terminal); /* after inetd_settle(), which may replace stderr */
	if (status == 0 && settings->keeps)
		return keep_and_report(settings, &report, &outcome, &err);
	if (status == 0 && settings->receivers.count > 0)
		return run_to_several(settings, &report);
	if (status == 0)
		status = run_and_show(settings, &report, &outcome, &err);
	if (status == 0)
		err.kind = ERR_NONE; /* tries that failed on the way have left theirs */
	return run_conclude(settings, &report, &outcome, &err);
}

/* Flushes stdout. Returns the exit code: that --help cannot be written is a failure, too. */
static int close_stdout(void)
{
	if (fflush(stdout) == 0)
		return EXIT_SUCCESS;
	perror("sockxfer: stdout");
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct settings settings;
	struct terminal terminal;
	struct report nobody = {.terminal = &terminal};
	struct err err = {.kind = ERR_NONE};

	signals_block_queries(); /* first: a signal that asks for the progress must not end us */
	fill_standard_descriptors();
	setlocale(LC_CTYPE, "");
	terminal_open(&terminal);
	if (options_parse(&settings, argc, argv, &err) == -1) {
		inetd_hush(argv);
		report_error(&nobody, &err);
		return run_exit_code(&err);
	}
	switch (settings.action) {
	case SETTINGS_HELP:
		options_help(stdout);
		return close_stdout();
	case SETTINGS_VERSION:
		version_print(stdout);
		return close_stdout();
	case SETTINGS_RUN:
		break;
	}
	signals_install();
	int code = run_and_report(&settings);
	if (code > 128)
		signals_die();
	return code;
}
