#include "data/pax_header.h"

#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct pax_header) == PAX_BLOCK, "a header is a block");

#define MAGIC_POSIX "ustar" /* with its NUL; versions other than "00" are taken, too */
#define MAGIC_GNU "ustar  " /* with its NUL */

/* Where a header of GNU tar has four pieces of a sparse file, whether more follow, and its size. */
#define SPARSE_BEGIN 386
#define SPARSE_END 495

static bool is_nul(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != '\0')
			return false;
	}
	return true;
}

bool pax_header_is_empty(const struct pax_header *header)
{
	return is_nul((const char *)header, sizeof(*header));
}

/* The field of the sum counts as spaces. */
static bool has_right_sum(const struct pax_header *header)
{
	int64_t unsigned_sum = 0;
	int64_t signed_sum = 0;
	int64_t sum;
	struct pax_header copy = *header;

	memset(copy.checksum, ' ', sizeof(copy.checksum));
	for (size_t i = 0; i < sizeof(copy); i++) {
		unsigned_sum += ((const unsigned char *)&copy)[i];
		signed_sum += ((const signed char *)&copy)[i];
	}
	return pax_header_number(header->checksum, sizeof(header->checksum), &sum) &&
	       (sum == unsigned_sum || sum == signed_sum);
}

static bool is_posix(const struct pax_header *header)
{
	return memcmp(header->magic, MAGIC_POSIX, sizeof(MAGIC_POSIX)) == 0;
}

static bool is_gnu(const struct pax_header *header)
{
	return memcmp(header->magic, MAGIC_GNU, sizeof(MAGIC_GNU)) == 0;
}

bool pax_header_is_one(const struct pax_header *header)
{
	bool is_v7 = is_nul(header->magic, sizeof(header->magic));

	return (is_posix(header) || is_gnu(header) || is_v7) && has_right_sum(header);
}

bool pax_header_is_sparse(const struct pax_header *header)
{
	return is_gnu(header) &&
	       !is_nul((const char *)header + SPARSE_BEGIN, SPARSE_END - SPARSE_BEGIN);
}

static bool read_octal(const char *field, size_t size, int64_t *value)
{
	size_t at = 0;

	while (at < size && field[at] == ' ')
		at++;
	size_t first = at;
	for (*value = 0; at < size && field[at] >= '0' && field[at] <= '7'; at++)
		*value = *value * 8 + (field[at] - '0');
	if (at == first && field[0] != '\0')
		return false;
	while (at < size && (field[at] == ' ' || field[at] == '\0'))
		at++;
	return at == size;
}

/* What is lost at the top by each shift must be nothing but the sign. */
static bool read_base256(const char *field, size_t size, int64_t *value)
{
	unsigned char first = (unsigned char)field[0];
	uint64_t bits = first == 0xff ? UINT64_MAX : 0;

	if (first != 0x80 && first != 0xff)
		return false;
	for (size_t i = 1; i < size; i++) {
		if (bits >> 55 != (first == 0xff ? 0x1ff : 0))
			return false;
		bits = bits << 8 | (unsigned char)field[i];
	}
	*value = (int64_t)bits;
	return true;
}

bool pax_header_number(const char *field, size_t size, int64_t *value)
{
	if (((unsigned char)field[0] & 0x80) != 0)
		return read_base256(field, size, value);
	return read_octal(field, size, value);
}

bool pax_header_path(const struct pax_header *header, char *path)
{
	int prefix = is_posix(header) ? (int)strnlen(header->prefix, sizeof(header->prefix)) : 0;

	snprintf(path, PAX_HEADER_PATH_MAX + 1, "%.*s%s%.*s", prefix, header->prefix,
	    prefix > 0 ? "/" : "", (int)sizeof(header->name), header->name);
	return prefix == 0 || header->prefix[prefix - 1] != '/';
}

void pax_header_target(const struct pax_header *header, char *target)
{
	snprintf(target, PAX_HEADER_TARGET_MAX + 1, "%.*s", (int)sizeof(header->target),
	    header->target);
}
