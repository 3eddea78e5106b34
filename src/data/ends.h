/*
 * The two ends of a connection, as text: for the name of a new file in a directory, and for the
 * environment of a command.
 */
#ifndef ENDS_H
#define ENDS_H

#include "base/err.h"

/* Who is connected, and to what, in a form such as "192.0.2.7:9009"; "": it is unknown. */
struct ends {
	const char *peer;
	const char *local;
};

/* Of a stream that comes from no connection. */
extern const struct ends ends_unknown;

/*
 * Returns what a command is to find of ends in its environment, a list as command_start() takes it:
 * SOCKXFER_PEER and SOCKXFER_LOCAL. Where the peer is unknown, the list takes out what tells of
 * another connection. It is one piece of memory, the caller's to free(), or NULL with ERR_FAILED.
 * Does not block.
 */
char **ends_variables(const struct ends *ends, struct err *err);

#endif
