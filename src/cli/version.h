/*
 * The text of --version.
 */
#ifndef VERSION_H
#define VERSION_H

#include <stdio.h>

/*
 * Prints the version of the program on out and, a line each, those of the libraries that it was
 * built with and runs with. It blocks as far as out does; errors are in out, for ferror(3) and
 * fflush(3).
 */
void version_print(FILE *out);

#endif
