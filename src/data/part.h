/*
 * The part of a file, "out.part" for "out": the beginning that a transfer with -R has left, in the
 * directory of the file. Its content is its only proof; whoever goes on with it compares that
 * first. It is locked (flock(2)) as long as a receiver has it. No function here blocks for longer
 * than the file system takes.
 */
#ifndef PART_H
#define PART_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sys/place.h"

struct part {
	int fd;                  /* locked, for reading and writing; -1: there is none */
	int dir;                 /* its directory, the caller's to keep open */
	char name[NAME_MAX + 1]; /* that it has there, or would have */
	int64_t size;            /* bytes when it was opened */
};

/*
 * Opens and locks the part of the file at place, to which path leads, and makes it private. There
 * may be none. It has to be a regular file of ours with one name, for a file that another user has
 * put there is nobody's part. Returns 0, or -1 with ERR_FAILED; the caller closes part in both
 * cases.
 */
int part_open(struct part *part, const struct place *place, const char *path, struct err *err);

/* Whether the file at place has a part, of anybody. Not knowing counts as none. */
bool part_is_there(const struct place *place);

/*
 * Checks that the file fd still has the name of the part, and has so many bytes. Returns 0, or -1
 * as part_changed().
 */
int part_check(const struct part *part, int fd, int64_t size, struct err *err);

/* Fills err: another program has changed the part. Returns -1. */
int part_changed(const struct part *part, struct err *err);

/* Removes the part that was opened, unless another file has its name by now. */
void part_remove(const struct part *part);

/* Closes the part, which stays where it is. A second call does nothing. */
void part_close(struct part *part);

#endif
