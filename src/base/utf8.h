/* UTF-8 (RFC 3629), whatever the locale. No function here blocks. */
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Returns the length of the sequence at the beginning of text, or 0 if it is not valid: cut off,
 * longer than needed, a surrogate, or beyond U+10FFFF (section 4).
 */
size_t utf8_length(const char *text);

/* Returns the character of the valid sequence of len bytes at text; of 0 bytes some character. */
uint32_t utf8_char(const char *text, size_t len);

/* Whether all of text is UTF-8. */
bool utf8_is_valid(const char *text);

#endif
