/*
 * The digest of a stream: XXH3's 128 bits (libxxhash), as xxh128sum(1) prints them. It finds what
 * went wrong on the way; against somebody who wants to deceive it is no protection.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* "xxh128:", 32 hexadecimal digits and the final null byte. */
#define DIGEST_TEXT_MAX 40

struct digest {
	void *state; /* NULL: nothing is computed */
};

/* Begins a digest, the caller's to close. Returns 0, or -1 with ERR_FAILED (memory). */
int digest_open(struct digest *digest, struct err *err);

/* Adds size bytes. Does nothing to a digest that is not open. */
void digest_add(struct digest *digest, const void *bytes, size_t size);

/* Writes the digest of what was added so far; an empty string if it is not open. */
void digest_text(const struct digest *digest, char text[DIGEST_TEXT_MAX]);

/* Closes the digest, if it is open. */
void digest_close(struct digest *digest);

/*
 * Reads the len bytes at text as a digest of the form "xxh128:HEX", letters of either case, and writes
 * it as digest_text() would. Returns 0, or -1 if it is none.
 */
int digest_parse(const char *text, size_t len, char parsed[DIGEST_TEXT_MAX]);

#endif
