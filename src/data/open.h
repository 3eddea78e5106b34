/*
 * The kind of source or sink that a word of the command line means. All errors that can be found
 * before a transfer are found here.
 */
#ifndef OPEN_H
#define OPEN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "data/sink.h"
#include "data/source.h"
#include "data/tree_build.h"
#include "data/tree_walk.h"
#include "sys/command.h"
#include "sys/shared_lock.h"

/*
 * The options of a source. What they point to has to outlive the source; this struct need not.
 */
struct source_options {
	const char *path;            /* of the one, or first, file; "-": stdin */
	struct command_line command; /* instead of a path, if there is one */
	bool resumes; /* the beginning may be left out: a regular file, or else ERR_USAGE */
	/* all files, where paths is not NULL; and how they are archived, if they are */
	struct tree_walk_options files;
};

/*
 * Opens what options say for reading: the file or stdin, as it is; or, if it is a directory or the
 * names travel, an archive of it; or the command, which is found but not started. Does not block,
 * not even on a FIFO without a writer. Returns the source, the caller's to close, or NULL with
 * ERR_FAILED or ERR_USAGE.
 */
struct source *open_source(const struct source_options *options, struct err *err);

/*
 * Makes a source of fd, a pipe that another process of ours writes the source called name to. A
 * pipe ends also when its writer dies; so the writer sets *whole, in memory that it shares with us,
 * before the end, and an end without it is an error. name and whole have to outlive the source.
 * Does not block. Returns the source, the caller's to close, which closes fd, or NULL with
 * ERR_FAILED, fd then still being the caller's.
 */
struct source *open_pipe(int fd, const char *name, const atomic_bool *whole, struct err *err);

/*
 * The options of a sink. What they point to has to outlive the sink; this struct need not.
 */
struct sink_options {
	const char *path;            /* "-": stdout */
	struct command_line command; /* instead of a path, if there is one */
	/*
	 * What breaks off is kept as a part, NAME.part, and the next sink of that name may go on
	 * with it. Only a regular file has one: any other is ERR_USAGE.
	 */
	bool resumes;
	bool no_clobber; /* never replace a file (in an inbox, none is replaced anyway) */
	enum sink_sync sync;
	bool allows_inbox; /* path may be a directory, for a new file in it */
	bool only_inbox;   /* path has to be a directory */
	bool extracts;     /* the stream is an archive, and path gets the tree that it holds */
	struct tree_build_limits limits; /* of that */
	bool is_tried; /* a sink of these options has been opened before: its needs are met */
	/* of the processes that write lines to one stream; NULL: bytes are written as they come */
	struct shared_lock *lock;
};

/*
 * Opens path for output; "-" is stdout, and /dev/fd/N and its like are open descriptors. If there
 * is a command, the sink is that instead, which is found but not started. A file that exists
 * and must not be replaced is an error, now and again at the commit. Blocks only for a FIFO, until
 * it has a reader or the deadline. Returns the sink, the caller's to close, or NULL: ERR_FAILED,
 * ERR_USAGE, ERR_TIMEOUT or ERR_INTERRUPTED.
 */
struct sink *open_sink(const struct sink_options *options, int64_t deadline, struct err *err);

#endif
