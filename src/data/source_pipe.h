/*
 * A descriptor as a source whose bytes come when they come: a FIFO, a device, stdin, or the pipe of
 * another process of ours. A regular file without a size is read like that as well, for those in
 * /proc look so, and some of them keep their reader waiting.
 */
#ifndef SOURCE_PIPE_H
#define SOURCE_PIPE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "data/source.h"

/*
 * Makes a source of fd, which becomes the source's to close, unless it is stdin. reopens is what
 * the source says of itself. A pipe ends also when its writer dies: if whole is not NULL, *whole
 * has to be true by then, or the end is an error. name and whole have to outlive the source. Does
 * not block. Returns the source, the caller's to close, or NULL with ERR_FAILED, fd then still
 * being the caller's.
 */
struct source *source_pipe_open(int fd, const char *name, bool reopens, const atomic_bool *whole,
    struct err *err);

#endif
