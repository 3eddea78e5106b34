#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Writes the formatted text into err, and follows, the reason, behind it. If there is no room for
 * both, the text is cut, and three dots show where: the reason matters more.
 */
__attribute__((format(printf, 3, 0))) static void compose(struct err *err, const char *follows,
    const char *fmt, va_list ap)
{
	static const char dots[] = "...";
	char reason[sizeof(err->text)];
	size_t room = sizeof(err->text) - strlcpy(reason, follows, sizeof(reason));
	int len = vsnprintf(err->text, room, fmt, ap);

	if (len >= (int)room && room > sizeof(dots))
		strlcpy(err->text + room - sizeof(dots), dots, sizeof(dots));
	strlcat(err->text, reason, sizeof(err->text));
}

__attribute__((format(printf, 4, 0))) static void err_vset(struct err *err, enum err_kind kind,
    int errnum, const char *fmt, va_list ap)
{
	char reason[128] = "";

	err->kind = kind;
	err->errnum = errnum;
	err->advice = NULL;
	if (errnum != 0)
		snprintf(reason, sizeof(reason), ": %s", strerror(errnum));
	compose(err, reason, fmt, ap);
	if (strcmp(err->text, reason) == 0 && errnum != 0) /* there was no text */
		strlcpy(err->text, reason + strlen(": "), sizeof(err->text));
}

int err_set(struct err *err, enum err_kind kind, int errnum, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(err, kind, errnum, fmt, ap);
	va_end(ap);
	return -1;
}

void err_clear(struct err *err)
{
	*err = (struct err){.kind = ERR_NONE};
}

int err_advise(struct err *err, const char *advice)
{
	err->advice = advice;
	return -1;
}

int err_sys(struct err *err, const char *fmt, ...)
{
	int errnum = errno;
	va_list ap;

	va_start(ap, fmt);
	err_vset(err, ERR_FAILED, errnum, fmt, ap);
	va_end(ap);
	return -1;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	char follows[sizeof(err->text)];
	va_list ap;

	strlcpy(follows, ": ", sizeof(follows));
	strlcat(follows, err->text, sizeof(follows));
	va_start(ap, fmt);
	compose(err, follows, fmt, ap);
	va_end(ap);
	return -1;
}
