#include "cli/settings_check.h"

#include <unistd.h>

#include "base/clock.h"
#include "cli/settings_udp.h"

/*
 * The default chunk. The speed depends on how much a receiver takes out of the socket before it
 * writes to a file. Measured on 2 cores, 2 GiB from tmpfs to tmpfs over loopback, with digests: 64K
 * 1.8 GB/s, 256K 1.9, 512K 2.2, 1M to 4M 2.5; cp 2.7. Neither SO_RCVLOWAT, MSG_WAITALL, huge pages
 * for the buffer, hashing in slices that stay in the cache, nor a thread that writes or hashes made
 * it faster.
 */
#define CHUNK_DEFAULT (INT64_C(2) * 1024 * 1024)

/*
 * The default chunk of a sender that serves many, whose chunks do not all fit into the cache at
 * once. Measured, 256 MB to 20 receivers on 2 cores, CPU seconds of all senders: 2M 2.0, 512K 1.8,
 * 256K 1.6, 128K 1.6; to one receiver there is no difference.
 */
#define CHUNK_OF_MANY (INT64_C(256) * 1024)

#define JOBS_DEFAULT 64
#define ENTRIES_DEFAULT 1000000
#define GRACE_DEFAULT (10 * CLOCK_SECOND)

/*
 * Whether -r has something to try again: to connect or, after a break with -R, to listen as well. A
 * socket that was inherited does not come again.
 */
static bool can_retry(const struct settings *settings)
{
	return settings->address.kind != ADDR_FD && (!settings->listens || settings->resumes);
}

/* Checks the settings that are for listening only, or for connecting only. */
static int check_connection(const struct settings *settings, struct err *err)
{
	bool connects = !settings->listens &&
	                (settings->address.kind == ADDR_INET || settings->address.kind == ADDR_UDP);

	if (settings->has_source && !connects)
		return err_set(err, ERR_USAGE, 0,
		    "-s, --source: is only for connecting to host:port");
	if (settings->retry != 0 && !can_retry(settings))
		return err_set(err, ERR_USAGE, 0,
		    "-r, --retry: is only for connecting, or together with -R for -p and -l");
	if (settings->allow.count > 0 && (connects || settings->address.kind == ADDR_UNIX))
		return err_set(err, ERR_USAGE, 0, "--allow: is only for listening on TCP");
	if (settings->port_file != NULL && (connects || settings->address.kind == ADDR_UNIX))
		return err_set(err, ERR_USAGE, 0, "--port-file: is only for listening on a port");
	return 0;
}

static int check_data(const struct settings *settings, struct err *err)
{
	if (settings->idle_eof != 0 && settings->idle_limit != 0 &&
	    settings->idle_eof >= settings->idle_limit)
		return err_set(err, ERR_USAGE, 0,
		    "--idle-eof: has to be shorter than -w, which would end the transfer first");
	if (settings->must_confirm && settings->no_receipt)
		return err_set(err, ERR_USAGE, 0, "-V and --no-receipt exclude each other");
	if (settings->sync && settings->no_sync)
		return err_set(err, ERR_USAGE, 0,
		    "-S and --no-sync exclude each other: one waits for the disk, the other never");
	if (settings->command != NULL &&
	    (settings->no_clobber || settings->sync || settings->no_sync))
		return err_set(err, ERR_USAGE, 0,
		    "-n, -S and --no-sync are for a file, not for a command");
	return 0;
}

/* Checks -x and the settings that are for -x only. */
static int check_extract(const struct settings *settings, struct err *err)
{
	if (!settings->extracts && settings->max_entries != 0)
		return err_set(err, ERR_USAGE, 0, "--max-entries: is only for -x");
	if (!settings->extracts)
		return 0;
	if (settings->command != NULL)
		return err_set(err, ERR_USAGE, 0,
		    "-x, --extract: is for a directory, not for a command");
	if (settings_stdio(settings) != -1)
		return err_set(err, ERR_USAGE, 0,
		    "-x, --extract: needs a directory, new or not, for the tree: . is this one");
	return 0;
}

/*
 * What does not go with -R, or NULL: it is for one regular file, whose bytes are there again, and
 * for one peer, which is ours.
 */
static const char *no_resume(const struct settings *settings)
{
	if (settings->keeps)
		return "is for one transfer, not for -k";
	if (settings->receivers.count > 0)
		return "is for one receiver, not for several";
	if (settings->command != NULL)
		return "is for a file, not for a command";
	if (settings->extracts || settings_send_names(settings))
		return "is for one file, not for a tree";
	if (settings_stdio(settings) != -1)
		return settings->role == SETTINGS_SEND ? "is for a file, not for stdin"
		                                       : "is for a file, not for stdout";
	if (settings->no_receipt)
		return "needs the digests that --no-receipt leaves out";
	if (settings->idle_eof != 0)
		return "excludes --idle-eof, for a silence may be a break";
	if (settings->peer != HANDOVER_SOCKXFER)
		return "excludes --peer, for only sockxfer resumes";
	return NULL;
}

static int check_resumes(const struct settings *settings, struct err *err)
{
	const char *why = settings->resumes ? no_resume(settings) : NULL;

	return why == NULL ? 0 : err_set(err, ERR_USAGE, 0, "-R, --resume: %s", why);
}

/* Checks -k and the settings that are for -k only. */
static int check_keeps(const struct settings *settings, struct err *err)
{
	const char *only = settings->jobs != 0           ? "-j, --jobs"
	                   : settings->max_per_peer != 0 ? "--max-per-peer"
	                   : settings->grace != -1       ? "--grace"
	                                                 : NULL;

	if (!settings->keeps && only != NULL)
		return err_set(err, ERR_USAGE, 0, "%s: is only for -k", only);
	if (!settings->keeps)
		return 0;
	if (!settings->listens && settings->address.kind != ADDR_FD)
		return err_set(err, ERR_USAGE, 0,
		    "-k, --keep-open: is only for listening, with -p or -l");
	if (settings->max_per_peer != 0 && settings->address.kind == ADDR_UNIX)
		return err_set(err, ERR_USAGE, 0, "--max-per-peer: is only for listening on TCP");
	if (settings_stdio(settings) == STDIN_FILENO)
		return err_set(err, ERR_USAGE, 0,
		    "-k, --keep-open: stdin can be read once only: name a file, or a command behind --");
	return 0;
}

static int check_key(const struct settings *settings, struct err *err)
{
	if (settings->key != SETTINGS_KEY_NEW)
		return 0;
	if (!settings->listens || settings->keeps)
		return err_set(err, ERR_USAGE, 0,
		    "--key new: is for the end that listens, without -k; the other end has --key ask");
	if (settings->quiet)
		return err_set(err, ERR_USAGE, 0,
		    "--key new and -q exclude each other: the key has to be shown");
	return 0;
}

/* Checks --peer and what it excludes. */
static int check_peer(const struct settings *settings, struct err *err)
{
	if (settings->peer == HANDOVER_SOCKXFER)
		return 0;
	if ((settings->peer == HANDOVER_OPENSSL) != (settings->key != SETTINGS_KEY_NONE))
		return err_set(err, ERR_USAGE, 0,
		    "--peer openssl and --key go together: of these programs only openssl encrypts");
	if (settings->must_confirm)
		return err_set(err, ERR_USAGE, 0,
		    "-V and --peer exclude each other: %s gives no receipt",
		    handover_tool_name(settings->peer));
	if (settings->address.kind == ADDR_UNIX && handover_check_unix(settings->peer, err) == -1)
		return err_prefix(err, "--peer");
	bool joins = settings->role == SETTINGS_SEND && addr_is_group(&settings->address);
	if (settings->address.kind == ADDR_UDP &&
	    handover_check_udp(settings->peer, joins, err) == -1)
		return err_prefix(err, "--peer");
	return 0;
}

/* Checks the settings that depend on the address. */
static int check_address(const struct settings *settings, struct err *err)
{
	return check_connection(settings, err) == -1 ? -1 : check_peer(settings, err);
}

/* Checks the address, or each of several. */
static int check_addresses(const struct settings *settings, struct err *err)
{
	struct settings one = *settings;

	if (settings->receivers.count == 0)
		return check_address(settings, err);
	for (size_t i = 0; i < settings->receivers.count; i++) {
		one.address = settings->receivers.one[i].addr;
		if (check_address(&one, err) == -1)
			return -1;
	}
	return 0;
}

/* Sets the defaults that were left out, for the check to see which options were given. */
static void set_defaults(struct settings *settings)
{
	bool is_of_many = settings->keeps && settings->role == SETTINGS_SEND;

	if (settings->chunk == 0 && settings->address.kind == ADDR_UDP)
		settings->chunk = settings_udp_chunk(settings);
	if (settings->chunk == 0)
		settings->chunk = is_of_many ? CHUNK_OF_MANY : CHUNK_DEFAULT;
	if (settings->max_entries == 0)
		settings->max_entries = ENTRIES_DEFAULT;
	if (settings->jobs == 0)
		settings->jobs = JOBS_DEFAULT;
	if (settings->grace == -1)
		settings->grace = GRACE_DEFAULT;
}

int settings_check(struct settings *settings, struct err *err)
{
	if (settings_udp_check(settings, err) == -1 || check_addresses(settings, err) == -1 ||
	    check_data(settings, err) == -1 || check_extract(settings, err) == -1 ||
	    check_resumes(settings, err) == -1 || check_keeps(settings, err) == -1 ||
	    check_key(settings, err) == -1)
		return -1;
	set_defaults(settings);
	return 0;
}
