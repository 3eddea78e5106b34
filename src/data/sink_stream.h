/*
 * A FIFO, a device or an open descriptor as a sink: the bytes are written to it directly, as they
 * come.
 */
#ifndef SINK_STREAM_H
#define SINK_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "data/sink.h"
#include "sys/place.h"

/*
 * Opens the FIFO or device that is the object of place, found at path, for writing. Blocks only for
 * a FIFO, until it has a reader or the deadline. If sync, the commit also syncs what can be synced
 * (descriptor_sync()). path has to outlive the sink; place need not. Returns the sink, the caller's
 * to close, or NULL: ERR_FAILED, also if it is a socket, ERR_TIMEOUT or ERR_INTERRUPTED.
 */
struct sink *sink_stream_open(const char *path, const struct place *place, bool sync,
    int64_t deadline, struct err *err);

/*
 * Makes a sink of fd, an inherited descriptor that is open for writing and stays open. name is for
 * messages, and has to outlive the sink; sync is as above. Returns the sink, the caller's to close,
 * or NULL with ERR_FAILED. Does not block.
 */
struct sink *sink_stream_take(int fd, const char *name, bool sync, struct err *err);

/*
 * Blocks until the stream takes at least a byte, or until the deadline. sink has to be a sink of
 * this file. Returns 0, or -1 as sink_write().
 */
int sink_stream_wait(const struct sink *sink, int64_t deadline, struct err *err);

#endif
