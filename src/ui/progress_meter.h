/*
 * Shows how far a transfer is: on a terminal as a line that is drawn four times a second, and elsewhere, as
 * there too, when the signal USR1 (INFO, where there is one) asks. It runs in a thread of its own, so that
 * neither waits for the other.
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
	const struct log *log;           /* what to print with */
	const struct progress *progress; /* what to show */
	const char *name;                /* of the file; harmless or not */
	bool sends;                      /* this end does */
	bool draws;      /* the line is wanted; else what is waited for is only printed */
	bool is_command; /* a command makes the data: no line before there are some */
};

/* Of a name, that much is shown. */
#define PROGRESS_METER_NAME_MAX 256

struct progress_meter {
	struct progress_meter_options options;
	char name[PRINTABLE_SIZE(PROGRESS_METER_NAME_MAX)]; /* harmless */
	pthread_t thread;
	bool runs;
	atomic_bool stops;
};

/*
 * Starts to show; from then on the meter is the only one to hear the signals of signals_queries(). What options
 * points to has to outlive it. Without memory for a thread nothing is shown, nor to who wants quiet, who is spared the
 * thread. Does not block.
 */
void progress_meter_start(struct progress_meter *meter,
    const struct progress_meter_options *options);

/*
 * Takes the line away and ends the thread. It may have begun a write(2) to a terminal that has since stopped to take
 * output, and blocks for as long; it begins none to one that does not take any.
 */
void progress_meter_stop(struct progress_meter *meter);

#endif
