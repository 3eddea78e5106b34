/* <vis.h> wants to know which strnvis() is meant, which nobody here calls. */
#define LIBBSD_NETBSD_VIS

#include "base/printable.h"

#include <ctype.h>
#include <stdlib.h>
#include <vis.h>

/*
 * One byte that is no character of the locale, and libbsd's strvis(3) takes the text's valid wide characters for
 * bytes as well: U+1B5B then comes out as ESC [. So such a text is encoded byte by byte.
 */
static int flags_for(const char *text)
{
	int flags = VIS_CSTYLE | VIS_NOSLASH | VIS_NL | VIS_TAB;

	return mbstowcs(NULL, text, 0) == (size_t)-1 ? flags | VIS_NOLOCALE : flags;
}

void printable(char *safe, const char *text)
{
	if (strvis(safe, text, flags_for(text)) != -1)
		return;
	for (; *text != '\0'; text++)
		*safe++ = isprint((unsigned char)*text) ? *text : '?';
	*safe = '\0';
}
