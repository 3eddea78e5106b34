/*
 * The place of a file: a descriptor of its directory and its name there, so that what was looked at is
 * what is changed, whatever becomes of the path meanwhile.
 */
#ifndef PLACE_H
#define PLACE_H

#include <limits.h>

#include "base/err.h"

struct place {
	int dir; /* a descriptor of the directory, O_PATH: for the *at() calls only */
	char name[NAME_MAX + 1];
};

/*
 * Finds the place that path names, following symbolic links as open(2) does, also one whose
 * file does not exist yet. Returns 0, place->dir then being the caller's to close, or -1 with
 * ERR_FAILED. Does not block.
 */
int place_find(struct place *place, const char *path, struct err *err);

#endif
