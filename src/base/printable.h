/*
 * Text from outside (a peer, a name, an argument), made harmless to a terminal by vis(3).
 */
#ifndef PRINTABLE_H
#define PRINTABLE_H

/* The size of a buffer for the printable form of so many bytes: each may become \ooo. */
#define PRINTABLE_SIZE(bytes) (4 * (bytes) + 1)

/*
 * Writes text into safe, the caller's buffer of PRINTABLE_SIZE(strlen(text)) bytes. A character
 * that the locale cannot print is encoded as strvis(3) does. That needs memory: if there is none,
 * each byte that is not printable becomes ?. It does not block.
 */
void printable(char *safe, const char *text);

#endif
