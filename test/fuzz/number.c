/* Numbers: each is held against a slow and simple reading of the same text. */
#include "base/number.h"

#include <stdbool.h>

#include "base/clock.h"
#include "fuzz.h"

#define TOO_LARGE UINT64_MAX

static void must_be_refusal(const struct err *err)
{
	MUST(err->kind == ERR_USAGE);
	MUST(err->errnum == 0);
	MUST(memchr(err->text, '\0', sizeof(err->text)) != NULL);
	MUST(err->text[0] != '\0');
}

/* Reads digits, and then only end. Returns whether that is all there is; *value stops at TOO_LARGE. */
static bool read_digits(const char *text, const char **end, uint64_t *value)
{
	*value = 0;
	for (*end = text; **end >= '0' && **end <= '9'; ++*end) {
		uint64_t digit = (uint64_t)(**end - '0');
		*value = *value > (TOO_LARGE - digit) / 10 ? TOO_LARGE : *value * 10 + digit;
	}
	return *end > text;
}

static void try_integer(const char *text, long long min, long long max)
{
	struct err err = {.kind = ERR_NONE};
	const char *end;
	uint64_t value;
	bool decimal = read_digits(text, &end, &value) && *end == '\0';
	bool fits = decimal && value >= (uint64_t)min && value <= (uint64_t)max;
	long long got = number_integer(text, min, max, &err);

	MUST(number_is_decimal(text) == decimal);
	MUST(got == (fits ? (long long)value : -1));
	if (fits)
		MUST(err.kind == ERR_NONE);
	else
		must_be_refusal(&err);
}

static void try_size(const char *text, int64_t max)
{
	static const char suffixes[] = "KMGT";
	struct err err = {.kind = ERR_NONE};
	const char *end;
	uint64_t value;
	bool valid = read_digits(text, &end, &value);
	char suffix = *end >= 'a' && *end <= 'z' ? (char)(*end - 'a' + 'A') : *end;

	if (suffix != '\0') {
		const char *found = strchr(suffixes, suffix);
		valid = valid && found != NULL && end[1] == '\0';
		for (int i = 0; valid && i <= found - suffixes; i++)
			value = value > TOO_LARGE / 1024 ? TOO_LARGE : value * 1024;
	}
	valid = valid && value >= 1 && value <= (uint64_t)max;
	MUST(number_size(text, max, &err) == (valid ? (int64_t)value : -1));
	if (valid)
		MUST(err.kind == ERR_NONE);
	else
		must_be_refusal(&err);
}

/* Digits with at most one point among them, in ns; whole seconds are exact, and beyond any limit. */
static void try_seconds(const char *text)
{
	struct err err = {.kind = ERR_NONE};
	const char *end;
	const char *point_end;
	uint64_t whole;
	uint64_t fraction = 0;
	bool digits = read_digits(text, &end, &whole);
	int64_t got = number_seconds(text, &err);

	if (*end == '.') {
		bool more = read_digits(end + 1, &point_end, &fraction);
		digits = digits || more;
		end = point_end;
	}
	if (got == -1) {
		must_be_refusal(&err);
		MUST(!digits || *end != '\0' || whole >= 1000000000 || whole == 0);
		return;
	}
	MUST(err.kind == ERR_NONE);
	MUST(digits && *end == '\0');
	MUST(got > 0); /* 0 would be no limit at all */
	MUST(whole <= 1000000000);
	MUST(got >= (int64_t)whole * CLOCK_SECOND - 1024); /* a double has 53 bits */
	MUST(got <= ((int64_t)whole + 1) * CLOCK_SECOND + 1024);
	if (fraction == 0)
		MUST(got == (int64_t)whole * CLOCK_SECOND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	try_integer(text, 0, 65535);
	try_integer(text, 1, 65535);
	try_integer(text, 0, INT32_MAX);
	try_integer(text, 0, INT64_MAX);
	try_size(text, INT64_MAX);
	try_size(text, 1 << 30);
	try_seconds(text);
	free(text);
	return 0;
}
