#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static int err_vset(struct err *err, enum err_kind kind,
    int errnum, const char *fmt, va_list ap)
{
	err->kind = kind;
	err->errnum = errnum;
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	if (errnum != 0) {
		if (err->text[0] != '\0')
			strlcat(err->text, ": ", sizeof(err->text));
		strlcat(err->text, strerror(errnum), sizeof(err->text));
	}
	return -1;
}

int err_set(struct err *err, enum err_kind kind, int errnum, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(err, kind, errnum, fmt, ap);
	va_end(ap);
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
	char old[sizeof(err->text)];
	va_list ap;

	strlcpy(old, err->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	strlcat(err->text, ": ", sizeof(err->text));
	strlcat(err->text, old, sizeof(err->text));
	return -1;
}
