/*
 * A private directory in which a tree is made, and the step that gives the tree its place. A tree
 * that is to be a new directory is made beside that one's name and renamed. For one whose entries
 * are to be in a directory that is there, the private directory is in that one, and each entry is
 * moved. Nothing is replaced, and nothing merged.
 */
#ifndef STAGING_H
#define STAGING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "data/temporary.h"
#include "sys/place.h"

struct staging {
	struct place place;       /* of the new directory; or it has been entered (place_enter()) */
	bool is_inside;           /* that: the place is a directory, and gets each entry */
	int root;                 /* the private directory, for reading; -1: it is not open */
	char temp[TEMPORARY_MAX]; /* its name in place.dir; "": it has none any more */
	char **names;             /* of its entries, sorted, when they were listed */
	size_t count;
};

/*
 * Makes the private directory in the directory of staging->place, which the caller has found, after
 * it has removed those that are left there by receivers that were killed; unless is_tried, it looks
 * for all of them. path is for messages. Returns 0, or -1 with ERR_FAILED if no tree can be made
 * there; the caller closes staging in both cases. Blocks for no longer than the file system takes.
 */
int staging_open(struct staging *staging, const char *path, bool is_tried, struct err *err);

/* Whether the place has a file of that name already, that an entry would have to replace. */
bool staging_is_taken(const struct staging *staging, const char *name);

/*
 * Lists the entries of the private directory, in which no more are made, in staging->names. Returns
 * 0, or -1 with ERR_FAILED.
 */
int staging_list(struct staging *staging, struct err *err);

/*
 * Gives the tree its place, and then calls settle() with context and the directory that the
 * entries are in now. Entries are moved by a process of their own, so that the end of this one does
 * not divide them. Returns 0, or -1 with ERR_FAILED, and then none is in its place. Blocks for no
 * longer than the file system takes.
 */
int staging_publish(struct staging *staging, void (*settle)(void *context, int dir), void *context,
    struct err *err);

/*
 * Syncs the directory in which the tree has its place with its device (fsync(2)). Returns 0, or -1
 * with errno set. Blocks as long as the device takes.
 */
int staging_sync_place(const struct staging *staging);

/*
 * Removes the private directory with all that it holds, unless it has become the new directory, and
 * closes staging. A second call does nothing.
 */
void staging_close(struct staging *staging);

#endif
