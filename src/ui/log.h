/*
 * Lines on standard error. Text that comes from a peer, a name or an argument is made harmless to the
 * terminal (vis(3)) here, for every line. Each blocks as write(2) does.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

#include "base/err.h"
#include "ui/terminal.h"

/* The longest line. */
#define LOG_LINE_MAX (sizeof(((struct err *)0)->text))

struct log {
	struct terminal *terminal;
	const char *role; /* "send", "recv"; NULL: it is not known yet */
	bool quiet;       /* errors only */
	bool verbose;
};

/*
 * Prints a line of the form "sockxfer: role: text": an error, always; and, unless the user wants
 * quiet, a second one with the advice that it has.
 */
void log_error(const struct log *log, const struct err *err);

/* Prints such a line of what is to be known unless the user wants quiet. */
void log_note(const struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints such a line of what only -v shows. */
void log_detail(const struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints a line that is only the text, for people to copy from, unless the user wants quiet. */
void log_plain(const struct log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Prints the text that ends a transfer: on a terminal, where it takes the place of the line that was
 * drawn, only the text; elsewhere as log_note() does.
 */
void log_summary(const struct log *log, const char *text);

#endif
