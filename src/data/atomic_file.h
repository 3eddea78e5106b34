/*
 * A file that appears under its name in one step: before, that name is the old file's or nobody's,
 * and afterwards it is the new file's. Until then the new one has no name (O_TMPFILE) or, where the
 * file system has no O_TMPFILE, a temporary one in the same directory.
 *
 * The directory is found once and kept as a descriptor, so that what was looked at is what is
 * changed, whatever becomes of the path meanwhile. No function here blocks for longer than the file
 * system takes.
 */
#ifndef ATOMIC_FILE_H
#define ATOMIC_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"

/* Room for a temporary name. */
#define ATOMIC_FILE_TEMP_MAX 32

struct atomic_file {
	int fd;                          /* of the new file, for writing; -1: it is not open */
	int dir;                         /* the directory, O_PATH: for the *at() calls only */
	char name[NAME_MAX + 1];         /* the name that the file gets there */
	char temp[ATOMIC_FILE_TEMP_MAX]; /* the temporary name there; "": there is none */
};

/*
 * Finds the directory and the name to which path leads, following symbolic links as open(2) does,
 * also to a file that does not exist yet. Returns 0, file then being the caller's to close, or -1
 * with ERR_FAILED.
 */
int atomic_file_find(struct atomic_file *file, const char *path, struct err *err);

/*
 * The same for a new file in the directory path; file->name is the caller's to fill in, at the
 * latest before atomic_file_publish().
 */
int atomic_file_find_directory(struct atomic_file *file, const char *path, struct err *err);

/* Whether paths a and b lead to the same name in the same directory, be there a file or not. */
bool atomic_file_is_same(const char *a, const char *b);

/*
 * Opens the new file for writing, in the directory that was found. old is the file that it is going
 * to replace, or NULL: one that we may not replace is refused now, and the new one gets its mode
 * and, as far as we may, its owner. Without old the mode is 0666 less the umask. path is for
 * messages. Returns 0, or -1 with ERR_FAILED.
 */
int atomic_file_open(struct atomic_file *file, const char *path, const struct stat *old,
    struct err *err);

/*
 * Gives the file its name, replacing what has that name; with no_clobber that is EEXIST instead.
 * Returns 0, or -1 with errno; after EEXIST it can be tried again, with another name.
 */
int atomic_file_publish(struct atomic_file *file, bool no_clobber);

/*
 * Closes what is open, and removes the temporary name, if there is one. A second call does nothing.
 */
void atomic_file_close(struct atomic_file *file);

#endif
