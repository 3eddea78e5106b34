/*
 * One source for several readers, each a process behind a pipe of its own. The source is read once,
 * and every chunk is written to all readers before the next one is read; so the slowest reader sets
 * the pace, and no reader is ahead of another by more than a chunk and the bytes in a pipe. A
 * reader that has gone is left out from then on: its stream ends before it is complete.
 */
#ifndef TEE_H
#define TEE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "data/source.h"

/* The most readers. */
#define TEE_MAX 64

enum tee_state {
	TEE_FAILED = -1,
	TEE_ENDED,    /* the source has ended, and the pipe of each reader that is left has all */
	TEE_WATCHED,  /* the descriptor watch is readable */
	TEE_DESERTED, /* no reader is left */
};

struct tee_pipe {
	int fd;       /* for writing; -1: its reader has gone */
	size_t taken; /* bytes of the present chunk that the pipe has got */
};

struct tee {
	struct source *source; /* the caller's, to be started before the first tee_move() */
	/* Called with context when all readers have taken bytes more. */
	void (*on_taken)(void *context, size_t bytes);
	void *context;
	char *chunk;
	size_t size;   /* bytes that chunk has room for */
	size_t filled; /* bytes in chunk that come from the source */
	size_t all;    /* bytes of chunk that all readers have taken */
	size_t count;  /* of readers, those left out included */
	struct tee_pipe pipe[TEE_MAX];
};

/*
 * Prepares to read source in chunks of at most size bytes. source and context have to outlive the
 * tee. Returns 0, the tee then being the caller's to close, or -1 with ERR_FAILED. No function here
 * blocks but tee_move().
 */
int tee_open(struct tee *tee, struct source *source, size_t size,
    void (*on_taken)(void *context, size_t bytes), void *context, struct err *err);

/*
 * Adds a reader, the next one in tee->pipe; there may be TEE_MAX readers. Returns the reader's end
 * of the pipe, blocking and close-on-exec, the caller's to close, or -1 with ERR_FAILED, and then
 * the reader is added as one that has gone.
 */
int tee_add(struct tee *tee, struct err *err);

/* Leaves out the reader, an index in tee->pipe, from now on. */
void tee_drop(struct tee *tee, size_t reader);

/* Whether the reader is not left out; after TEE_ENDED its pipe has the whole stream then. */
bool tee_has(const struct tee *tee, size_t reader);

/*
 * Copies until the source has ended, no reader is left, or the descriptor watch is readable; after
 * the last of these the caller calls again. Blocks as long as source and readers take. Returns
 * which of them it is, or TEE_FAILED with the source's error or ERR_INTERRUPTED.
 */
enum tee_state tee_move(struct tee *tee, int watch, struct err *err);

/*
 * Closes the pipes, which ends the streams of the readers, and frees the chunk. The source stays
 * open. A process that becomes a reader calls it, too, or it would keep the other readers' pipes
 * open. A second call does nothing.
 */
void tee_close(struct tee *tee);

#endif
