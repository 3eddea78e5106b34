/*
 * The receivers of a stream that is sent to several at once, read from the one word that lists
 * them.
 */
#ifndef ADDR_LIST_H
#define ADDR_LIST_H

#include <stddef.h>

#include "base/err.h"
#include "net/addr.h"

#define ADDR_LIST_MAX 64

struct receiver {
	struct addr addr;
	char text[ADDR_TEXT_MAX]; /* as it was typed */
};

struct addr_list {
	size_t count; /* 0: there is only one address, and it is not here */
	struct receiver one[ADDR_LIST_MAX];
};

/*
 * Reads word as one address to connect to, or as several separated by commas. It is several if each
 * part is an address by itself; a part behind the path of a unix socket also needs a number as its
 * port. Otherwise a comma belongs to the path, as in unix:/a,b.
 *
 * *addr becomes the only address, or the first of several, and *receivers holds all of several.
 * Returns 0, or -1 with ERR_USAGE, whose text says what to write instead; several may not include a
 * descriptor or repeat an address. Does not block.
 */
int addr_list_parse(struct addr_list *receivers, struct addr *addr, const char *word,
    struct err *err);

#endif
