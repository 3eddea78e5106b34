/*
 * What a receiver writes to directly, as the bytes come: a FIFO, a device, or a descriptor that is open already.
 */
#ifndef SINK_STREAM_H
#define SINK_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Opens the FIFO or the device at path for writing, non-blocking. Blocks only for a FIFO, until it has a reader or the
 * deadline. Returns the descriptor, the caller's to close, or -1: ERR_FAILED, ERR_TIMEOUT, ERR_INTERRUPTED.
 */
int sink_stream_open(const char *path, bool is_fifo, int64_t deadline, struct err *err);

/*
 * Takes fd, which is open for writing and was inherited, as path in messages. *waits tells whether a write to it may
 * have to wait for a reader. Returns a descriptor, the caller's to close, which is STDOUT_FILENO if fd is that, and not
 * to be closed; or -1 with ERR_FAILED. Does not block.
 */
int sink_stream_take(int fd, const char *path, bool *waits, struct err *err);

/* Says that path is a socket, which is none of these. Returns -1. */
int sink_stream_refuse_socket(const char *path, struct err *err);

#endif
