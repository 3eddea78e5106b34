/* For the tests of sources: one word, or a command, as a sender is given it. */
#ifndef OPEN_WORD_H
#define OPEN_WORD_H

#include <string.h>

#include "data/open.h"

/* Opens the one file, or stdin, or the command. */
static struct source *open_word(const char *path, char *const argv[], struct err *err)
{
	const char *const paths[] = {path, NULL};
	bool is_stdin = strcmp(path, "-") == 0;
	const struct source_options options = {
	    .path = path,
	    .command = {.argv = argv},
	    .files = {.paths = is_stdin ? NULL : paths},
	};

	return open_source(&options, err);
}

#endif
