/*
 * Which kind of source or sink a word of the command line means. Everything that can be known to be
 * wrong with it is found here, before anything is sent.
 */
#ifndef OPEN_H
#define OPEN_H

#include <stdatomic.h>

#include "base/err.h"
#include "data/source.h"

/*
 * Opens path for reading, or takes stdin for "-"; or, if argv is not NULL, sees whether that
 * command exists. Does not block, not even on a FIFO without a writer. path and argv have to
 * outlive the source. Returns the source, the caller's to close, or NULL with ERR_FAILED.
 */
struct source *open_source(const char *path, char *const argv[], struct err *err);

/*
 * Makes a source of fd, the pipe that another process of ours writes to, of what is called name. fd
 * becomes the source's to close. A pipe ends also when its writer dies, so *whole, in memory that
 * is shared with the writer, has to be true by then, or the end is an error. name and whole have to
 * outlive the source. Does not block. Returns the source, the caller's to close, or NULL with
 * ERR_FAILED, fd then still being the caller's.
 */
struct source *open_pipe(int fd, const char *name, const atomic_bool *whole, struct err *err);

#endif
