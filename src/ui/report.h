/*
 * What people read, on stderr. Whatever comes from a peer, a name or an argument is made harmless
 * to the terminal (vis(3)) here, for every line.
 */
#ifndef REPORT_H
#define REPORT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "net/addr.h"
#include "sys/shared_lock.h"
#include "transfer/transfer.h"
#include "ui/terminal.h"

struct report {
	struct terminal *terminal;
	const char *role; /* "send", "recv" */
	bool quiet;       /* errors only */
	bool verbose;
	struct shared_lock
	    *lock; /* among those who write results to the same place; NULL: we are alone */
};

/*
 * Prints a line of the form "sockxfer: role: text": an error, always; and, unless the user wants quiet, a second
 * one with the advice that it has.
 */
void report_error(const struct report *report, const struct err *err);

/* The same for what is to be known unless the user wants quiet. */
void report_note(const struct report *report, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for what only -v shows. */
void report_detail(const struct report *report, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints a line that is only the text, for people to copy from, unless the user wants quiet. */
void report_plain(const struct report *report, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* What became of one run, as far as it came. */
struct outcome {
	const char *path;          /* the file, or the command's name */
	const char *name;          /* the same for people: "stdin" instead of "-" */
	const char *done;          /* what TRANSFER_STORED means here: "stored", "written" */
	bool is_verified;          /* then, the data are known to be the right ones */
	char local[ADDR_TEXT_MAX]; /* "": there was no connection */
	char peer[ADDR_TEXT_MAX];
	char inbox_file[PATH_MAX]; /* the path of the new file in a directory; "": there is none */
	int64_t started;           /* clock_now() of the connection, 0: there was none */
	int64_t ended;             /* clock_now() of the end, 0: it is now */
	const char *receiver;      /* as it was typed, where there are several; else NULL */
	struct transfer_result result;
};

/*
 * Says what is known of a transfer that succeeded: to who sits at a terminal, or asked for it with -v, or if there
 * is something that is not known.
 */
void report_outcome(const struct report *report, const struct outcome *outcome);

/*
 * Writes the result as one JSON object and a newline to out: err is what went wrong, or of kind
 * ERR_NONE. Blocks as write(2) does, and until it is its turn. Returns 0, or -1 with errno if out failed.
 */
int report_json(const struct report *report, const struct outcome *outcome, const struct err *err,
    int exit_code, FILE *out);

/*
 * Writes the path of a new file in a directory and a newline to out, as it is, for a program to read. As
 * report_json().
 */
int report_inbox_file(const struct report *report, const struct outcome *outcome, FILE *out);

#endif
