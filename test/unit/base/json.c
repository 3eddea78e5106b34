/* JSON: what a string becomes, whatever bytes it has, and the object around it. */
#include "base/json.h"
#include "base/printable.h"

#include "check.h"

#define R "\\ufffd"

/* The object with one member, "s", of this value; to be freed. */
static char *object_of(const char *value)
{
	char *text = NULL;
	size_t size = 0;
	struct json json;

	FILE *out = open_memstream(&text, &size);
	if (!CHECK(out != NULL))
		exit(1);
	json_begin(&json, out);
	json_string(&json, "s", value);
	json_end(&json);
	CHECK_INT(fclose(out), 0);
	CHECK(size == strlen(text));
	return text;
}

struct row {
	const char *value;
	const char *text; /* between the quotation marks */
};

static void check_strings(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char wanted[200];
		char *got = object_of(rows[i].value);
		check_row("%zu", i);
		snprintf(wanted, sizeof(wanted), "{\"s\": \"%s\"}\n", rows[i].text);
		CHECK_STR(got, wanted);
		free(got);
	}
}

static void plain_strings(void)
{
	static const struct row rows[] = {
	    {"", ""},
	    {"abc", "abc"},
	    {"/srv/in/a file", "/srv/in/a file"},
	    {"a\"b", "a\\\"b"},
	    {"\"", "\\\""},
	    {"a\\b", "a\\\\b"},
	    {"\\\"", "\\\\\\\""},
	    {"</script>&'", "</script>&'"},
	};

	check_strings(rows, ROWS(rows));
}

static void control_characters(void)
{
	for (int c = 1; c < 0x20; c++) {
		char value[] = {(char)c, 'x', '\0'};
		char wanted[40];
		char *got = object_of(value);
		check_row("%#x", (unsigned int)c);
		snprintf(wanted, sizeof(wanted), "{\"s\": \"\\u%04xx\"}\n", (unsigned int)c);
		CHECK_STR(got, wanted);
		free(got);
	}
	char *got = object_of("\177");
	CHECK_STR(got, "{\"s\": \"\\u007f\"}\n");
	free(got);
}

static void valid_utf8(void)
{
	/* The first and the last of each length, and what borders on the surrogates. */
	static const struct row rows[] = {
	    {"Gr\303\274n", "Gr\303\274n"},
	    {"\302\200", "\\u0080"},
	    {"\302\237", "\\u009f"},
	    {"\302\240", "\302\240"},
	    {"\337\277", "\337\277"},
	    {"\340\240\200", "\340\240\200"},
	    {"\355\237\277", "\355\237\277"},
	    {"\356\200\200", "\\ue000"},
	    {"\357\277\275", "\357\277\275"},
	    {"\357\277\277", "\357\277\277"},
	    {"\360\220\200\200", "\360\220\200\200"},
	    {"\364\217\277\277", "\364\217\277\277"},
	    {"\360\237\220\241!", "\360\237\220\241!"},
	    {"\342\200\250", "\\u2028"},
	    {"a\342\200\256b", "a\\u202eb"},
	    {"\363\240\201\241", "\\udb40\\udc61"},
	};

	check_strings(rows, ROWS(rows));
}

static void invalid_utf8(void)
{
	static const struct row rows[] = {
	    /* a continuation byte alone, and bytes that never occur */
	    {"\200", R},
	    {"\277x", R "x"},
	    {"a\200\200b", "a" R R "b"},
	    {"\300", R},
	    {"\301", R},
	    {"\365", R},
	    {"\376\377", R R},
	    /* longer than need be */
	    {"\300\257", R R},
	    {"\301\277", R R},
	    {"\340\200\257", R R R},
	    {"\340\237\277", R R R},
	    {"\360\200\200\257", R R R R},
	    {"\360\217\277\277", R R R R},
	    /* surrogates, alone and as a pair */
	    {"\355\240\200", R R R},
	    {"\355\277\277", R R R},
	    {"\355\240\275\355\270\200", R R R R R R},
	    /* beyond U+10FFFF */
	    {"\364\220\200\200", R R R R},
	    {"\365\200\200\200", R R R R},
	    {"\370\210\200\200\200", R R R R R},
	    /* cut off by the end, and by another character */
	    {"\303", R},
	    {"\342\202", R R},
	    {"\360\237\220", R R R},
	    {"\303x", R "x"},
	    {"\342\202x", R R "x"},
	    {"\360\237\220\"", R R R "\\\""},
	    {"\303\303\274", R "\303\274"},
	    {"\342\303\274", R "\303\274"},
	    {"\360\237\302\200", R R "\\u0080"},
	    /* Latin-1 */
	    {"Gr\374n", "Gr" R "n"},
	};

	check_strings(rows, ROWS(rows));
}

/* A string of two, three or four bytes, as the definition of UTF-8 has it, slow and simple. */
static size_t utf8_of(unsigned int code, char *text)
{
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned int marks[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = len; i-- > 1; code >>= 6)
		text[i] = (char)(0x80 | (code & 0x3f));
	text[0] = (char)(marks[len] | code);
	text[len] = '\0';
	return len;
}

/* Writes the character as JSON escapes it: beyond U+FFFF, as UTF-16 does, in two halves. */
static void escape_of(unsigned int code, char escape[16])
{
	if (code < 0x10000)
		snprintf(escape, 16, "\\u%04x", code);
	else
		snprintf(escape, 16, "\\u%04x\\u%04x", 0xd800 + (code - 0x10000) / 0x400,
		    0xdc00 + code % 0x400);
}

static void every_character(void)
{
	struct json json;
	char character[5];
	char escape[16];

	for (unsigned int code = 0xa0; code <= 0x10ffff; code++) {
		char got[64] = "";
		bool surrogate = code >= 0xd800 && code <= 0xdfff;
		utf8_of(code, character);
		FILE *out = fmemopen(got, sizeof(got), "w");
		if (!CHECK(out != NULL))
			return;
		setbuf(out, NULL);
		json_begin(&json, out);
		json_string(&json, "s", character);
		fclose(out);
		check_row("U+%04X", code);
		escape_of(code, escape);
		if (surrogate)
			CHECK_STR(got, "{\"s\": \"" R R R "\"");
		else if (printable_is_format(code))
			CHECK(strncmp(got + 7, escape, strlen(escape)) == 0);
		else if (strncmp(got + 7, character, strlen(character)) != 0)
			CHECK_STR(got + 7, character);
	}
}

static void object(void)
{
	char *text = NULL;
	size_t size = 0;
	struct json json;
	FILE *out = open_memstream(&text, &size);

	if (!CHECK(out != NULL))
		return;
	json_begin(&json, out);
	json_end(&json);
	json_begin(&json, out);
	json_string(&json, "role", "recv");
	json_string(&json, "digest", NULL);
	json_integer(&json, "bytes", 0);
	json_integer(&json, "largest", INT64_MAX);
	json_integer(&json, "exit", -1);
	json_end(&json);
	CHECK_INT(fclose(out), 0);
	CHECK_STR(text, "{}\n{\"role\": \"recv\", \"digest\": null, \"bytes\": 0, "
			"\"largest\": 9223372036854775807, \"exit\": -1}\n");
	free(text);
}

static void objects_in_it(void)
{
	char *text = NULL;
	size_t size = 0;
	struct json json;
	FILE *out = open_memstream(&text, &size);

	json_begin(&json, out);
	json_begin_object(&json, "none");
	json_end_object(&json);
	json_begin_object(&json, "two");
	json_integer(&json, "a", 1);
	json_integer(&json, "b", 2);
	json_end_object(&json);
	json_integer(&json, "c", 3);
	json_end(&json);
	CHECK_INT(fclose(out), 0);
	CHECK_STR(text, "{\"none\": {}, \"two\": {\"a\": 1, \"b\": 2}, \"c\": 3}\n");
	free(text);
}

static void seconds(void)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
	    {0, "0.000000"},
	    {1, "0.000000"},
	    {1000, "0.000001"},
	    {999999999, "0.999999"},
	    {1000000000, "1.000000"},
	    {1500000000, "1.500000"},
	    {1000001000, "1.000001"},
	    {INT64_C(86400000000000), "86400.000000"},
	    {INT64_MAX, "9223372036.854775"},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		char got[100] = "";
		char wanted[100];
		struct json json;
		FILE *out = fmemopen(got, sizeof(got), "w");
		if (!CHECK(out != NULL))
			return;
		json_begin(&json, out);
		json_seconds(&json, "t", rows[i].ns);
		json_end(&json);
		fclose(out);
		check_row("%" PRId64, rows[i].ns);
		snprintf(wanted, sizeof(wanted), "{\"t\": %s}\n", rows[i].text);
		CHECK_STR(got, wanted);
	}
}

/* A full disk shows when the stream is flushed, which is the caller's to do. */
static void errors_stay(void)
{
	struct json json;
	FILE *out = fopen("/dev/full", "w");

	if (out == NULL)
		check_skip();
	json_begin(&json, out);
	json_string(&json, "s", "x");
	json_end(&json);
	CHECK_INT(fflush(out), EOF);
	CHECK(ferror(out));
	fclose(out);
}

int main(void)
{
	promise("a string is itself between quotation marks, which are escaped in it",
	    plain_strings);
	promise("control characters are escaped", control_characters);
	promise("valid UTF-8 is let alone, but for C1 and formats, which are escaped", valid_utf8);
	promise("each byte that is no UTF-8 becomes U+FFFD", invalid_utf8);
	promise(
	    "every character from U+00A0 on is let alone, but formats are escaped, and surrogates replaced",
	    every_character);
	promise("an object has its members in the order of the calls", object);
	promise("an object in it has members of its own", objects_in_it);
	promise("seconds have six digits behind the point", seconds);
	promise("an error of the stream stays with the stream", errors_stay);
	return check_end();
}
