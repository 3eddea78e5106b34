/*
 * The command line, read into settings.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdio.h>

#include "base/err.h"
#include "cli/settings.h"

/*
 * Reads argv, argv[1] being send or recv. Strings of argv are kept by reference. Returns 0, or -1 with
 * ERR_USAGE. Prints nothing.
 */
int options_parse(struct settings *settings, int argc, char **argv, struct err *err);

/* Prints what --help says. */
void options_help(FILE *out);

#endif
