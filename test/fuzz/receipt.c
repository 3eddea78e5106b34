/*
 * The back channel: whatever comes, in whatever pieces, it is read as a slow and simple reading of the
 * whole reads it; and what the receiver's side writes, the sender's side hears.
 */
#include "transfer/receipt.h"

#include <stdbool.h>

#include "fuzz.h"

#define HEX "0123456789abcdef"
#define EMPTY_DIGEST "xxh128:00000000000000000000000000000000"

static bool is_final(enum receipt_state state)
{
	return state == RECEIPT_STORED || state == RECEIPT_FAILED || state == RECEIPT_FOREIGN;
}

static bool takes(const char **text, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*text, word, len) != 0)
		return false;
	*text += len;
	return true;
}

/* A number as printf("%lld") would write it. */
static bool takes_bytes(const char **text, int64_t *bytes)
{
	char written[32];
	char *end;

	*bytes = strtoll(*text, &end, 10);
	snprintf(written, sizeof(written), "%lld", (long long)*bytes);
	return *bytes >= 0 && end > *text && takes(text, written) && *text == end;
}

static bool is_digest(const char *text)
{
	return takes(&text, "xxh128:") && strspn(text, HEX) == 32 && text[32] == '\0';
}

/* One line without its newline, with what came before in *receipt. */
static enum receipt_state expect_line(struct receipt *receipt, const char *line, size_t len,
    bool data_ended)
{
	if (strlen(line) != len || len >= RECEIPT_LINE_MAX || !takes(&line, "sockxfer/1 "))
		return RECEIPT_FOREIGN;
	if (takes(&line, "failed ") && *line != '\0') {
		snprintf(receipt->text, sizeof(receipt->text), "%s", line);
		return RECEIPT_FAILED;
	}
	if (receipt->state == RECEIPT_NONE && !receipt->has_have && takes(&line, "have ")) {
		receipt->has_have = takes_bytes(&line, &receipt->have) && takes(&line, " ") &&
		                    strspn(line, HEX) == 16 && line[16] == '\0';
		snprintf(receipt->token, sizeof(receipt->token), "%.16s", line);
		return receipt->has_have ? RECEIPT_NONE : RECEIPT_FOREIGN;
	}
	if (receipt->state == RECEIPT_RECEIVED && strcmp(line, "stored") == 0)
		return RECEIPT_STORED;
	if (receipt->state == RECEIPT_NONE && data_ended && takes(&line, "received ") &&
	    takes_bytes(&line, &receipt->bytes) && takes(&line, " ") && is_digest(line)) {
		snprintf(receipt->digest, sizeof(receipt->digest), "%s", line);
		return RECEIPT_RECEIVED;
	}
	return RECEIPT_FOREIGN;
}

/* What is to be heard of it all. A line without an end is one only when it is too long. */
static struct receipt expect(const char *text, size_t size, bool data_ended)
{
	struct receipt receipt = {.state = RECEIPT_NONE};
	const char *end = text + size;

	while (text < end && !is_final(receipt.state)) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((newline == NULL ? end : newline) - text);
		if (newline == NULL && len < RECEIPT_LINE_MAX)
			break;
		char *line = fuzz_text((const uint8_t *)text, len);
		receipt.state = newline == NULL ? RECEIPT_FOREIGN
		                                : expect_line(&receipt, line, len, data_ended);
		free(line);
		text += len + 1;
	}
	return receipt;
}

static void must_be_same(const struct receipt *got, const struct receipt *wanted)
{
	MUST(got->state == wanted->state);
	if (got->state == RECEIPT_RECEIVED || got->state == RECEIPT_STORED) {
		MUST(got->bytes == wanted->bytes);
		MUST(strcmp(got->digest, wanted->digest) == 0);
	}
	if (got->state == RECEIPT_FAILED) {
		MUST(strcmp(got->text, wanted->text) == 0);
		MUST(strpbrk(got->text, "\n") == NULL);
	}
	MUST(got->has_have == wanted->has_have);
	if (got->has_have) {
		MUST(got->have == wanted->have);
		MUST(strcmp(got->token, wanted->token) == 0);
	}
	MUST(got->line_len < sizeof(got->line));
}

/* Heard in pieces, each at the end of a block, so that a sanitizer sees a read beyond it. */
static struct receipt hear(const char *text, size_t size, size_t piece, bool data_ended)
{
	struct receipt receipt = {.state = RECEIPT_NONE};
	size_t room = piece < size ? piece : size;
	char *block = malloc(room + 1);

	MUST(block != NULL);
	while (size > 0) {
		size_t len = room < size ? room : size;
		enum receipt_state before = receipt.state;
		char *copy = block + 1 + room - len;
		memcpy(copy, text, len);
		receipt_hear(&receipt, copy, len, data_ended);
		MUST(!is_final(before) || receipt.state == before);
		text += len;
		size -= len;
	}
	free(block);
	return receipt;
}

/* The end of the data counts from the piece on with which it is known: before, only failures do. */
static void try_late_end(const char *text, size_t size, size_t known)
{
	struct receipt receipt = {.state = RECEIPT_NONE};

	receipt_hear(&receipt, text, known, false);
	MUST(receipt.state == RECEIPT_NONE || receipt.state == RECEIPT_FAILED ||
	     receipt.state == RECEIPT_FOREIGN);
	if (memchr(text, '\n', known) != NULL)
		MUST(is_final(receipt.state) || receipt.has_have);
	receipt_hear(&receipt, text + known, size - known, true);
	if (memchr(text, '\n', known) == NULL) {
		struct receipt wanted = expect(text, size, true);
		must_be_same(&receipt, &wanted);
	}
}

/* A line that our side writes, and what the other side hears of it. */
static struct receipt exchange(struct receipt receipt, const char *line, size_t len)
{
	MUST(len <= RECEIPT_LINE_MAX - 1 && strlen(line) == len);
	MUST(strchr(line, '\n') == line + len - 1);
	receipt_hear(&receipt, line, len, true);
	return receipt;
}

/* The text as the reason of a failure: each character is there, or is a space that was a control. */
static void try_failed(const char *why)
{
	char line[RECEIPT_LINE_MAX];
	struct receipt heard = {.state = RECEIPT_NONE};

	heard = exchange(heard, line, receipt_write_failed(line, why));
	MUST(heard.state == RECEIPT_FAILED);
	MUST(heard.text[0] != '\0');
	if (why[0] == '\0')
		return;
	for (size_t i = 0; heard.text[i] != '\0'; i++) {
		unsigned char c = (unsigned char)why[i];
		MUST(heard.text[i] == (c < 0x20 || c == 0x7f ? ' ' : why[i]));
	}
	MUST(strlen(heard.text) == strlen(why) || strlen(line) == RECEIPT_LINE_MAX - 1);
}

static void try_stored(int64_t bytes, const char *digest)
{
	char line[RECEIPT_LINE_MAX];
	struct receipt heard = {.state = RECEIPT_NONE};

	heard = exchange(heard, line, receipt_write_received(line, bytes, digest));
	MUST(heard.state == RECEIPT_RECEIVED);
	MUST(heard.bytes == bytes);
	MUST(strcmp(heard.digest, digest) == 0);
	heard = exchange(heard, line, receipt_write_stored(line));
	MUST(heard.state == RECEIPT_STORED);
	MUST(heard.bytes == bytes);
	MUST(strcmp(heard.digest, digest) == 0);
}

/* The input's bytes taken for a size and a digest. */
static void try_numbers(const uint8_t *data, size_t size)
{
	uint64_t bits = 0;
	char digest[] = EMPTY_DIGEST;
	char *hex = strchr(digest, ':') + 1;

	for (size_t i = 0; i < size; i++) {
		bits = bits << 8 | data[i];
		hex[i % 32] = HEX[data[i] % 16];
	}
	try_stored((int64_t)(bits & INT64_MAX), digest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = {1, 2, 3, 7, 64, 255, 256, 257, SIZE_MAX};
	char *text = fuzz_text(data, size);
	struct receipt early = expect(text, size, false);
	struct receipt late = expect(text, size, true);

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct receipt heard = hear(text, size, pieces[i], false);
		must_be_same(&heard, &early);
		heard = hear(text, size, pieces[i], true);
		must_be_same(&heard, &late);
	}
	try_late_end(text, size, size / 2);
	try_failed(text);
	try_numbers(data, size);
	free(text);
	return 0;
}
