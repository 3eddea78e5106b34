#include "data/pax_write.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "data/pax_header.h"

/* The most that a field of eleven octal digits holds. */
#define NUMBER_MAX INT64_C(077777777777)

#define TYPE_EXTENDED 'x'

/* The records of an extended header, as they are written. */
struct records {
	char *bytes;
	size_t size;
};

/* Fills a field but for its last byte, which stays NUL. */
static void put_octal(char *field, size_t size, uint64_t value)
{
	for (size_t i = size - 1; i > 0; i--) {
		field[i - 1] = (char)('0' + (value & 7));
		value >>= 3;
	}
}

static size_t digits_of(size_t value)
{
	size_t digits = 1;

	for (; value >= 10; value /= 10)
		digits++;
	return digits;
}

/* Adds "LENGTH key=value\n", in which the length counts its own digits. */
static void put_record(struct records *records, const char *key, const char *value)
{
	size_t value_len = strlen(value);
	size_t rest = strlen(key) + value_len + strlen(" =\n");
	size_t length = rest + digits_of(rest);

	if (digits_of(length) > digits_of(rest))
		length++;
	char *at = records->bytes + records->size;
	int begun = snprintf(at, length + 1, "%zu %s=", length, key);
	memcpy(at + begun, value, value_len + 1); /* the line ends at the last byte */
	at[length - 1] = '\n';
	records->size += length;
}

/*
 * A fraction belongs to a time as it is written: of -1.5 s the whole seconds are -2, and what is
 * left of the second is a half.
 */
static void put_time(struct records *records, const struct timespec *time)
{
	bool is_negative = time->tv_sec < 0;
	long long seconds = time->tv_sec;
	long nanoseconds = time->tv_nsec;
	char text[40];

	if (is_negative && nanoseconds > 0) {
		seconds++;
		nanoseconds = 1000000000L - nanoseconds;
	}
	unsigned long long whole =
	    is_negative ? 0 - (unsigned long long)seconds : (unsigned long long)seconds;
	snprintf(text, sizeof(text), "%s%llu.%09ld", is_negative ? "-" : "", whole, nanoseconds);
	put_record(records, "mtime", text);
}

static void put_number(struct records *records, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	put_record(records, key, text);
}

static bool fits_field(int64_t number)
{
	return number >= 0 && number <= NUMBER_MAX;
}

/* Text in a record is UTF-8 unless the first says otherwise; then it is what bytes there are. */
static void put_texts(struct records *records, const char *path, const char *target)
{
	if ((path != NULL && !utf8_is_valid(path)) || (target != NULL && !utf8_is_valid(target)))
		put_record(records, "hdrcharset", "BINARY");
	if (path != NULL)
		put_record(records, "path", path);
	if (target != NULL)
		put_record(records, "linkpath", target);
}

static char type_flag(enum pax_type type)
{
	switch (type) {
	case PAX_FILE:
		return '0';
	case PAX_HARD_LINK:
		return '1';
	case PAX_SYMLINK:
		return '2';
	default:
		return '5';
	}
}

static void put_checksum(struct pax_header *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	uint64_t sum = 0;

	memset(header->checksum, ' ', sizeof(header->checksum));
	for (size_t i = 0; i < sizeof(*header); i++)
		sum += bytes[i];
	/* Six digits, a NUL, a blank: so it has always been. */
	header->checksum[sizeof(header->checksum) - 2] = '\0';
	put_octal(header->checksum, sizeof(header->checksum) - 1, sum);
}

/* Fills a header, but for target and checksum. What does not fit is in the records before it. */
static void put_header(struct pax_header *header, const char *path, char type, int64_t size,
    mode_t mode, const struct timespec *mtime)
{
	*header = (struct pax_header){.type = type, .magic = "ustar\00000"};
	memcpy(header->name, path, strnlen(path, sizeof(header->name)));
	put_octal(header->mode, sizeof(header->mode), mode);
	put_octal(header->uid, sizeof(header->uid), 0);
	put_octal(header->gid, sizeof(header->gid), 0);
	put_octal(header->size, sizeof(header->size), fits_field(size) ? (uint64_t)size : 0);
	put_octal(header->mtime, sizeof(header->mtime),
	    fits_field(mtime->tv_sec) ? (uint64_t)mtime->tv_sec : 0);
}

size_t pax_write_padding(int64_t size)
{
	return (size_t)(-(uint64_t)size % PAX_BLOCK);
}

/* Writes the header of the records that are there already, behind it. Returns the size of both. */
static size_t end_records(char *bytes, size_t size)
{
	size_t padding = pax_write_padding((int64_t)size);
	const struct timespec none = {.tv_sec = 0};
	struct pax_header header;

	put_header(&header, "PaxHeader", TYPE_EXTENDED, (int64_t)size, 0644, &none);
	put_checksum(&header);
	memcpy(bytes, &header, sizeof(header));
	memset(bytes + PAX_BLOCK + size, 0, padding);
	return PAX_BLOCK + size + padding;
}

size_t pax_write_header(char *bytes, const struct pax_member *member)
{
	const char *path = member->path;
	const char *target = member->target == NULL ? "" : member->target;
	struct pax_header header;
	bool is_long = strlen(path) > sizeof(header.name);
	bool has_long_target = strlen(target) > sizeof(header.target);
	struct records records = {.bytes = bytes + PAX_BLOCK};
	size_t begun = 0;

	put_texts(&records, is_long ? path : NULL, has_long_target ? target : NULL);
	if (!fits_field(member->size))
		put_number(&records, "size", member->size);
	if (member->mtime.tv_nsec != 0 || !fits_field(member->mtime.tv_sec))
		put_time(&records, &member->mtime);
	if (records.size > 0)
		begun = end_records(bytes, records.size);
	put_header(&header, path, type_flag(member->type), member->size, member->mode,
	    &member->mtime);
	memcpy(header.target, target, strnlen(target, sizeof(header.target)));
	put_checksum(&header);
	memcpy(bytes + begun, &header, sizeof(header));
	return begun + PAX_BLOCK;
}
