/*
 * Descriptors by the names that the system gives them, and the last steps before one is closed. No
 * function here blocks unless its contract says so.
 */
#ifndef DESCRIPTOR_H
#define DESCRIPTOR_H

#include <stdbool.h>

#include "base/err.h"

/* Room for a path of descriptor_proc_path(). */
#define DESCRIPTOR_PATH_MAX 32

/*
 * Returns N of /dev/fd/N, /proc/self/fd/N, /dev/stdin and the like, or -1 if path is no such name.
 * It does not check that the descriptor is open.
 *
 * A caller uses the descriptor itself, with its present offset, as the user means; open(2) of such
 * a path would open the file behind it anew, at its beginning.
 */
int descriptor_from_path(const char *path);

/*
 * Writes into path, of DESCRIPTOR_PATH_MAX bytes, the name in /proc of the file behind fd. If /proc
 * is mounted, open(2) and linkat(2) reach the file by that name, and readlink(2) tells its path.
 */
void descriptor_proc_path(int fd, char *path);

/* Writes the name of what /proc tells about fd, as descriptor_proc_path() does that of its file. */
void descriptor_proc_info_path(int fd, char *path);

/*
 * Checks that we may use the file in that way (R_OK, W_OK, X_OK; access(2)), its name being
 * relative to the directory dir or AT_FDCWD. Our effective user counts, but the real one where a
 * sandbox denies faccessat2(2). Returns 0, or -1 with errno set.
 */
int descriptor_access(int dir, const char *name, int mode);

/* Whether the file fd has that name in the directory dir. */
bool descriptor_is_named(int fd, int dir, const char *name);

/*
 * Removes the name from the directory dir, or AT_FDCWD (unlinkat(2)); again if a file system of
 * the network or of a process lets a signal interrupt that, but not without end. Returns 0, or -1
 * with errno set.
 */
int descriptor_remove(int dir, const char *name);

/*
 * Opens the pipe, FIFO or terminal behind fd a second time, for writing and non-blocking; so the
 * flags of fd, which other processes may share, stay as they are. Returns the new descriptor, the
 * caller's to close, or -1 with errno set.
 */
int descriptor_reopen(int fd);

/*
 * Syncs what was written to fd with its device (fsync(2)). A pipe, a terminal or a directory that
 * cannot be synced (EINVAL) is no error. A file system that has become read-only (EROFS) is one:
 * some answer so to a failed write. Blocks as long as the device takes. Returns 0, or -1 with errno
 * set.
 */
int descriptor_sync(int fd);

/*
 * Finds out, before fd is closed, whether all that was written to it has arrived; if sync, also
 * that it is on the device. fd stays open. Blocks as descriptor_sync() does. Returns 0, or -1 with
 * ERR_FAILED, whose text begins with the name of the call.
 */
int descriptor_finish(int fd, bool sync, struct err *err);

#endif
