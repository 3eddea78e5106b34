#include "report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "printable.h"

/* The longest line. */
#define LINE_MAX_TEXT (sizeof(((struct err *)0)->text))

static void print_line(const struct report *report, const char *text)
{
	char safe[PRINTABLE_SIZE(LINE_MAX_TEXT)];

	printable(safe, text);
	/* One call, for stderr is unbuffered, and warnx(3) would make three writes of it. */
	fprintf(stderr, "%s: %s%s%s\n", getprogname(), report->role == NULL ? "" : report->role,
	    report->role == NULL ? "" : ": ", safe);
}

void report_error(const struct report *report, const struct err *err)
{
	print_line(report, err->text);
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

void report_detail(const struct report *report, const char *fmt, ...)
{
	va_list ap;

	if (report->quiet || !report->verbose)
		return;
	va_start(ap, fmt);
	print_format(report, fmt, ap);
	va_end(ap);
}

static void report_sent(const struct report *report, const struct outcome *outcome)
{
	const struct transfer_result *result = &outcome->result;

	switch (result->end) {
	case TRANSFER_STORED:
		report_detail(report, "%s: sent %" PRId64 " bytes, %s, stored", outcome->peer,
		    result->bytes, result->digest);
		return;
	case TRANSFER_SILENT:
		report_note(report,
		    "%s: sent %" PRId64 " bytes, not confirmed: the peer did not close",
		    outcome->peer, result->bytes);
		return;
	default:
		report_note(report, "%s: sent %" PRId64 " bytes, not confirmed", outcome->peer,
		    result->bytes);
	}
}

void report_outcome(const struct report *report, const struct outcome *outcome)
{
	const struct transfer_result *result = &outcome->result;

	if (strcmp(report->role, "send") == 0)
		report_sent(report, outcome);
	else
		report_detail(report, "%s: received %" PRId64 " bytes%s%s into %s", outcome->peer,
		    result->bytes, result->digest[0] == '\0' ? "" : ", ", result->digest,
		    outcome->path);
}

/* How it ended, in a word or two for a program to compare. */
static const char *end_name(const struct outcome *outcome, const struct err *err)
{
	switch (err->kind) {
	case ERR_NONE:
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

int report_json(const struct report *report, const struct outcome *outcome, const struct err *err,
    int exit_code, FILE *out)
{
	const struct transfer_result *result = &outcome->result;
	int64_t took = outcome->started == 0 ? 0 : clock_now() - outcome->started;
	struct json json;

	json_begin(&json, out);
	json_string(&json, "role", report->role);
	json_string(&json, "local", or_null(outcome->local));
	json_string(&json, "peer", or_null(outcome->peer));
	json_string(&json, "path", outcome->path);
	json_integer(&json, "bytes", result->bytes);
	json_seconds(&json, "seconds", took);
	json_string(&json, "digest", or_null(result->digest));
	json_string(&json, "ended", end_name(outcome, err));
	json_string(&json, "peer_text", or_null(result->peer_text));
	json_string(&json, "error", err->kind == ERR_NONE ? NULL : err->text);
	json_integer(&json, "exit", exit_code);
	json_end(&json);
	return fflush(out) == 0 ? 0 : -1;
}
