/* Digests: the values that xxh128sum(1) prints, however the bytes come, and their text. */
#include "transfer/digest.h"

#include "check.h"

#define ZEROS "xxh128:00000000000000000000000000000000"
#define HEX "0123456789abcdef0123456789abcdef"

/* Never the same block twice; this formula and xxh128sum gave the values below. */
static void fill(unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 256);
}

/* The digest of bytes that are added so many at a time. */
static void digest_of(const void *bytes, size_t size, size_t piece, char text[DIGEST_TEXT_MAX])
{
	struct digest digest = {.state = NULL};
	struct err err = {.kind = ERR_NONE};
	const char *next = bytes;

	if (!CHECK_INT(digest_open(&digest, &err), 0))
		return;
	while (size > 0) {
		size_t len = piece < size ? piece : size;
		digest_add(&digest, next, len);
		next += len;
		size -= len;
	}
	digest_text(&digest, text);
	digest_close(&digest);
	CHECK(digest.state == NULL);
	CHECK_INT(err.kind, ERR_NONE);
}

static void known_values(void)
{
	static const struct {
		const char *bytes;
		const char *digest;
	} rows[] = {
	    {"", "xxh128:99aa06d3014798d86001c324468d497f"},
	    {"a", "xxh128:a96faf705af16834e6c632b61e964e1f"},
	    {"abc", "xxh128:06b05ab6733a618578af5f94892f3950"},
	};
	char text[DIGEST_TEXT_MAX];

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("\"%s\"", rows[i].bytes);
		digest_of(rows[i].bytes, strlen(rows[i].bytes), 1, text);
		CHECK_STR(text, rows[i].digest);
	}
}

static void any_pieces(void)
{
	/* 240 bytes and fewer are digested in another way than more. */
	static const struct {
		size_t size;
		const char *digest;
	} rows[] = {
	    {240, "xxh128:89e3a0a2ee355d25d10beb4e0599e4b3"},
	    {241, "xxh128:75f4da43f23cce5a541b19226f0052e8"},
	    {100000, "xxh128:4e53faeda1b5812bb25cea78018497ff"},
	};
	static const size_t pieces[] = {1, 3, 63, 64, 65, 1024, 99999, 100000};
	static unsigned char bytes[100000];
	char text[DIGEST_TEXT_MAX];

	fill(bytes, sizeof(bytes));
	for (size_t i = 0; i < ROWS(rows); i++) {
		for (size_t j = 0; j < ROWS(pieces); j++) {
			check_row("%zu bytes, %zu at a time", rows[i].size, pieces[j]);
			digest_of(bytes, rows[i].size, pieces[j], text);
			CHECK_STR(text, rows[i].digest);
		}
	}
}

static void nothing_added(void)
{
	struct digest digest = {.state = NULL};
	struct err err = {.kind = ERR_NONE};
	char before[DIGEST_TEXT_MAX];
	char after[DIGEST_TEXT_MAX];

	if (!CHECK_INT(digest_open(&digest, &err), 0))
		return;
	digest_add(&digest, "abc", 3);
	digest_text(&digest, before);
	digest_add(&digest, "", 0);
	digest_text(&digest, after);
	CHECK_STR(after, before);
	digest_add(&digest, "d", 1);
	digest_text(&digest, after);
	CHECK(strcmp(after, before) != 0);
	digest_close(&digest);
}

static void not_open(void)
{
	struct digest digest = {.state = NULL};
	char text[DIGEST_TEXT_MAX] = "something";

	digest_add(&digest, "abc", 3);
	digest_text(&digest, text);
	CHECK_STR(text, "");
	digest_close(&digest);
	digest_close(&digest);
	CHECK(digest.state == NULL);
}

static void parses(void)
{
	static const struct {
		const char *text;
		const char *parsed;
	} rows[] = {
	    {"xxh128:" HEX, "xxh128:" HEX},
	    {"xxh128:0123456789ABCDEF0123456789aBcDeF", "xxh128:" HEX},
	    {ZEROS, ZEROS},
	    {"xxh128:ffffffffffffffffffffffffffffffff", "xxh128:ffffffffffffffffffffffffffffffff"},
	};
	char parsed[DIGEST_TEXT_MAX];

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("%s", rows[i].text);
		CHECK_INT(digest_parse(rows[i].text, strlen(rows[i].text), parsed), 0);
		CHECK_STR(parsed, rows[i].parsed);
	}
}

static void refuses(void)
{
	static const char *const texts[] = {"", "x", "xxh128", "xxh128:", HEX, "xxh64:" HEX,
	    "XXH128:" HEX, " xxh128:" HEX, "xxh128: " HEX, "xxh128:" HEX " ", "xxh128:" HEX "0",
	    "xxh128:" HEX "\n", "xxh128:0123456789abcdef0123456789abcde",
	    "xxh128:0123456789abcdef0123456789abcdeg", "xxh128:0x23456789abcdef0123456789abcdef",
	    "xxh128:-123456789abcdef0123456789abcdef",
	    "xxh128:0123456789abcde\3010123456789abcdef"};
	char parsed[DIGEST_TEXT_MAX];

	for (size_t i = 0; i < ROWS(texts); i++) {
		check_row("\"%s\"", texts[i]);
		CHECK_INT(digest_parse(texts[i], strlen(texts[i]), parsed), -1);
	}
}

/* The text is len bytes, and need not end there. */
static void length_counts(void)
{
	static const char text[] = "xxh128:" HEX " and more";
	char parsed[DIGEST_TEXT_MAX];
	size_t len = strlen("xxh128:" HEX);

	CHECK_INT(digest_parse(text, len, parsed), 0);
	CHECK_STR(parsed, "xxh128:" HEX);
	CHECK_INT(digest_parse(text, len - 1, parsed), -1);
	CHECK_INT(digest_parse(text, len + 1, parsed), -1);
}

static void own_text_is_read(void)
{
	char text[DIGEST_TEXT_MAX];
	char parsed[DIGEST_TEXT_MAX];

	digest_of("abc", 3, 3, text);
	CHECK_INT(digest_parse(text, strlen(text), parsed), 0);
	CHECK_STR(parsed, text);
}

int main(void)
{
	promise("the digest is the one that xxh128sum prints", known_values);
	promise("it makes no difference in what pieces the bytes come", any_pieces);
	promise("the digest can be read on the way, and more can follow", nothing_added);
	promise("one that is not open has no text, and can be closed", not_open);
	promise("a digest is read, its letters in either case", parses);
	promise("what is nearly a digest is refused", refuses);
	promise("no more is read than was given", length_counts);
	promise("what is written can be read", own_text_is_read);
	return check_end();
}
