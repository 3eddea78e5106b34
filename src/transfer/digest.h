/*
 * The digest of a stream: the 128 bits of XXH3 (libxxhash), as xxh128sum(1) prints them. It finds
 * errors on the way, but does not protect against a deliberate forgery. No function here blocks.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* "xxh128:", 32 hexadecimal digits and the final null byte. */
#define DIGEST_TEXT_MAX 40

struct digest {
	void *state; /* NULL: it is not open */
};

/* Begins a digest, the caller's to close. Returns 0, or -1 with ERR_FAILED (lack of memory). */
int digest_open(struct digest *digest, struct err *err);

/* Adds size bytes. Does nothing to a digest that is not open. */
void digest_add(struct digest *digest, const void *bytes, size_t size);

/* Writes the digest of the bytes added so far, or an empty string if it is not open. */
void digest_text(const struct digest *digest, char text[DIGEST_TEXT_MAX]);

/* Closes the digest, if it is open. */
void digest_close(struct digest *digest);

/*
 * Reads the len bytes at text as a digest of the form "xxh128:HEX", with letters of either case,
 * and writes it into parsed as digest_text() would. Returns 0, or -1 if the text is no digest.
 */
int digest_parse(const char *text, size_t len, char parsed[DIGEST_TEXT_MAX]);

#endif
