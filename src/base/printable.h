/*
 * Text from elsewhere (a peer, a name, an argument), made harmless to a terminal by vis(3).
 */
#ifndef PRINTABLE_H
#define PRINTABLE_H

/* Room for the printable form of text of so many bytes: each may become \ooo. */
#define PRINTABLE_SIZE(bytes) (4 * (bytes) + 1)

/*
 * Writes text into safe, of PRINTABLE_SIZE(strlen(text)) bytes, with whatever is no printable character of the
 * locale encoded as strvis(3) does. Without memory, for it needs some, plain ASCII is shown, and ? for
 * the rest. Does not block.
 */
void printable(char *safe, const char *text);

#endif
