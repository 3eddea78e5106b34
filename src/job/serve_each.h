/*
 * Either command with -k: one transfer after the other, and many at once.
 */
#ifndef SERVE_EACH_H
#define SERVE_EACH_H

#include "base/err.h"
#include "cli/settings.h"
#include "ui/report.h"

/*
 * Listens where settings say and serves whoever comes, until a signal asks us to end (serve()). What becomes of each
 * transfer is said by the process that served it. What is wrong with the file, the directory or the command is found
 * before we listen, as far as it shows.
 *
 * Returns -1, always, with the reason: ERR_INTERRUPTED, or what is to be said of a failure.
 */
int keep_run(const struct settings *settings, const struct report *report, struct err *err);

#endif
