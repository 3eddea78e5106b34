/*
 * Text from outside (a peer, a name, an argument), made harmless to a terminal by vis(3), and to
 * its reader: what is there shows, in the order in which it is there.
 */
#ifndef PRINTABLE_H
#define PRINTABLE_H

#include <stdbool.h>
#include <stdint.h>

/* The size of a buffer for the printable form of so many bytes: each may become \ooo. */
#define PRINTABLE_SIZE(bytes) (4 * (bytes) + 1)

/*
 * Writes text into safe, the caller's buffer of PRINTABLE_SIZE(strlen(text)) bytes. A character
 * that the locale cannot print, or that is one of printable_is_format(), is encoded as strvis(3)
 * does. That needs memory: if there is none, each byte that is not printable becomes ?. It does not
 * block.
 */
void printable(char *safe, const char *text);

/*
 * Whether the character of Unicode is a format (category Cf), a separator of lines or paragraphs
 * (Zl, Zp) or for private use (Co): it shows as nothing, as anything, or changes the order in which
 * others show, and locales call it printable all the same. It does not block.
 */
bool printable_is_format(uint32_t c);

#endif
