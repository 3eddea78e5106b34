/*
 * The names of files in an inbox, a directory that is a receiver's output. The peer chooses no part
 * of them.
 */
#ifndef INBOX_NAME_H
#define INBOX_NAME_H

#include <time.h>

/* Room for a name. */
#define INBOX_NAME_MAX 128

/* A name with all the kinds of characters that names have. */
#define INBOX_NAME_EXAMPLE "20261124T210126.042Z-2001_db8__7%eth0-1"

/*
 * Writes the name of a file into name, of INBOX_NAME_MAX bytes: "20261124T210126.042Z-192.0.2.7-1",
 * "...-2001_db8__7-1", "...-unix-1". Its fields are when, the time at which the file is stored, in
 * UTC and to the millisecond; the address of peer, which is as addr_format() writes it, without the
 * port; and number, which tells apart files of the same time and peer.
 *
 * Hyphens separate the fields, and no field contains one. The name consists of letters, digits and
 * ". _ - %", and begins with a digit, so that it needs no quotes and no "./"; names sort by time.
 * Does not block or fail.
 */
void inbox_name(char *name, const struct timespec *when, const char *peer, unsigned number);

#endif
