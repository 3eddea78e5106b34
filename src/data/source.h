/*
 * Where a sender's bytes come from: a file, a FIFO, a device, stdin, or a command's stdout.
 *
 * A regular file is sent as it was when it was opened: bytes that are appended later are left out (but of an empty one,
 * for those in /proc look so), and one that has become shorter is an error, for the stream would lie. A command's bytes
 * are complete only if it exits with 0.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "data/ends.h"
#include "sys/command.h"

struct source {
	int fd;
	const char *name; /* for messages; the caller's */
	bool sized;       /* a regular file: size bytes are to come */
	int64_t size;
	int64_t taken;            /* bytes read so far */
	struct ends ends;         /* who the bytes go to; the caller's */
	struct command command;   /* its argv is NULL where there is none */
	const atomic_bool *whole; /* whether the end of a pipe is that of the stream; NULL: it is */
};

/*
 * Opens path, or takes stdin for "-"; or, if argv is not NULL, sees whether that command exists. Does
 * not block, not even on a FIFO without a writer. path and argv have to outlive the source.
 * Returns 0, the source then being the caller's to close, or -1 with ERR_FAILED.
 */
int source_open(struct source *source, const char *path, char *const *argv, struct err *err);

/* Says who the bytes go to, for a command. Before source_start(); the strings have to outlive that. */
void source_set_ends(struct source *source, const struct ends *ends);

/*
 * Makes a source of a pipe that another process of ours writes to, of what is called name: fd becomes the source's to
 * close. A pipe ends also when its writer dies, so *whole, in memory that is shared with it, has to be true by then,
 * or the end is an error. name and whole have to outlive the source. Does not block.
 */
void source_adopt(struct source *source, int fd, const char *name, const atomic_bool *whole);

/* Starts the command, if the source is one; to be called just before the first read. Returns 0, or -1 with ERR_FAILED. */
int source_start(struct source *source, struct err *err);

/*
 * Reads what is there, at the most size bytes, waiting until the deadline for the first of them where the
 * source is a pipe or the like; at the end of a command's output, for the command to exit. Returns how
 * many, 0 at the end, or -1: ERR_FAILED (also for a file that has become shorter, a command
 * that failed, and a pipe of source_adopt() that ends early), ERR_TIMEOUT, ERR_INTERRUPTED.
 */
ssize_t source_read(struct source *source, void *buffer, size_t size, int64_t deadline,
    struct err *err);

/*
 * Whether source_read() has something at once, be it an end or an error, by what poll(2) said in from, whose fd is that
 * of the source at first. Once a command's output has ended, but maybe not the command, from is for the end of that,
 * to be polled again. For one that is not sized.
 */
bool source_is_ready(const struct source *source, struct pollfd *from);

/* Closes what source_open() opened; a command that still runs is stopped. */
void source_close(struct source *source);

#endif
