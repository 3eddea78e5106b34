/*
 * The lines of resuming: whatever comes, in whatever pieces, what is taken for a line of ours is what
 * we would have written, and neither the data nor the line is taken for the other.
 */
#include "transfer/resume_lines.h"

#include <stdbool.h>

#include "fuzz.h"

#define TOKEN "0123456789abcdef"
#define FROM "sockxfer/1 from "

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void try_have(const char *text)
{
	char token[RESUME_LINES_TOKEN_MAX];
	char line[RESUME_LINES_MAX];
	int64_t have = -1;

	if (resume_lines_read_have(text, &have, token) == -1)
		return;
	MUST(have >= 0);
	size_t len = resume_lines_write_have(line, have, token);
	MUST(len == strlen(text) + 1 && line[len - 1] == '\n');
	MUST(memcmp(line, text, len - 1) == 0);
}

static bool has_token(const char *bytes, size_t size)
{
	return memmem(bytes, size, TOKEN, strlen(TOKEN)) != NULL;
}

/* What bytes are, by what is to be seen of them. */
static void check_begin(const char *bytes, size_t size, enum resume_begin begin)
{
	size_t most = least(size, RESUME_LINES_MAX);
	const char *newline = memchr(bytes, '\n', most);
	size_t len = newline == NULL ? most : (size_t)(newline - bytes) + 1;
	bool is_begun = memcmp(bytes, FROM, least(size, strlen(FROM))) == 0;
	bool is_open = newline == NULL && most < RESUME_LINES_MAX;

	MUST((begin == RESUME_UNKNOWN) == (is_begun && is_open));
	if (begin == RESUME_DATA)
		MUST(!is_begun || !has_token(bytes, len));
	if (begin == RESUME_LINE || begin == RESUME_WRONG)
		MUST(is_begun && !is_open && has_token(bytes, len));
}

/* A line that was read is that which we would write. */
static void check_line(const char *bytes, const struct resume_from *from, size_t len)
{
	char line[RESUME_LINES_MAX];

	MUST(from->from >= 0 && from->from <= from->size);
	MUST(strcmp(from->token, TOKEN) == 0);
	MUST(resume_lines_write_from(line, from) == len);
	MUST(memcmp(line, bytes, len) == 0);
}

/* Each piece from the beginning on, in a block of its own; what is known once stays so. */
static void try_from(const uint8_t *data, size_t size)
{
	enum resume_begin before = RESUME_UNKNOWN;

	for (size_t n = 0; n <= least(size, RESUME_LINES_MAX + 2); n++) {
		struct resume_from from;
		size_t len = 0;
		char *bytes = malloc(n + 1);
		MUST(bytes != NULL);
		memcpy(bytes + 1, data, n);
		enum resume_begin begin = resume_lines_read_from(bytes + 1, n, TOKEN, &from, &len);
		check_begin(bytes + 1, n, begin);
		MUST(before == RESUME_UNKNOWN || begin == before);
		if (begin == RESUME_LINE)
			check_line(bytes + 1, &from, len);
		before = begin;
		free(bytes);
	}
}

/* The input's bytes taken for the numbers of a line, which is read as it was written. */
static void try_written(const uint8_t *data, size_t size)
{
	struct resume_from from = {.token = TOKEN};
	struct resume_from heard;
	char line[RESUME_LINES_MAX];
	uint64_t bits = 0;
	size_t len;

	for (size_t i = 0; i < size; i++)
		bits = bits << 8 | data[i];
	from.size = (int64_t)(bits & INT64_MAX);
	from.from = size == 0 ? 0 : from.size >> data[0] % 64;
	snprintf(from.digest, sizeof(from.digest), "xxh128:%032llx", (unsigned long long)bits);
	size_t written = resume_lines_write_from(line, &from);
	MUST(resume_lines_read_from(line, written, TOKEN, &heard, &len) == RESUME_LINE);
	MUST(len == written && heard.from == from.from && heard.size == from.size);
	MUST(strcmp(heard.digest, from.digest) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	if (strlen(text) == size)
		try_have(text);
	try_from(data, size);
	try_written(data, size);
	free(text);
	return 0;
}
