/*
 * Where a receiver's bytes go: a table of functions, which each kind of sink has in a file of its
 * own. What a word of the command line means is known in open.h.
 */
#ifndef SINK_H
#define SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "data/ends.h"

struct sink;

/* What a kind of sink does for the functions below, whose contracts hold for it. */
struct sink_type {
	/* NULL: there is nothing to be done */
	int (*begin)(struct sink *sink, const struct ends *ends, struct err *err);
	int (*write)(struct sink *sink, const void *buffer, size_t size, int64_t deadline,
	    struct err *err);
	int (*commit)(struct sink *sink, int64_t deadline, struct err *err);
	void (*close)(struct sink *sink);
};

/* The first member of the struct of each kind, which is in memory that its close() frees. */
struct sink {
	const struct sink_type *type;
	const char *name; /* for messages; the caller's, or the sink's */
	const char *done; /* what a commit means: "stored", "written"; of static duration */
	const char *made; /* after the commit, the path of a new file in an inbox; else NULL */
	bool is_inbox;    /* it makes such a file, in the directory that it has for a path */
	/* a server keeps one open, or a FIFO's reader would see an end between two transfers */
	bool is_held;
};

/*
 * Begins the stream that comes from ends; to be called once, before the first write, or before the
 * commit of an empty stream. What might change something, as a command does, happens here and not
 * when the sink is opened. The strings of ends have to stay until the commit. Does not block.
 * Returns 0, or -1 with ERR_FAILED.
 */
int sink_begin(struct sink *sink, const struct ends *ends, struct err *err);

/*
 * Writes all of the size bytes; a reader that is slow is waited for until the deadline. Returns 0,
 * or -1: ERR_FAILED, ERR_TIMEOUT, ERR_INTERRUPTED.
 */
int sink_write(struct sink *sink, const void *buffer, size_t size, int64_t deadline,
    struct err *err);

/*
 * Says that this was all: what was written becomes a file of its name, or has been taken by what
 * reads it. May block as long as the file system takes, or until the deadline for a reader. Returns
 * 0, or -1 as sink_write() does, and then an old file is as it was, unless it was the directory
 * that could not be synced.
 */
int sink_commit(struct sink *sink, int64_t deadline, struct err *err);

/*
 * Closes and frees the sink: without a commit no file is left, and a command is stopped, which
 * takes half a second at the most. NULL is nothing to close.
 */
void sink_close(struct sink *sink);

#endif
