/* <vis.h> asks which strnvis() is meant, although it is not called here. */
#define LIBBSD_NETBSD_VIS

#include "base/printable.h"

#include <ctype.h>
#include <stdlib.h>
#include <vis.h>

/*
 * A text with a byte that is no character of the locale is encoded byte by byte. For such a text
 * libbsd's strvis(3) takes the valid wide characters for bytes, too: it writes U+1B5B as ESC [.
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
