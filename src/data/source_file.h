/*
 * A regular file as a source. It is sent as it was when it was opened: bytes that are appended
 * later are left out, and a file that has become shorter is an error, for the stream would lie.
 */
#ifndef SOURCE_FILE_H
#define SOURCE_FILE_H

#include <stdint.h>

#include "data/source.h"

/*
 * Makes a source of fd, a regular file of size bytes, from the offset where it stands. fd becomes
 * the source's to close, unless it is stdin; name has to outlive the source. Does not block.
 * Returns the source, the caller's to close, or NULL with ERR_FAILED, fd then still being the
 * caller's.
 */
struct source *source_file_open(int fd, int64_t size, const char *name, struct err *err);

#endif
