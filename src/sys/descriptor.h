/*
 * Descriptors by the names that the system gives them, and what there is to be done before one is
 * closed. Nothing here blocks unless it says so.
 */
#ifndef DESCRIPTOR_H
#define DESCRIPTOR_H

#include <stdbool.h>

#include "base/err.h"

/* Room for a path of descriptor_proc_path(). */
#define DESCRIPTOR_PATH_MAX 32

/*
 * Returns N of /dev/fd/N, /proc/self/fd/N, /dev/stdin and the like, or -1 if path is no name of a
 * descriptor of ours; whether that one is open is not looked at. (The link leads to the file behind
 * the descriptor; what the user means is the descriptor, at the offset where it stands.)
 */
int descriptor_from_path(const char *path);

/*
 * Writes into path, of DESCRIPTOR_PATH_MAX bytes, the path in /proc by which the file behind fd can
 * be opened again, named by linkat(2) and looked up by readlink(2), if /proc is there.
 */
void descriptor_proc_path(int fd, char *path);

/*
 * Opens the pipe, FIFO or terminal behind fd for writing once more, non-blocking, which does not
 * change what other processes share. Returns the new descriptor, the caller's to close, or -1 if
 * that is not allowed.
 */
int descriptor_reopen(int fd);

/*
 * fsync(2), where there is something to sync: a pipe, a terminal and a read-only file system are no
 * failure. Blocks as long as the device takes. Returns 0, or -1 with errno.
 */
int descriptor_sync(int fd);

/*
 * Finds out, before fd is closed, whether everything that was written to it is there, and on the
 * device as well with sync. Blocks as descriptor_sync() does. Returns 0, or -1 with ERR_FAILED and
 * the name of the call.
 */
int descriptor_finish(int fd, bool sync, struct err *err);

#endif
