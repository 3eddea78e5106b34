#include "ui/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"

/* The most bytes of the program's name, which its caller chooses (argv[0]). */
#define PROGRAM_NAME_MAX 32

static void print_line(const struct log *log, const char *text)
{
	char safe[PRINTABLE_SIZE(LOG_LINE_MAX)];
	char name[PROGRAM_NAME_MAX + 1];
	char safe_name[PRINTABLE_SIZE(PROGRAM_NAME_MAX)];
	char line[sizeof(safe) + sizeof(safe_name) + 16];

	printable(safe, text);
	strlcpy(name, getprogname(), sizeof(name));
	printable(safe_name, name);
	snprintf(line, sizeof(line), "%s: %s%s%s", safe_name, log->role == NULL ? "" : log->role,
	    log->role == NULL ? "" : ": ", safe);
	terminal_print(log->terminal, line);
}

static void print_text(const struct log *log, const char *text)
{
	char safe[PRINTABLE_SIZE(LOG_LINE_MAX)];

	printable(safe, text);
	terminal_print(log->terminal, safe);
}

__attribute__((format(printf, 2, 0))) static void print_format(const struct log *log,
    const char *fmt, va_list ap)
{
	char text[LOG_LINE_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	print_line(log, text);
}

void log_error(const struct log *log, const struct err *err)
{
	print_line(log, err->text);
	if (err->advice != NULL)
		log_note(log, "hint: %s", err->advice);
}

void log_note(const struct log *log, const char *fmt, ...)
{
	va_list ap;

	if (log->quiet)
		return;
	va_start(ap, fmt);
	print_format(log, fmt, ap);
	va_end(ap);
}

void log_detail(const struct log *log, const char *fmt, ...)
{
	va_list ap;

	if (log->quiet || !log->verbose)
		return;
	va_start(ap, fmt);
	print_format(log, fmt, ap);
	va_end(ap);
}

void log_plain(const struct log *log, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	if (log->quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_text(log, text);
}

void log_summary(const struct log *log, const char *text)
{
	if (log->quiet)
		return;
	if (log->terminal->is_terminal)
		print_text(log, text);
	else
		print_line(log, text);
}
