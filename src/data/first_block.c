#include "data/first_block.h"

#include <string.h>

/* How a compressed stream begins. */
struct magic {
	const char *bytes;
	size_t len;
	struct first_block_packer packer;
};

static const struct magic magics[] = {
    {"\x1f\x8b", 2, {"gzip", "tar xzf -"}}, /* RFC 1952 */
    {"\xfd\x37zXZ", 6, {"xz", "tar xJf -"}},
    {"\x28\xb5\x2f\xfd", 4, {"zstd", "tar --zstd -xf -"}}, /* RFC 8878 */
    {"BZh", 3, {"bzip2", "tar xjf -"}},
};

void first_block_add(struct first_block *block, const void *bytes, size_t size)
{
	size_t left = sizeof(block->header) - block->len;
	size_t part = size < left ? size : left;

	if (part == 0)
		return;
	memcpy((char *)&block->header + block->len, bytes, part);
	block->len += part;
}

const struct first_block_packer *first_block_packed_by(const struct first_block *block)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		const struct magic *magic = &magics[i];
		if (block->len >= magic->len &&
		    memcmp(&block->header, magic->bytes, magic->len) == 0)
			return &magic->packer;
	}
	return NULL;
}

bool first_block_is_archive(const struct first_block *block)
{
	return block->len == sizeof(block->header) && pax_header_is_one(&block->header);
}
