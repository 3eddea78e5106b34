/* Receipts: the lines as DESIGN has them, what is heard of them, and what is no receipt. */
#include "transfer/receipt.h"

#include "check.h"

#define DIGEST "xxh128:0123456789abcdef0123456789abcdef"
#define RECEIVED "sockxfer/1 received 1234567 " DIGEST "\n"
#define STORED "sockxfer/1 stored\n"
#define FAILED "sockxfer/1 failed No space left on device\n"
#define UNENDED "sockxfer/1 received 1234567 " DIGEST
#define OTHER "sockxfer/1 received 7654321 xxh128:ffffffffffffffffffffffffffffffff\n"

static struct receipt hear(const char *text, bool data_ended)
{
	struct receipt receipt = {.state = RECEIPT_NONE};

	receipt_hear(&receipt, text, strlen(text), data_ended);
	return receipt;
}

#define TOKEN "0123456789abcdef"
#define HAVE "sockxfer/1 have 1000 " TOKEN "\n"

static void check_states(const char *const *texts, size_t count, enum receipt_state state)
{
	for (size_t i = 0; i < count; i++) {
		check_row("%s", texts[i]);
		CHECK_INT(hear(texts[i], true).state, state);
	}
}

static void writes_the_lines(void)
{
	char line[RECEIPT_LINE_MAX];

	CHECK(receipt_write_received(line, 1234567, DIGEST) == strlen(RECEIVED));
	CHECK_STR(line, RECEIVED);
	CHECK(receipt_write_stored(line) == strlen(STORED));
	CHECK_STR(line, STORED);
	CHECK(receipt_write_failed(line, "No space left on device") == strlen(FAILED));
	CHECK_STR(line, FAILED);
}

static void hears_success(void)
{
	struct receipt receipt = hear("", true);

	CHECK_INT(receipt.state, RECEIPT_NONE);
	receipt = hear(RECEIVED, true);
	CHECK_INT(receipt.state, RECEIPT_RECEIVED);
	CHECK_INT(receipt.bytes, 1234567);
	CHECK_STR(receipt.digest, DIGEST);
	receipt_hear(&receipt, STORED, strlen(STORED), true);
	CHECK_INT(receipt.state, RECEIPT_STORED);
	CHECK_INT(receipt.bytes, 1234567);
	CHECK_STR(receipt.digest, DIGEST);
}

static void hears_failure(void)
{
	struct receipt receipt = hear(FAILED, false);

	CHECK_INT(receipt.state, RECEIPT_FAILED);
	CHECK_STR(receipt.text, "No space left on device");
	receipt = hear(RECEIVED FAILED, true);
	CHECK_INT(receipt.state, RECEIPT_FAILED);
	CHECK_STR(receipt.text, "No space left on device");
}

/* It may be that a sender does not resume, and has ended by then. */
static void hears_have(void)
{
	for (int data_ended = 0; data_ended <= 1; data_ended++) {
		struct receipt receipt = hear(HAVE, data_ended == 1);
		CHECK_INT(receipt.state, RECEIPT_NONE);
		CHECK(receipt.has_have);
		CHECK_INT(receipt.have, 1000);
		CHECK_STR(receipt.token, TOKEN);
		receipt_hear(&receipt, RECEIVED STORED, strlen(RECEIVED STORED), true);
		CHECK_INT(receipt.state, RECEIPT_STORED);
		CHECK_INT(receipt.bytes, 1234567);
	}
	CHECK_INT(hear(HAVE FAILED, false).state, RECEIPT_FAILED);
	CHECK(!hear(RECEIVED STORED, true).has_have);
}

/* Once, first, and as it has to be. */
static void strict_have(void)
{
	static const char *const texts[] = {HAVE HAVE, RECEIVED HAVE, "sockxfer/1 have 1000\n",
	    "sockxfer/1 have 01000 " TOKEN "\n", "sockxfer/1 have 1000 " TOKEN "0\n", "\n" HAVE};

	check_states(texts, ROWS(texts), RECEIPT_FOREIGN);
}

static void any_pieces(void)
{
	static const char *const texts[] = {RECEIVED STORED, FAILED, RECEIVED FAILED,
	    HAVE RECEIVED STORED, HAVE FAILED, HAVE HAVE, "HTTP/1.1 400 Bad Request\r\n\r\n"};

	for (size_t i = 0; i < ROWS(texts); i++) {
		struct receipt whole = hear(texts[i], true);
		size_t len = strlen(texts[i]);
		for (size_t cut = 0; cut <= len; cut++) {
			struct receipt cut_up = {.state = RECEIPT_NONE};
			check_row("%zu bytes of %s", cut, texts[i]);
			receipt_hear(&cut_up, texts[i], cut, true);
			receipt_hear(&cut_up, texts[i] + cut, len - cut, true);
			CHECK_INT(cut_up.state, whole.state);
			CHECK_INT(cut_up.bytes, whole.bytes);
			CHECK_STR(cut_up.digest, whole.digest);
			CHECK_STR(cut_up.text, whole.text);
		}
	}
}

static void half_a_line(void)
{
	static const char *const texts[] = {
	    "s",
	    "sockxfer/1 stored",
	    "sockxfer/1 failed why",
	    UNENDED,
	    "HTTP/1.1 400 Bad Request\r",
	};

	check_states(texts, ROWS(texts), RECEIPT_NONE);
	CHECK_INT(hear(RECEIVED "sockxfer/1 stored", true).state, RECEIPT_RECEIVED);
}

static void a_line_has_begun(void)
{
	struct receipt receipt = hear(RECEIVED STORED, true);
	struct receipt foreign = hear("HTTP/1.1 400 Bad Request\r", true);

	CHECK(!receipt_has_begun(&receipt));
	CHECK(!receipt_has_begun(&foreign));
	receipt = hear("", true);
	CHECK(!receipt_has_begun(&receipt));
	for (const char *c = UNENDED; *c != '\0'; c++) {
		receipt_hear(&receipt, c, 1, true);
		CHECK(receipt_has_begun(&receipt));
	}
	receipt_hear(&receipt, "\n", 1, true);
	CHECK(!receipt_has_begun(&receipt));
}

static void before_the_end_of_the_data(void)
{
	struct receipt receipt = hear(RECEIVED STORED, false);

	CHECK_INT(receipt.state, RECEIPT_FOREIGN);
	receipt_hear(&receipt, RECEIVED STORED, strlen(RECEIVED STORED), true);
	CHECK_INT(receipt.state, RECEIPT_FOREIGN);
	CHECK_INT(hear("sockxfer/1 failed why\n", false).state, RECEIPT_FAILED);
}

static void only_the_first_counts(void)
{
	struct receipt receipt = hear(RECEIVED STORED OTHER STORED, true);

	CHECK_INT(receipt.state, RECEIPT_STORED);
	CHECK_INT(receipt.bytes, 1234567);
	CHECK_STR(receipt.digest, DIGEST);
	CHECK_INT(hear(RECEIVED STORED FAILED, true).state, RECEIPT_STORED);
	receipt = hear(FAILED "sockxfer/1 failed again\n" RECEIVED STORED, true);
	CHECK_INT(receipt.state, RECEIPT_FAILED);
	CHECK_STR(receipt.text, "No space left on device");
}

static void out_of_order(void)
{
	/* In parentheses, since clang asks whether a comma was forgotten. */
	static const char *const texts[] = {
	    STORED,
	    (STORED RECEIVED),
	    (RECEIVED RECEIVED),
	    (RECEIVED OTHER STORED),
	    (RECEIVED "\n" STORED),
	    (RECEIVED "hello\n" STORED),
	    ("hello\n" RECEIVED STORED),
	    ("\n" RECEIVED STORED),
	    ("hello\n" FAILED),
	};

	check_states(texts, ROWS(texts), RECEIPT_FOREIGN);
}

#define LINE(number, digest) "sockxfer/1 received " number " " digest "\n"

static void strict_reading(void)
{
	static const char *const texts[] = {
	    "\n",
	    "\r\n",
	    " " RECEIVED,
	    "sockxfer/1\n",
	    "sockxfer/2 received 1 " DIGEST "\n",
	    "Sockxfer/1 received 1 " DIGEST "\n",
	    "sockxfer/1  received 1 " DIGEST "\n",
	    "sockxfer/1\treceived 1 " DIGEST "\n",
	    "sockxfer/1 received\n",
	    "sockxfer/1 received 1\n",
	    "sockxfer/1 received " DIGEST "\n",
	    LINE("", DIGEST),
	    LINE("-1", DIGEST),
	    LINE("+1", DIGEST),
	    LINE(" 1", DIGEST),
	    LINE("1 ", DIGEST),
	    LINE("01", DIGEST),
	    LINE("00", DIGEST),
	    LINE("0x1", DIGEST),
	    LINE("1e3", DIGEST),
	    LINE("1,000", DIGEST),
	    LINE("9223372036854775808", DIGEST),
	    LINE("18446744073709551617", DIGEST),
	    LINE("100000000000000000000000000000000000000000", DIGEST),
	    LINE("1", ""),
	    LINE("1", "xxh128:"),
	    LINE("1", "xxh128:0123456789abcdef0123456789abcde"),
	    LINE("1", DIGEST "0"),
	    LINE("1", DIGEST " "),
	    LINE("1", DIGEST "\r"),
	    LINE("1", "xxh128:0123456789ABCDEF0123456789ABCDEF"),
	    LINE("1", "xxh128:0123456789abcdef0123456789abcdeg"),
	    LINE("1", "XXH128:0123456789abcdef0123456789abcdef"),
	    LINE("1", "xxh64:0123456789abcdef"),
	    LINE("1", "0123456789abcdef0123456789abcdef"),
	    "sockxfer/1 stored \n",
	    "sockxfer/1 stored\r\n",
	    "sockxfer/1 failed\n",
	    "sockxfer/1 failed \n",
	    "sockxfer/1 failedwhy\n",
	    "sockxfer/1 Failed why\n",
	};

	check_states(texts, ROWS(texts), RECEIPT_FOREIGN);
	CHECK_INT(hear(RECEIVED "sockxfer/1 stored \n", true).state, RECEIPT_FOREIGN);
	CHECK_INT(hear(RECEIVED "sockxfer/1 stored\r\n", true).state, RECEIPT_FOREIGN);
}

static void sizes(void)
{
	CHECK_INT(hear(LINE("0", DIGEST), true).state, RECEIPT_RECEIVED);
	CHECK_INT(hear(LINE("0", DIGEST), true).bytes, 0);
	CHECK_INT(hear(LINE("9223372036854775807", DIGEST), true).bytes, INT64_MAX);
}

static void null_bytes(void)
{
	static const char in_failed[] = "sockxfer/1 failed a\0b\n";
	static const char behind_stored[] = RECEIVED "sockxfer/1 stored\0\n";
	struct receipt receipt = {.state = RECEIPT_NONE};

	receipt_hear(&receipt, in_failed, sizeof(in_failed) - 1, true);
	CHECK_INT(receipt.state, RECEIPT_FOREIGN);
	receipt = (struct receipt){.state = RECEIPT_NONE};
	receipt_hear(&receipt, behind_stored, sizeof(behind_stored) - 1, true);
	CHECK_INT(receipt.state, RECEIPT_FOREIGN);
}

/* A line of len bytes, its newline included, that tells of a failure. */
static void long_line(char *line, size_t len)
{
	static const char begin[] = "sockxfer/1 failed ";

	memset(line, 'x', len);
	memcpy(line, begin, sizeof(begin) - 1);
	line[len - 1] = '\n';
	line[len] = '\0';
}

static void longest_line(void)
{
	char line[RECEIPT_LINE_MAX + 2];

	long_line(line, RECEIPT_LINE_MAX);
	CHECK_INT(hear(line, false).state, RECEIPT_FAILED);
	CHECK(strlen(hear(line, false).text) == RECEIPT_LINE_MAX - strlen("sockxfer/1 failed \n"));
	long_line(line, RECEIPT_LINE_MAX + 1);
	CHECK_INT(hear(line, false).state, RECEIPT_FOREIGN);
}

static void endless(void)
{
	struct receipt receipt = {.state = RECEIPT_NONE};

	for (int i = 0; i < RECEIPT_LINE_MAX - 1; i++)
		receipt_hear(&receipt, "x", 1, true);
	CHECK_INT(receipt.state, RECEIPT_NONE);
	receipt_hear(&receipt, "x", 1, true);
	CHECK_INT(receipt.state, RECEIPT_FOREIGN);
	receipt_hear(&receipt, "\n" RECEIVED STORED, strlen("\n" RECEIVED STORED), true);
	CHECK_INT(receipt.state, RECEIPT_FOREIGN);
}

static void no_control_characters(void)
{
	static const struct {
		const char *why;
		const char *line;
	} rows[] = {
	    {"a\nb", "sockxfer/1 failed a b\n"},
	    {"a\r\nb\n", "sockxfer/1 failed a  b \n"},
	    {"\033[2Jboo\a", "sockxfer/1 failed  [2Jboo \n"},
	    {"tab\there\177", "sockxfer/1 failed tab here \n"},
	    {"Gr\303\274n", "sockxfer/1 failed Gr\303\274n\n"},
	};
	char line[RECEIPT_LINE_MAX];

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("%zu", i);
		CHECK(receipt_write_failed(line, rows[i].why) == strlen(rows[i].line));
		CHECK_STR(line, rows[i].line);
		CHECK_INT(hear(line, false).state, RECEIPT_FAILED);
	}
}

static void always_a_reason(void)
{
	char line[RECEIPT_LINE_MAX];
	size_t len = receipt_write_failed(line, "");

	CHECK_INT(line[len - 1], '\n');
	CHECK_INT(hear(line, false).state, RECEIPT_FAILED);
	CHECK(hear(line, false).text[0] != '\0');
}

static void long_reasons(void)
{
	char why[2 * RECEIPT_LINE_MAX];
	char line[RECEIPT_LINE_MAX];

	for (size_t len = 200; len < sizeof(why); len++) {
		check_row("%zu", len);
		memset(why, 'w', len);
		why[len] = '\0';
		size_t written = receipt_write_failed(line, why);
		CHECK(written <= RECEIPT_LINE_MAX);
		CHECK(written == strlen(line));
		CHECK_INT(line[written - 1], '\n');
		struct receipt receipt = hear(line, false);
		CHECK_INT(receipt.state, RECEIPT_FAILED);
		CHECK(strncmp(receipt.text, why, strlen(receipt.text)) == 0);
		CHECK(strlen(receipt.text) == len || written >= RECEIPT_LINE_MAX - 1);
	}
}

int main(void)
{
	promise("the lines are those of the protocol", writes_the_lines);
	promise("received and stored are heard, with size and digest", hears_success);
	promise("a failure is heard at any time, with its reason", hears_failure);
	promise("what a receiver has is heard before all else, and is no receipt", hears_have);
	promise("twice, or later, or otherwise, it is not", strict_have);
	promise("it makes no difference how the lines are cut up", any_pieces);
	promise("a line that has not ended says nothing", half_a_line);
	promise("whether a line has begun can be told", a_line_has_begun);
	promise("before the end of the data nothing but a failure counts",
	    before_the_end_of_the_data);
	promise("what comes after the last word changes nothing", only_the_first_counts);
	promise("lines in another order, and others between them, are no receipt", out_of_order);
	promise("what is nearly a receipt is none", strict_reading);
	promise("sizes from 0 to the largest are heard", sizes);
	promise("a null byte hides nothing", null_bytes);
	promise("a line may have 256 bytes and no more", longest_line);
	promise("a line without an end is no receipt, and never becomes one", endless);
	promise("a reason has no control characters on the way", no_control_characters);
	promise("there is always a reason", always_a_reason);
	promise("a reason that is too long is cut", long_reasons);
	return check_end();
}
