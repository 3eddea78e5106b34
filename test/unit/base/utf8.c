/* UTF-8: what is a character of it, and what only looks like one. */
#include "base/utf8.h"

#include "check.h"

static void lengths(void)
{
	static const struct {
		const char *text;
		size_t length;
		uint32_t c;
	} rows[] = {
	    {"a", 1, 'a'},
	    {"\xc2\x80", 2, 0x80},
	    {"\xdf\xbf", 2, 0x7ff},
	    {"\xe0\xa0\x80", 3, 0x800},
	    {"\xed\x9f\xbf", 3, 0xd7ff},
	    {"\xef\xbf\xbf", 3, 0xffff},
	    {"\xf0\x90\x80\x80", 4, 0x10000},
	    {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("%zu", i);
		CHECK(utf8_length(rows[i].text) == rows[i].length);
		CHECK(utf8_char(rows[i].text, rows[i].length) == rows[i].c);
		CHECK(utf8_is_valid(rows[i].text));
	}
}

static void others(void)
{
	static const char *const rows[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2z",
	    "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe1\x80", "\xe1\x80z",
	    "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
	    "\xf1\x80\x80", "\xff"};

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("%zu", i);
		CHECK(utf8_length(rows[i]) == 0);
		CHECK(!utf8_is_valid(rows[i]));
	}
}

static void whole_texts(void)
{
	CHECK(utf8_is_valid(""));
	CHECK(utf8_is_valid("gr\xc3\xbc\xc3\x9f"
			    "e"));
	CHECK(!utf8_is_valid("gr\xfc\xdf"
			     "e"));
	CHECK(!utf8_is_valid("end\xc3"));
}

int main(void)
{
	promise("the first and the last character of each length", lengths);
	promise("what is cut off, too long, a surrogate or too high is none", others);
	promise("a text is UTF-8 when all of it is", whole_texts);
	return check_end();
}
