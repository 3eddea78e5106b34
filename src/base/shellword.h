/*
 * Words to be copied into a shell, in a text of limited size. No function here blocks.
 */
#ifndef SHELLWORD_H
#define SHELLWORD_H

#include <stdbool.h>
#include <stddef.h>

/* A text that grows in a buffer. */
struct shellword_text {
	char *start; /* the caller's buffer */
	size_t size; /* of the buffer, bytes */
	bool cut;    /* some part had no room */
};

/* Returns an empty text in the buffer at start, which is the caller's, of size bytes. */
struct shellword_text shellword_begin(char *start, size_t size);

/* Add a string or a character to the text as it is; without room for it, the text is cut. */
void shellword_add(struct shellword_text *text, const char *more);
void shellword_add_char(struct shellword_text *text, char c);

/*
 * Adds word as one word of a POSIX shell (sh(1), Quoting), and of bash and zsh, with quotes only if
 * it needs them.
 */
void shellword_add_quoted(struct shellword_text *text, const char *word);

/* Adds word so that socat(1) takes it literally in an address. It is not quoted for a shell yet. */
void shellword_add_for_socat(struct shellword_text *text, const char *word);

/* Whether a terminal shows each character of word as it is, so that it can be copied from there. */
bool shellword_is_copyable(const char *word);

#endif
