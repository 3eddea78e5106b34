/*
 * A regular file or a block device as a source. The stream has the size that the file had when it
 * was opened: bytes appended later are left out, and a file that has become shorter is an error.
 */
#ifndef SOURCE_FILE_H
#define SOURCE_FILE_H

#include <stdint.h>

#include "data/source.h"

/*
 * Makes a source of fd, a file or device of size bytes, from its present offset on. fd becomes the
 * source's to close, unless it is stdin; name has to outlive the source. Returns the source, the
 * caller's to close, or NULL with ERR_FAILED, fd then still being the caller's. Does not block.
 */
struct source *source_file_open(int fd, int64_t size, const char *name, struct err *err);

#endif
