#include "cli/settings_udp.h"

#include <stddef.h>

#include "net/datagram.h"

/* A datagram that fits into the packets of most links, with room for the headers of tunnels. */
#define RAW_DEFAULT 1400

struct refusal {
	bool is_given;
	const char *option;
	const char *why;
};

/* Refuses the first of the settings that is given. */
static int refuse_given(const struct refusal *rows, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].is_given)
			return err_set(err, ERR_USAGE, 0, "%s: is not for udp: %s", rows[i].option,
			    rows[i].why);
	}
	return 0;
}

/* The settings that have no meaning for datagrams. */
static int check_meaning(const struct settings *settings, struct err *err)
{
	bool receives = settings->role == SETTINGS_RECV;
	const struct refusal rows[] = {
	    {settings->keeps, "-k, --keep-open", "one capture takes what all peers send"},
	    {settings->must_confirm, "-V, --verify", "nobody confirms datagrams"},
	    {settings->no_receipt, "--no-receipt", "datagrams have no receipts"},
	    {settings->resumes, "-R, --resume", "datagrams that were lost are not sent again"},
	    {settings->key != SETTINGS_KEY_NONE, "-K, --key", "datagrams are not encrypted"},
	    {settings->extracts, "-x, --extract",
		"datagrams may be lost, and an archive with a gap is none"},
	    {settings_send_names(settings), "--named and several files",
		"datagrams may be lost, and an archive with a gap is none"},
	    {settings->skips_unreadable, "--skip-unreadable", "it is for directories"},
	    {settings->has_expected, "-E, --expect", "a capture is not known beforehand"},
	    {settings->retry != 0, "-r, --retry", "nothing tells whether somebody is there"},
	    {settings->congestion != NULL, "-C, --congestion", "it is of TCP; -b sets a pace"},
	    {settings->has_source, "-s, --source", "the route decides on the address"},
	    {settings->allow.count > 0, "--allow",
		"the address of a datagram can be forged; a firewall keeps others out"},
	    {settings->rate != 0 && receives, "-b, --rate",
		"a receiver cannot slow senders of datagrams down"},
	    {settings->chunk != 0 && !receives && !settings->raw, "-B, --chunk-size",
		"a line is a datagram; with --raw it is so many bytes"},
	};

	return refuse_given(rows, sizeof(rows) / sizeof(rows[0]), err);
}

static int check_size(const struct settings *settings, struct err *err)
{
	int64_t max = settings->role == SETTINGS_SEND ? DATAGRAM_SEND_MAX : DATAGRAM_RECV_MAX;

	if (settings->chunk <= max)
		return 0;
	return err_set(err, ERR_USAGE, 0, "-B, --chunk-size: a datagram has at most %lld bytes",
	    (long long)max);
}

/* Checks that a receiver has an address of its own, and a sender one of another. */
static int check_direction(const struct settings *settings, struct err *err)
{
	char where[ADDR_TEXT_MAX];

	addr_text(&settings->address, where);
	if (settings->role == SETTINGS_RECV && !settings->listens)
		return err_set(err, ERR_USAGE, 0,
		    "%s: datagrams are received at an address of this machine: -l udp::%s, or "
		    "-l %s if that is its own, or a group's",
		    where, settings->address.port, where);
	if (settings->role == SETTINGS_SEND && settings->listens)
		return err_set(err, ERR_USAGE, 0,
		    "%s: datagrams are sent to an address, without -l: udp:host:%s", where,
		    settings->address.port);
	return 0;
}

int settings_udp_check(const struct settings *settings, struct err *err)
{
	if (settings->address.kind == ADDR_UDP) {
		if (check_direction(settings, err) == -1 || check_meaning(settings, err) == -1)
			return -1;
		return check_size(settings, err);
	}
	if (settings->raw)
		return err_set(err, ERR_USAGE, 0, "--raw: is only for udp: addresses");
	return 0;
}

int64_t settings_udp_chunk(const struct settings *settings)
{
	if (settings->role == SETTINGS_RECV)
		return DATAGRAM_RECV_MAX;
	return settings->raw ? RAW_DEFAULT : DATAGRAM_SEND_MAX;
}
