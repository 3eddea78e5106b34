/*
 * Where a receiver's bytes go: a file, which appears under its name only when it is whole, or a stream
 * (stdout, an open descriptor, a FIFO, a device), which is written as the bytes come, or a command, which reads them.
 * In a directory it is a new file, named by time and peer (inbox_name.h).
 *
 * A file is written without a name (O_TMPFILE) in its own directory, or, where the file system has no
 * O_TMPFILE, under a temporary name; sink_commit() gives it its final name in one step. It has the
 * mode of the file that it replaces, or 0666 less the umask.
 */
#ifndef SINK_H
#define SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "data/atomic_file.h"
#include "data/ends.h"
#include "data/sink_lines.h"
#include "sys/command.h"

enum sink_kind { SINK_FILE, SINK_STREAM, SINK_COMMAND };

struct sink_options {
	bool no_clobber;   /* never replace a file, as in a directory none is anyway */
	bool sync;         /* the commit waits until file and directory are on the device */
	char *const *argv; /* a command instead of a path, or NULL */
	/* a stream is written by whole lines, in turn with all who have this; NULL: as the bytes come */
	struct shared_lock *lock;
	/* of PATH_MAX bytes: the path of a new file in a directory, once it has one; NULL: a directory is refused */
	char *inbox_file;
	bool only_inbox; /* the path has to be a directory */
};

struct sink {
	enum sink_kind kind;
	int fd;
	const char *path; /* for messages; the caller's */
	struct ends ends; /* who the bytes come from; the caller's */
	bool waits;       /* a write may have to wait for a reader */
	const struct sink_options *options;
	int64_t written;         /* bytes so far */
	int64_t synced;          /* of these, bytes that the device was told of */
	struct atomic_file file; /* SINK_FILE; it has the fd as well */
	bool in_inbox;           /* SINK_FILE: the name is found at the commit */
	int dir;                 /* the directory for fsync(2), or -1: it is not to be synced */
	struct command command;  /* SINK_COMMAND */
	struct sink_lines lines; /* SINK_STREAM, by lines */
};

/*
 * Opens path for output, or takes stdout for "-" and an open descriptor for /dev/fd/N and its like, or sees whether
 * the command of options exists.
 * Everything that can be known to be wrong is found here, before anything is sent: a file that
 * exists and must not be replaced is refused, now and again at the commit. Blocks only for a FIFO,
 * until it has a reader or the deadline. path and options have to outlive the sink.
 *
 * Returns 0, the sink then being the caller's to close, or -1.
 */
int sink_open(struct sink *sink, const char *path, const struct sink_options *options,
    int64_t deadline, struct err *err);

/*
 * Says who the bytes come from, for the name of a new file in a directory and for a command. Before the first write;
 * the strings have to outlive the sink.
 */
void sink_set_ends(struct sink *sink, const struct ends *ends);

/*
 * Writes all of the size bytes; a stream is waited for until the deadline. A command is started by the
 * first of them, not earlier: it might undo what is there. Returns 0, or -1: ERR_FAILED,
 * ERR_INTERRUPTED, ERR_TIMEOUT.
 */
int sink_write(struct sink *sink, const void *buffer, size_t size, int64_t deadline,
    struct err *err);

/*
 * Makes what was written the file of its name; in a directory it gets one that no file has. May block as long as the
 * file system takes. By lines, the last one gets the newline that it lacks. A command is told that this was all, and has
 * until the deadline to have read it and to exit with 0. Returns 0, or -1 with ERR_FAILED (ERR_TIMEOUT,
 * ERR_INTERRUPTED), and then an old file of that name is as it was, unless it was the directory that could not be
 * synced.
 */
int sink_commit(struct sink *sink, int64_t deadline, struct err *err);

/* Closes the sink; of a file that was not committed nothing is left, and a command is stopped. */
void sink_close(struct sink *sink);

#endif
