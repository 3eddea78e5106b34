/*
 * Descriptors 0, 1 and 2 as inetd(8) leaves them to the program: each is the connection itself.
 */
#ifndef INETD_H
#define INETD_H

#include "base/err.h"
#include "cli/settings.h"

/*
 * Moves an inherited connection away from descriptors 0, 1 and 2, puts /dev/null in its place, and
 * writes the new descriptor into settings->address. Without /dev/null it closes the three instead,
 * and fails. For any other address it does nothing. It has to be called before anything is printed:
 * a message on the connection, or the output of a command, would reach the peer, and, if the peer
 * does not read it, make its kernel destroy data in flight.
 *
 * From then on the connection is reset if the program ends: an exit before the transfer must not
 * look like the end of an empty stream. Returns 0, or -1 with ERR_FAILED, or with ERR_USAGE if the
 * connection would be its own other end, by stdin, stdout or the path. It does not block.
 */
int inetd_settle(struct settings *settings, struct err *err);

/*
 * Prepares for a message that the command line, argv, is wrong. Each connection that a word of argv
 * names as fd:N will be reset when the program ends. If stdin and stderr are one socket, inetd has
 * started the program: that socket will be reset, too, and /dev/null takes its place on stdout and
 * stderr. It ignores errors and does not block.
 */
void inetd_hush(char *const argv[]);

#endif
