/*
 * A file that appears under its name in one step: before it, the name is free or belongs to the old
 * file; after it, the name belongs to the new file. Until then the new file has no name (O_TMPFILE)
 * or, if the file system has no O_TMPFILE, a temporary name in the same directory.
 *
 * The directory is found once and kept as a descriptor, so that the checks and the changes are made
 * in the same directory, even if the path leads elsewhere meanwhile. No function here blocks for
 * longer than the file system takes.
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
	int fd;                          /* the new file, for writing; -1: it is not open */
	int dir;                         /* the directory, O_PATH: for the *at() calls only */
	char name[NAME_MAX + 1];         /* the file's name in the directory */
	char temp[ATOMIC_FILE_TEMP_MAX]; /* its temporary name there; "": it has none */
	struct stat like;                /* of the old file, as the new one is; all 0: of none */
};

/*
 * Finds the directory and the name to which path leads, through symbolic links as open(2) follows
 * them; the file need not exist. Returns 0, file then being the caller's to close, or -1 with
 * ERR_FAILED.
 */
int atomic_file_find(struct atomic_file *file, const char *path, struct err *err);

/*
 * Opens the directory path, for a new file in it; the caller fills in file->name before
 * atomic_file_publish(). Returns as atomic_file_find().
 */
int atomic_file_find_directory(struct atomic_file *file, const char *path, struct err *err);

/* Whether path leads to the name and the directory of file; a file need not exist there. */
bool atomic_file_is_at(const struct atomic_file *file, const char *path);

/* Whether a and b lead to the same name in the same directory; the file need not exist. */
bool atomic_file_is_same(const char *a, const char *b);

/*
 * Opens the new file for writing, in the directory that was found. path is for messages. old is the
 * file that the new one is going to replace, or NULL. An old file that we may not replace is an
 * error now; the new file gets its mode and, if we may set it, its owner. Without old the mode is
 * 0666 less the umask. Returns 0, or -1 with ERR_FAILED; the caller closes file in both cases.
 */
int atomic_file_open(struct atomic_file *file, const char *path, const struct stat *old,
    struct err *err);

/*
 * Gives the new file the mode and, as far as permitted, the owner of the file that has the name
 * now. If there is none, or it is no regular file, the new one stays as it is. Returns 0, or -1
 * with errno set. atomic_file_publish() does the same at the last moment; the caller does it before
 * fsync(2), which syncs them.
 */
int atomic_file_match(struct atomic_file *file);

/*
 * Gives the file its name, and so replaces an old file of that name; if no_clobber, an old file
 * makes it fail with EEXIST. Returns 0 if the file has its name then, also where a call has failed;
 * else -1 with errno set. After EEXIST the caller may try again with another name.
 */
int atomic_file_publish(struct atomic_file *file, bool no_clobber);

/*
 * Closes the file and its directory, and removes its temporary name, if it has one. A second call
 * does nothing.
 */
void atomic_file_close(struct atomic_file *file);

#endif
