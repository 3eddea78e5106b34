/*
 * Giving a file that has been written its final name, in one step for whoever looks: before, the old
 * file or none is there, afterwards the new one. Functions return 0, or -1 with errno; none blocks for
 * longer than the file system takes.
 */
#ifndef PUBLISH_H
#define PUBLISH_H

#include <stdbool.h>
#include <stddef.h>

#include "data/place.h"

/* Room for a temporary name. */
#define PUBLISH_TEMP_MAX 32

/* How often a name is tried that turns out to be taken. */
#define PUBLISH_TRIES 100

/* Writes a new temporary name into name, of PUBLISH_TEMP_MAX bytes. */
void publish_temp_name(char *name);

/*
 * Names the nameless file fd (O_TMPFILE). A name that is free is taken in one step. To replace a file, a
 * temporary name is needed between two system calls; *temp takes it if it could not be removed,
 * and is empty otherwise. no_clobber: EEXIST instead of replacing.
 */
int publish_nameless(int fd, const struct place *place, bool no_clobber, char *temp);

/* Renames the file temp of that directory to its final name, no_clobber as above. */
int publish_named(const struct place *place, const char *temp, bool no_clobber);

#endif
