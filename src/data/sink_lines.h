/*
 * A stream that several processes write at once, by whole lines: what each of them writes comes out line by line, no
 * line split by another's or mixed with it.
 */
#ifndef SINK_LINES_H
#define SINK_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sys/shared_lock.h"

/*
 * Until the end of a line is there, so much of it is kept in memory. Whoever has a longer one writes it as it comes, and
 * the others wait for its end.
 */
#define SINK_LINES_HELD_MAX ((size_t)1024 * 1024)

struct sink_lines {
	int fd;                   /* the caller's */
	bool waits;               /* a write may have to wait for a reader (io_write_stream()) */
	struct shared_lock *lock; /* among those who write to the same; the caller's, or NULL */
	bool has_turn;            /* in the middle of a long line */
	char *held;               /* a line that has begun, of len bytes */
	size_t len;
	size_t room;
};

/*
 * Writes every line that is now complete, and holds back the rest. Blocks until it is its turn and, where fd
 * waits for a reader, until all is written, or the deadline. Returns 0, or -1: ERR_FAILED, ERR_TIMEOUT,
 * ERR_INTERRUPTED.
 */
int sink_lines_write(struct sink_lines *lines, const void *buffer, size_t size, int64_t deadline,
    struct err *err);

/* Writes what is held back, if anything is, as a line, with the newline that it lacks. As sink_lines_write(). */
int sink_lines_end(struct sink_lines *lines, int64_t deadline, struct err *err);

/*
 * Forgets what is held back: of a stream that has failed, half a line is none. Of a long one that was written already,
 * what is written is ended before the next line.
 */
void sink_lines_close(struct sink_lines *lines);

#endif
