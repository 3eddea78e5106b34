/*
 * Where a sender's bytes come from: a table of functions, which each kind of source has in a file
 * of its own. What a word of the command line means is known in open.h.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "data/ends.h"

/* The size of a source of which nobody knows it. */
#define SOURCE_SIZE_UNKNOWN INT64_C(-1)

struct source;

/* What a kind of source does for the functions below, whose contracts hold for it. */
struct source_type {
	/* NULL: there is nothing to be done */
	int (*start)(struct source *source, const struct ends *ends, struct err *err);
	ssize_t (*read)(struct source *source, void *buffer, size_t size, int64_t deadline,
	    struct err *err);
	/* NULL: it is always ready */
	bool (*is_ready)(struct source *source, struct pollfd *from);
	void (*close)(struct source *source);
};

/* The first member of the struct of each kind, which is in memory that its close() frees. */
struct source {
	const struct source_type *type;
	const char *name; /* for messages; the caller's */
	int64_t size;     /* bytes that are to come in all, or SOURCE_SIZE_UNKNOWN */
	int64_t taken;    /* bytes read so far; source_read() counts them */
	bool
	    reopens; /* opened anew it begins anew, so that it can be sent to one after the other */
};

/*
 * Begins the stream for those at ends; to be called once, just before the first read. What might
 * change something, as a command does, happens here and not when the source is opened. Does not
 * block. Returns 0, or -1 with ERR_FAILED.
 */
int source_start(struct source *source, const struct ends *ends, struct err *err);

/*
 * Reads what is there, at the most size bytes (at least 1), and waits until the deadline for the
 * first of them. Returns how many, 0 at the end of the stream, or -1: ERR_FAILED (also for a stream
 * that is known to have ended too early), ERR_TIMEOUT, ERR_INTERRUPTED.
 */
ssize_t source_read(struct source *source, void *buffer, size_t size, int64_t deadline,
    struct err *err);

/*
 * Returns whether source_read() has something without waiting, be it bytes, the end or an error. If
 * not, *from is what to poll(2), besides what else the caller waits for, before the next call,
 * which looks at the revents that poll has left there; it may then be another descriptor. At the
 * first call from->fd is -1, and it stays that if there is nothing to poll. A source that never
 * keeps its reader waiting is always ready. Does not block.
 */
bool source_is_ready(struct source *source, struct pollfd *from);

/*
 * Closes and frees the source; a command that still runs is stopped, which takes half a second at
 * the most. NULL is nothing to close.
 */
void source_close(struct source *source);

#endif
