/*
 * Extended headers: each stands before a member and says what that one's own header has no room
 * for. They are records (x), "LENGTH key=value\n", also for all members that follow (g), by
 * POSIX.1-2008, pax, "pax Extended Header"; or a long path (L) or target (K) of GNU tar. No
 * function here blocks.
 */
#ifndef PAX_EXTENDED_H
#define PAX_EXTENDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"

/* What the extended headers of one member say. Without any it is all zero. */
struct pax_extended {
	bool has_records;
	char *path;   /* of the records, allocated, or NULL */
	char *target; /* likewise */
	bool has_size;
	int64_t size;
	bool has_mtime;
	struct timespec mtime;
	const char *refused; /* a kind of member that is not taken, or NULL */
	char *long_path;     /* of GNU tar, allocated, or NULL */
	char *long_target;   /* likewise */
};

/* Whether a header of this type is an extended one. */
bool pax_extended_is_one(char type);

/* Whether one of this type was read: which of two would hold, readers do not agree. */
bool pax_extended_has(const struct pax_extended *extended, char type);

/* Whether none at all was read, but for those that are for all members. */
bool pax_extended_is_empty(const struct pax_extended *extended);

/*
 * Reads the content of an extended header, of size bytes, which pax_extended_has() not yet. Of
 * several records with one key the last one counts. One without a value would take back what was
 * said before (POSIX); but GNU tar makes "." of such a path, and libarchive 0 of such a size or
 * time, so it is refused. Keys that we do not know are passed over, whatever their values. What is
 * for all members must not change what we take of them: libarchive passes over it, GNU tar does
 * not. Returns 0, or -1 with ERR_FAILED and what is wrong with the header, or that memory is short.
 */
int pax_extended_read(struct pax_extended *extended, char type, const char *bytes, size_t size,
    struct err *err);

/* Frees what it holds, and makes it all zero. */
void pax_extended_clear(struct pax_extended *extended);

#endif
