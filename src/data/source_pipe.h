/*
 * A descriptor whose reader may have to wait as a source: a FIFO, a character device, stdin, or the
 * pipe of another process of ours. A regular file without a size is read in the same way: the files
 * in /proc have none, and some of them keep their reader waiting.
 */
#ifndef SOURCE_PIPE_H
#define SOURCE_PIPE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "data/source.h"

/*
 * Makes a source of fd, which becomes the source's to close, unless it is stdin. reopens is as in
 * struct source. A pipe ends also when its writer dies: if whole is not NULL, an end before *whole
 * is true is an error. name and whole have to outlive the source. Returns the source, the caller's
 * to close, or NULL with ERR_FAILED, fd then still being the caller's. Does not block.
 */
struct source *source_pipe_open(int fd, const char *name, bool reopens, const atomic_bool *whole,
    struct err *err);

#endif
