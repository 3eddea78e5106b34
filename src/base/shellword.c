#include "base/shellword.h"

#include <ctype.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "base/printable.h"

struct shellword_text shellword_begin(char *start, size_t size)
{
	start[0] = '\0';
	return (struct shellword_text){.start = start, .size = size};
}

void shellword_add(struct shellword_text *text, const char *more)
{
	text->cut |= strlcat(text->start, more, text->size) >= text->size;
}

void shellword_add_char(struct shellword_text *text, char c)
{
	shellword_add(text, (char[]){c, '\0'});
}

void shellword_add_quoted(struct shellword_text *text, const char *word)
{
	bool plain = *word != '\0';

	for (const char *c = word; *c != '\0'; c++)
		plain = plain && (isalnum((unsigned char)*c) || strchr("%+,-./:@_", *c) != NULL);
	if (plain) {
		shellword_add(text, word);
		return;
	}
	shellword_add(text, "'");
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			shellword_add(text, "'\\''");
		else
			shellword_add_char(text, *word);
	}
	shellword_add(text, "'");
}

/* A backslash takes the special meaning from a character, and does no harm before another. */
void shellword_add_for_socat(struct shellword_text *text, const char *word)
{
	for (; *word != '\0'; word++) {
		if (ispunct((unsigned char)*word) && strchr("-./_", *word) == NULL)
			shellword_add(text, "\\");
		shellword_add_char(text, *word);
	}
}

bool shellword_is_copyable(const char *name)
{
	mbstate_t state = {0};
	wchar_t c;
	size_t len;

	for (; *name != '\0'; name += len) {
		len = mbrtowc(&c, name, strlen(name), &state);
		if (len > strlen(name) || (!iswgraph((wint_t)c) && c != L' ') ||
		    printable_is_format((uint32_t)c))
			return false;
	}
	return true;
}
