#include "combinations.h"

#include <unistd.h>

#include "clock.h"

#define JOBS_DEFAULT 64
#define GRACE_DEFAULT (10 * CLOCK_SECOND)

/* What goes with listening, and what with connecting. */
static int check_connection(const struct options *options, struct err *err)
{
	bool connects = !options->listens && options->address.kind == ADDR_INET;

	if (options->has_source && !connects)
		return err_set(err, ERR_USAGE, 0,
		    "-s, --source: is only for connecting to host:port");
	if (options->retry != 0 && (options->listens || options->address.kind == ADDR_FD))
		return err_set(err, ERR_USAGE, 0, "-r, --retry: is only for connecting");
	if (options->allow.count > 0 && (connects || options->address.kind == ADDR_UNIX))
		return err_set(err, ERR_USAGE, 0, "--allow: is only for listening on TCP");
	if (options->port_file != NULL && (connects || options->address.kind == ADDR_UNIX))
		return err_set(err, ERR_USAGE, 0,
		    "--port-file: is only for listening on a TCP port");
	return 0;
}

static int check_data(const struct options *options, struct err *err)
{
	if (options->idle_eof != 0 && options->idle_limit != 0 &&
	    options->idle_eof >= options->idle_limit)
		return err_set(err, ERR_USAGE, 0,
		    "--idle-eof: has to be shorter than -w, which would end the transfer first");
	if (options->must_confirm && options->no_receipt)
		return err_set(err, ERR_USAGE, 0, "-V and --no-receipt exclude each other");
	if (options->command != NULL && (options->no_clobber || options->sync))
		return err_set(err, ERR_USAGE, 0, "-n and -S are for a file, not for a command");
	return 0;
}

/* What goes together with -k. */
static int check_keeps(struct options *options, struct err *err)
{
	const char *only = options->jobs != 0           ? "-j, --jobs"
	                   : options->max_per_peer != 0 ? "--max-per-peer"
	                   : options->grace != -1       ? "--grace"
	                                                : NULL;

	if (!options->keeps && only != NULL)
		return err_set(err, ERR_USAGE, 0, "%s: is only for -k", only);
	if (!options->keeps)
		return 0;
	if (!options->listens && options->address.kind != ADDR_FD)
		return err_set(err, ERR_USAGE, 0,
		    "-k, --keep-open: is only for listening, with -p or -l");
	if (options->max_per_peer != 0 && options->address.kind == ADDR_UNIX)
		return err_set(err, ERR_USAGE, 0, "--max-per-peer: is only for listening on TCP");
	if (options_stdio(options) == STDIN_FILENO)
		return err_set(err, ERR_USAGE, 0,
		    "-k, --keep-open: stdin can be read once only: name a file, or a command behind --");
	if (options->jobs == 0)
		options->jobs = JOBS_DEFAULT;
	if (options->grace == -1)
		options->grace = GRACE_DEFAULT;
	return 0;
}

/* What goes together with --peer. */
static int check_peer(const struct options *options, struct err *err)
{
	if (options->peer == HANDOVER_SOCKXFER)
		return 0;
	if (options->must_confirm)
		return err_set(err, ERR_USAGE, 0,
		    "-V and --peer exclude each other: %s gives no receipt",
		    handover_tool_name(options->peer));
	if (options->address.kind == ADDR_UNIX && handover_check_unix(options->peer, err) == -1)
		return err_prefix(err, "--peer");
	return 0;
}

/* What depends on the address. */
static int check_address(const struct options *options, struct err *err)
{
	return check_connection(options, err) == -1 ? -1 : check_peer(options, err);
}

/* What holds for one address has to hold for each of several. */
static int check_addresses(const struct options *options, struct err *err)
{
	struct options one = *options;

	if (options->receivers.count == 0)
		return check_address(options, err);
	for (size_t i = 0; i < options->receivers.count; i++) {
		one.address = options->receivers.one[i].addr;
		if (check_address(&one, err) == -1)
			return -1;
	}
	return 0;
}

int combinations_check(struct options *options, struct err *err)
{
	if (check_addresses(options, err) == -1 || check_data(options, err) == -1)
		return -1;
	return check_keeps(options, err);
}
