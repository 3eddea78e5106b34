/* The lines of resuming: as they are written, what is read, and what is neither line nor data. */
#include "transfer/resume_lines.h"

#include "check.h"

#define TOKEN "0123456789abcdef"
#define OTHER "0123456789abcdee"
#define DIGEST "xxh128:00112233445566778899aabbccddeeff"
#define HAVE "sockxfer/1 have "
#define FROM "sockxfer/1 from "
#define LINE FROM "1000000 3000000 " TOKEN " " DIGEST "\n"

static enum resume_begin read_all(const char *text, struct resume_from *from, size_t *len)
{
	return resume_lines_read_from(text, strlen(text), TOKEN, from, len);
}

static void check_begins(const char *const *texts, size_t count, enum resume_begin wanted)
{
	struct resume_from from;
	size_t len;

	for (size_t i = 0; i < count; i++) {
		check_row("%s", texts[i]);
		CHECK_INT(read_all(texts[i], &from, &len), wanted);
	}
}

static void writes_the_lines(void)
{
	static const struct resume_from from = {
	    .from = 1000000,
	    .size = 3000000,
	    .token = TOKEN,
	    .digest = DIGEST,
	};
	static const struct resume_from longest = {
	    .from = INT64_MAX,
	    .size = INT64_MAX,
	    .token = TOKEN,
	    .digest = DIGEST,
	};
	char line[RESUME_LINES_MAX];

	CHECK(resume_lines_write_have(line, 1000000, TOKEN) == strlen(line));
	CHECK_STR(line, HAVE "1000000 " TOKEN "\n");
	CHECK(resume_lines_write_from(line, &from) == strlen(LINE));
	CHECK_STR(line, LINE);
	CHECK(resume_lines_write_from(line, &longest) == strlen(line));
	CHECK(line[strlen(line) - 1] == '\n');
}

static void reads_have(void)
{
	char token[RESUME_LINES_TOKEN_MAX];
	int64_t have = -1;

	CHECK_INT(resume_lines_read_have(HAVE "1000000 " TOKEN, &have, token), 0);
	CHECK_INT(have, 1000000);
	CHECK_STR(token, TOKEN);
	CHECK_INT(resume_lines_read_have(HAVE "0 " OTHER, &have, token), 0);
	CHECK_INT(have, 0);
	CHECK_STR(token, OTHER);
	CHECK_INT(resume_lines_read_have(HAVE "9223372036854775807 " OTHER, &have, token), 0);
	CHECK_INT(have, INT64_MAX);
}

static void strict_have(void)
{
	static const char *const texts[] = {
	    "",
	    HAVE,
	    HAVE "1",
	    HAVE "1 ",
	    HAVE TOKEN,
	    HAVE "1  " TOKEN,
	    HAVE " 1 " TOKEN,
	    HAVE "+1 " TOKEN,
	    HAVE "-1 " TOKEN,
	    HAVE "01 " TOKEN,
	    HAVE "1 " TOKEN " ",
	    HAVE "1 " TOKEN "0",
	    HAVE "1 " TOKEN "\n",
	    HAVE "1 " TOKEN "\r",
	    HAVE "1 0123456789abcde",
	    HAVE "1 0123456789ABCDEF",
	    HAVE "1 0123456789abcdeg",
	    HAVE "9223372036854775808 " TOKEN,
	    "sockxfer/2 have 1 " TOKEN,
	    "sockxfer/1 had 1 " TOKEN,
	    " " HAVE "1 " TOKEN,
	};
	char token[RESUME_LINES_TOKEN_MAX];
	int64_t have;

	for (size_t i = 0; i < ROWS(texts); i++) {
		check_row("%s", texts[i]);
		CHECK_INT(resume_lines_read_have(texts[i], &have, token), -1);
	}
}

static void reads_from(void)
{
	struct resume_from from;
	size_t len = 0;

	CHECK_INT(read_all(LINE, &from, &len), RESUME_LINE);
	CHECK_INT((intmax_t)len, (intmax_t)strlen(LINE));
	CHECK_INT(from.from, 1000000);
	CHECK_INT(from.size, 3000000);
	CHECK_STR(from.token, TOKEN);
	CHECK_STR(from.digest, DIGEST);
	CHECK_INT(read_all(FROM "0 0 " TOKEN " " DIGEST "\n\n", &from, &len), RESUME_LINE);
	CHECK_INT(from.from, 0);
	CHECK_INT(from.size, 0);
}

/* Every piece of the line, from its first byte on, leaves open what it is; what follows is data. */
static void any_pieces(void)
{
	static const char text[] = LINE "data" LINE;
	struct resume_from from;
	size_t len;

	for (size_t size = 0; size < sizeof(text); size++) {
		enum resume_begin wanted = size < strlen(LINE) ? RESUME_UNKNOWN : RESUME_LINE;
		len = 0;
		check_row("%zu bytes", size);
		CHECK_INT(resume_lines_read_from(text, size, TOKEN, &from, &len), wanted);
		CHECK_INT((intmax_t)len, wanted == RESUME_LINE ? (intmax_t)strlen(LINE) : 0);
	}
}

static void data(void)
{
	static const char *const texts[] = {
	    "\n",
	    "s\n",
	    "x",
	    "sockxfer/1 f\n",
	    "sockxfer/1 From",
	    "sockxfer/2",
	    "sockxfer/1 have 0 " TOKEN "\n",
	    "sockxfer/1 received",
	    FROM "\n",
	    FROM "1 2 " OTHER " " DIGEST "\n",
	    FROM "1 2\n" TOKEN,
	    FROM "0 0123456789abcdexxxxx\nmore",
	    FROM "1 2 0123456789ABCDEF " DIGEST "\n",
	};

	check_begins(texts, ROWS(texts), RESUME_DATA);
}

static void unended(void)
{
	char text[RESUME_LINES_MAX];
	struct resume_from from;
	size_t len;

	memset(text, 'x', sizeof(text));
	memcpy(text, FROM, strlen(FROM));
	CHECK_INT(resume_lines_read_from(text, sizeof(text) - 1, TOKEN, &from, &len),
	    RESUME_UNKNOWN);
	CHECK_INT(resume_lines_read_from(text, sizeof(text), TOKEN, &from, &len), RESUME_DATA);
	memcpy(text + 100, TOKEN, strlen(TOKEN));
	CHECK_INT(resume_lines_read_from(text, sizeof(text), TOKEN, &from, &len), RESUME_WRONG);
	text[sizeof(text) - 1] = '\n';
	CHECK_INT(resume_lines_read_from(text, sizeof(text), TOKEN, &from, &len), RESUME_WRONG);
}

static void wrong(void)
{
	static const char *const texts[] = {
	    FROM TOKEN "\n",
	    FROM "1 2 " TOKEN "\n",
	    FROM "1 2 " TOKEN " \n",
	    FROM "1 2 " TOKEN " " DIGEST " \n",
	    FROM "1 2 " TOKEN " " DIGEST "\r\n",
	    FROM "1 2 " TOKEN "  " DIGEST "\n",
	    FROM "1  2 " TOKEN " " DIGEST "\n",
	    FROM " 1 2 " TOKEN " " DIGEST "\n",
	    FROM "+1 2 " TOKEN " " DIGEST "\n",
	    FROM "-1 2 " TOKEN " " DIGEST "\n",
	    FROM "01 2 " TOKEN " " DIGEST "\n",
	    FROM "1 +2 " TOKEN " " DIGEST "\n",
	    FROM "1 02 " TOKEN " " DIGEST "\n",
	    FROM "3 2 " TOKEN " " DIGEST "\n",
	    FROM "1 9223372036854775808 " TOKEN " " DIGEST "\n",
	    FROM "1 2 " TOKEN "0 " DIGEST "\n",
	    FROM "1 2 0" TOKEN " " DIGEST "\n",
	    FROM "1 2 " OTHER " " TOKEN "\n",
	    FROM "1 2 " OTHER " xxh128:" TOKEN TOKEN "\n",
	    FROM "1 2 " TOKEN " " TOKEN TOKEN "\n",
	    FROM "1 2 " TOKEN " xxh128:" TOKEN "\n",
	    FROM "1 2 " TOKEN " xxh128:" TOKEN "0123456789ABCDEF\n",
	    FROM "1 2 " TOKEN " xxh64:" TOKEN TOKEN "\n",
	    FROM "1 " TOKEN " " DIGEST "\n",
	    FROM "1 2 3 " TOKEN " " DIGEST "\n",
	};

	check_begins(texts, ROWS(texts), RESUME_WRONG);
}

static void null_byte(void)
{
	char text[] = LINE;
	struct resume_from from;
	size_t len;

	for (size_t i = strlen(FROM); i < strlen(LINE) - 1; i++) {
		memcpy(text, LINE, sizeof(text));
		text[i] = '\0';
		check_row("at %zu", i);
		CHECK(
		    resume_lines_read_from(text, strlen(LINE), TOKEN, &from, &len) != RESUME_LINE);
	}
}

int main(void)
{
	promise("both lines are written as the manual page has them", writes_the_lines);
	promise("the receiver's line is read", reads_have);
	promise("what is not quite the receiver's line is none", strict_have);
	promise("the sender's line is read", reads_from);
	promise("the sender's line may come in any pieces, with the data behind it", any_pieces);
	promise("a line without the token is data, and so is whatever begins otherwise", data);
	promise("a line that does not end is none after 256 bytes", unended);
	promise("what has the token and is not quite the line is neither line nor data", wrong);
	promise("a null byte makes no line", null_byte);
	return check_end();
}
