#include "base/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libutil.h>

#include "base/clock.h"

#define DIGITS "0123456789"

/* About 30 years, more than any use needs; as nanoseconds it is far from an overflow. */
#define SECONDS_MAX 1e9

bool number_is_decimal(const char *text)
{
	return *text != '\0' && text[strspn(text, DIGITS)] == '\0';
}

const char *number_written(const char *text, int64_t *number)
{
	char digits[20]; /* those of INT64_MAX, and the final null byte */
	const char *why;
	size_t len = strspn(text, DIGITS);

	if (len == 0 || len >= sizeof(digits) || (text[0] == '0' && len > 1))
		return NULL;
	memcpy(digits, text, len);
	digits[len] = '\0';
	*number = strtonum(digits, 0, INT64_MAX, &why);
	return why == NULL ? text + len : NULL;
}

long long number_integer(const char *text, long long min, long long max, struct err *err)
{
	const char *why = "invalid";
	long long value = 0;

	if (number_is_decimal(text))
		value = strtonum(text, min, max, &why);
	if (why != NULL)
		return err_set(err, ERR_USAGE, 0,
		    "\"%s\" is %s: a whole number from %lld to %lld is needed", text, why, min,
		    max);
	return value;
}

static bool is_size(const char *text)
{
	size_t digits = strspn(text, DIGITS);
	const char *suffix = text + digits;

	return digits > 0 &&
	       (*suffix == '\0' || (strchr("kKmMgGtT", *suffix) != NULL && suffix[1] == '\0'));
}

int64_t number_size(const char *text, int64_t max, struct err *err)
{
	uint64_t value;

	if (!is_size(text))
		return err_set(err, ERR_USAGE, 0,
		    "\"%s\" is not a size: a number is needed, such as 4096, 64K or 1M", text);
	while (text[0] == '0' && text[1] != '\0' && strchr(DIGITS, text[1]) != NULL)
		text++; /* expand_number() takes a leading 0 for octal */
	if (expand_number(text, &value) == -1 || value < 1 || value > (uint64_t)max)
		return err_set(err, ERR_USAGE, 0,
		    "\"%s\" is out of range: 1 to %" PRId64 " bytes are possible", text, max);
	return (int64_t)value;
}

int64_t number_seconds(const char *text, struct err *err)
{
	bool plain = strpbrk(text, DIGITS) != NULL && text[strspn(text, DIGITS ".")] == '\0';
	char *end = NULL;
	double seconds = plain ? strtod(text, &end) : 0;

	if (!plain || *end != '\0')
		return err_set(err, ERR_USAGE, 0,
		    "\"%s\" is not a time: seconds are needed, such as 5 or 0.5", text);
	if (seconds < 1e-9 || seconds > SECONDS_MAX)
		return err_set(err, ERR_USAGE, 0,
		    "\"%s\" is out of range: more than 0 and at most 1000000000 seconds are possible",
		    text);
	return (int64_t)(seconds * (double)CLOCK_SECOND);
}
