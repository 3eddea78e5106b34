/*
 * How a transfer ended: a line for people, and for programs a JSON object or the path of a new file.
 */
#ifndef RESULT_H
#define RESULT_H

#include <stdio.h>

#include "base/err.h"
#include "sys/shared_lock.h"
#include "transfer/outcome.h"
#include "ui/log.h"

/* Where results for programs go. */
struct result_output {
	FILE *file;
	struct shared_lock *lock; /* among those who write to it; NULL: we are alone */
};

/*
 * Says what is known of a transfer that succeeded: at a terminal, with -v, and if there is something
 * that is not known. Blocks as write(2) does.
 */
void result_print(const struct log *log, const struct outcome *outcome);

/*
 * Writes the result as one JSON object and a newline: err is what went wrong, or of kind ERR_NONE.
 * Blocks as write(2) does, and until it is its turn. Returns 0, or -1 with errno if the output failed.
 */
int result_json(const struct result_output *output, const struct outcome *outcome,
    const struct err *err, int exit_code);

/*
 * Writes the path of the new file that was made in a directory and a newline, as it is, for a program
 * to read. Blocks and returns as result_json().
 */
int result_path(const struct result_output *output, const struct outcome *outcome);

#endif
