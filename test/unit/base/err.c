/* What an error says, and that it never says more than fits. */
#include "base/err.h"

#include <errno.h>

#include "check.h"

#define FULL (sizeof(((struct err *)0)->text) - 1)

/* A text of so many letters. */
static const char *long_text(char letter, size_t len)
{
	static char text[4096];

	memset(text, letter, len);
	text[len] = '\0';
	return text;
}

static void says(void)
{
	struct err err;

	CHECK_INT(err_set(&err, ERR_FAILED, ECONNREFUSED, "%s: connect", "host:1"), -1);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_INT(err.errnum, ECONNREFUSED);
	CHECK_STR(err.text, "host:1: connect: Connection refused");
}

static void no_errno(void)
{
	struct err err;

	errno = EIO; /* which must not matter */
	CHECK_INT(err_set(&err, ERR_USAGE, 0, "%d is not %d", 1, 2), -1);
	CHECK_INT(err.kind, ERR_USAGE);
	CHECK_INT(err.errnum, 0);
	CHECK_STR(err.text, "1 is not 2");
}

static void only_errno(void)
{
	struct err err;

	err_set(&err, ERR_FAILED, ENOSPC, "%s", "");
	CHECK_STR(err.text, "No space left on device");
}

static void takes_errno(void)
{
	struct err err;

	errno = EACCES;
	CHECK_INT(err_sys(&err, "%s", "out"), -1);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_INT(err.errnum, EACCES);
	CHECK_STR(err.text, "out: Permission denied");
}

static void prefix(void)
{
	struct err err;

	err_set(&err, ERR_TIMEOUT, 0, "timed out");
	CHECK_INT(err_prefix(&err, "connect"), -1);
	CHECK_INT(err_prefix(&err, "%s:%d", "host", 80), -1);
	CHECK_STR(err.text, "host:80: connect: timed out");
	CHECK_INT(err.kind, ERR_TIMEOUT);
	CHECK_INT(err.errnum, 0);
}

static void replaced(void)
{
	struct err err;

	err_set(&err, ERR_FAILED, ENOSPC, "a long text about something else");
	err_set(&err, ERR_TIMEOUT, 0, "late");
	CHECK_INT(err.kind, ERR_TIMEOUT);
	CHECK_INT(err.errnum, 0);
	CHECK_STR(err.text, "late");
}

#define REASON ": No space left on device"

static void cut(void)
{
	static const size_t lengths[] = {FULL - 30, FULL - 2, FULL - 1, FULL, FULL + 1, 2 * FULL};

	for (size_t i = 0; i < ROWS(lengths); i++) {
		struct err err;
		const char *text = long_text('x', lengths[i]);
		check_row("%zu letters", lengths[i]);
		CHECK_INT(err_set(&err, ERR_FAILED, ENOSPC, "%s", text), -1);
		bool fits = lengths[i] + strlen(REASON) <= FULL;
		size_t letters = fits ? lengths[i] : FULL - strlen("..." REASON);
		CHECK_INT((int)strspn(err.text, "x"), (int)letters);
		CHECK_STR(err.text + letters, fits ? REASON : "..." REASON);
	}
}

static void prefix_cut(void)
{
	static const size_t lengths[] = {1, FULL - 6, FULL - 5, FULL - 1, FULL, 2 * FULL};

	for (size_t i = 0; i < ROWS(lengths); i++) {
		struct err err;
		size_t whole = lengths[i] + strlen(": inner");
		check_row("%zu letters", lengths[i]);
		err_set(&err, ERR_FAILED, 0, "inner");
		CHECK_INT(err_prefix(&err, "%s", long_text('p', lengths[i])), -1);
		bool fits = whole <= FULL;
		size_t letters = fits ? lengths[i] : FULL - strlen("...: inner");
		CHECK_INT((int)strspn(err.text, "p"), (int)letters);
		CHECK_STR(err.text + letters, fits ? ": inner" : "...: inner");
	}
}

static void format_is_not_text(void)
{
	struct err err;

	err_set(&err, ERR_FAILED, 0, "%s", "100%n%s");
	err_prefix(&err, "%s", "%d%n");
	CHECK_STR(err.text, "%d%n: 100%n%s");
}

static void cleared(void)
{
	struct err err;

	err_set(&err, ERR_FAILED, ENOENT, "a try");
	err_advise(&err, "try again");
	err_clear(&err);
	CHECK_INT(err.kind, ERR_NONE);
	CHECK_INT(err.errnum, 0);
	CHECK_STR(err.text, "");
	CHECK(err.advice == NULL);
}

int main(void)
{
	promise("an error names its operation and the errno's reason", says);
	promise("without an errno only the text is there", no_errno);
	promise("without a text only the reason is there", only_errno);
	promise("a failed system call is told with the errno of the moment", takes_errno);
	promise("a prefix goes in front and leaves kind and errno alone", prefix);
	promise("an error replaces the one before it whole", replaced);
	promise("a text that is too long is cut, and the reason is not", cut);
	promise("a prefix that is too long is cut, and what it stands before is not", prefix_cut);
	promise("an error that is cleared is none", cleared);
	promise("a % in a text is only a %", format_is_not_text);
	return check_end();
}
