/*
 * The words of the command line that are no options. Address and file are told apart, and an error
 * says what to write if one is in the place of the other.
 */
#ifndef OPERANDS_H
#define OPERANDS_H

#include <stddef.h>

#include "base/err.h"
#include "cli/settings.h"

/* The operands in their order; the words stay the caller's. */
struct operands {
	const char **word; /* the caller's, with room for all; two more behind them are NULL */
	size_t count;
};

/* Adds a word, by reference. */
void operands_add(struct operands *operands, const char *word);

/*
 * Stores the operands in settings as address (or receivers), path and paths, by reference; the
 * other members have to be complete. It may look whether a file of that name exists, to find out
 * which of the two is meant. Returns 0, or -1 with ERR_USAGE and what to write instead, or with
 * ERR_FAILED if memory for several files is short. It waits for nothing but the file system.
 */
int operands_place(struct settings *settings, const struct operands *operands, struct err *err);

#endif
