/* <vis.h> asks which strnvis() is meant, although it is not called here. */
#define LIBBSD_NETBSD_VIS

#include "base/printable.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <vis.h>
#include <wchar.h>

#define FLAGS (VIS_CSTYLE | VIS_NOSLASH | VIS_NL | VIS_TAB)

/* The general categories Cf, Zl, Zp and Co of Unicode 15, in order. */
static const struct range {
	uint32_t first;
	uint32_t last;
} formats[] = {
    {0xad, 0xad},         /* soft hyphen */
    {0x600, 0x605},       /* Arabic number signs */
    {0x61c, 0x61c},       /* Arabic letter mark */
    {0x6dd, 0x6dd},       /* Arabic end of ayah */
    {0x70f, 0x70f},       /* Syriac abbreviation mark */
    {0x890, 0x891},       /* Arabic currency marks */
    {0x8e2, 0x8e2},       /* Arabic disputed end of ayah */
    {0x180e, 0x180e},     /* Mongolian vowel separator */
    {0x200b, 0x200f},     /* zero width, and marks of direction */
    {0x2028, 0x202e},     /* separators of lines and paragraphs, and directions */
    {0x2060, 0x2064},     /* invisible operators */
    {0x2066, 0x206f},     /* isolated directions, and deprecated formats */
    {0xe000, 0xf8ff},     /* private use */
    {0xfeff, 0xfeff},     /* byte order mark */
    {0xfff9, 0xfffb},     /* interlinear annotation */
    {0x110bd, 0x110bd},   /* Kaithi number signs */
    {0x110cd, 0x110cd},   /* the same, above */
    {0x13430, 0x1343f},   /* Egyptian hieroglyph formats */
    {0x1bca0, 0x1bca3},   /* shorthand formats */
    {0x1d173, 0x1d17a},   /* musical formats */
    {0xe0001, 0xe0001},   /* language tag */
    {0xe0020, 0xe007f},   /* tags */
    {0xf0000, 0xffffd},   /* private use */
    {0x100000, 0x10fffd}, /* private use */
};

bool printable_is_format(uint32_t c)
{
	size_t i = 0;

	while (i < sizeof(formats) / sizeof(formats[0]) && formats[i].last < c)
		i++;
	return i < sizeof(formats) / sizeof(formats[0]) && formats[i].first <= c;
}

/*
 * Returns the length of the longest beginning of text whose characters are all formats, or all
 * none; *is_format becomes which. Each byte of text is part of a character.
 */
static size_t run_of(const char *text, bool *is_format)
{
	mbstate_t state = {0};
	size_t left = strlen(text);
	size_t run = 0;

	while (run < left) {
		wchar_t c;
		size_t len = mbrtowc(&c, text + run, left - run, &state);
		bool is = printable_is_format((uint32_t)c);
		if (len > left - run || (run > 0 && is != *is_format))
			break;
		*is_format = is;
		run += len;
	}
	return run;
}

/*
 * Encodes text. One with a byte that is no character of the locale is encoded byte by byte: for it
 * libbsd's strvis(3) takes the valid wide characters for bytes, too, and writes U+1B5B as ESC [.
 * Returns 0, or -1 if memory is short: then strvis(3) says -1, or has written nothing.
 */
static int encode(char *safe, const char *text)
{
	bool is_format = false;

	if (mbstowcs(NULL, text, 0) == (size_t)-1)
		return strvis(safe, text, FLAGS | VIS_NOLOCALE) <= 0 ? -1 : 0;
	*safe = '\0';
	while (*text != '\0') {
		size_t len = run_of(text, &is_format);
		int n = strvisx(safe, text, len, is_format ? FLAGS | VIS_NOLOCALE : FLAGS);
		if (n <= 0)
			return -1;
		safe += n;
		text += len;
	}
	return 0;
}

void printable(char *safe, const char *text)
{
	if (encode(safe, text) == 0)
		return;
	for (; *text != '\0'; text++)
		*safe++ = isprint((unsigned char)*text) ? *text : '?';
	*safe = '\0';
}
