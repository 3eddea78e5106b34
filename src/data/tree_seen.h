/*
 * The paths that were seen so far, as a set of 64 bits for each: two paths that are taken for one
 * are so few that no honest archive has them. No function here blocks.
 */
#ifndef TREE_SEEN_H
#define TREE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed, it is empty. */
struct tree_seen {
	uint64_t *slots; /* 0: free */
	size_t size;     /* of slots, a power of 2, or 0 */
	size_t count;
};

/*
 * Returns the bits of a path: those of its first part and then its next len bytes. The first part
 * of a whole path is 0.
 */
uint64_t tree_seen_bits(uint64_t first, const char *next, size_t len);

/*
 * Adds the path of these bits. Returns 1 if it is there already, 0 if it was not, or -1 with errno
 * set if memory is short.
 */
int tree_seen_add(struct tree_seen *seen, uint64_t bits);

/* Whether the path of these bits was added. */
bool tree_seen_has(const struct tree_seen *seen, uint64_t bits);

/* Frees what the set has taken, and makes it empty. */
void tree_seen_clear(struct tree_seen *seen);

#endif
