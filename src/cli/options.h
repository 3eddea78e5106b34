/*
 * The command line, read into settings.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdio.h>

#include "base/err.h"
#include "cli/settings.h"

/*
 * Reads argv into settings, and checks them unless help or the version is asked for. Strings of
 * argv are kept by reference. It prints nothing, and waits for nothing but the file system. Returns
 * 0, or -1 with ERR_USAGE.
 */
int options_parse(struct settings *settings, int argc, char **argv, struct err *err);

/* Prints the text of --help on out, and blocks as far as out does. */
void options_help(FILE *out);

#endif
