#include "ui/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/printable.h"

/* How many lines of one kind there may be at once, and the time that each is worth. */
#define LIMIT_BURST 10
#define LIMIT_TIME CLOCK_SECOND

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

static bool is_within(struct log_limit *limit, int64_t now)
{
	if (limit->due < now)
		limit->due = now;
	if (limit->due - now > (LIMIT_BURST - 1) * LIMIT_TIME) {
		limit->unsaid++;
		return false;
	}
	limit->due += LIMIT_TIME;
	return true;
}

void log_detail_limited(const struct log *log, struct log_limit *limit, const char *fmt, ...)
{
	va_list ap;

	if (log->quiet || !log->verbose || !is_within(limit, clock_now()))
		return;
	if (limit->unsaid > 0)
		log_detail(log, "%llu such lines left out", (unsigned long long)limit->unsaid);
	limit->unsaid = 0;
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
