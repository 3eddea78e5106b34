#include "base/json.h"

#include <inttypes.h>
#include <string.h>

#include "base/printable.h"
#include "base/utf8.h"

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
	const char *next = value;

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

void json_begin_object(struct json *json, const char *name)
{
	put_member(json, name);
	putc('{', json->out);
	json->started = false;
}

void json_end_object(struct json *json)
{
	putc('}', json->out);
	json->started = true;
}

void json_seconds(struct json *json, const char *name, int64_t ns)
{
	put_member(json, name);
	fprintf(json->out, "%" PRId64 ".%06" PRId64, ns / 1000000000, ns % 1000000000 / 1000);
}
