/*
 * Lines on standard error. Each line is made harmless to the terminal here (vis(3)), as it may hold
 * text of a peer, a name or an argument. Every function here blocks as write(2).
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "ui/terminal.h"

/* The longest line. */
#define LOG_LINE_MAX (sizeof(((struct err *)0)->text))

struct log {
	struct terminal *terminal;
	const char *role; /* "send", "recv" or "key"; NULL: it is not known yet */
	bool quiet;       /* print errors only */
	bool verbose;
};

/*
 * Prints an error as a line "sockxfer: role: text", always; and, unless quiet, a second line with
 * the error's advice, if it has one.
 */
void log_error(const struct log *log, const struct err *err);

/* Prints a line of that form, unless quiet. */
void log_note(const struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints a line of that form, if verbose and not quiet. */
void log_detail(const struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * A limit on lines of one kind, which peers can cause: ten at once, then one a second. Zeroed, it
 * is new.
 */
struct log_limit {
	int64_t due;     /* clock_now() at which the lines so far are paid for */
	uint64_t unsaid; /* lines since the last one that was printed */
};

/*
 * As log_detail(), within the limit, which the caller keeps. The next line that is printed follows
 * one that says how many were not.
 */
void log_detail_limited(const struct log *log, struct log_limit *limit, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints a line that is only the text, for people to copy from, unless quiet. */
void log_plain(const struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Prints the text that ends a transfer, unless quiet: on a terminal only the text, which takes the
 * place of the line that was drawn; elsewhere as log_note().
 */
void log_summary(const struct log *log, const char *text);

#endif
