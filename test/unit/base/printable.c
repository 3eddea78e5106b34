/* Text from elsewhere: what shows as it is, and what is encoded, in UTF-8 and in no locale. */
#include "base/printable.h"

#include <limits.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "check.h"

struct row {
	const char *text;
	const char *safe;
};

static void check_rows(const struct row *rows, size_t count)
{
	char safe[PRINTABLE_SIZE(200)];

	for (size_t i = 0; i < count; i++) {
		check_row("%zu", i);
		printable(safe, rows[i].text);
		CHECK_STR(safe, rows[i].safe);
	}
}

#define CHECK_ROWS(rows) check_rows(rows, ROWS(rows))

/* Each promise has a process of its own, and so the locale. */
static void in_utf8(void)
{
	if (setlocale(LC_ALL, "C.UTF-8") == NULL)
		check_skip();
}

static void visible(void)
{
	static const struct row rows[] = {
	    {"", ""},
	    {"in.jpg", "in.jpg"},
	    {"a b\\c", "a b\\c"},
	    {"Z\xc3\xbcrich", "Z\xc3\xbcrich"},
	    {"\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac"},
	    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
	};

	in_utf8();
	CHECK_ROWS(rows);
}

static void formats(void)
{
	static const struct row rows[] = {
	    {"a\xe2\x80\xaegpj", "aM-bM^@M-.gpj"},                         /* U+202E */
	    {"\xe2\x81\xa6", "M-bM^AM-&"},                                 /* U+2066 */
	    {"\xc3\xbc\xe2\x80\x8b\xc3\xbc", "\xc3\xbcM-bM^@M^K\xc3\xbc"}, /* U+200B */
	    {"\xef\xbb\xbf\xe2\x80\xa8", "M-oM-;M-?M-bM^@M-("},            /* U+FEFF, U+2028 */
	    {"x\xf3\xa0\x81\xa1", "xM-s\\240M^AM-!"},                      /* U+E0061 */
	    {"\xee\x80\x80", "M-nM^@M^@"},                                 /* U+E000 */
	    {"\xe2\x80\xae\x1b[31m", "M-bM^@M-.^[[31m"},
	};

	in_utf8();
	CHECK_ROWS(rows);
}

static void no_characters(void)
{
	static const struct row rows[] = {
	    {"\xff", "M^?"},
	    {"\xff\xe2\x80\xae\xc3\xbc", "M^?M-bM^@M-.M-CM-<"},
	};

	in_utf8();
	CHECK_ROWS(rows);
}

static void in_no_locale(void)
{
	static const struct row rows[] = {
	    {"a\xe2\x80\xae", "aM-bM^@M-."},
	    {"\xc3\xbc", "M-CM-<"},
	};

	CHECK_ROWS(rows);
}

/* Every character that the locale calls printable: the form has none that is a format. */
static void every_character(void)
{
	char text[MB_LEN_MAX + 1];
	char safe[PRINTABLE_SIZE(MB_LEN_MAX)];
	size_t shown = 0;

	in_utf8();
	for (uint32_t c = 1; c <= 0x10ffff; c++) {
		mbstate_t state = {0};
		size_t len = wcrtomb(text, (wchar_t)c, &state);
		if (len == (size_t)-1)
			continue;
		text[len] = '\0';
		printable(safe, text);
		check_row("U+%04X", c);
		if (strcmp(safe, text) != 0)
			continue;
		shown++;
		CHECK(!printable_is_format(c) && !iswcntrl((wint_t)c));
	}
	CHECK(shown > 100000);
}

int main(void)
{
	promise("without a locale no byte shows that is not ASCII", in_no_locale);
	promise("what shows as itself stays as it is", visible);
	promise("formats, separators and private characters are encoded, and nothing beside them",
	    formats);
	promise("a text with a byte that is no character is encoded byte by byte", no_characters);
	promise("of all characters of Unicode none shows that is a format", every_character);
	return check_end();
}
