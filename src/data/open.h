/*
 * Which kind of source or sink a word of the command line means. Everything that can be known to be
 * wrong with it is found here, before anything is sent.
 */
#ifndef OPEN_H
#define OPEN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "data/sink.h"
#include "data/source.h"
#include "sys/shared_lock.h"

/*
 * Opens path for reading, or takes stdin for "-"; or, if argv is not NULL, sees whether that
 * command exists. Does not block, not even on a FIFO without a writer. path and argv have to
 * outlive the source. Returns the source, the caller's to close, or NULL with ERR_FAILED.
 */
struct source *open_source(const char *path, char *const argv[], struct err *err);

/*
 * Makes a source of fd, the pipe that another process of ours writes to, of what is called name. fd
 * becomes the source's to close. A pipe ends also when its writer dies, so *whole, in memory that
 * is shared with the writer, has to be true by then, or the end is an error. name and whole have to
 * outlive the source. Does not block. Returns the source, the caller's to close, or NULL with
 * ERR_FAILED, fd then still being the caller's.
 */
struct source *open_pipe(int fd, const char *name, const atomic_bool *whole, struct err *err);

/*
 * What is asked of a sink. The strings and the lock have to outlive the sink, these options need
 * not.
 */
struct sink_options {
	const char *path;  /* "-": stdout */
	char *const *argv; /* a command instead of a path, or NULL */
	bool no_clobber;   /* never replace a file, as in a directory none is anyway */
	bool sync;         /* the commit waits until file and directory are on the device */
	bool allows_inbox; /* a directory is taken, for a new file in it */
	bool only_inbox;   /* the path has to be a directory */
	/* among those who write lines to one stream; NULL: bytes are written as they come */
	struct shared_lock *lock;
};

/*
 * Opens path for output, or takes stdout for "-" and an open descriptor for /dev/fd/N and its like;
 * or, if there is an argv, sees whether that command exists. A file that exists and must not be
 * replaced is refused, now and again at the commit. Blocks only for a FIFO, until it has a reader
 * or the deadline. Returns the sink, the caller's to close, or NULL: ERR_FAILED, ERR_TIMEOUT,
 * ERR_INTERRUPTED.
 */
struct sink *open_sink(const struct sink_options *options, int64_t deadline, struct err *err);

#endif
