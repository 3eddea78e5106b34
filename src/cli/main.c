#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/build.h"
#include "cli/inetd.h"
#include "cli/key_command.h"
#include "cli/keyring.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "cli/version.h"
#include "job/conclude.h"
#include "job/recv_datagrams.h"
#include "job/recv_one.h"
#include "job/send_datagrams.h"
#include "job/send_many.h"
#include "job/send_one.h"
#include "job/serve_each.h"
#include "net/sock.h"
#include "sys/signals.h"
#include "ui/log.h"

/*
 * Whether a message may be written to fd, which need not be open. A socket may be the peer's, and
 * stdin the file to be sent.
 */
static bool takes_messages(int fd)
{
	if (fd == STDIN_FILENO)
		return isatty(fd);
	return fcntl(fd, F_GETFD) != -1 && !sock_same(fd, fd);
}

/* Ends the program, as errno says why, with a message on the first descriptor that takes one. */
static _Noreturn void end_without_null(int closed)
{
	const char *reason = strerror(errno);
	int fd = STDERR_FILENO;

	while (fd >= STDIN_FILENO && !takes_messages(fd))
		fd--;
	if (fd >= STDIN_FILENO)
		dprintf(fd,
		    "sockxfer: descriptor %d is closed, and /dev/null cannot be opened: %s\n",
		    closed, reason);
	_exit(EXIT_FAILURE);
}

/*
 * Opens each of the descriptors 0, 1 and 2 that is closed, as one that fails as a closed one does.
 * Else the first socket would get the number, and messages for stderr would be sent to the peer.
 */
static void fill_standard_descriptors(void)
{
	static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", modes[fd]) == -1)
			end_without_null(fd);
	}
}

/* Without a file operand on a terminal, say that stdin is being read, or what is on the screen. */
static void tell_stdio(const struct settings *settings, const struct log *log)
{
	int fd = settings_stdio(settings);

	if (fd == -1 || !isatty(fd))
		return;
	log_note(log, "no file given: %s",
	    fd == STDIN_FILENO ? "type what is to be sent, and ^D at the end"
			       : "what arrives is shown here");
}

static int run_send(const struct settings *settings, const struct keyring *keyring,
    const struct log *log)
{
	const struct serve_each_options each = {.max = settings->jobs, .grace = settings->grace};
	struct send_job job;

	build_send_job(&job, settings, keyring, log);
	if (settings->address.kind == ADDR_UDP)
		return send_datagrams(&job, settings->raw);
	if (settings->keeps)
		return serve_each_send(&job, &each);
	if (settings->receivers.count > 0)
		return send_many(&job, &settings->receivers);
	return send_one(&job);
}

static int run_recv(const struct settings *settings, const struct keyring *keyring,
    const struct log *log)
{
	const struct serve_each_options each = {.max = settings->jobs, .grace = settings->grace};
	struct recv_job job;

	build_recv_job(&job, settings, keyring, log);
	if (settings->address.kind == ADDR_UDP)
		return recv_datagrams(&job, settings->raw);
	return settings->keeps ? serve_each_recv(&job, &each) : recv_one(&job);
}

/* Concludes a run in which no job could begin. */
static int fail_to_begin(const struct settings *settings, const struct keyring *keyring,
    const struct log *log, struct err *err)
{
	const struct outcome outcome =
	    outcome_begin(settings->role == SETTINGS_SEND, settings->path, settings->command);
	const struct talk talk = build_talk(settings, keyring, log);

	return conclude(&talk, NULL, &outcome, err);
}

/* Runs the job and reports it. Returns the exit status. */
static int run_job(struct settings *settings)
{
	struct terminal terminal;
	const struct log log = {
	    .terminal = &terminal,
	    .role = settings_role_name(settings->role),
	    .quiet = settings->quiet,
	    .verbose = settings->verbose,
	};
	struct keyring keyring = {.shown = ""};
	struct err err = {.kind = ERR_NONE};
	int status = inetd_settle(settings, &err);

	terminal_open(&terminal); /* after inetd_settle(), which may replace stderr */
	if (status == 0)
		status = keyring_open(&keyring, settings, &log, &err);
	if (status == -1)
		return fail_to_begin(settings, &keyring, &log, &err);
	tell_stdio(settings, &log);
	int code = settings->role == SETTINGS_SEND ? run_send(settings, &keyring, &log)
	                                           : run_recv(settings, &keyring, &log);
	keyring_close(&keyring);
	return code;
}

/* Flushes stdout. Returns the exit code: that --help cannot be written is a failure, too. */
static int close_stdout(void)
{
	if (fflush(stdout) == 0)
		return EXIT_SUCCESS;
	perror("sockxfer: stdout");
	return EXIT_FAILURE;
}

/* A key that could not be written, as a full disk may have it, is a failure. */
static int run_key(int argc, char **argv, struct terminal *terminal)
{
	const struct log log = {.terminal = terminal, .role = argv[0]};
	struct err err = {.kind = ERR_NONE};

	if (key_command(argc, argv, stdout, &err) == 0)
		return close_stdout();
	log_error(&log, &err);
	return outcome_exit_code(&err);
}

int main(int argc, char **argv)
{
	struct settings settings;
	struct terminal terminal;
	struct log nobody = {.terminal = &terminal};
	struct err err = {.kind = ERR_NONE};

	signals_block_queries(); /* first: a signal that asks for the progress must not end us */
	fill_standard_descriptors();
	setlocale(LC_CTYPE, "");
	terminal_open(&terminal);
	if (argc > 1 && strcmp(argv[1], "key") == 0)
		return run_key(argc - 1, argv + 1, &terminal);
	if (options_parse(&settings, argc, argv, &err) == -1) {
		inetd_hush(argv);
		log_error(&nobody, &err);
		settings_free(&settings);
		return outcome_exit_code(&err);
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
	int code = run_job(&settings);
	settings_free(&settings);
	if (code > 128)
		signals_die();
	return code;
}
