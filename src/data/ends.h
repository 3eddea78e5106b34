/*
 * The two ends of a connection, as text: for the name of a new file in a directory, and for the
 * environment of a command.
 */
#ifndef ENDS_H
#define ENDS_H

#include "base/err.h"

/* The addresses of both ends, in a form such as "192.0.2.7:9009"; "": the address is unknown. */
struct ends {
	const char *peer;
	const char *local;
};

/* The ends of a stream that comes from no connection. */
extern const struct ends ends_unknown;

/*
 * Returns the variables SOCKXFER_PEER and SOCKXFER_LOCAL for the environment of a command, as a
 * list for command_start(), or NULL with ERR_FAILED. If the peer is unknown, the list removes these
 * variables, which would tell of another connection. The list is one piece of memory, the caller's
 * to free(). Does not block.
 */
char **ends_variables(const struct ends *ends, struct err *err);

#endif
