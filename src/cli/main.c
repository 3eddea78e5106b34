#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/inetd.h"
#include "cli/options.h"
#include "job/conclude.h"
#include "job/recv_one.h"
#include "job/send_many.h"
#include "job/send_one.h"
#include "job/serve_each.h"
#include "sys/signals.h"
#include "ui/progress_meter.h"
#include "ui/report.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

/*
 * A descriptor 0, 1 or 2 that is closed would be given to the first socket, and messages for stderr
 * sent to the peer. It is filled with one that fails as a closed one would.
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
 * Whether to draw a line: not where the data come from the same terminal or go there, nor where a command that
 * receives them may write to it.
 */
static bool draws(const struct options *options)
{
	int fd = options_stdio(options);

	if (options->quiet || options->no_progress)
		return false;
	if (options->role == OPTIONS_RECV && options->command != NULL)
		fd = STDOUT_FILENO;
	return fd == -1 || !isatty(fd);
}

/* Who forgot the file at a terminal would wonder why nothing happens, or what that is on the screen. */
static void tell_stdio(const struct options *options, const struct report *report)
{
	int fd = options_stdio(options);

	if (fd == -1 || !isatty(fd))
		return;
	report_note(report, "no file given: %s",
	    fd == STDIN_FILENO ? "type what is to be sent, and ^D at the end"
			       : "what arrives is shown here");
}

static struct progress_meter_options meter_of(const struct options *options,
    const struct report *report, const struct progress *progress)
{
	return (struct progress_meter_options){
	    .report = report,
	    .progress = progress,
	    .name = run_outcome(options).name,
	    .sends = options->role == OPTIONS_SEND,
	    .draws = draws(options),
	    .is_command = options->role == OPTIONS_SEND && options->command != NULL,
	};
}

static int run_and_show(const struct options *options, const struct report *report,
    struct outcome *outcome, struct err *err)
{
	struct progress progress = {.phase = PROGRESS_WAITING};
	const struct progress_meter_options how = meter_of(options, report, &progress);
	struct progress_meter meter;

	tell_stdio(options, report);
	progress_meter_start(&meter, &how);
	const struct transfer_options transfer = run_transfer(options, &progress);
	int status = options->role == OPTIONS_SEND
	                 ? send_run(options, &transfer, report, outcome, err)
	                 : recv_run(options, &transfer, report, outcome, err);
	progress_meter_stop(&meter);
	return status;
}

/* Serves many. Each transfer is reported by itself; what is left to say is why there are no more. */
static int keep_and_report(const struct options *options, const struct report *report,
    const struct outcome *outcome, struct err *err)
{
	tell_stdio(options, report);
	keep_run(options, report, err);
	if (err->kind == ERR_INTERRUPTED)
		return run_exit_code(err);
	return run_conclude(options, report, outcome, err);
}

/* Sends to several receivers, each of which is reported there. Returns the exit code. */
static int run_to_several(const struct options *options, const struct report *report)
{
	struct progress progress = {.phase = PROGRESS_WAITING};
	const struct progress_meter_options how = meter_of(options, report, &progress);
	const struct transfer_options transfer = run_transfer(options, &progress);

	tell_stdio(options, report);
	return fanout_send(options, &transfer, &how);
}

/* Runs the transfer and reports it. Returns the exit code. */
static int run_and_report(struct options *options)
{
	struct outcome outcome = run_outcome(options);
	struct terminal terminal;
	struct report report = {
	    .terminal = &terminal,
	    .role = options_role_name(options->role),
	    .quiet = options->quiet,
	    .verbose = options->verbose,
	};
	struct err err = {.kind = ERR_NONE};
	int status = inetd_settle(options, &err);

	terminal_open(&terminal); /* only now is it certain what stderr is */
	if (status == 0 && options->keeps)
		return keep_and_report(options, &report, &outcome, &err);
	if (status == 0 && options->receivers.count > 0)
		return run_to_several(options, &report);
	if (status == 0)
		status = run_and_show(options, &report, &outcome, &err);
	if (status == 0)
		err.kind = ERR_NONE; /* whatever was tried on the way */
	return run_conclude(options, &report, &outcome, &err);
}

/* Output that does not arrive is a failure also where it is only --help. */
static int close_stdout(void)
{
	if (fflush(stdout) == 0)
		return EXIT_SUCCESS;
	perror("sockxfer: stdout");
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct options options;
	struct terminal terminal;
	struct report nobody = {.terminal = &terminal};
	struct err err = {.kind = ERR_NONE};

	signals_block_queries(); /* first of all: to be asked how far we are must not end us */
	fill_standard_descriptors();
	setlocale(LC_CTYPE, "");
	terminal_open(&terminal);
	if (options_parse(&options, argc, argv, &err) == -1) {
		inetd_hush(argv);
		report_error(&nobody, &err);
		return run_exit_code(&err);
	}
	switch (options.action) {
	case OPTIONS_HELP:
		options_help(stdout);
		return close_stdout();
	case OPTIONS_VERSION:
		puts("sockxfer " VERSION);
		return close_stdout();
	case OPTIONS_RUN:
		break;
	}
	signals_install();
	int code = run_and_report(&options);
	if (code > 128)
		signals_die();
	return code;
}
