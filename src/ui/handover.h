/*
 * The hand-over: the command for the other end, as a line to be copied into a shell there. If it is
 * for another program than sockxfer, it has the options without which that program does not end or
 * loses data. No function here blocks.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum handover_tool {
	HANDOVER_SOCKXFER,
	HANDOVER_NC, /* OpenBSD's */
	HANDOVER_NCAT,
	HANDOVER_SOCAT,
	HANDOVER_BUSYBOX,
	HANDOVER_PYTHON,
	HANDOVER_OPENSSL, /* the only one that encrypts */
	HANDOVER_TOOLS
};

/* What travels. */
enum handover_form {
	HANDOVER_STREAM, /* bytes, which are a file at both ends */
	HANDOVER_TREE,   /* an archive of what is in a directory */
	HANDOVER_NAMED,  /* an archive of files with their names */
};

struct handover {
	enum handover_tool tool;
	enum handover_form form;
	bool peer_sends;
	bool resumes;         /* we have -R, and so has a peer that is sockxfer */
	int64_t retry;        /* ns for which both go on by themselves; 0: not at all */
	bool datagrams;       /* by UDP, in the place of a stream */
	bool raw;             /* these are no lines */
	bool receipts;        /* if the peer is sockxfer and sends, it demands a receipt */
	const char *path;     /* our file operand, or "-"; NULL: we run a command */
	const char *key;      /* the word behind the peer's --key; NULL: nothing is encrypted */
	const char *identity; /* of the key, for a program that is not sockxfer */
	const char *where; /* the address of this one of several peers; NULL: there is one peer */
};

/* The address by which the two connect. */
struct handover_place {
	bool peer_listens;
	bool ipv6;        /* if the peer listens: we connect by IPv6 */
	bool here;        /* the peer is on this host, or seems to be */
	const char *host; /* if the peer connects: our host; of datagrams, or their group */
	bool group;       /* host is a multicast group, which a peer that listens joins */
	const char *port; /* a number */
	const char *path; /* of a unix socket, in place of host and port; else NULL */
};

/*
 * Reads the name of one of the other programs into *tool. Returns 0, or -1 with ERR_USAGE, whose
 * text lists them.
 */
int handover_parse_tool(enum handover_tool *tool, const char *name, struct err *err);

/* Returns the name of the program, of static duration. */
const char *handover_tool_name(enum handover_tool tool);

/*
 * Checks that tool can use a unix socket. Returns 0, or -1 with ERR_USAGE, whose text lists which
 * can.
 */
int handover_check_unix(enum handover_tool tool, struct err *err);

/*
 * Checks that tool can send datagrams or receive them, from a group that it has to join if group.
 * Returns 0, or -1 with ERR_USAGE, whose text lists which can.
 */
int handover_check_udp(enum handover_tool tool, bool group, struct err *err);

/*
 * Writes the command for the other end into text, of size bytes: words for a POSIX shell, which
 * bash and zsh read in the same way. Its file has the name of ours, without the directory. The name
 * is FILE, or of a tree DIR, if ours has none, if ours is not printable or too long, or if the peer
 * may overwrite our file. Another program has tar beside it for an archive. Returns 0, or -1 if the
 * command does not fit.
 */
int handover_command(const struct handover *handover, const struct handover_place *place,
    char *text, size_t size);

/*
 * Writes the part of the command that holds our address, place->host, for a peer that exchanges it
 * for another one. Returns as handover_command().
 */
int handover_address(const struct handover *handover, const struct handover_place *place,
    char *text, size_t size);

#endif
