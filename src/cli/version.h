/*
 * What --version says.
 */
#ifndef VERSION_H
#define VERSION_H

#include <stdio.h>

/*
 * Prints on out the version of the program and, a line each, those of the libraries that it was
 * built with and runs with. Blocks as far as out does. Whether the text has arrived is known when
 * out is flushed.
 */
void version_print(FILE *out);

#endif
