/*
 * A stream that several processes write at once, as a sink: each writes whole lines, so that no
 * line is split by a line of another process.
 */
#ifndef SINK_LINES_H
#define SINK_LINES_H

#include "data/sink.h"
#include "sys/shared_lock.h"

/*
 * The most bytes of an unfinished line that are held in memory. A longer line is written as it
 * comes, and the other processes wait for its end.
 */
#define SINK_LINES_HELD_MAX ((size_t)1024 * 1024)

/*
 * Makes a sink over stream (sink_stream.h), which becomes the sink's to close. A write takes the
 * lock, passes on every line that is complete, and holds back the rest; the commit passes on the
 * rest and the newline that it lacks. Without a commit the rest is lost, and the next process that
 * writes ends the part of a long line that was passed on. lock, the caller's, has to outlive the
 * sink; NULL: no other process writes.
 *
 * Returns the sink, the caller's to close, or NULL with ERR_FAILED, stream then still being the
 * caller's. Does not block.
 */
struct sink *sink_lines_open(struct sink *stream, struct shared_lock *lock, struct err *err);

#endif
