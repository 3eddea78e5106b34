/*
 * The networks of --allow: each element is held against a slow and simple reading of the same text, and each bit of
 * its addresses counts if it is one of the prefix, and else does not.
 */
#include "net/allow.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "fuzz.h"

/* The longest that is read at all; what is longer only because of zeros is refused too. */
#define ELEMENT_MAX 53

struct reading {
	bool valid;
	unsigned bits;
	unsigned width;
	uint8_t bytes[16];
};

static bool bit(const uint8_t *bytes, unsigned i)
{
	return (bytes[i / 8] >> (7 - i % 8) & 1) != 0;
}

/* "24" from 0 to max, or -1. */
static int read_prefix(const char *text, unsigned max)
{
	unsigned value = 0;

	if (*text == '\0')
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > max)
			return -1;
	}
	return (int)value;
}

static struct reading read_element(const char *text)
{
	struct reading reading = {.valid = false};
	char *copy = strdup(text);
	int prefix;

	MUST(copy != NULL);
	char *slash = strchr(copy, '/');
	if (slash != NULL)
		*slash = '\0';
	if (inet_pton(AF_INET, copy, reading.bytes) == 1)
		reading.width = 32;
	else if (inet_pton(AF_INET6, copy, reading.bytes) == 1)
		reading.width = 128;
	prefix = slash == NULL ? (int)reading.width : read_prefix(slash + 1, reading.width);
	reading.valid = strlen(text) <= ELEMENT_MAX && reading.width > 0 && prefix != -1;
	reading.bits = (unsigned)prefix;
	for (unsigned i = reading.bits; reading.valid && i < reading.width; i++)
		reading.valid = !bit(reading.bytes, i);
	free(copy);
	return reading;
}

static bool matches(const struct allow_list *list, unsigned width, const uint8_t *bytes)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (width == 32) {
		memcpy(&in.sin_addr, bytes, 4);
		return allow_matches(list, (const struct sockaddr *)&in);
	}
	memcpy(&in6.sin6_addr, bytes, 16);
	return allow_matches(list, (const struct sockaddr *)&in6);
}

static void must_be_refusal(const struct err *err)
{
	MUST(err->kind == ERR_USAGE);
	MUST(err->errnum == 0);
	MUST(memchr(err->text, '\0', sizeof(err->text)) != NULL);
	MUST(err->text[0] != '\0');
}

static bool is_mapped(const uint8_t *bytes)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(bytes, mapped, sizeof(mapped)) == 0;
}

/* With each of its bits turned over, an address is inside if the prefix does not reach that far. */
static void try_bits(const struct allow_list *list, const struct reading *reading)
{
	for (unsigned i = 0; i < reading->width; i++) {
		uint8_t bytes[16];
		memcpy(bytes, reading->bytes, sizeof(bytes));
		bytes[i / 8] ^= (uint8_t)(0x80U >> i % 8);
		/* What becomes mapped by that is IPv4. */
		bool foreign =
		    reading->width == 128 && is_mapped(bytes) && !is_mapped(reading->bytes);
		MUST(matches(list, reading->width, bytes) == (i >= reading->bits && !foreign));
	}
}

/* An IPv4 network holds the mapped addresses too, and one of mapped addresses the IPv4 ones. */
static void try_mapped(const struct allow_list *list, const struct reading *reading)
{
	uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff};

	if (reading->width == 32) {
		memcpy(mapped + 12, reading->bytes, 4);
		MUST(matches(list, 128, mapped));
	} else if (is_mapped(reading->bytes)) {
		MUST(matches(list, 32, reading->bytes + 12));
	}
}

static bool try_element(const char *text)
{
	struct allow_list list = {.count = 0};
	struct err err = {.kind = ERR_NONE};
	struct reading reading = read_element(text);
	bool taken = allow_add(&list, text, &err) == 0;

	MUST(taken == reading.valid);
	if (!taken) {
		must_be_refusal(&err);
		return false;
	}
	MUST(err.kind == ERR_NONE);
	MUST(list.count == 1);
	MUST(matches(&list, reading.width, reading.bytes));
	try_bits(&list, &reading);
	try_mapped(&list, &reading);
	return true;
}

/* A list is valid if each element is, and there are not too many. */
static void try_list(char *text)
{
	struct allow_list list = {.count = 0};
	struct err err = {.kind = ERR_NONE};
	bool taken = allow_add(&list, text, &err) == 0;
	bool valid = true;
	size_t count = 0;
	char *element;

	while ((element = strsep(&text, ",")) != NULL) {
		valid = try_element(element) && valid;
		count++;
	}
	MUST(taken == (valid && count <= ALLOW_MAX));
	MUST(list.count <= ALLOW_MAX);
	if (taken)
		MUST(list.count == count);
	else
		must_be_refusal(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	try_list(text);
	free(text);
	return 0;
}
