/*
 * The bytes of a pax archive as its members. It reads pax and ustar, headers of Unix V7 and of GNU
 * tar with its long names (L, K) and numbers in base 256, and passes over a label (V). It is
 * strict: what it cannot be sure of ends the reading, and that is also what libarchive and GNU tar
 * read differently. Paths are handed on as they are: whoever uses one as a name checks it.
 */
#ifndef PAX_READ_H
#define PAX_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "data/pax.h"

/* The most bytes of extended headers of one member: 1 MiB. */
#define PAX_EXTENDED_MAX 1048576

/*
 * Who hears of the members, in the order of the archive: member() once for each, then content() for
 * pieces of its content until all of it is there, and ended(). Strings last for the call only. Each
 * returns 0, or -1 with err set, which ends the reading with that.
 */
struct pax_listener {
	int (*member)(void *context, const struct pax_member *member, struct err *err);
	int (*content)(void *context, const void *bytes, size_t size, struct err *err);
	int (*ended)(void *context, struct err *err);
	void *context;
};

struct pax_reader;

/*
 * Makes a reader, the caller's to free, at the beginning of an archive. The listener has to outlive
 * it. Returns NULL with ERR_FAILED if memory is short.
 */
struct pax_reader *pax_reader_new(const struct pax_listener *listener, struct err *err);

/*
 * Reads the next size bytes of the archive, however it is divided. Behind the mark of its end there
 * may be NULs only. Returns 0, or -1: ERR_FAILED for what is no archive, damaged, or of a kind that
 * is refused (devices, FIFOs, sparse files, several volumes, extended headers of more than
 * PAX_EXTENDED_MAX bytes), with a text that names the member; or what the listener has set. The
 * reader is of no further use then. Blocks only as the listener does.
 */
int pax_reader_write(struct pax_reader *reader, const void *bytes, size_t size, struct err *err);

/*
 * To be called when no more bytes come. Returns 0 if the mark of the archive's end was among them,
 * or -1 with ERR_FAILED, which tells where they end. An archive without a member is one. Does not
 * block.
 */
int pax_reader_finish(const struct pax_reader *reader, struct err *err);

/* Frees the reader, which may be NULL. */
void pax_reader_free(struct pax_reader *reader);

#endif
