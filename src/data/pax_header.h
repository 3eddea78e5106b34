/*
 * A header of a pax archive: one block, whose fields are of fixed width (POSIX.1-2008, pax, "ustar
 * Interchange Format", and GNU tar's tar.h). No function here blocks.
 */
#ifndef PAX_HEADER_H
#define PAX_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/pax.h"

/* As it stands in the archive: no field needs a NUL at its end. */
struct pax_header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char target[100];
	char magic[8]; /* with the version, which is of two bytes */
	char user[32];
	char group[32];
	char device[16];
	char prefix[155];
	char unused[12];
};

/* The longest path that a header has room for: prefix, slash, name. */
#define PAX_HEADER_PATH_MAX (155 + 1 + 100)

/* The longest target of a link that it has room for. */
#define PAX_HEADER_TARGET_MAX 100

/* Whether the block has nothing but NULs. */
bool pax_header_is_empty(const struct pax_header *header);

/*
 * Whether the block is a header: the sum of its bytes is right, also if they were taken for signed
 * ones as by some old tars, and it is of POSIX, of GNU tar or of Unix V7.
 */
bool pax_header_is_one(const struct pax_header *header);

/*
 * Whether it is one of GNU tar that has a map of a sparse file, whatever its type is: libarchive
 * goes by the map, GNU tar by the type.
 */
bool pax_header_is_sparse(const struct pax_header *header);

/*
 * Reads the number in a field of size bytes, at most 12: octal digits with spaces before them, and
 * spaces and NULs behind, NULs alone for 0; or in base 256, for which the first byte is 0x80, or
 * 0xff if it is negative. Returns whether it is one that an int64_t can hold.
 */
bool pax_header_number(const char *field, size_t size, int64_t *value);

/*
 * Writes the path into path, of PAX_HEADER_PATH_MAX + 1 bytes. Returns whether all read it alike:
 * of a prefix that ends in a slash libarchive and GNU tar make different paths.
 */
bool pax_header_path(const struct pax_header *header, char *path);

/* Writes the target of a link into target, of PAX_HEADER_TARGET_MAX + 1 bytes. */
void pax_header_target(const struct pax_header *header, char *target);

#endif
