#include "data/pax_extended.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NANOSECONDS 1000000000

/* A record's part, of bytes of any kind. */
struct piece {
	const char *start;
	const char *end;
};

/* Reads decimal digits, at least one, and goes behind them. */
static bool read_digits(struct piece *text, int64_t *value)
{
	const char *first = text->start;

	for (*value = 0; text->start < text->end; text->start++) {
		int digit = *text->start - '0';
		if (digit < 0 || digit > 9)
			break;
		if (*value > (INT64_MAX - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return text->start > first;
}

/* Reads what is behind the point into nanoseconds. A part of one counts as one if up. */
static bool read_fraction(struct piece *text, bool up, long *nanoseconds)
{
	bool rest = false;
	long unit = NANOSECONDS;

	*nanoseconds = 0;
	if (text->start == text->end)
		return false;
	for (; text->start < text->end; text->start++) {
		int digit = *text->start - '0';
		if (digit < 0 || digit > 9)
			return false;
		unit /= 10;
		*nanoseconds += digit * unit;
		rest = rest || (unit == 0 && digit > 0);
	}
	*nanoseconds += up && rest;
	return true;
}

/* Reads "-1.5". What is finer than nanoseconds is cut off towards the past, as in GNU tar. */
static bool read_time(struct piece text, struct timespec *time)
{
	bool negative = text.start < text.end && *text.start == '-';
	bool has_point;
	int64_t seconds;
	long nanoseconds = 0;

	text.start += negative;
	if (!read_digits(&text, &seconds))
		return false;
	has_point = text.start < text.end;
	if (has_point && *text.start++ != '.')
		return false;
	if (has_point && !read_fraction(&text, negative, &nanoseconds))
		return false;
	*time = (struct timespec){.tv_sec = seconds, .tv_nsec = nanoseconds};
	if (negative) {
		time->tv_sec = -seconds - (nanoseconds > 0);
		time->tv_nsec = nanoseconds > 0 ? NANOSECONDS - nanoseconds : 0;
	}
	return true;
}

static bool read_size(struct piece text, int64_t *size)
{
	return read_digits(&text, size) && text.start == text.end;
}

static int copy_string(const char *start, size_t len, char **string, struct err *err)
{
	*string = strndup(start, len);
	return *string == NULL ? err_set(err, ERR_FAILED, ENOMEM, "an extended header") : 0;
}

/* Puts the value in the place of a string that was allocated. */
static int read_string(struct piece value, char **string, struct err *err)
{
	size_t len = (size_t)(value.end - value.start);

	free(*string);
	*string = NULL;
	if (len == 0)
		return err_set(err, ERR_FAILED, 0, "a path without a byte");
	if (memchr(value.start, '\0', len) != NULL)
		return err_set(err, ERR_FAILED, 0, "a path with a NUL in it");
	return copy_string(value.start, len, string, err);
}

static bool is_word(struct piece piece, const char *word)
{
	size_t len = (size_t)(piece.end - piece.start);

	return strlen(word) == len && memcmp(piece.start, word, len) == 0;
}

/* Returns the kind of member that only such a key tells of, or NULL. */
static const char *refused_kind(struct piece key)
{
	static const struct {
		const char *prefix;
		const char *kind;
	} kinds[] = {
	    {"GNU.sparse.", "a sparse file"},
	    {"SCHILY.realsize", "a sparse file"},
	    {"SUN.holesdata", "a sparse file"},
	    {"GNU.volume.filename", "a file of several volumes"},
	    {"GNU.volume.offset", "a file of several volumes"},
	    {"GNU.volume.size", "a file of several volumes"},
	    {"GNU.dumpdir", "a directory of an incremental backup"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].prefix);
		if ((size_t)(key.end - key.start) >= len &&
		    memcmp(key.start, kinds[i].prefix, len) == 0)
			return kinds[i].kind;
	}
	return NULL;
}

static int use_record(struct pax_extended *extended, struct piece key, struct piece value,
    struct err *err)
{
	const char *kind = refused_kind(key);

	if (kind != NULL)
		extended->refused = kind;
	if (is_word(key, "path"))
		return read_string(value, &extended->path, err);
	if (is_word(key, "linkpath"))
		return read_string(value, &extended->target, err);
	if (is_word(key, "size")) {
		extended->has_size = read_size(value, &extended->size);
		return extended->has_size ? 0
		                          : err_set(err, ERR_FAILED, 0, "a size that is no number");
	}
	if (is_word(key, "mtime")) {
		extended->has_mtime = read_time(value, &extended->mtime);
		return extended->has_mtime
		           ? 0
		           : err_set(err, ERR_FAILED, 0, "a time that is no number");
	}
	return 0;
}

/* Finds the parts of the record at the beginning of rest, and goes behind it. */
static bool split_record(struct piece *rest, struct piece *key, struct piece *value)
{
	const char *start = rest->start;
	int64_t len;

	if (!read_digits(rest, &len) || len > rest->end - start || start + len <= rest->start ||
	    *rest->start != ' ' || start[len - 1] != '\n')
		return false;
	key->start = rest->start + 1;
	value->end = start + len - 1;
	if (key->start >= value->end)
		return false;
	key->end = memchr(key->start, '=', (size_t)(value->end - key->start));
	if (key->end == NULL || key->end == key->start ||
	    memchr(key->start, '\0', (size_t)(key->end - key->start)) != NULL)
		return false;
	value->start = key->end + 1;
	rest->start = start + len;
	return true;
}

static int read_records(struct pax_extended *extended, const char *bytes, size_t size,
    struct err *err)
{
	struct piece rest = {.start = bytes, .end = bytes + size};
	struct piece key;
	struct piece value;

	extended->has_records = true;
	while (rest.start < rest.end) {
		if (!split_record(&rest, &key, &value))
			return err_set(err, ERR_FAILED, 0, "a record that is none");
		if (use_record(extended, key, value, err) == -1)
			return -1;
	}
	return 0;
}

static int read_global(const char *bytes, size_t size, struct err *err)
{
	struct pax_extended all = {.path = NULL};
	int result = read_records(&all, bytes, size, err);

	if (result == 0 && all.refused != NULL)
		result = err_set(err, ERR_FAILED, 0, "%s", all.refused);
	if (result == 0 &&
	    (all.path != NULL || all.target != NULL || all.has_size || all.has_mtime))
		result = err_set(err, ERR_FAILED, 0, "one path, size or time for all members");
	pax_extended_clear(&all);
	return result;
}

/* A NUL ends it, and nothing but NULs may be behind. */
static int read_long(const char *bytes, size_t size, char **string, struct err *err)
{
	size_t len = strnlen(bytes, size);

	for (size_t i = len; i < size; i++) {
		if (bytes[i] != '\0')
			return err_set(err, ERR_FAILED, 0, "a path with a NUL in it");
	}
	if (len == 0)
		return err_set(err, ERR_FAILED, 0, "a path without a byte");
	return copy_string(bytes, len, string, err);
}

bool pax_extended_is_one(char type)
{
	return type == 'x' || type == 'g' || type == 'L' || type == 'K';
}

bool pax_extended_has(const struct pax_extended *extended, char type)
{
	return (type == 'x' && extended->has_records) ||
	       (type == 'L' && extended->long_path != NULL) ||
	       (type == 'K' && extended->long_target != NULL);
}

bool pax_extended_is_empty(const struct pax_extended *extended)
{
	return !extended->has_records && extended->long_path == NULL &&
	       extended->long_target == NULL;
}

int pax_extended_read(struct pax_extended *extended, char type, const char *bytes, size_t size,
    struct err *err)
{
	switch (type) {
	case 'L':
		return read_long(bytes, size, &extended->long_path, err);
	case 'K':
		return read_long(bytes, size, &extended->long_target, err);
	case 'g':
		return read_global(bytes, size, err);
	default:
		return read_records(extended, bytes, size, err);
	}
}

void pax_extended_clear(struct pax_extended *extended)
{
	free(extended->path);
	free(extended->target);
	free(extended->long_path);
	free(extended->long_target);
	*extended = (struct pax_extended){.path = NULL};
}
