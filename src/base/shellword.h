/*
 * Words to be copied into a shell, in a text of limited size. Nothing here blocks.
 */
#ifndef SHELLWORD_H
#define SHELLWORD_H

#include <stdbool.h>
#include <stddef.h>

/* A text that grows and remembers whether something had no room. */
struct shellword_text {
	char *start; /* the caller's */
	size_t size;
	bool cut;
};

/* Begins an empty text at start, of size bytes. */
struct shellword_text shellword_begin(char *start, size_t size);

/* Add to the text, as they are. */
void shellword_add(struct shellword_text *text, const char *more);
void shellword_add_char(struct shellword_text *text, char c);

/* Adds word as one word of a POSIX shell (sh(1), Quoting), for bash and zsh too. What needs no quotes has none. */
void shellword_add_quoted(struct shellword_text *text, const char *word);

/* Adds word so that it means itself in an address of socat(1). For the shell it is not quoted yet. */
void shellword_add_for_socat(struct shellword_text *text, const char *word);

/* Whether word has only characters that are shown on a terminal as they are, so that it can be copied from there. */
bool shellword_is_copyable(const char *word);

#endif
