/* The first block of a stream, to know an archive by. No function here blocks. */
#ifndef FIRST_BLOCK_H
#define FIRST_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "data/pax_header.h"

/* Zeroed, it has nothing of the stream. */
struct first_block {
	struct pax_header header;
	size_t len; /* of it, how many bytes are there */
};

/* Takes the next size bytes of the stream, as far as they belong to its first block. */
void first_block_add(struct first_block *block, const void *bytes, size_t size);

/* A program that compresses, and the command that unpacks an archive which it has compressed. */
struct first_block_packer {
	const char *program;
	const char *command;
};

/* Returns what has compressed the stream, of static duration, or NULL if none that is known. */
const struct first_block_packer *first_block_packed_by(const struct first_block *block);

/* Whether it is there, and the header of a member of a tar archive. */
bool first_block_is_archive(const struct first_block *block);

#endif
