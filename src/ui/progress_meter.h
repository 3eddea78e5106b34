/*
 * The progress meter shows how far a transfer is: on a terminal as a line that is drawn four times
 * a second, and anywhere when the signal USR1 (or INFO, on a system that has it) asks. It runs in a
 * thread of its own, so that meter and transfer do not wait for each other. In this thread a tree,
 * which has no size, is measured, too, once it has been shown for the first time.
 */
#ifndef PROGRESS_METER_H
#define PROGRESS_METER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/printable.h"
#include "transfer/progress.h"
#include "ui/log.h"

struct progress_meter_options {
	const struct log *log;           /* to print with */
	const struct progress *progress; /* to show */
	const char *name;                /* of the file, made harmless by the meter */
	bool sends;                      /* this end sends */
	bool draws;      /* draw the line; else print a line only when a wait gets long */
	bool is_command; /* a command makes the data: draw no line before the first byte */
	/*
	 * If not NULL, finds out the total of a tree, a small piece of the work at each call, and
	 * notes it in progress. Returns whether there is more to do.
	 */
	bool (*measure)(void *context);
	void *context;
};

/* The most bytes of a name that are shown. */
#define PROGRESS_METER_NAME_MAX 256

struct progress_meter {
	struct progress_meter_options options;
	char name[PRINTABLE_SIZE(PROGRESS_METER_NAME_MAX)]; /* printable */
	pthread_t thread;
	bool runs;
	atomic_bool stops;
};

/*
 * Starts the meter; from then on only its thread receives the signals of signals_queries(). The
 * strings and structs that options points to have to outlive the meter. If no thread can be made,
 * or if quiet, the meter shows nothing. Does not block.
 */
void progress_meter_start(struct progress_meter *meter,
    const struct progress_meter_options *options);

/*
 * Erases the line and ends the thread. The thread may have begun a write(2) to a terminal that has
 * stopped taking output since; then this blocks until that ends. It begins no write to a terminal
 * that takes no output.
 */
void progress_meter_stop(struct progress_meter *meter);

#endif
