/*
 * A stream that several processes write at once, by whole lines, as a sink: what each of them
 * writes comes out line by line, no line split by another's or mixed with it.
 */
#ifndef SINK_LINES_H
#define SINK_LINES_H

#include "data/sink.h"
#include "sys/shared_lock.h"

/*
 * Until the end of a line is there, so much of it is kept in memory. A longer one is written as it
 * comes, and the other processes wait for its end.
 */
#define SINK_LINES_HELD_MAX ((size_t)1024 * 1024)

/*
 * Makes a sink over stream (sink_stream.h), which becomes the sink's to close. A write passes on
 * every line that is now complete, once it is our turn by lock, and holds back the rest; the commit
 * passes that on with the newline that it lacks. Without a commit it is forgotten, and of a long
 * line the part that was passed on is ended before the next line. lock, the caller's, has to
 * outlive the sink; NULL: nobody else writes. Does not block. Returns the sink, the caller's to
 * close, or NULL with ERR_FAILED, stream then still being the caller's.
 */
struct sink *sink_lines_open(struct sink *stream, struct shared_lock *lock, struct err *err);

#endif
