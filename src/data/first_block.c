#include "data/first_block.h"

#include <string.h>

void first_block_add(struct first_block *block, const void *bytes, size_t size)
{
	size_t left = sizeof(block->header) - block->len;
	size_t part = size < left ? size : left;

	if (part == 0)
		return;
	memcpy((char *)&block->header + block->len, bytes, part);
	block->len += part;
}

bool first_block_is_archive(const struct first_block *block)
{
	return block->len == sizeof(block->header) && pax_header_is_one(&block->header);
}
