/*
 * One transfer from the command line's point of view: what options ask of it, and what is said of its end.
 */
#ifndef CONCLUDE_H
#define CONCLUDE_H

#include <stdbool.h>

#include "base/err.h"
#include "cli/options.h"
#include "transfer/progress.h"
#include "transfer/transfer.h"
#include "ui/report.h"

/* The outcome of a transfer that has not begun. It keeps strings of options by reference. */
struct outcome run_outcome(const struct options *options);

/* What options ask of a transfer; its time begins now. progress, which is to be kept up to date, has to outlive it. */
struct transfer_options run_transfer(const struct options *options, struct progress *progress);

/*
 * Whether standard output has the data, or is a command's that gets them and may use it: then JSON goes to standard
 * error instead.
 */
bool run_prints_data(const struct options *options);

/* The exit status for an error, or for ERR_NONE. */
int run_exit_code(const struct err *err);

/*
 * Reports how it ended, err being of kind ERR_NONE if all is well: on stderr for people, and on stdout what is for a
 * program to read. Blocks as write(2) does. Returns the exit status; it is a failure, too, if stdout does not take
 * what is for it.
 */
int run_conclude(const struct options *options, const struct report *report,
    const struct outcome *outcome, struct err *err);

#endif
