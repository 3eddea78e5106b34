/*
 * A sink is where a receiver's bytes go: a table of functions, which each kind of sink has in a
 * file of its own. open.h knows which kind a word of the command line means.
 */
#ifndef SINK_H
#define SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "data/ends.h"

struct sink;

/* Which files are on the disk (fsync(2)) before what follows. */
enum sink_sync {
	SINK_SYNC_REPLACEMENT, /* one that replaces another, before it does so */
	SINK_SYNC_ALL,         /* each, and then its directory, before the commit is done */
	SINK_SYNC_NONE,
};

/* The functions of one kind of sink. The contracts of sink_begin() and the others hold for them. */
struct sink_type {
	/* NULL, both: it has no part */
	ssize_t (*read_part)(struct sink *sink, void *buffer, size_t size, struct err *err);
	int (*resume)(struct sink *sink, struct err *err);
	/* NULL: there is nothing to do */
	int (*begin)(struct sink *sink, const struct ends *ends, struct err *err);
	int (*write)(struct sink *sink, const void *buffer, size_t size, int64_t deadline,
	    struct err *err);
	int (*commit)(struct sink *sink, int64_t deadline, struct err *err);
	/* NULL: no reader keeps a write waiting */
	int (*reader)(const struct sink *sink);
	/* NULL: there is never anything */
	void (*note)(struct sink *sink, char *text, size_t size);
	void (*close)(struct sink *sink);
};

/* Each kind has a struct with this as its first member, in memory that its close() frees. */
struct sink {
	const struct sink_type *type;
	const char *name; /* for messages; the caller's, or the sink's */
	const char *done; /* the word for a commit: "stored", "written"; of static duration */
	/* after the commit, the path of a new file in an inbox, or of a moved one; or NULL */
	const char *made;
	bool has_part; /* something has the name of its part; seen when it is opened first */
	int64_t part;  /* bytes of a transfer that broke off, which may be gone on with; or 0 */
	bool is_inbox; /* its path is a directory, and it makes new files there */
	bool is_tree;  /* the stream is an archive, which it unpacks */
	/* of a tree, after the commit: the path of each entry at its top, with a NUL behind each */
	char *made_list;
	size_t made_size; /* bytes */
	int64_t entries;  /* of files, directories and links in it so far */
	/* after the commit, what may do better with such a stream, of static duration; or NULL */
	const char *hint;
	/* the first failure, or ERR_NONE: the kernel may tell of a lost write only once */
	struct err failure;
	/* a server keeps it open, or a FIFO's reader would see an end between two transfers */
	bool is_held;
};

/*
 * A sink in which one of these functions has failed stays failed: each call that follows returns
 * that first failure, and does nothing.
 */

/*
 * Reads the next bytes of the part, at most size. Returns how many, or -1 with ERR_FAILED, also if
 * it ends before sink->part bytes, or ERR_INTERRUPTED. Blocks as long as the device takes.
 */
ssize_t sink_read_part(struct sink *sink, void *buffer, size_t size, struct err *err);

/*
 * Makes what is written follow the part, all of which has been read; without a call the stream is
 * a whole one. To be called before sink_begin(), and only if sink->part is not 0. Returns 0, or -1
 * with ERR_FAILED, also if the part is not what it was when the sink was opened. Does not block.
 */
int sink_resume(struct sink *sink, struct err *err);

/*
 * Begins the stream that comes from ends. The caller calls it once, before the first write or, for
 * an empty stream, before the commit. A step that might change something, as the start of a
 * command, is made here and not when the sink is opened. The strings of ends have to stay until the
 * commit. Returns 0, or -1 with ERR_FAILED. Does not block.
 */
int sink_begin(struct sink *sink, const struct ends *ends, struct err *err);

/*
 * Writes all of the size bytes; blocks for a slow reader until the deadline. Returns 0, or -1:
 * ERR_FAILED, ERR_TIMEOUT or ERR_INTERRUPTED.
 */
int sink_write(struct sink *sink, const void *buffer, size_t size, int64_t deadline,
    struct err *err);

/*
 * Returns a descriptor that is ready for POLLOUT when a write of PIPE_BUF bytes (pipe(7)) does not
 * block, or -1 if no reader keeps a write waiting. It is the sink's, from sink_begin() on.
 */
int sink_reader(const struct sink *sink);

/*
 * Ends the stream: the bytes become a file under its name, or their reader has taken them. Blocks
 * as long as the file system takes, or for a reader until the deadline. Returns 0, or -1 as
 * sink_write(), and then an old file is as it was, unless only the sync of the new one's name has
 * failed.
 */
int sink_commit(struct sink *sink, int64_t deadline, struct err *err);

/*
 * Writes into text, of size bytes, what the user has to know of a commit that succeeded, or "" if
 * there is nothing: "out: group www-data (33) can no longer read it". Blocks as long as the system
 * takes to look up names.
 */
void sink_note(struct sink *sink, char *text, size_t size);

/*
 * Closes and frees the sink, which may be NULL. Without a commit it leaves no file, and stops a
 * command, which blocks for half a second at most.
 */
void sink_close(struct sink *sink);

#endif
