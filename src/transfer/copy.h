/*
 * The copy engines of a sender: how the bytes get from its source into the socket. All have one contract,
 * so that the transfer does not know which one is at work:
 *
 *   portable  read, add to the digest, send. Serves every source and socket.
 *   linux     sendfile(2), which copies nothing. For a file whose bytes nobody has to see.
 *
 * An engine that the kernel refuses is left for good, with nothing lost. A receiver needs no choice:
 * it receives, adds to the digest and writes (copy_linux.c says what else was tried).
 */
#ifndef COPY_H
#define COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "data/source.h"
#include "net/lifeline.h"
#include "transfer/digest.h"

struct copy_engine;

struct copy {
	/* What copy_open() finds here: where from, where to. What is pointed to has to outlive the copy. */
	struct source *source;
	int sock;                  /* non-blocking */
	struct lifeline *lifeline; /* its offer goes along with the first byte */
	struct digest *digest; /* gets every byte; one that is not open: nobody has to see them */
	size_t size;           /* the most to be moved at a time; copy_open() may lower it */

	const struct copy_engine *engine;
	char *chunk;  /* of that size */
	size_t ready; /* bytes that are to be sent next */
	bool in_file; /* they are still in the file; else at chunk + next */
	size_t next;
	bool live; /* some were sent from the file's own pages, which may change on their way */
};

/* What an engine does for the functions below, whose contracts hold for it. */
struct copy_engine {
	ssize_t (*fill)(struct copy *copy, int64_t deadline, struct err *err);
	ssize_t (*send)(struct copy *copy, struct err *err);
};

/* read, digest, send. */
extern const struct copy_engine copy_portable;

/* sendfile(2); it hands over to copy_portable when the kernel refuses. */
extern const struct copy_engine copy_linux;

/*
 * Begins a copy, by the engine that suits its ends. Returns 0, the copy being the caller's to close, or -1 with
 * ERR_FAILED (memory). Does not block.
 */
int copy_open(struct copy *copy, struct err *err);

/*
 * Makes the next bytes of the source ready to be sent, all earlier ones being sent. Blocks, returns and
 * fails as source_read() does.
 */
ssize_t copy_fill(struct copy *copy, int64_t deadline, struct err *err);

/*
 * Sends what the socket takes at once of what is ready, without waiting. Returns how many bytes; 0 if it
 * takes nothing now, or if nothing is ready any more because another engine is to fill; or -1 with
 * ERR_FAILED, which is the connection's, or ERR_INTERRUPTED.
 */
ssize_t copy_send(struct copy *copy, struct err *err);

/*
 * Whether what was sent is what the source held, as far as can be seen: of live pages, that the file
 * has not been modified. Returns 0, or -1 as source_check_unchanged() does. Does not block.
 */
int copy_check(const struct copy *copy, struct err *err);

/* Frees what copy_open() took; the descriptors stay open. */
void copy_close(struct copy *copy);

/* Whether the linux engine is the better one for this copy. For copy_open(). */
bool copy_linux_suits(const struct copy *copy);

#endif
