/*
 * The result of a transfer: a line for people, and for programs a JSON object or the path of a new
 * file.
 */
#ifndef RESULT_H
#define RESULT_H

#include <stdio.h>

#include "base/err.h"
#include "sys/shared_lock.h"
#include "transfer/outcome.h"
#include "ui/log.h"

/* The output for results that programs read. */
struct result_output {
	FILE *file;
	struct shared_lock *lock; /* of the processes that write to it; NULL: only this one does */
};

/*
 * Prints a line on a transfer that succeeded, if stderr is a terminal, with -v, or if the line says
 * that something is not known for certain. Blocks as write(2).
 */
void result_print(const struct log *log, const struct outcome *outcome);

/*
 * Writes the result as one JSON object and a newline; err is the transfer's error, or of kind
 * ERR_NONE. Blocks as write(2), and until the lock is free. Returns 0, or -1 with errno set if the
 * output failed.
 */
int result_json(const struct result_output *output, const struct outcome *outcome,
    const struct err *err, int exit_code);

/*
 * Writes the path of the new file in an inbox, or of each entry at the top of a tree, as it is, and
 * a newline, for a program to read. A terminal gets names that a peer has chosen made harmless.
 * Blocks and returns as result_json().
 */
int result_paths(const struct result_output *output, const struct outcome *outcome);

#endif
