#include "data/tree_seen.h"

#include <stdlib.h>

/* FNV-1a of 64 bits. */
uint64_t tree_seen_bits(uint64_t first, const char *next, size_t len)
{
	uint64_t bits = first == 0 ? UINT64_C(0xcbf29ce484222325) : first;

	for (size_t i = 0; i < len; i++)
		bits = (bits ^ (unsigned char)next[i]) * UINT64_C(0x100000001b3);
	return bits == 0 ? 1 : bits;
}

/* Returns the slot that has the bits, or the free one where they belong; one has to be free. */
static uint64_t *find_slot(uint64_t *slots, size_t size, uint64_t bits)
{
	size_t at = (size_t)(bits ^ bits >> 32) & (size - 1);

	while (slots[at] != 0 && slots[at] != bits)
		at = (at + 1) & (size - 1);
	return &slots[at];
}

/* Doubles the room. Returns 0, or -1 with errno set. */
static int widen(struct tree_seen *seen)
{
	size_t size = seen->size == 0 ? 64 : 2 * seen->size;
	uint64_t *slots = calloc(size, sizeof(*slots));

	if (slots == NULL)
		return -1;
	for (size_t i = 0; i < seen->size; i++) {
		if (seen->slots[i] != 0)
			*find_slot(slots, size, seen->slots[i]) = seen->slots[i];
	}
	free(seen->slots);
	seen->slots = slots;
	seen->size = size;
	return 0;
}

int tree_seen_add(struct tree_seen *seen, uint64_t bits)
{
	if (2 * (seen->count + 1) > seen->size && widen(seen) == -1)
		return -1;
	uint64_t *slot = find_slot(seen->slots, seen->size, bits);
	if (*slot == bits)
		return 1;
	*slot = bits;
	seen->count++;
	return 0;
}

bool tree_seen_has(const struct tree_seen *seen, uint64_t bits)
{
	return seen->size > 0 && *find_slot(seen->slots, seen->size, bits) == bits;
}

void tree_seen_clear(struct tree_seen *seen)
{
	free(seen->slots);
	*seen = (struct tree_seen){.slots = NULL};
}
