/* <vis.h> wants to know which strnvis() is meant, which nobody here calls. */
#define LIBBSD_NETBSD_VIS

#include "report.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vis.h>

#include "clock.h"
#include "json.h"

/* The longest line: an error's text, each byte of it escaped as \ooo. */
#define LINE_MAX_TEXT (sizeof(((struct err *)0)->text))
#define LINE_MAX_VIS (4 * LINE_MAX_TEXT + 1)

/*
 * One byte that is no character of the locale, and libbsd's strvis(3) takes the text's valid wide characters for
 * bytes as well: U+1B5B then comes out as ESC [. So such a text is encoded byte by byte.
 */
static int flags_for(const char *text)
{
	int flags = VIS_CSTYLE | VIS_NOSLASH | VIS_NL | VIS_TAB;

	return mbstowcs(NULL, text, 0) == (size_t)-1 ? flags | VIS_NOLOCALE : flags;
}

/* strvis(3) needs memory, and what is to be said may be that there is none: then plain ASCII is shown. */
static void make_harmless(char *safe, const char *text)
{
	if (strvis(safe, text, flags_for(text)) != -1)
		return;
	for (; *text != '\0'; text++)
		*safe++ = isprint((unsigned char)*text) ? *text : '?';
	*safe = '\0';
}

static void print_line(const struct report *report, const char *text)
{
	char safe[LINE_MAX_VIS];

	make_harmless(safe, text);
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
