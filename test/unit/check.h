/*
 * What the unit tests share. A test program is a list of promises about one module:
 *
 *	int main(void)
 *	{
 *		promise("a refused address costs no time", refused_costs_nothing);
 *		return check_end();
 *	}
 *
 * Each promise is tried in a process and an empty directory of its own, so that it may change what
 * belongs to the process (signals, descriptors, umask), and one that crashes or hangs spoils no
 * other. It is broken when a CHECK fails, when none was made, and when it leaves a descriptor open.
 * The results are TAP; the program exits 0 when no promise is broken.
 */
#ifndef CHECK_H
#define CHECK_H

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_TIME_LIMIT                                                                           \
	300              /* seconds for a promise: a bound for what hangs, no measure of speed */
#define CHECK_USER 65534 /* nobody, a user and a group */
#define CHECK_SKIPPED 77 /* exit status of a promise that cannot be tried here */

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static struct {
	int promises;
	int broken;
	int checks; /* the rest is that of the promise being tried */
	int failed;
	char row[160];
} check;

__attribute__((format(printf, 3, 4))) static inline void check_fail(const char *file, int line,
    const char *fmt, ...)
{
	va_list ap;

	check.failed++;
	fprintf(stderr, "# %s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (check.row[0] != '\0')
		fprintf(stderr, "   (in: %s)", check.row);
	fputc('\n', stderr);
}

static inline bool check_true(bool kept, const char *expr, const char *file, int line)
{
	check.checks++;
	if (!kept)
		check_fail(file, line, "not so: %s", expr);
	return kept;
}

static inline bool check_int(intmax_t got, intmax_t wanted, const char *expr, const char *file,
    int line)
{
	check.checks++;
	if (got != wanted)
		check_fail(file, line, "%s is %jd, not %jd", expr, got, wanted);
	return got == wanted;
}

static inline bool check_str(const char *got, const char *wanted, const char *expr,
    const char *file, int line)
{
	check.checks++;
	if (strcmp(got, wanted) != 0)
		check_fail(file, line, "%s is \"%s\", not \"%s\"", expr, got, wanted);
	return strcmp(got, wanted) == 0;
}

static inline bool check_has(const char *got, const char *part, const char *expr, const char *file,
    int line)
{
	check.checks++;
	if (strstr(got, part) == NULL)
		check_fail(file, line, "%s is \"%s\", without \"%s\"", expr, got, part);
	return strstr(got, part) != NULL;
}

/* Each is true if what it checks holds, and else says what was found instead. */
#define CHECK(expr) check_true((expr), #expr, __FILE__, __LINE__)
#define CHECK_INT(got, wanted) check_int((got), (wanted), #got, __FILE__, __LINE__)
#define CHECK_STR(got, wanted) check_str((got), (wanted), #got, __FILE__, __LINE__)
#define CHECK_HAS(got, part) check_has((got), (part), #got, __FILE__, __LINE__)
#define CHECK_FAIL(text) check_true(false, text, __FILE__, __LINE__)

/* Names the row of a table that the following checks are about. */
__attribute__((format(printf, 1, 2))) static inline void check_row(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(check.row, sizeof(check.row), fmt, ap);
	va_end(ap);
}

/* Ends the promise being tried: what it needs is not to be had here. */
_Noreturn static inline void check_skip(void)
{
	exit(CHECK_SKIPPED);
}

/*
 * Where we are root, goes on as a user who may not do everything, in a directory of that user's; at the end
 * of the promise that is undone. Both make the process one that may be looked at (proc(5)), as one
 * that never changed its user is: we look at /proc/self, and sanitizers at the process.
 */
static inline void check_as_user(void)
{
	if (geteuid() != 0)
		return;
	CHECK_INT(chown(".", CHECK_USER, CHECK_USER), 0);
	CHECK_INT(setegid(CHECK_USER), 0);
	CHECK_INT(seteuid(CHECK_USER), 0);
	CHECK_INT(prctl(PR_SET_DUMPABLE, 1), 0);
}

static inline void check_as_root_again(void)
{
	if (geteuid() == getuid())
		return;
	CHECK_INT(seteuid(getuid()), 0);
	CHECK_INT(setegid(getgid()), 0);
	CHECK_INT(prctl(PR_SET_DUMPABLE, 1), 0);
}

static inline int check_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

_Noreturn static inline void check_try(void (*try)(void), const char *dir)
{
	alarm(CHECK_TIME_LIMIT);
	if (chdir(dir) == -1) {
		perror(dir);
		exit(1);
	}
	int descriptors = check_descriptors();
	try();
	check_row("at the end");
	if (check.checks == 0)
		check_fail(__FILE__, __LINE__, "nothing was checked");
	CHECK_INT(check_descriptors(), descriptors);
	check_as_root_again();
	exit(check.failed == 0 ? 0 : 1);
}

static inline int check_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* Tries a promise and prints what became of it. */
static inline void promise(const char *text, void (*try)(void))
{
	const char *tmp = getenv("TMPDIR");
	char dir[256];
	int status = -1;

	snprintf(dir, sizeof(dir), "%s/unit.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		exit(1);
	}
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		check_try(try, dir);
	if (child != -1)
		waitpid(child, &status, 0);
	nftw(dir, check_remove, 8, FTW_DEPTH | FTW_PHYS);

	bool skipped = WIFEXITED(status) && WEXITSTATUS(status) == CHECK_SKIPPED;
	bool kept = skipped || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if (WIFSIGNALED(status))
		fprintf(stderr, "# %s\n", strsignal(WTERMSIG(status)));
	printf("%s %d - %s%s\n", kept ? "ok" : "not ok", ++check.promises, text,
	    skipped ? " # SKIP not possible here" : "");
	check.broken += !kept;
}

/* Returns the exit status of the program. */
static inline int check_end(void)
{
	printf("1..%d\n", check.promises);
	return check.broken == 0 && check.promises > 0 ? 0 : 1;
}

#endif
