/* Where a path leads: through which links, and where it leads nowhere. */
#include "data/place.h"

#include <errno.h>
#include <sys/stat.h>

#include "check.h"

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	CHECK(fd != -1);
	close(fd);
}

static void make_link(const char *path, const char *target)
{
	CHECK_INT(symlink(target, path), 0);
}

/* dir, dir/sub, other; a file in each. */
static void make_directories(void)
{
	CHECK_INT(mkdir("dir", 0700), 0);
	CHECK_INT(mkdir("dir/sub", 0700), 0);
	CHECK_INT(mkdir("other", 0700), 0);
	make_file("file");
	make_file("dir/file");
	make_file("dir/sub/file");
	make_file("other/file");
}

/* Whether path leads to that name in that directory. */
static void leads_to(const char *path, const char *dir, const char *name)
{
	struct place place;
	struct err err = {.kind = ERR_NONE};
	struct stat found, wanted;

	check_row("%s", path);
	if (!CHECK_INT(place_find(&place, path, &err), 0)) {
		CHECK_STR(err.text, "");
		return;
	}
	CHECK_STR(place.name, name);
	CHECK_INT(fstat(place.dir, &found), 0);
	CHECK_INT(stat(dir, &wanted), 0);
	CHECK(found.st_dev == wanted.st_dev);
	CHECK_INT((intmax_t)found.st_ino, (intmax_t)wanted.st_ino);
	place_close(&place);
}

static void leads_nowhere(const char *path, int errnum)
{
	struct place place;
	struct err err = {.kind = ERR_NONE};

	check_row("%.100s", path);
	CHECK_INT(place_find(&place, path, &err), -1);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_INT(err.errnum, errnum);
	CHECK(strncmp(err.text, path, strlen(path)) == 0);
	CHECK_HAS(err.text, strerror(errnum));
}

static void plain(void)
{
	char here[PATH_MAX];
	char path[PATH_MAX + 10];

	make_directories();
	leads_to("file", ".", "file");
	leads_to("./file", ".", "file");
	leads_to("dir/file", "dir", "file");
	leads_to("dir/sub/../file", "dir", "file");
	leads_to("dir//file", "dir", "file");
	leads_to("new", ".", "new");
	leads_to("dir/new", "dir", "new");
	leads_to("/file", "/", "file");
	CHECK(getcwd(here, sizeof(here)) != NULL);
	snprintf(path, sizeof(path), "%s/other/new", here);
	leads_to(path, "other", "new");
	leads_to("...", ".", "...");
	leads_to(".hidden", ".", ".hidden");
	leads_to("-", ".", "-");
	leads_to("dir", ".",
	    "dir"); /* a directory has a place too: what to do there is the sink's */
}

static void links(void)
{
	make_directories();
	make_link("to-file", "dir/file");
	leads_to("to-file", "dir", "file");
	make_link("dir/up", "../other/file");
	leads_to("dir/up", "other", "file");
	make_link("other/back", "../dir/up");
	leads_to("other/back", "other", "file");
	make_link("dir/sub/chain", "../../other/back");
	leads_to("dir/sub/chain", "other", "file");
	make_link("short", "dir/sub");
	leads_to("short/file", "dir/sub", "file");
	leads_to("short/../file", "dir", "file");
}

static void absolute_link(void)
{
	char here[PATH_MAX];
	char target[PATH_MAX + 10];

	make_directories();
	CHECK(getcwd(here, sizeof(here)) != NULL);
	snprintf(target, sizeof(target), "%s/other/new", here);
	make_link("dir/absolute", target);
	leads_to("dir/absolute", "other", "new");
}

static void dangling(void)
{
	make_directories();
	make_link("link", "new");
	leads_to("link", ".", "new");
	make_link("dir/link", "sub/new");
	leads_to("dir/link", "dir/sub", "new");
	make_link("far", "dir/link");
	leads_to("far", "dir/sub", "new");
	make_link("lost", "no/such");
	leads_nowhere("lost", ENOENT);
}

static void loops(void)
{
	make_link("self", "self");
	leads_nowhere("self", ELOOP);
	make_link("a", "b");
	make_link("b", "c");
	make_link("c", "a");
	leads_nowhere("a", ELOOP);
	make_link("circle", ".");
	leads_nowhere("circle", EISDIR);
	leads_to("circle/circle/new", ".", "new");
	leads_nowhere("self/new", ELOOP);
}

/* link0 -> link1 -> ... -> file, each of them a link, so many of them. */
static void make_chain(int links)
{
	char name[32];
	char target[32];

	for (int i = 0; i < links; i++) {
		snprintf(name, sizeof(name), "link%d", i);
		snprintf(target, sizeof(target), "link%d", i + 1);
		make_link(name, i + 1 < links ? target : "file");
	}
}

static void forty(void)
{
	make_file("file");
	make_chain(40);
	leads_to("link0", ".", "file");
	CHECK_INT(access("link0", F_OK), 0); /* as the kernel does */
}

static void forty_one(void)
{
	make_file("file");
	make_chain(41);
	CHECK_INT(access("link0", F_OK), -1);
	CHECK_INT(errno, ELOOP);
	leads_nowhere("link0", ELOOP);
	leads_to("link1", ".", "file");
}

static void no_file_name(void)
{
	make_directories();
	make_link("link", "dir/");
	leads_nowhere("", ENOENT);
	leads_nowhere("/", EISDIR);
	leads_nowhere(".", EISDIR);
	leads_nowhere("..", EISDIR);
	leads_nowhere("dir/", EISDIR);
	leads_nowhere("dir/.", EISDIR);
	leads_nowhere("dir/..", EISDIR);
	leads_nowhere("link", EISDIR);
	leads_nowhere("new/", EISDIR);
}

static void no_directory(void)
{
	make_directories();
	leads_nowhere("missing/file", ENOENT);
	leads_nowhere("file/file", ENOTDIR);
	leads_nowhere("dir/missing/file", ENOENT);
}

static void too_long(void)
{
	char path[PATH_MAX + 300];

	memset(path, 'n', sizeof(path));
	path[NAME_MAX] = '\0';
	leads_to(path, ".", path);
	path[NAME_MAX] = 'n';
	path[NAME_MAX + 1] = '\0';
	leads_nowhere(path, ENAMETOOLONG);
	path[NAME_MAX + 1] = 'n';
	for (size_t i = 0; i < sizeof(path) - 10; i += 2)
		memcpy(path + i, "./", 2);
	path[sizeof(path) - 10] = '\0';

	struct place place;
	struct err err = {.kind = ERR_NONE};
	check_row("a path of %zu bytes", strlen(path));
	CHECK_INT(place_find(&place, path, &err), -1);
	CHECK_INT(err.errnum, ENAMETOOLONG);
}

static void directory_moves(void)
{
	struct place place;
	struct err err;

	make_directories();
	CHECK_INT(place_find(&place, "dir/new", &err), 0);
	CHECK_INT(rename("dir", "moved"), 0);
	CHECK_INT(mkdir("dir", 0700), 0);
	int fd = openat(place.dir, place.name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(fd != -1);
	CHECK_INT(access("moved/new", F_OK), 0);
	CHECK_INT(access("dir/new", F_OK), -1);
	close(fd);
	place_close(&place);
	place_close(&place); /* and once more, which is nothing */
}

/* A directory is opened as it is, for a name that comes later. */
static void inbox(void)
{
	struct place place;
	struct err err = {.kind = ERR_NONE};

	make_directories();
	CHECK_INT(place_find_directory(&place, "dir", &err), 0);
	CHECK_INT(faccessat(place.dir, "file", F_OK, 0), 0);
	place_close(&place);
	CHECK_INT(place_find_directory(&place, "missing", &err), -1);
	CHECK_STR(err.text, "missing: No such file or directory");
}

static void same(void)
{
	make_directories();
	make_link("to-file", "dir/file");
	make_link("short", "dir/sub");
	make_link("lost", "no/such");
	CHECK(place_is_same("dir/file", "dir/../dir/file"));
	CHECK(place_is_same("dir/file", "to-file"));
	CHECK(place_is_same("dir/sub/new", "short/new"));
	CHECK(!place_is_same("dir/file", "other/file"));
	CHECK(!place_is_same("dir/file", "dir/new"));
	CHECK(!place_is_same("lost", "lost"));
	CHECK(!place_is_same("file", "lost"));
	CHECK(!place_is_same("lost", "file"));
}

int main(void)
{
	promise("a path is a directory and a name in it", plain);
	promise("links are followed, each from its own directory", links);
	promise("a link may say where from the root", absolute_link);
	promise("a link to what does not exist yet is followed too", dangling);
	promise("links that go round in a circle end with an error", loops);
	promise("40 links are followed, as the kernel does", forty);
	promise("41 links are too many, as for the kernel", forty_one);
	promise("a path without a file's name is a directory", no_file_name);
	promise("a directory that is not there is an error", no_directory);
	promise("names and paths that are too long are errors, not other names", too_long);
	promise("the directory is the one of the beginning though it is renamed", directory_moves);
	promise("two paths are the same if they lead to one name in one directory", same);
	promise("a directory is opened for a name that comes later", inbox);
	return check_end();
}
