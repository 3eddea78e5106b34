/*
 * Members of a tree for which something is left to do when all others are there: links, and
 * directories, which get their modes and times last. No function here blocks.
 */
#ifndef TREE_LATER_H
#define TREE_LATER_H

#include <stddef.h>

#include "base/err.h"
#include "data/pax.h"

/* The most bytes that a list takes. */
#define TREE_LATER_MAX ((size_t)512 * 1024 * 1024)

/* A list of members. Zeroed, it is empty. */
struct tree_later {
	char *bytes;  /* the members, one after the other */
	size_t used;  /* bytes of these */
	size_t room;  /* bytes */
	size_t *at;   /* of each, where it begins */
	size_t count; /* of members */
	size_t slots; /* of at */
};

/*
 * Adds a copy of the member, without its size, under that path. Returns 0, or -1 with ERR_FAILED if
 * memory is short, or the list would take more than TREE_LATER_MAX bytes.
 */
int tree_later_add(struct tree_later *later, const struct pax_member *member, const char *path,
    struct err *err);

/* Writes the member of that index into *member. Its strings last until the next is added. */
void tree_later_get(const struct tree_later *later, size_t index, struct pax_member *member);

/* Sorts the members by their paths so that what lies in a directory comes before it. */
void tree_later_sort(struct tree_later *later);

/* Frees what the list has taken, and makes it empty. */
void tree_later_clear(struct tree_later *later);

#endif
