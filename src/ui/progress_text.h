/*
 * What there is to say of a transfer under way: as a line that fits into a given width, and as a sentence.
 * Nothing here blocks, prints, or looks at the clock.
 */
#ifndef PROGRESS_TEXT_H
#define PROGRESS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transfer/progress.h"

/* Room for the texts below, whatever the name: of that only the end that fits is shown. */
#define PROGRESS_TEXT_MAX 1024

/* A rate that follows changes within seconds, without jumping. Zeroed, it has seen nothing. */
struct progress_text_rate {
	int64_t bytes; /* at the last look */
	int64_t time;  /* of the last look */
	int64_t began; /* when the transfer did that it has looked at; 0: none */
	int64_t moved; /* the time of the last look that found more bytes than the one before */
	double rate;   /* bytes a second */
};

/* One look at a transfer. */
struct progress_text {
	const char *name; /* printable; the caller's */
	bool sends;       /* this end does */
	enum progress_phase phase;
	int64_t bytes;
	int64_t total;   /* or PROGRESS_UNKNOWN */
	int64_t elapsed; /* ns since it began */
	int64_t waited;  /* ns since the phase began */
	double rate;     /* bytes a second */
	bool stalled;    /* nothing has moved for some seconds */
};

/* Reads progress, and brings rate up to date, at the time now (clock_now()). name is kept by reference. */
struct progress_text progress_text_take(const struct progress *progress,
    struct progress_text_rate *rate, const char *name, bool sends, int64_t now);

/*
 * Writes the line into text, of PROGRESS_TEXT_MAX bytes, in at most width columns of a terminal: name, per cent,
 * bytes, rate, elapsed, left; or what is waited for. What does not fit is left out, the least useful first.
 */
void progress_text_line(const struct progress_text *status, size_t width, char *text);

/* Writes all of it into text, of PROGRESS_TEXT_MAX bytes: "in.jpg: 1.2 GB of 2.7 GB (44%), 123 MB/s, ...". */
void progress_text_sentence(const struct progress_text *status, char *text);

/* What is being waited for, if the transfer has waited for it for long enough to say so, or NULL. */
const char *progress_text_waiting(const struct progress_text *status);

#endif
