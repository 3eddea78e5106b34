/*
 * What is written to directly, as the bytes come, as a sink: a FIFO, a device, or a descriptor that
 * is open already.
 */
#ifndef SINK_STREAM_H
#define SINK_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "data/sink.h"

/*
 * Opens what is at path, a FIFO or a device as st says, for writing. Blocks only for a FIFO, until
 * it has a reader or the deadline. sync: the commit waits until what can be synced is. path has to
 * outlive the sink. Returns the sink, the caller's to close, or NULL: ERR_FAILED, also for a
 * socket, ERR_TIMEOUT, ERR_INTERRUPTED.
 */
struct sink *sink_stream_open(const char *path, const struct stat *st, bool sync, int64_t deadline,
    struct err *err);

/*
 * Makes a sink of fd, which is open for writing and was inherited; the descriptor stays open. name
 * and sync as above. Does not block. Returns the sink, the caller's to close, or NULL with
 * ERR_FAILED.
 */
struct sink *sink_stream_take(int fd, const char *name, bool sync, struct err *err);

/*
 * Waits until the stream takes at least a byte, or the deadline. Returns 0, or -1 as sink_write()
 * does. sink has to be one of the above.
 */
int sink_stream_wait(const struct sink *sink, int64_t deadline, struct err *err);

#endif
