#include "base/json.h"

#include <inttypes.h>
#include <string.h>

#include "base/printable.h"

#define REPLACEMENT "\\ufffd"

void json_begin(struct json *json, FILE *out)
{
	*json = (struct json){.out = out};
	putc('{', out);
}

void json_end(struct json *json)
{
	fputs("}\n", json->out);
}

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/*
 * The length of the UTF-8 sequence at the beginning of text, or 0 if it is not valid: cut off,
 * longer than needed, a surrogate, or beyond U+10FFFF (RFC 3629, section 4).
 */
static size_t utf8_length(const unsigned char *text)
{
	if (text[0] < 0x80)
		return 1;
	if (text[0] < 0xc2 || text[0] > 0xf4 || !is_continuation(text[1]))
		return 0;
	if (text[0] < 0xe0)
		return 2;
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f) ||
	    !is_continuation(text[2]))
		return 0;
	if (text[0] < 0xf0)
		return 3;
	return is_continuation(text[3]) ? 4 : 0;
}

/* Returns the character of the UTF-8 sequence of len bytes at text, which is valid. */
static uint32_t utf8_char(const unsigned char *text, size_t len)
{
	uint32_t c = len == 1 ? text[0] : text[0] & (0x7fU >> len);

	for (size_t i = 1; i < len; i++)
		c = c << 6 | (text[i] & 0x3f);
	return c;
}

/* Terminals take U+009B, of C1, for ESC [. */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* Beyond U+FFFF it needs two, a surrogate pair (RFC 8259, section 7). */
static void put_escaped(FILE *out, uint32_t c)
{
	if (c > 0xffff)
		fprintf(out, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd7c0 + (c >> 10),
		    0xdc00 | (c & 0x3ff));
	else
		fprintf(out, "\\u%04" PRIx32, c);
}

static void put_quoted(FILE *out, const char *value)
{
	const unsigned char *next = (const unsigned char *)value;

	putc('"', out);
	while (*next != '\0') {
		size_t len = utf8_length(next);
		uint32_t c = utf8_char(next, len);
		if (len == 0)
			fputs(REPLACEMENT, out);
		else if (is_control(c) || printable_is_format(c))
			put_escaped(out, c);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", *next);
		else
			fwrite(next, 1, len, out);
		next += len == 0 ? 1 : len;
	}
	putc('"', out);
}

static void put_member(struct json *json, const char *name)
{
	if (json->started)
		fputs(", ", json->out);
	json->started = true;
	put_quoted(json->out, name);
	fputs(": ", json->out);
}

void json_string(struct json *json, const char *name, const char *value)
{
	put_member(json, name);
	if (value == NULL)
		fputs("null", json->out);
	else
		put_quoted(json->out, value);
}

void json_integer(struct json *json, const char *name, int64_t value)
{
	put_member(json, name);
	fprintf(json->out, "%" PRId64, value);
}

void json_seconds(struct json *json, const char *name, int64_t ns)
{
	put_member(json, name);
	fprintf(json->out, "%" PRId64 ".%06" PRId64, ns / 1000000000, ns % 1000000000 / 1000);
}
