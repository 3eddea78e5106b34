/*
 * One transfer from the command line's point of view: what settings ask of it, and what is said of its end.
 */
#ifndef CONCLUDE_H
#define CONCLUDE_H

#include <stdbool.h>

#include "base/err.h"
#include "cli/settings.h"
#include "transfer/progress.h"
#include "transfer/recv.h"
#include "transfer/send.h"
#include "ui/report.h"

/* The outcome of a transfer that has not begun. It keeps strings of settings by reference. */
struct outcome run_outcome(const struct settings *settings);

/*
 * What settings ask of a transfer in either direction; its time begins now. progress, which is to be kept
 * up to date, has to outlive it.
 */
struct send_policy run_send_policy(const struct settings *settings, struct progress *progress);
struct recv_policy run_recv_policy(const struct settings *settings, struct progress *progress);

/*
 * Whether standard output has the data, or is a command's that gets them and may use it: then JSON goes to standard
 * error instead.
 */
bool run_prints_data(const struct settings *settings);

/* The exit status for an error, or for ERR_NONE. */
int run_exit_code(const struct err *err);

/*
 * Reports how it ended, err being of kind ERR_NONE if all is well: on stderr for people, and on stdout what is for a
 * program to read. Blocks as write(2) does. Returns the exit status; it is a failure, too, if stdout does not take
 * what is for it.
 */
int run_conclude(const struct settings *settings, const struct report *report,
    const struct outcome *outcome, struct err *err);

#endif
