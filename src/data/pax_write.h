/* The members of a pax archive as bytes. No function here blocks. */
#ifndef PAX_WRITE_H
#define PAX_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "data/pax.h"

/* Room for the headers of one member: two of one block, and between them its extended records. */
#define PAX_HEADER_MAX (2 * PAX_BLOCK + 2 * PAX_PATH_MAX + 1024)

/* The mark of the archive's end: two blocks of NULs. */
#define PAX_END_SIZE ((size_t)2 * PAX_BLOCK)

/*
 * Writes the headers of a member into bytes, of PAX_HEADER_MAX bytes: one of ustar and, before it,
 * an extended one with what that has no room for: a path or target of more than 100 bytes, a size
 * of 8 GiB and more, a time with a fraction, before 1970 or after 2242. Paths and targets are at
 * most PAX_PATH_MAX bytes long. Returns how many bytes there are, a multiple of PAX_BLOCK.
 */
size_t pax_write_header(char *bytes, const struct pax_member *member);

/* Returns how many NULs follow size bytes of content, to the end of their last block. */
size_t pax_write_padding(int64_t size);

#endif
