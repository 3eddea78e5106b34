/*
 * The receivers of a stream that is sent to several at once, from the one word that lists them.
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
	size_t count; /* 0: there is only one address, which is not here */
	struct receiver one[ADDR_LIST_MAX];
};

/*
 * Reads word as an address to connect to, or as several with commas between them, if each part is one by itself; behind
 * the path of a unix socket only if its port is a number. Else a comma belongs to the path, as in unix:/a,b. *addr
 * becomes the address, or the first of several, all of which are then in *receivers. Returns 0, or -1 with ERR_USAGE
 * saying what to write instead; among several there can be no descriptor. Does not block.
 */
int addr_list_parse(struct addr_list *receivers, struct addr *addr, const char *word,
    struct err *err);

#endif
