/*
 * What became of one run of the program, or of one transfer of many, as far as it came.
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"
#include "transfer/transfer.h"

struct outcome {
	bool sends;                /* this end does */
	const char *path;          /* the file, or the command's name */
	const char *name;          /* the same for people: "stdin" instead of "-" */
	const char *done;          /* what TRANSFER_STORED means here: "stored", "written", ... */
	bool is_verified;          /* and that the digest was the one it had to be */
	char local[ADDR_TEXT_MAX]; /* "": there was no connection */
	char peer[ADDR_TEXT_MAX];
	char made[PATH_MAX];  /* the path of the new file in a directory; "": there is none */
	int64_t started;      /* clock_now() of the connection, 0: there was none */
	int64_t ended;        /* clock_now() of the end, 0: it is now */
	const char *receiver; /* as it was typed, where there are several; else NULL */
	struct transfer_result result;
};

/*
 * Returns the outcome of a transfer that has not begun, of the file at path, or "-", or of the command
 * argv (NULL: there is none). It keeps the strings by reference.
 */
struct outcome outcome_begin(bool sends, const char *path, char *const *argv);

/* Notes who is connected, as text, and that the transfer begins now. */
void outcome_connected(struct outcome *outcome, const char *local, const char *peer);

/* Forgets a connection that turned out to be no transfer. */
void outcome_forget(struct outcome *outcome);

/* Returns the time in ns that it took since the connection was there; 0 if there was none. */
int64_t outcome_duration(const struct outcome *outcome);

/* Returns the exit status (EXIT STATUS in sockxfer(1)) for an error, or for ERR_NONE. */
int outcome_exit_code(const struct err *err);

#endif
