/* Temporary names: what they have of the name for which they stand. */
#include "data/temporary.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static void names(void)
{
	static const char special[] = "a:b\"c?*<d>|\\ \xc3\xa4.";
	char temp[TEMPORARY_MAX];
	char name[NAME_MAX + 1];
	int dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	temporary_name(temp, dir, special, 0);
	CHECK(strncmp(temp, ".sockxfer.", 10) == 0);
	CHECK(strcmp(temp + strlen(temp) - strlen(special), special) == 0);
	for (size_t len = 0; len <= NAME_MAX; len++) {
		memset(name, 'x', len);
		if (len > 0)
			name[0] = ':';
		name[len] = '\0';
		for (unsigned number = 0; number <= TEMPORARY_TRIES; number += TEMPORARY_TRIES) {
			temporary_name(temp, dir, name, number);
			CHECK(strlen(temp) <= (len > 128 ? len : 128));
			CHECK(len <= 128 || strlen(temp) == len);
			CHECK(len == 0 || strchr(temp, ':') != NULL);
		}
	}
	/* Nothing can be left out, so the end is cut, and never within a character. */
	for (size_t i = 0; i < 84; i++)
		memcpy(name + 3 * i, "\xe2\x82\xac", 3);
	name[252] = '\0';
	temporary_name(temp, dir, name, 0);
	size_t len = strlen(temp);
	CHECK(len <= 252 && len > 245);
	CHECK(memcmp(temp + len - 3, "\xe2\x82\xac", 3) == 0);
	close(dir);
}

static bool is_there(const char *temp)
{
	return access(temp, F_OK) == 0;
}

static void sweeps(void)
{
	char first[TEMPORARY_MAX];
	char second[TEMPORARY_MAX];
	int dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int dead = temporary_open(first, dir, "out", 0600);
	int living = temporary_open(second, dir, "out", 0600);

	CHECK(dead != -1 && living != -1);
	temporary_sweep(dir, "out", geteuid());
	CHECK(is_there(first) && is_there(second));
	close(dead);
	temporary_sweep(dir, "other", geteuid());
	CHECK(is_there(first));
	temporary_sweep(dir, "out", geteuid());
	CHECK(!is_there(first) && is_there(second));
	close(living);
	temporary_sweep(dir, "out", geteuid());
	CHECK(!is_there(second));
	close(dir);
}

/* Makes a directory in dir, and goes on in it. Returns it. */
static int deepen(int dir, const char *name, mode_t mode)
{
	CHECK_INT(mkdirat(dir, name, 0700), 0);
	int next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(close(openat(next, "file", O_WRONLY | O_CREAT, 0400)), 0);
	CHECK_INT(symlinkat("/proc/self/cwd/outside", next, "link"), 0);
	CHECK_INT(fchmod(dir, mode), 0);
	close(dir);
	return next;
}

static void sweeps_directories(void)
{
	const struct rlimit few = {.rlim_cur = 32, .rlim_max = 32};
	char first[TEMPORARY_MAX];
	char second[TEMPORARY_MAX];

	check_as_user();
	CHECK_INT(mkdir("outside", 0700), 0);
	CHECK_INT(close(open("outside/file", O_WRONLY | O_CREAT, 0600)), 0);
	CHECK_INT(mkdir(".sockxfer.00.mine", 0700), 0);
	CHECK_INT(mkdir(".sockxfer.notes", 01700), 0);
	int dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int dead = temporary_open_directory(first, dir, "out");
	int living = temporary_open_directory(second, dir, "out");
	CHECK(dead != -1 && living != -1);
	int deep = dup(dead);
	for (int level = 0; level < 1000; level++) {
		close(deepen(openat(deep, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "side",
		    level == 0 ? TEMPORARY_MODE : 0700));
		deep = deepen(deep, "down",
		    level == 0       ? TEMPORARY_MODE
		    : level % 3 == 0 ? 0
				     : 0500);
	}
	close(deep);
	temporary_sweep_directories(dir);
	CHECK(is_there(first) && is_there(second));
	close(dead);
	temporary_sweep(dir, "other", geteuid());
	CHECK(is_there(first));
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
	temporary_sweep_directories(dir);
	CHECK(!is_there(first) && is_there(second));
	close(living);
	temporary_sweep(dir, "out", geteuid());
	CHECK(!is_there(second));
	CHECK(is_there("outside/file"));
	CHECK(is_there(".sockxfer.00.mine") && is_there(".sockxfer.notes"));
	close(dir);
}

int main(void)
{
	promise("a temporary name has the characters of the name, and is no longer than it may be",
	    names);
	promise("what is left behind is swept by who uses the same name, if nobody holds it",
	    sweeps);
	promise("so is a directory, with all that it holds at any depth, and nothing else",
	    sweeps_directories);
	return check_end();
}
