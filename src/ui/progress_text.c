#include "ui/progress_text.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/clock.h"
#include "base/humanize.h"

/* The time in which the smoothed rate follows most of a change. */
#define SMOOTHING (3 * CLOCK_SECOND)

/* After this time without a byte the transfer has stalled. */
#define STALLED (5 * CLOCK_SECOND)

/* After this time the user is told the reason of a wait. */
#define NOTICE (2 * CLOCK_SECOND)

/* The least columns for a name that is cut; with fewer it is left out. */
#define NAME_LEAST 8

#define FIELDS_MAX 7

/*
 * A part of the line. If there is no room for all, those with the lowest rank are left out first.
 */
struct field {
	int rank;
	char text[64];
};

struct line {
	size_t count;
	struct field field[FIELDS_MAX];
};

static void look(struct progress_text_rate *rate, const struct progress *progress, int64_t now)
{
	int64_t bytes = progress->bytes;
	int64_t began = progress->began;
	bool is_first = rate->began != began;

	if (is_first)
		*rate = (struct progress_text_rate){
		    .bytes = progress->from,
		    .time = began,
		    .began = began,
		    .moved = began,
		};
	double took = (double)(now - rate->time);
	if (took <= 0)
		return;
	double current = (double)(bytes - rate->bytes) * (double)CLOCK_SECOND / took;
	double weight = is_first ? 1 : took / (took + (double)SMOOTHING);
	rate->rate += weight * (current - rate->rate);
	rate->moved = bytes != rate->bytes ? now : rate->moved;
	rate->bytes = bytes;
	rate->time = now;
}

struct progress_text progress_text_take(const struct progress *progress,
    struct progress_text_rate *rate, const char *name, bool sends, int64_t now)
{
	struct progress_text status = {
	    .name = name,
	    .sends = sends,
	    .phase = (enum progress_phase)atomic_load(&progress->phase),
	    .bytes = progress->bytes,
	    .total = progress->total,
	    .entries = progress->entries,
	    .waited = now - progress->since,
	};

	/* Files in /proc have more bytes than they say, and a tree may since it was measured. */
	if (status.total < status.bytes)
		status.total = PROGRESS_UNKNOWN;
	if (status.phase == PROGRESS_WAITING)
		return status;
	status.elapsed = now - progress->began;
	look(rate, progress, now);
	status.rate = rate->rate;
	status.stalled = now - rate->moved >= STALLED;
	return status;
}

static const char *waits_for(const struct progress_text *status)
{
	switch (status->phase) {
	case PROGRESS_WAITING:
		return "waiting for the peer";
	case PROGRESS_CHECKING:
	case PROGRESS_MOVING:
	case PROGRESS_INTERRUPTED:
		return NULL;
	case PROGRESS_CONFIRMING:
		return "waiting for the receiver to confirm or close";
	case PROGRESS_STORING:
		return status->sends ? "waiting for the receiver to store it" : "storing it";
	}
	return NULL;
}

const char *progress_text_waiting(const struct progress_text *status)
{
	if (status->waited < NOTICE)
		return NULL;
	return status->phase == PROGRESS_CHECKING ? "checking what is there already"
	                                          : waits_for(status);
}

/*
 * Returns how many bytes of text, from its beginning on, fit into the columns; *used becomes how
 * many columns they take.
 */
static size_t fitting(const char *text, size_t columns, size_t *used)
{
	mbstate_t state = {0};
	size_t bytes = 0;
	wchar_t c;

	*used = 0;
	for (;;) {
		size_t n = mbrtowc(&c, text + bytes, MB_LEN_MAX, &state);
		if (n == 0 || n == (size_t)-1 || n == (size_t)-2)
			return bytes;
		int width = wcwidth(c);
		if (width < 0 || *used + (size_t)width > columns)
			return bytes;
		*used += (size_t)width;
		bytes += n;
	}
}

__attribute__((format(printf, 3, 4))) static void add(struct line *line, int rank, const char *fmt,
    ...)
{
	struct field *field = &line->field[line->count++];
	va_list ap;

	field->rank = rank;
	va_start(ap, fmt);
	vsnprintf(field->text, sizeof(field->text), fmt, ap);
	va_end(ap);
}

static int64_t time_left(const struct progress_text *status)
{
	return (
	    int64_t)((double)(status->total - status->bytes) / status->rate * (double)CLOCK_SECOND);
}

/*
 * Whether the time left is shown: the total is known, and the time is a matter of days, not ages.
 */
static bool has_left(const struct progress_text *status)
{
	double most = 1000.0 * 86400;

	return status->total > 0 && !status->stalled && status->rate >= 1 &&
	       (double)(status->total - status->bytes) / status->rate < most;
}

static int percent(const struct progress_text *status)
{
	return (int)(100.0 * (double)status->bytes / (double)status->total);
}

static const char *entries_word(const struct progress_text *status)
{
	return status->entries == 1 ? "entry" : "entries";
}

static void rate_text(const struct progress_text *status, char *text)
{
	if (status->stalled)
		strlcpy(text, "stalled", HUMANIZE_TEXT_MAX);
	else
		humanize_rate(text, (int64_t)status->rate, CLOCK_SECOND);
}

static struct line moving_fields(const struct progress_text *status)
{
	struct line line = {.count = 0};
	char amount[HUMANIZE_TEXT_MAX];

	if (status->phase == PROGRESS_CHECKING)
		add(&line, 7, "checking");
	if (status->total > 0)
		add(&line, 4, "%3d%%", percent(status));
	if (status->entries != PROGRESS_UNKNOWN)
		add(&line, 2, "%6" PRId64 " %s", status->entries, entries_word(status));
	humanize_bytes(amount, status->bytes);
	add(&line, 6, "%6s", amount);
	rate_text(status, amount);
	add(&line, 5, "%8s", amount);
	humanize_clock(amount, status->elapsed);
	add(&line, 1, "%4s", amount);
	if (has_left(status)) {
		humanize_clock(amount, time_left(status));
		add(&line, 3, "%4s left", amount);
	}
	return line;
}

static struct line waiting_fields(const struct progress_text *status, const char *what)
{
	struct line line = {.count = 0};
	char amount[HUMANIZE_TEXT_MAX];

	humanize_bytes(amount, status->bytes);
	add(&line, 2, "%s", amount);
	add(&line, 3, "%s", what);
	humanize_clock(amount, status->waited);
	add(&line, 1, "%s", amount);
	return line;
}

static struct line interrupted_fields(const struct progress_text *status)
{
	struct line line = {.count = 0};
	char amount[HUMANIZE_TEXT_MAX];

	humanize_bytes(amount, status->bytes);
	add(&line, 2, "interrupted at %s, trying again", amount);
	humanize_clock(amount, status->waited);
	add(&line, 1, "%s", amount);
	return line;
}

static struct line fields_of(const struct progress_text *status)
{
	const char *what = status->waited >= NOTICE ? waits_for(status) : NULL;

	if (status->phase == PROGRESS_INTERRUPTED)
		return interrupted_fields(status);
	return what != NULL ? waiting_fields(status, what) : moving_fields(status);
}

/* Returns the columns of all fields, each with a gap before it. */
static size_t columns_of(const struct line *line, size_t gap)
{
	size_t columns = 0;

	for (size_t i = 0; i < line->count; i++)
		columns += gap + strlen(line->field[i].text);
	return columns;
}

static void drop_least(struct line *line)
{
	size_t least = 0;

	for (size_t i = 1; i < line->count; i++) {
		if (line->field[i].rank < line->field[least].rank)
			least = i;
	}
	line->count--;
	memmove(&line->field[least], &line->field[least + 1],
	    (line->count - least) * sizeof(line->field[0]));
}

/*
 * Writes as much of the name as fits into the columns, with dots if it is cut; nothing if little.
 */
static void put_name(const char *name, size_t columns, char *text)
{
	static const char dots[] = "...";
	size_t used;
	size_t bytes = fitting(name, columns, &used);

	if (name[bytes] == '\0') {
		strlcpy(text, name, PROGRESS_TEXT_MAX);
		return;
	}
	if (columns < NAME_LEAST)
		return;
	bytes = fitting(name, columns - strlen(dots), &used);
	snprintf(text, PROGRESS_TEXT_MAX, "%.*s%s", (int)bytes, name, dots);
}

void progress_text_line(const struct progress_text *status, size_t width, char *text)
{
	struct line line = fields_of(status);
	size_t name_columns;
	size_t gap = 2;

	fitting(status->name, NAME_LEAST, &name_columns);
	if (columns_of(&line, gap) + name_columns > width)
		gap = 1;
	while (line.count > 1 && columns_of(&line, gap) + name_columns > width) {
		/* Only the most important fields are worth more than the name. */
		if (line.count <= 3)
			name_columns = 0;
		if (columns_of(&line, gap) + name_columns > width)
			drop_least(&line);
	}
	text[0] = '\0';
	size_t rest = columns_of(&line, gap);
	if (rest < width)
		put_name(status->name, width - rest, text);
	for (size_t i = 0; i < line.count; i++) {
		if (text[0] != '\0')
			strlcat(text, gap == 2 ? "  " : " ", PROGRESS_TEXT_MAX);
		strlcat(text, line.field[i].text, PROGRESS_TEXT_MAX);
	}
	text[fitting(text, width, &rest)] = '\0';
}

/* Appends a formatted text to text, of PROGRESS_TEXT_MAX bytes. */
__attribute__((format(printf, 2, 3))) static void append(char *text, const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + len, PROGRESS_TEXT_MAX - len, fmt, ap);
	va_end(ap);
}

/* Appends ": " and, of a tree, "12 entries, ". */
static void append_entries(const struct progress_text *status, char *text)
{
	append(text, ": ");
	if (status->entries != PROGRESS_UNKNOWN)
		append(text, "%" PRId64 " %s, ", status->entries, entries_word(status));
}

/* Appends "1.2 GB of 2.7 GB (44%), 123 MB/s, 0:10 elapsed, 0:12 left". */
static void append_movement(const struct progress_text *status, char *text)
{
	char amount[HUMANIZE_TEXT_MAX];

	humanize_bytes(amount, status->bytes);
	append(text, "%s", amount);
	if (status->total > 0) {
		humanize_bytes(amount, status->total);
		append(text, " of %s (%d%%)", amount, percent(status));
	}
	rate_text(status, amount);
	append(text, ", %s", amount);
	humanize_clock(amount, status->elapsed);
	append(text, ", %s elapsed", amount);
	if (has_left(status)) {
		humanize_clock(amount, time_left(status));
		append(text, ", %s left", amount);
	}
}

void progress_text_sentence(const struct progress_text *status, char *text)
{
	const char *what = waits_for(status);
	char amount[HUMANIZE_TEXT_MAX];
	size_t used;

	if (status->phase == PROGRESS_WAITING) {
		strlcpy(text, what, PROGRESS_TEXT_MAX);
		return;
	}
	text[0] = '\0';
	append(text, "%.*s", (int)fitting(status->name, PROGRESS_TEXT_MAX / 4, &used),
	    status->name);
	if (status->phase == PROGRESS_CHECKING)
		append(text, ", checking what is there already");
	append_entries(status, text);
	humanize_bytes(amount, status->bytes);
	if (status->phase == PROGRESS_INTERRUPTED)
		append(text, "interrupted at %s, trying again", amount);
	else if (what != NULL)
		append(text, "%s, %s", amount, what);
	else
		append_movement(status, text);
}
