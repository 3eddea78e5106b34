/* Numbers as people type them, and as they must not be read. */
#include "base/number.h"

#include "base/clock.h"
#include "check.h"

#define K INT64_C(1024)

static void decimal(void)
{
	static const char *const good[] = {"0", "7", "00", "0123456789", "99999999999999999999999"};
	static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "1\n", "0x1", "1.0", "1e3",
	    "a", "1a", "\xd9\xa1", "\xb2"};

	for (size_t i = 0; i < ROWS(good); i++) {
		check_row("\"%s\"", good[i]);
		CHECK(number_is_decimal(good[i]));
	}
	for (size_t i = 0; i < ROWS(bad); i++) {
		check_row("\"%s\"", bad[i]);
		CHECK(!number_is_decimal(bad[i]));
	}
}

static void integers(void)
{
	static const struct {
		const char *text;
		long long min, max, value;
	} rows[] = {
	    {"0", 0, 65535, 0},
	    {"1", 1, 1, 1},
	    {"80", 0, 65535, 80},
	    {"65535", 0, 65535, 65535},
	    {"0080", 0, 65535, 80},
	    {"9223372036854775807", 0, INT64_MAX, INT64_MAX},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct err err = {.kind = ERR_NONE};
		check_row("\"%s\"", rows[i].text);
		CHECK_INT(number_integer(rows[i].text, rows[i].min, rows[i].max, &err),
		    rows[i].value);
		CHECK_INT(err.kind, ERR_NONE);
	}
}

static void not_integers(void)
{
	static const struct {
		const char *text;
		const char *why;
	} rows[] = {
	    {"80x", "\"80x\" is invalid"},
	    {"", "\"\" is invalid"},
	    {"-1", "invalid"},
	    {"-0", "invalid"},
	    {"+80", "invalid"},
	    {" 80", "invalid"},
	    {"80 ", "invalid"},
	    {"\t80", "invalid"},
	    {"8 0", "invalid"},
	    {"80\n", "invalid"},
	    {"0x10", "invalid"},
	    {"1e3", "invalid"},
	    {"80.0", "invalid"},
	    {"80,0", "invalid"},
	    {".", "invalid"},
	    {"inf", "invalid"},
	    {"http", "invalid"},
	    {"65536", "\"65536\" is too large: a whole number from 1 to 65535 is needed"},
	    {"131153", "too large"},
	    {"4294967376", "too large"},
	    {"18446744073709551696", "too large"},
	    {"99999999999999999999999999999", "too large"},
	    {"0", "too small"},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct err err = {.kind = ERR_NONE};
		check_row("\"%s\"", rows[i].text);
		CHECK_INT(number_integer(rows[i].text, 1, 65535, &err), -1);
		CHECK_INT(err.kind, ERR_USAGE);
		CHECK_HAS(err.text, rows[i].why);
	}
}

static void sizes(void)
{
	static const struct {
		const char *text;
		int64_t value;
	} rows[] = {
	    {"1", 1},
	    {"4096", 4096},
	    {"64K", 64 * K},
	    {"64k", 64 * K},
	    {"1M", K * K},
	    {"1m", K * K},
	    {"2G", 2 * K * K * K},
	    {"3g", 3 * K * K * K},
	    {"5T", 5 * K * K * K * K},
	    {"9223372036854775807", INT64_MAX},
	    {"8388607T", 8388607 * K * K * K * K},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct err err = {.kind = ERR_NONE};
		check_row("\"%s\"", rows[i].text);
		CHECK_INT(number_size(rows[i].text, INT64_MAX, &err), rows[i].value);
		CHECK_INT(err.kind, ERR_NONE);
	}
}

static void sizes_are_decimal(void)
{
	struct err err;

	CHECK_INT(number_size("010", INT64_MAX, &err), 10);
	CHECK_INT(number_size("064K", INT64_MAX, &err), 64 * K);
	CHECK_INT(number_size("08", INT64_MAX, &err), 8);
	CHECK_INT(number_size("0001M", INT64_MAX, &err), K * K);
}

static void not_sizes(void)
{
	static const char *const rows[] = {"", "K", "16E", "1P", "64KB", "64Ki", "64KK", "64 K",
	    " 64K", "64K ", "+64K", "-64K", "-1", "0x10", "0x10K", "1e3", "1.5K", ".", ".5M", "K64",
	    "64\n", "one"};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct err err = {.kind = ERR_NONE};
		check_row("\"%s\"", rows[i]);
		CHECK_INT(number_size(rows[i], INT64_MAX, &err), -1);
		CHECK_INT(err.kind, ERR_USAGE);
		CHECK_HAS(err.text, "is not a size");
	}
}

static void sizes_out_of_range(void)
{
	static const struct {
		const char *text;
		int64_t max;
	} rows[] = {
	    {"0", INT64_MAX},
	    {"0K", INT64_MAX},
	    {"1025", 1024},
	    {"2K", 1024},
	    {"9223372036854775808", INT64_MAX},
	    {"18446744073709551616", INT64_MAX},
	    {"99999999999999999999999", INT64_MAX},
	    {"8388608T", INT64_MAX},
	    {"16777216T", INT64_MAX},          /* 0 in 64 bits */
	    {"16777217T", INT64_MAX},          /* 1T in 64 bits */
	    {"18014398509481985K", INT64_MAX}, /* 1K in 64 bits */
	    {"99999999999999999999999K", INT64_MAX},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct err err = {.kind = ERR_NONE};
		check_row("\"%s\" of %" PRId64, rows[i].text, rows[i].max);
		CHECK_INT(number_size(rows[i].text, rows[i].max, &err), -1);
		CHECK_INT(err.kind, ERR_USAGE);
		CHECK_HAS(err.text, "is out of range");
	}
}

static void seconds(void)
{
	static const struct {
		const char *text;
		int64_t value;
	} rows[] = {
	    {"1", CLOCK_SECOND},
	    {"5.", 5 * CLOCK_SECOND},
	    {"0.5", CLOCK_SECOND / 2},
	    {".25", CLOCK_SECOND / 4},
	    {"010", 10 * CLOCK_SECOND},
	    {"2.000000000", 2 * CLOCK_SECOND},
	    {"0.001", CLOCK_MILLISECOND},
	    {"0.1", 100 * CLOCK_MILLISECOND},
	    {"86400", 86400 * CLOCK_SECOND},
	    {"0.000000001", 1}, /* 0 would be no limit at all */
	    {"1000000000", 1000000000 * CLOCK_SECOND},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct err err = {.kind = ERR_NONE};
		check_row("\"%s\"", rows[i].text);
		CHECK_INT(number_seconds(rows[i].text, &err), rows[i].value);
		CHECK_INT(err.kind, ERR_NONE);
	}
}

static void not_seconds(void)
{
	static const char *const rows[] = {"", ".", "..", "1.5.2", "1..5", "1,5", "-1", "-0", "+1",
	    " 1", "1 ", "1s", "1e3", "1e-3", "0x10", "0x1p4", "inf", "nan", "1\n", "5m", "."};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct err err = {.kind = ERR_NONE};
		check_row("\"%s\"", rows[i]);
		CHECK_INT(number_seconds(rows[i], &err), -1);
		CHECK_INT(err.kind, ERR_USAGE);
		CHECK_HAS(err.text, "is not a time");
	}
}

static void seconds_out_of_range(void)
{
	static const char *const rows[] = {"0", "0.0", ".0", "0.0000000001", "1000000000.5",
	    "9223372037", "99999999999999999999999999"};
	struct err err = {.kind = ERR_NONE};
	char digits[2000];

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("\"%s\"", rows[i]);
		CHECK_INT(number_seconds(rows[i], &err), -1);
		CHECK_INT(err.kind, ERR_USAGE);
		CHECK_HAS(err.text, "is out of range");
	}
	check_row("beyond any double");
	memset(digits, '9', sizeof(digits) - 1);
	digits[sizeof(digits) - 1] = '\0';
	CHECK_INT(number_seconds(digits, &err), -1);
	CHECK_INT(err.kind, ERR_USAGE);
}

static void written(void)
{
	static const struct {
		const char *text;
		int64_t number;
		const char *rest;
	} rows[] = {
	    {"0", 0, ""},
	    {"7 more", 7, " more"},
	    {"1234567x", 1234567, "x"},
	    {"9223372036854775807\n", INT64_MAX, "\n"},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		int64_t number = -1;
		check_row("%s", rows[i].text);
		const char *rest = number_written(rows[i].text, &number);
		if (!CHECK(rest != NULL))
			continue;
		CHECK_INT(number, rows[i].number);
		CHECK_STR(rest, rows[i].rest);
	}
}

static void not_written(void)
{
	static const char *const texts[] = {"", " 1", "+1", "-1", "-0", "00", "01", "x1", ".5",
	    "9223372036854775808", "18446744073709551617", "12345678901234567890",
	    "100000000000000000000"};

	for (size_t i = 0; i < ROWS(texts); i++) {
		int64_t number = -1;
		check_row("%s", texts[i]);
		CHECK(number_written(texts[i], &number) == NULL);
	}
}

int main(void)
{
	promise("a decimal number is digits and nothing else", decimal);
	promise("a number that a program has written is read, and what is behind it is left",
	    written);
	promise("a number that no program writes so is none", not_written);
	promise("whole numbers are read up to both their limits", integers);
	promise("what is not quite a whole number in range is refused, with the reason",
	    not_integers);
	promise("a size may have a suffix K, M, G or T", sizes);
	promise("a size with a leading zero is decimal", sizes_are_decimal);
	promise("what is not quite a size is refused", not_sizes);
	promise("a size that does not fit is refused, and does not wrap", sizes_out_of_range);
	promise("seconds may have a fraction", seconds);
	promise("what is not quite a time is refused", not_seconds);
	promise("a time of 0, or beyond reason, is refused", seconds_out_of_range);
	return check_end();
}
