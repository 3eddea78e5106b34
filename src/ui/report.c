#include "ui/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/humanize.h"
#include "base/json.h"
#include "base/printable.h"
#include "sys/io.h"

/* The longest line. */
#define LINE_MAX_TEXT (sizeof(((struct err *)0)->text))

/* Of a name, so much leaves room for the rest of a line. */
#define NAME_MAX_TEXT 500

static void print_line(const struct report *report, const char *text)
{
	char safe[PRINTABLE_SIZE(LINE_MAX_TEXT)];
	char line[sizeof(safe) + 64];

	printable(safe, text);
	snprintf(line, sizeof(line), "%.32s: %s%s%s", getprogname(),
	    report->role == NULL ? "" : report->role, report->role == NULL ? "" : ": ", safe);
	terminal_print(report->terminal, line);
}

static void print_plain(const struct report *report, const char *text)
{
	char safe[PRINTABLE_SIZE(LINE_MAX_TEXT)];

	printable(safe, text);
	terminal_print(report->terminal, safe);
}

/* At a terminal it takes the place of the line that was drawn, and looks like it. */
static void print_result(const struct report *report, const char *text)
{
	if (report->terminal->is_terminal)
		print_plain(report, text);
	else
		print_line(report, text);
}

__attribute__((format(printf, 2, 0))) static void print_format(const struct report *report,
    const char *fmt, va_list ap)
{
	char text[LINE_MAX_TEXT];

	vsnprintf(text, sizeof(text), fmt, ap);
	print_line(report, text);
}

void report_note(const struct report *report, const char *fmt, ...)
{
	va_list ap;

	if (report->quiet)
		return;
	va_start(ap, fmt);
	print_format(report, fmt, ap);
	va_end(ap);
}

void report_error(const struct report *report, const struct err *err)
{
	print_line(report, err->text);
	if (err->advice != NULL)
		report_note(report, "hint: %s", err->advice);
}

void report_detail(const struct report *report, const char *fmt, ...)
{
	va_list ap;

	if (report->quiet || !report->verbose)
		return;
	va_start(ap, fmt);
	print_format(report, fmt, ap);
	va_end(ap);
}

void report_plain(const struct report *report, const char *fmt, ...)
{
	char text[LINE_MAX_TEXT];
	va_list ap;

	if (report->quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_plain(report, text);
}

/* The time that it took since the connection was there. */
static int64_t duration_of(const struct outcome *outcome)
{
	if (outcome->started == 0)
		return 0;
	return (outcome->ended == 0 ? clock_now() : outcome->ended) - outcome->started;
}

/* Who was at the other end; of several, by the name that the user knows. */
static void name_peer(const struct outcome *outcome, char *text, size_t size)
{
	bool has_name = outcome->receiver != NULL && strcmp(outcome->receiver, outcome->peer) != 0;

	if (has_name)
		snprintf(text, size, "%s (%s)", outcome->receiver, outcome->peer);
	else
		snprintf(text, size, "%s", outcome->peer);
}

/* What is known of the end, behind the amounts. */
static void ending(const struct report *report, const struct outcome *outcome, char *text,
    size_t size)
{
	char peer[2 * ADDR_TEXT_MAX + 8];
	const char *verified = outcome->is_verified ? " and verified" : "";
	const char *from = strcmp(report->role, "send") == 0 ? " by" : ", from";

	name_peer(outcome, peer, sizeof(peer));
	switch (outcome->result.end) {
	case TRANSFER_STORED:
		snprintf(text, size, "%s%s%s %s", outcome->done, verified, from, peer);
		return;
	case TRANSFER_ASSUMED:
		snprintf(text, size, "%s%s%s %s, ended by silence, not confirmed", outcome->done,
		    verified, from, peer);
		return;
	case TRANSFER_SILENT:
		snprintf(text, size, "not confirmed by %s, which did not close", peer);
		return;
	default:
		snprintf(text, size, "not confirmed by %s", peer);
	}
}

/* How many bytes of the name to show: not a part of a character, which would make all of it unprintable. */
static int shown(const char *name)
{
	size_t bytes = strnlen(name, NAME_MAX_TEXT);

	if (name[bytes] == '\0')
		return (int)bytes;
	while (bytes > 0 && ((unsigned char)name[bytes] & 0xc0) == 0x80) /* UTF-8, RFC 3629 */
		bytes--;
	return (int)bytes;
}

/* "in.jpg: 4.2 MB in 0.12 s (35 MB/s), stored and verified by 192.0.2.7:9009" */
static void summarise(const struct report *report, const struct outcome *outcome)
{
	char bytes[HUMANIZE_TEXT_MAX];
	char duration[HUMANIZE_TEXT_MAX];
	char rate[HUMANIZE_TEXT_MAX];
	char end[2 * ADDR_TEXT_MAX + 128];
	char text[LINE_MAX_TEXT];
	int64_t took = duration_of(outcome);

	humanize_bytes(bytes, outcome->result.bytes);
	humanize_duration(duration, took);
	humanize_rate(rate, outcome->result.bytes, took);
	ending(report, outcome, end, sizeof(end));
	snprintf(text, sizeof(text), "%.*s: %s in %s (%s), %s", shown(outcome->name), outcome->name,
	    bytes, duration, rate, end);
	print_result(report, text);
}

void report_outcome(const struct report *report, const struct outcome *outcome)
{
	const struct transfer_result *result = &outcome->result;
	bool is_certain = result->end == TRANSFER_STORED;

	report_detail(report, "%s: %s %" PRId64 " bytes%s%s", outcome->peer,
	    strcmp(report->role, "send") == 0 ? "sent" : "received", result->bytes,
	    result->digest[0] == '\0' ? "" : ", ", result->digest);
	if (!report->quiet && (!is_certain || report->verbose || report->terminal->is_terminal))
		summarise(report, outcome);
}

/* How it ended, in a word or two for a program to compare. */
static const char *end_name(const struct outcome *outcome, const struct err *err)
{
	switch (err->kind) {
	case ERR_NONE:
		if (outcome->result.end == TRANSFER_ASSUMED)
			return "ended by silence";
		return outcome->result.end == TRANSFER_STORED ? "stored" : "not confirmed";
	case ERR_TIMEOUT:
		return "timed out";
	case ERR_MISMATCH:
		return "mismatch";
	case ERR_UNCONFIRMED:
		return "not confirmed";
	case ERR_PEER:
		return "receiver failed";
	case ERR_INTERRUPTED:
		return "interrupted";
	default:
		return "failed";
	}
}

static const char *or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

static void write_object(FILE *out, const struct report *report, const struct outcome *outcome,
    const struct err *err, int exit_code)
{
	const struct transfer_result *result = &outcome->result;
	struct json json;

	json_begin(&json, out);
	json_string(&json, "role", report->role);
	json_string(&json, "local", or_null(outcome->local));
	json_string(&json, "peer", or_null(outcome->peer));
	json_string(&json, "path", outcome->path);
	json_integer(&json, "bytes", result->bytes);
	json_seconds(&json, "seconds", duration_of(outcome));
	json_string(&json, "digest", or_null(result->digest));
	json_string(&json, "ended", end_name(outcome, err));
	json_string(&json, "peer_text", or_null(result->peer_text));
	json_string(&json, "error", err->kind == ERR_NONE ? NULL : err->text);
	json_integer(&json, "exit", exit_code);
	if (outcome->receiver != NULL)
		json_string(&json, "address", outcome->receiver);
	json_end(&json);
}

/* The object as text of *size bytes, the caller's to free; NULL if there is no memory for it. */
static char *object_text(const struct report *report, const struct outcome *outcome,
    const struct err *err, int exit_code, size_t *size)
{
	char *text = NULL;
	FILE *memory = open_memstream(&text, size);

	if (memory == NULL)
		return NULL;
	write_object(memory, report, outcome, err, exit_code);
	bool is_whole = ferror(memory) == 0;
	if (fclose(memory) == 0 && is_whole)
		return text;
	free(text);
	return NULL;
}

/*
 * Writes the line, after the end of one that another has begun. What a pipe takes in one piece (pipe(7)), as every path,
 * nobody finds half written.
 */
static int put_after(const struct report *report, const char *line, size_t size, int fd, bool torn,
    struct err *err)
{
	if (size > PIPE_BUF)
		shared_lock_begin(report->lock);
	if (torn && io_write_stream(fd, "\n", 1, DEADLINE_NEVER, err) == -1)
		return -1;
	return io_write_stream(fd, line, size, DEADLINE_NEVER, err);
}

/* The same in our turn, once something can be written. Returns 0, or -1 with errno. */
static int put_in_turn(const struct report *report, const char *line, size_t size, int fd)
{
	struct err err = {.kind = ERR_NONE};
	bool torn;

	int status = shared_lock_take(report->lock, DEADLINE_NEVER, &torn, &err);
	if (status == 0) {
		status = io_wait(fd, POLLOUT, DEADLINE_NEVER, &err) == -1 ? -1 : 0;
		if (status == 0) {
			status = put_after(report, line, size, fd, torn, &err);
			torn = status == -1;
		}
		shared_lock_release(report->lock, torn);
	}
	if (status == -1)
		errno = err.kind == ERR_INTERRUPTED ? EINTR : err.errnum;
	return status;
}

/* Nothing of stderr's is left to flush, which is unbuffered. */
static int flush(FILE *out)
{
	return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

static int put_line(const struct report *report, const char *line, size_t size, FILE *out)
{
	if (report->lock != NULL)
		return put_in_turn(report, line, size, fileno(out));
	fwrite(line, 1, size, out);
	return flush(out);
}

int report_json(const struct report *report, const struct outcome *outcome, const struct err *err,
    int exit_code, FILE *out)
{
	size_t size;
	char *text = object_text(report, outcome, err, exit_code, &size);

	if (text == NULL && report->lock != NULL)
		return -1;
	if (text == NULL) { /* in pieces, then */
		write_object(out, report, outcome, err, exit_code);
		return flush(out);
	}
	int status = put_line(report, text, size, out);
	free(text);
	return status;
}

int report_inbox_file(const struct report *report, const struct outcome *outcome, FILE *out)
{
	char line[PATH_MAX + 1];
	int len = snprintf(line, sizeof(line), "%s\n", outcome->inbox_file);

	return put_line(report, line, (size_t)len, out);
}
