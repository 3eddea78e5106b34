/*
 * Files below a directory, by paths that another has chosen. No path leads out of the directory:
 * not by "..", nor by a symbolic link, nor by one of /proc, whatever lies there.
 */
#ifndef BENEATH_H
#define BENEATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct beneath {
	bool descends; /* openat2(2) is not to be had: each directory of a path is opened */
};

/*
 * Opens the file of that path, of len bytes, below the directory dir, as open(2) with O_CLOEXEC and
 * O_NOFOLLOW; mode is for O_CREAT. The path consists of names with one slash between two, and may
 * be longer than PATH_MAX. beneath is zeroed before the first call, and then kept. Returns the
 * descriptor, the caller's to close, or -1 with errno set: ELOOP or ENOTDIR if there is a link on
 * the way, EXDEV for "..". Blocks as open(2).
 */
int beneath_open(struct beneath *beneath, int dir, const char *path, size_t len, int flags,
    mode_t mode);

#endif
