#include "transfer/receipt.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

#define PREFIX "sockxfer/1 "
#define RECEIVED PREFIX "received "
#define STORED PREFIX "stored"
#define FAILED PREFIX "failed "

/* Returns the text behind prefix in line, or NULL if line does not begin with it. */
static const char *after(const char *line, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(line, prefix, len) == 0 ? line + len : NULL;
}

/* Reads "1234 xxh128:HEX", strictly: no sign, no leading zero, nothing else. */
static bool read_received(struct receipt *receipt, const char *rest)
{
	const char *digest = number_written(rest, &receipt->bytes);

	if (digest == NULL || *digest++ != ' ')
		return false;
	return digest_parse(digest, strlen(digest), receipt->digest) == 0 &&
	       strcmp(digest, receipt->digest) == 0;
}

/* Returns the state that a whole line leads to. */
static enum receipt_state read_line(struct receipt *receipt, const char *line, bool data_ended)
{
	const char *rest;
	bool first = receipt->state == RECEIPT_NONE;

	if ((rest = after(line, FAILED)) != NULL && *rest != '\0') {
		strlcpy(receipt->text, rest, sizeof(receipt->text));
		return RECEIPT_FAILED;
	}
	if (first && !receipt->has_have &&
	    resume_lines_read_have(line, &receipt->have, receipt->token) == 0) {
		receipt->has_have = true;
		return RECEIPT_NONE;
	}
	if (first && data_ended && (rest = after(line, RECEIVED)) != NULL &&
	    read_received(receipt, rest))
		return RECEIPT_RECEIVED;
	if (receipt->state == RECEIPT_RECEIVED && strcmp(line, STORED) == 0)
		return RECEIPT_STORED;
	return RECEIPT_FOREIGN;
}

static bool is_final(enum receipt_state state)
{
	return state == RECEIPT_STORED || state == RECEIPT_FAILED || state == RECEIPT_FOREIGN;
}

static void end_line(struct receipt *receipt, bool data_ended)
{
	receipt->line[receipt->line_len] = '\0';
	/* A null byte would hide the rest of the line. */
	if (strlen(receipt->line) != receipt->line_len)
		receipt->state = RECEIPT_FOREIGN;
	else
		receipt->state = read_line(receipt, receipt->line, data_ended);
	receipt->line_len = 0;
}

void receipt_hear(struct receipt *receipt, const char *bytes, size_t size, bool data_ended)
{
	for (size_t i = 0; i < size && !is_final(receipt->state); i++) {
		if (bytes[i] == '\n')
			end_line(receipt, data_ended);
		else if (receipt->line_len < sizeof(receipt->line) - 1)
			receipt->line[receipt->line_len++] = bytes[i];
		else
			receipt->state = RECEIPT_FOREIGN;
	}
}

bool receipt_has_begun(const struct receipt *receipt)
{
	size_t len = strlen(PREFIX);

	if (receipt->line_len < len)
		len = receipt->line_len;
	return len > 0 && memcmp(receipt->line, PREFIX, len) == 0;
}

size_t receipt_write_received(char *line, int64_t bytes, const char *digest)
{
	snprintf(line, RECEIPT_LINE_MAX, RECEIVED "%" PRId64 " %s\n", bytes, digest);
	return strlen(line);
}

size_t receipt_write_stored(char *line)
{
	return strlcpy(line, STORED "\n", RECEIPT_LINE_MAX);
}

size_t receipt_write_failed(char *line, const char *why)
{
	/* One byte stays free for the newline. */
	snprintf(line, RECEIPT_LINE_MAX - 1, FAILED "%s",
	    *why == '\0' ? "for no known reason" : why);
	for (char *c = line; *c != '\0'; c++) {
		if (iscntrl((unsigned char)*c))
			*c = ' ';
	}
	strlcat(line, "\n", RECEIPT_LINE_MAX);
	return strlen(line);
}
