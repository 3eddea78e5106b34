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

/*
 * N of /dev/fd/N, /proc/self/fd/N, /dev/stdin and the like, or -1: path is no name of an open descriptor of ours.
 * (Its link leads to the file behind the descriptor; what is meant is the descriptor, where it stands.)
 */
int place_descriptor(const char *path);

#endif
