/*
 * A source is where a sender's bytes come from: a table of functions, which each kind of source has
 * in a file of its own. open.h knows which kind a word of the command line means.
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

/* The size of a source, if it is unknown. */
#define SOURCE_SIZE_UNKNOWN INT64_C(-1)

struct source;

/*
 * The functions of one kind of source. The contracts of source_start() and the others hold for
 * them.
 */
struct source_type {
	/* NULL: there is nothing to do */
	int (*start)(struct source *source, const struct ends *ends, struct err *err);
	ssize_t (*read)(struct source *source, void *buffer, size_t size, int64_t deadline,
	    struct err *err);
	/* NULL: it is always ready */
	bool (*is_ready)(struct source *source, struct pollfd *from);
	void (*close)(struct source *source);
};

/* Each kind has a struct with this as its first member, in memory that its close() frees. */
struct source {
	const struct source_type *type;
	const char *name; /* for messages; the caller's */
	int64_t size;     /* bytes of the whole stream, or SOURCE_SIZE_UNKNOWN */
	int64_t taken;    /* bytes read so far; source_read() counts them */
	bool is_regular;  /* it is a regular file, of which -R could leave out the beginning */
	bool is_tree;     /* it is an archive that is made here */
	int64_t entries;  /* of files, directories and links in it so far */
	int64_t left_out; /* how many were not taken into it */
	bool reopens;     /* can be opened again for the next receiver, and then begins anew */
};

/*
 * Begins the stream that goes to ends. The caller calls it once, just before the first read. A step
 * that might change something, as the start of a command, is made here and not when the source is
 * opened. Returns 0, or -1 with ERR_FAILED. Does not block.
 */
int source_start(struct source *source, const struct ends *ends, struct err *err);

/*
 * Reads what is there, at most size bytes (size is at least 1); blocks for the first of them until
 * the deadline. Returns how many, 0 at the end of the stream, or -1: ERR_FAILED (also for a stream
 * that has ended too early), ERR_TIMEOUT or ERR_INTERRUPTED.
 */
ssize_t source_read(struct source *source, void *buffer, size_t size, int64_t deadline,
    struct err *err);

/*
 * Returns whether source_read() would return at once, with bytes, the end or an error. A source
 * that never keeps its reader waiting is always ready.
 *
 * If the source is not ready, *from becomes a descriptor to wait for: the caller passes it to
 * poll(2), perhaps among others, and calls again with the revents that poll(2) has set. *from may
 * be another descriptor then. Before the first call the caller sets from->fd to -1; it stays so if
 * there is nothing to wait for. Does not block.
 */
bool source_is_ready(struct source *source, struct pollfd *from);

/*
 * Closes and frees the source, which may be NULL. Stops a command that still runs, which blocks for
 * half a second at most.
 */
void source_close(struct source *source);

#endif
