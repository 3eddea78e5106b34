/*
 * The directories of a tree that is made in a private directory: where each member has its place.
 * No function here blocks for longer than the file system takes.
 */
#ifndef TREE_DIRS_H
#define TREE_DIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "data/staging.h"
#include "data/tree_path.h"
#include "data/tree_seen.h"
#include "sys/beneath.h"

struct tree_dirs {
	const struct staging *staging;
	struct beneath beneath;
	mode_t umask;
	int64_t entries;       /* how many files, directories and links there are */
	int64_t max_entries;   /* the most there may be */
	struct tree_seen made; /* the paths of the directories */
	int last;              /* the directory that was found last, or -1 */
	size_t last_len;       /* bytes of its path */
	char last_path[TREE_PATH_MAX];
};

/* Begins with none but the private directory of staging, which has to outlive dirs. */
void tree_dirs_open(struct tree_dirs *dirs, const struct staging *staging, int64_t max_entries);

/*
 * Finds the directory in which a clean path lies, and, if makes, makes what is missing on the way.
 * One that has another path, which the file system takes for the same (case), is none. Returns it,
 * good until the next call, or -1 with ERR_FAILED.
 */
int tree_dirs_find(struct tree_dirs *dirs, const char *path, bool makes, struct err *err);

/*
 * As tree_dirs_find(), for a member that is going to be made: counts it, and checks that it may
 * have its name where the entries of the tree's top have their place.
 */
int tree_dirs_find_new(struct tree_dirs *dirs, const char *path, struct err *err);

/*
 * Opens a directory of a clean path, of len bytes, 0 for the private directory itself. Returns the
 * descriptor, the caller's to close, or -1 with errno set, as beneath_open().
 */
int tree_dirs_enter(struct tree_dirs *dirs, const char *path, size_t len, int flags);

/*
 * Makes the directory of the path of these bits (tree_seen.h), which is called name in dir, with
 * that mode, which the umask lessens, but by no right of its owner. Returns 0, or -1 with errno
 * set.
 */
int tree_dirs_make(struct tree_dirs *dirs, uint64_t bits, int dir, const char *name, mode_t mode);

/* Fills err: the member of that path could not be made, as errno says. Returns -1. */
int tree_dirs_fail(const char *path, struct err *err);

/* Closes and frees what there is. */
void tree_dirs_close(struct tree_dirs *dirs);

#endif
