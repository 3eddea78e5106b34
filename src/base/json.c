#include "base/json.h"

#include <inttypes.h>
#include <string.h>

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

static void put_quoted(FILE *out, const char *value)
{
	const unsigned char *next = (const unsigned char *)value;

	putc('"', out);
	while (*next != '\0') {
		size_t len = utf8_length(next);
		if (len == 0)
			fputs(REPLACEMENT, out);
		else if (*next < 0x20 || *next == 0x7f)
			fprintf(out, "\\u%04x", *next);
		else if (*next == 0xc2 && next[1] < 0xa0) /* C1: terminals take U+009B for ESC [ */
			fprintf(out, "\\u%04x", next[1]);
		else if (*next == '"' || *next == '\\')
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
