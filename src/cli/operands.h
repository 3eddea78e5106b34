/*
 * The words of the command line that are no options: address and file, told apart, and what to say where one stands
 * in the place of the other.
 */
#ifndef OPERANDS_H
#define OPERANDS_H

#include <stddef.h>

#include "base/err.h"
#include "cli/settings.h"

/* In their order, by reference. Zeroed, there are none. */
struct operands {
	size_t count;
	const char *word[3]; /* one more than there can be, to tell what is meant */
};

/* Adds a word. Returns 0, or -1 with ERR_USAGE if there are too many. */
int operands_add(struct operands *operands, const char *word, struct err *err);

/*
 * Puts them into settings, whose other members are complete, as address and path. May look whether there is a file
 * of that name, to tell which of the two is meant. Returns 0, or -1 with ERR_USAGE and what to write instead.
 */
int operands_place(struct settings *settings, const struct operands *operands, struct err *err);

#endif
