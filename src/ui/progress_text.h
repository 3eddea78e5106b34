/*
 * The text on a transfer under way: as a line that fits into a given width, and as a sentence. No
 * function here blocks, prints, or reads the clock.
 */
#ifndef PROGRESS_TEXT_H
#define PROGRESS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transfer/progress.h"

/* Room for the texts below; a name that is too long is cut. */
#define PROGRESS_TEXT_MAX 1024

/* A smoothed rate, which follows changes within seconds. Zeroed, it has measured nothing. */
struct progress_text_rate {
	int64_t bytes; /* at the last measurement */
	int64_t time;  /* of the last measurement */
	int64_t began; /* the beginning of the transfer that it measures; 0: none */
	int64_t moved; /* the time of the last measurement that found more bytes */
	double rate;   /* bytes a second */
};

/* The state of a transfer at one time. */
struct progress_text {
	const char *name; /* printable; the caller's */
	bool sends;       /* this end sends */
	enum progress_phase phase;
	int64_t bytes;
	int64_t total;   /* or PROGRESS_UNKNOWN; of a tree it is an estimate */
	int64_t entries; /* of a tree; else PROGRESS_UNKNOWN */
	int64_t elapsed; /* ns since it began */
	int64_t waited;  /* ns since the phase began */
	double rate;     /* bytes a second */
	bool stalled;    /* nothing has moved for some seconds */
};

/*
 * Returns the state that progress has at the time now (clock_now()), and updates rate. name has to
 * outlive it.
 */
struct progress_text progress_text_take(const struct progress *progress,
    struct progress_text_rate *rate, const char *name, bool sends, int64_t now);

/*
 * Writes the line into text, of PROGRESS_TEXT_MAX bytes, in at most width columns of a terminal:
 * name, per cent, entries of a tree, bytes, rate, time elapsed and time left; or the reason of a
 * wait. Parts that do not fit are left out, the least useful first.
 */
void progress_text_line(const struct progress_text *status, size_t width, char *text);

/*
 * Writes the sentence into text, of PROGRESS_TEXT_MAX bytes: "in.jpg: 1.2 GB of 2.7 GB (44%),
 * 123 MB/s, ...", of a tree "photos: 12 entries, 1.2 GB of ...".
 */
void progress_text_sentence(const struct progress_text *status, char *text);

/* Returns the reason of a wait, of static duration, or NULL if the wait is short or none. */
const char *progress_text_waiting(const struct progress_text *status);

#endif
