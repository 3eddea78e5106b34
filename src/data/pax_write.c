#include "data/pax_write.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* The fields of a ustar header: where they begin, and how many bytes they have. */
#define NAME_AT 0
#define NAME_SIZE 100
#define MODE_AT 100
#define UID_AT 108
#define GID_AT 116
#define ID_SIZE 8
#define SIZE_AT 124
#define MTIME_AT 136
#define NUMBER_SIZE 12
#define CHECKSUM_AT 148
#define CHECKSUM_SIZE 8
#define TYPE_AT 156
#define TARGET_AT 157
#define TARGET_SIZE 100
#define MAGIC_AT 257

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

static void put_checksum(char *header)
{
	uint64_t sum = 0;

	memset(header + CHECKSUM_AT, ' ', CHECKSUM_SIZE);
	for (size_t i = 0; i < PAX_BLOCK; i++)
		sum += (unsigned char)header[i];
	/* Six digits, a NUL, a blank: so it has always been. */
	header[CHECKSUM_AT + CHECKSUM_SIZE - 2] = '\0';
	put_octal(header + CHECKSUM_AT, CHECKSUM_SIZE - 1, sum);
}

/* Writes one header of ustar. What does not fit into a field is in the records before it. */
static void put_header(char *header, const char *path, char type, int64_t size, mode_t mode,
    const struct timespec *mtime)
{
	memset(header, 0, PAX_BLOCK);
	memcpy(header + NAME_AT, path, strnlen(path, NAME_SIZE));
	put_octal(header + MODE_AT, ID_SIZE, mode);
	put_octal(header + UID_AT, ID_SIZE, 0);
	put_octal(header + GID_AT, ID_SIZE, 0);
	put_octal(header + SIZE_AT, NUMBER_SIZE, fits_field(size) ? (uint64_t)size : 0);
	put_octal(header + MTIME_AT, NUMBER_SIZE,
	    fits_field(mtime->tv_sec) ? (uint64_t)mtime->tv_sec : 0);
	header[TYPE_AT] = type;
	memcpy(header + MAGIC_AT, "ustar\00000", 8);
}

size_t pax_write_padding(int64_t size)
{
	return (size_t)(-(uint64_t)size % PAX_BLOCK);
}

/* Writes an extended header whose records are there already, behind its block. Returns its size. */
static size_t end_records(char *header, size_t size)
{
	size_t padding = pax_write_padding((int64_t)size);
	const struct timespec none = {.tv_sec = 0};

	put_header(header, "PaxHeader", TYPE_EXTENDED, (int64_t)size, 0644, &none);
	put_checksum(header);
	memset(header + PAX_BLOCK + size, 0, padding);
	return PAX_BLOCK + size + padding;
}

size_t pax_write_header(char *header, const struct pax_member *member)
{
	const char *path = member->path;
	const char *target = member->target == NULL ? "" : member->target;
	bool is_long = strlen(path) > NAME_SIZE;
	bool has_long_target = strlen(target) > TARGET_SIZE;
	struct records records = {.bytes = header + PAX_BLOCK};
	size_t begun = 0;

	put_texts(&records, is_long ? path : NULL, has_long_target ? target : NULL);
	if (!fits_field(member->size))
		put_number(&records, "size", member->size);
	if (member->mtime.tv_nsec != 0 || !fits_field(member->mtime.tv_sec))
		put_time(&records, &member->mtime);
	if (records.size > 0)
		begun = end_records(header, records.size);
	header += begun;
	put_header(header, path, type_flag(member->type), member->size, member->mode,
	    &member->mtime);
	memcpy(header + TARGET_AT, target, strnlen(target, TARGET_SIZE));
	put_checksum(header);
	return begun + PAX_BLOCK;
}
