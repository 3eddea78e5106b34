/*
 * What whoever started us has left on descriptors 0, 1 and 2: with inetd, the connection itself.
 */
#ifndef INETD_H
#define INETD_H

#include "base/err.h"
#include "cli/settings.h"

/*
 * To be called first of all: inetd gives a connection as stdin, stdout and stderr at once. A message there,
 * or what a command prints, would reach the peer, and, unread, make its kernel destroy data in
 * flight. So an inherited socket is moved out of their way, and /dev/null is put in its place;
 * settings->address then names the new descriptor. A connection is from here on reset if we go: an exit before
 * the transfer must not look like the end of an empty stream. Returns 0, or -1: ERR_FAILED, or ERR_USAGE if stdin
 * or stdout is to be both the connection and its other end.
 */
int inetd_settle(struct settings *settings, struct err *err);

/*
 * To be called before it is said that the command line, argv, is no good: whatever is a connection by one of its words
 * is reset when we go. Where one socket is stdin and stderr, inetd has started us, and it does what
 * inetd_settle() does.
 */
void inetd_hush(char *const argv[]);

#endif
