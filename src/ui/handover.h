/*
 * The hand-over: what to run at the other end, as a line to be copied into a shell there. For
 * programs in the place of sockxfer it has the options without which they do not end or lose data.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum handover_tool {
	HANDOVER_SOCKXFER,
	HANDOVER_NC, /* OpenBSD's */
	HANDOVER_NCAT,
	HANDOVER_SOCAT,
	HANDOVER_BUSYBOX,
	HANDOVER_PYTHON,
	HANDOVER_TOOLS
};

struct handover {
	enum handover_tool tool;
	bool peer_sends;
	bool receipts;     /* sockxfer at the other end is to insist on one, if it sends */
	const char *path;  /* our file operand; "-", or NULL for a command: it names nothing */
	const char *where; /* which of several peers it is for; NULL: there is one */
};

/* Where the two meet. */
struct handover_place {
	bool peer_listens;
	bool ipv6;        /* where the peer listens: we come by IPv6 */
	bool here;        /* the peer is on this machine, or seems to be */
	const char *host; /* ours, where the peer connects */
	const char *port; /* a number */
	const char *path; /* of a unix socket, in the place of host and port; else NULL */
};

/* Reads the name of one of the other programs. Returns 0, or -1 with ERR_USAGE listing them. */
int handover_parse_tool(enum handover_tool *tool, const char *name, struct err *err);

/* The name of the program. */
const char *handover_tool_name(enum handover_tool tool);

/* Whether tool can use a unix socket. Returns 0, or -1 with ERR_USAGE saying which can. */
int handover_check_unix(enum handover_tool tool, struct err *err);

/*
 * Writes the command for the other end into text, of size bytes: words for a POSIX shell, which
 * bash and zsh take the same. Its file is called as ours, without the directory; or FILE where ours
 * has no name, has one that a terminal or text has no room for, or may be the one that would be
 * overwritten. Returns 0, or -1 if it does not fit.
 */
int handover_command(const struct handover *handover, const struct handover_place *place,
    char *text, size_t size);

/*
 * Writes the part of the command that another address of ours, place->host, would take the place of. Returns and
 * fails as handover_command().
 */
int handover_address(const struct handover *handover, const struct handover_place *place,
    char *text, size_t size);

#endif
