#include "base/utf8.h"

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

size_t utf8_length(const char *text)
{
	unsigned char first = (unsigned char)text[0];

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4 || !is_continuation(text[1]))
		return 0;
	if (first < 0xe0)
		return 2;
	unsigned char second = (unsigned char)text[1];
	if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
	    (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f) ||
	    !is_continuation(text[2]))
		return 0;
	if (first < 0xf0)
		return 3;
	return is_continuation(text[3]) ? 4 : 0;
}

uint32_t utf8_char(const char *text, size_t len)
{
	unsigned char first = (unsigned char)text[0];
	uint32_t c = len == 1 ? first : first & (0x7fU >> len);

	for (size_t i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)text[i] & 0x3f);
	return c;
}

bool utf8_is_valid(const char *text)
{
	while (*text != '\0') {
		size_t len = utf8_length(text);
		if (len == 0)
			return false;
		text += len;
	}
	return true;
}
