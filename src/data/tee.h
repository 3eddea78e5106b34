/*
 * One source for several readers, each a process behind a pipe of its own: it is read once, and
 * every chunk is written to all of them before the next one is read. So the slowest sets the pace,
 * and none is ahead of another by more than a chunk and what lies in a pipe. A reader that has gone
 * is left out from then on; its end of the pipe, if it still has it, is then that of a part.
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
	TEE_ENDED,    /* the source has, and every reader that is left has it all in its pipe */
	TEE_WATCHED,  /* the descriptor that is watched is readable */
	TEE_DESERTED, /* there is no reader left */
};

struct tee_pipe {
	int fd;       /* for writing; -1: its reader has gone */
	size_t taken; /* bytes of the present chunk that it has */
};

struct tee {
	struct source *source; /* the caller's, to be started before the first tee_move() */
	/* Called with context when all readers have taken so many more bytes. */
	void (*on_taken)(void *context, size_t bytes);
	void *context;
	char *chunk;
	size_t size;   /* of it */
	size_t filled; /* bytes in it that come from the source */
	size_t all;    /* bytes of it that all have taken */
	size_t count;
	struct tee_pipe pipe[TEE_MAX];
};

/*
 * Prepares to read source in chunks of at most size bytes. What is pointed to has to outlive the
 * tee. Returns 0, the tee then being the caller's to close, or -1 with ERR_FAILED. Does not
 * block, nor do the others unless they say so.
 */
int tee_open(struct tee *tee, struct source *source, size_t size,
    void (*on_taken)(void *context, size_t bytes), void *context, struct err *err);

/*
 * Adds a reader, the next one in tee->pipe, of which there may be TEE_MAX. Returns its end of
 * the pipe, blocking and close-on-exec, the caller's to close, or -1 with ERR_FAILED; it is then
 * added as one that has gone.
 */
int tee_add(struct tee *tee, struct err *err);

/* Leaves out that reader from now on. */
void tee_drop(struct tee *tee, size_t reader);

/* Whether that reader is not left out, so that after TEE_ENDED its pipe has everything. */
bool tee_has(const struct tee *tee, size_t reader);

/*
 * Moves on until the source has ended, no reader is left, or watch, a descriptor, is readable; call
 * it again after the last of these. Blocks as long as source and readers take. Returns which it is,
 * or TEE_FAILED with the source's error, or ERR_INTERRUPTED.
 */
enum tee_state tee_move(struct tee *tee, int watch, struct err *err);

/*
 * Closes the pipes and frees the chunk: a reader sees the end. To be called by a process that is to
 * be a reader, too, which would keep the pipes open. The source stays open. A second call does
 * nothing.
 */
void tee_close(struct tee *tee);

#endif
