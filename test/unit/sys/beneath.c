/* Files below a directory: no path leads out of it, whichever call of the kernel sees to that. */
#include "sys/beneath.h"

#include <errno.h>

#include "check.h"

/* Makes d/e/f, outside, and links to that in d. Returns d, opened. */
static int make_tree(void)
{
	CHECK_INT(mkdir("d", 0700), 0);
	CHECK_INT(mkdir("d/e", 0700), 0);
	CHECK_INT(mkdir("outside", 0700), 0);
	CHECK_INT(symlink("../outside", "d/away"), 0);
	CHECK_INT(symlink("e", "d/near"), 0);
	CHECK_INT(symlink("/proc/self/cwd", "d/magic"), 0);
	close(open("d/e/f", O_WRONLY | O_CREAT, 0600));
	close(open("outside/f", O_WRONLY | O_CREAT, 0600));
	return open("d", O_PATH | O_DIRECTORY);
}

static int open_path(struct beneath *beneath, int dir, const char *path, int flags)
{
	return beneath_open(beneath, dir, path, strlen(path), flags, 0600);
}

static void keep_below(bool descends)
{
	static const char *const refused[] = {"away/f", "away", "near/f", "near", "..",
	    "../outside/f", "e/../../outside/f", "magic/outside/f", "e/f/g"};
	struct beneath beneath = {.descends = descends};
	int dir = make_tree();

	for (size_t i = 0; i < ROWS(refused); i++) {
		check_row("%s", refused[i]);
		CHECK_INT(open_path(&beneath, dir, refused[i], O_RDONLY), -1);
		CHECK(errno == ELOOP || errno == ENOTDIR || errno == EXDEV);
		CHECK_INT(open_path(&beneath, dir, refused[i], O_PATH | O_DIRECTORY), -1);
	}
	check_row("inside");
	int fd = open_path(&beneath, dir, "e/f", O_RDONLY);
	CHECK(fd != -1);
	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	close(fd);
	CHECK_INT(open_path(&beneath, dir, "away", O_WRONLY | O_CREAT | O_EXCL), -1);
	CHECK_INT(errno, EEXIST);
	fd = open_path(&beneath, dir, "e/new", O_WRONLY | O_CREAT | O_EXCL);
	CHECK(fd != -1);
	close(fd);
	CHECK_INT(access("d/e/new", F_OK), 0);
	CHECK_INT(open_path(&beneath, dir, "e/none", O_RDONLY), -1);
	CHECK_INT(errno, ENOENT);
	CHECK_INT(beneath.descends, descends);
	close(dir);
}

static void by_openat2(void)
{
	keep_below(false);
}

static void by_descent(void)
{
	keep_below(true);
}

static void long_paths(void)
{
	char path[3 * 4096];
	size_t len = 0;
	int top = open(".", O_PATH | O_DIRECTORY);
	int dir = dup(top);

	for (; len + 200 < sizeof(path); len += 128) {
		char name[128];
		memset(name, 'n', 127);
		name[127] = '\0';
		CHECK_INT(mkdirat(dir, name, 0700), 0);
		int next = openat(dir, name, O_PATH | O_DIRECTORY);
		close(dir);
		dir = next;
		memcpy(path + len, name, 127);
		path[len + 127] = '/';
	}
	close(dir);
	for (int descends = 0; descends < 2; descends++) {
		struct beneath beneath = {.descends = descends != 0};
		memcpy(path + len, "f", 2);
		int fd = open_path(&beneath, top, path, O_WRONLY | O_CREAT);
		CHECK(fd != -1);
		close(fd);
	}
	close(top);
}

int main(void)
{
	promise("by openat2(2) no path leads out of the directory, or over a link", by_openat2);
	promise("name by name no path does, either", by_descent);
	promise("a path may be longer than PATH_MAX", long_paths);
	return check_end();
}
