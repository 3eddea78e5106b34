/*
 * The directory and the name to which a path leads. The directory is found once and kept as a
 * descriptor, so that the checks and the changes are made in the same directory, even if the path
 * leads elsewhere meanwhile. No function here blocks for longer than the file system takes.
 */
#ifndef PLACE_H
#define PLACE_H

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"

struct place {
	int dir;                 /* the directory, O_PATH: for the *at() calls only; -1: closed */
	char name[NAME_MAX + 1]; /* the file's name in the directory */
};

/*
 * Finds the directory and the name to which path leads, through symbolic links as open(2) follows
 * them; the file need not exist. Returns 0, place then being the caller's to close, or -1 with
 * ERR_FAILED, place then being closed.
 */
int place_find(struct place *place, const char *path, struct err *err);

/*
 * Opens the directory path, for a new file in it, whose name is the caller's to fill in. Returns as
 * place_find().
 */
int place_find_directory(struct place *place, const char *path, struct err *err);

/* Whether path leads to the same name in the same directory; a file need not exist there. */
bool place_is_at(const struct place *place, const char *path);

/* Whether a and b lead to the same name in the same directory; the file need not exist. */
bool place_is_same(const char *a, const char *b);

/* Closes the directory. A second call does nothing. */
void place_close(struct place *place);

#endif
