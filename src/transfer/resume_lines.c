#include "transfer/resume_lines.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

#define HAVE "sockxfer/1 have "
#define FROM "sockxfer/1 from "
#define TOKEN_LEN (RESUME_LINES_TOKEN_MAX - 1)

/* Reads the token at the beginning of text. Returns the text behind it, or NULL. */
static const char *read_token(const char *text, char *token)
{
	if (strspn(text, "0123456789abcdef") != TOKEN_LEN)
		return NULL;
	memcpy(token, text, TOKEN_LEN);
	token[TOKEN_LEN] = '\0';
	return text + TOKEN_LEN;
}

/* Returns the text behind the space that text has to begin with, or NULL; also for NULL. */
static const char *behind_space(const char *text)
{
	return text != NULL && *text == ' ' ? text + 1 : NULL;
}

/* Reads "1000 " of text, which may be NULL. Returns the text behind it, or NULL. */
static const char *read_bytes(const char *text, int64_t *bytes)
{
	return text == NULL ? NULL : behind_space(number_written(text, bytes));
}

size_t resume_lines_write_have(char *line, int64_t have, const char *token)
{
	snprintf(line, RESUME_LINES_MAX, HAVE "%" PRId64 " %s\n", have, token);
	return strlen(line);
}

size_t resume_lines_write_from(char *line, const struct resume_from *from)
{
	snprintf(line, RESUME_LINES_MAX, FROM "%" PRId64 " %" PRId64 " %s %s\n", from->from,
	    from->size, from->token, from->digest);
	return strlen(line);
}

int resume_lines_read_have(const char *line, int64_t *have, char *token)
{
	if (strncmp(line, HAVE, strlen(HAVE)) != 0)
		return -1;
	const char *rest = read_bytes(line + strlen(HAVE), have);
	rest = rest == NULL ? NULL : read_token(rest, token);
	return rest != NULL && *rest == '\0' ? 0 : -1;
}

/* Whether line, without its newline, is one of the sender's as it has to be. */
static bool read_from(const char *line, struct resume_from *from)
{
	const char *rest = read_bytes(line + strlen(FROM), &from->from);

	rest = read_bytes(rest, &from->size);
	rest = rest == NULL ? NULL : behind_space(read_token(rest, from->token));
	return rest != NULL && from->from <= from->size &&
	       digest_parse(rest, strlen(rest), from->digest) == 0 &&
	       strcmp(rest, from->digest) == 0;
}

enum resume_begin resume_lines_read_from(const char *bytes, size_t size, const char *token,
    struct resume_from *from, size_t *len)
{
	char line[RESUME_LINES_MAX];
	size_t prefix = strlen(FROM);

	if (memcmp(bytes, FROM, size < prefix ? size : prefix) != 0)
		return RESUME_DATA;
	size_t most = size < RESUME_LINES_MAX ? size : RESUME_LINES_MAX;
	const char *newline = memchr(bytes, '\n', most);
	if (newline == NULL && most < RESUME_LINES_MAX)
		return RESUME_UNKNOWN;
	size_t end = newline == NULL ? most : (size_t)(newline - bytes);
	if (memmem(bytes, end, token, TOKEN_LEN) == NULL)
		return RESUME_DATA;
	if (newline == NULL)
		return RESUME_WRONG;
	memcpy(line, bytes, end);
	line[end] = '\0';
	/* A null byte would hide the rest of the line. */
	if (strlen(line) != end || !read_from(line, from) || strcmp(from->token, token) != 0)
		return RESUME_WRONG;
	*len = end + 1;
	return RESUME_LINE;
}
