/*
 * The names of files in a directory that is a receiver's output. Nothing in them is chosen by the
 * peer.
 */
#ifndef INBOX_NAME_H
#define INBOX_NAME_H

#include <time.h>

/* Room for a name. */
#define INBOX_NAME_MAX 128

/*
 * Writes the name of a file that is stored at the time when (UTC is shown, milliseconds are the
 * last digits), that came from peer (as addr_format() has it; its port is left out), the number-th
 * one of such a name, into name, of INBOX_NAME_MAX bytes: "20261124T210126.042Z-192.0.2.7-1",
 * "...-2001_db8__7-1", "...-unix-1". The fields are separated by hyphens, and none has one within.
 * It consists of letters, digits and ". _ - %", and begins with a digit, so that it needs no quotes
 * and no "./"; names sort by time. Does not block or fail.
 */
void inbox_name(char *name, const struct timespec *when, const char *peer, unsigned number);

#endif
