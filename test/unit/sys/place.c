/* Where a path leads: through which links, where it leads nowhere, and what strangers may not do. */
#include "sys/place.h"

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
	CHECK_STR(err.text, strerror(errnum));
	CHECK(place.dir == -1);
}

/* Whether what path leads to is the directory dir. */
static void is_directory(const char *path, const char *dir)
{
	struct place place;
	struct err err = {.kind = ERR_NONE};
	struct stat found, wanted;

	check_row("%s", path);
	if (!CHECK_INT(place_find(&place, path, &err), 0) || !CHECK(place.object != -1))
		return;
	CHECK(S_ISDIR(place.st.st_mode));
	place_enter(&place);
	CHECK_INT(fstat(place.dir, &found), 0);
	CHECK_INT(stat(dir, &wanted), 0);
	CHECK_INT((intmax_t)found.st_ino, (intmax_t)wanted.st_ino);
	CHECK_STR(place.name, "");
	place_close(&place);
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
	is_directory("circle", ".");
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
	is_directory("/", "/");
	is_directory(".", ".");
	is_directory("..", "..");
	is_directory("dir", "dir");
	is_directory("dir/", "dir");
	is_directory("dir//", "dir");
	is_directory("dir/.", "dir");
	is_directory("dir/..", ".");
	is_directory("link", "dir");
	is_directory("link/", "dir");
	leads_nowhere("new/", ENOENT);
	leads_nowhere("new/.", ENOENT);
	leads_nowhere("file/", ENOTDIR);
	leads_nowhere("file/.", ENOTDIR);
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
	CHECK_INT(place_find(&place, "dir", &err), 0);
	place_enter(&place);
	CHECK_INT(faccessat(place.dir, "file", F_OK, 0), 0);
	place_close(&place);
	leads_nowhere("missing/", ENOENT);
}

/* What was found is what is opened, by whatever name, and not what has its name by then. */
static void object_stays(void)
{
	struct place place;
	struct err err;
	struct stat st;

	make_directories();
	CHECK_INT(place_find(&place, "dir/file", &err), 0);
	CHECK_INT(rename("dir/file", "moved"), 0);
	make_file("dir/file");
	int fd = place_open(&place, O_RDONLY);
	if (CHECK(fd != -1)) {
		CHECK_INT(fstat(fd, &st), 0);
		CHECK_INT((intmax_t)st.st_ino, (intmax_t)place.st.st_ino);
		CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
		close(fd);
	}
	place_close(&place);
}

/* Whether path, which leads to what is there, is said to be a link. */
static void is_link(const char *path, bool wanted, int status)
{
	struct place place;
	struct err err;

	check_row("%s", path);
	CHECK_INT(place_find(&place, path, &err), status);
	CHECK(place.is_link == wanted);
	place_close(&place);
}

static void link_at_the_end(void)
{
	make_directories();
	make_link("to-dir", "dir");
	make_link("dir/to-file", "../to-dir/file");
	make_link("new", "dir/new");
	make_link("lost", "no/such");
	is_link("file", false, 0);
	is_link("nothing", false, 0);
	is_link("to-dir", true, 0);
	is_link("to-dir/", false, 0);
	is_link("to-dir/file", false, 0);
	is_link("to-dir/to-file", true, 0);
	is_link("new", true, 0);
	is_link("lost", true, -1);
	is_link("lost/file", false, -1);
	is_link("no/such", false, -1);
}

/* A link of /proc leads to what is open, which may have a name, or none. */
static void magic_links(void)
{
	struct place place;
	struct err err;
	char path[64];
	int ends[2];

	if (access("/proc/self/fd/0", F_OK) == -1)
		check_skip();
	make_directories();
	int fd = open("dir/file", O_RDWR);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	make_link("link", path);
	leads_to("link", "dir", "file");
	CHECK_INT(unlink("dir/file"), 0);
	CHECK_INT(place_find(&place, "link", &err), 0);
	CHECK(place.is_magic && place.is_link && S_ISREG(place.st.st_mode));
	place_close(&place);
	close(fd);
	CHECK_INT(pipe(ends), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
	CHECK_INT(place_find(&place, path, &err), 0);
	CHECK(place.is_magic && S_ISFIFO(place.st.st_mode));
	fd = place_open(&place, O_WRONLY);
	CHECK_INT(write(fd, "x", 1), 1);
	CHECK_INT(read(ends[0], path, 1), 1);
	close(fd);
	place_close(&place);
	close(ends[0]);
	close(ends[1]);
	leads_to("/proc/self/cwd/dir/new", "dir", "new");
}

/* dir with this mode and owner, and in it file, link, away (another link) and sub/new of others. */
static void make_shared(mode_t mode, uid_t owner, uid_t others)
{
	make_directories();
	make_link("dir/link", "../other/file");
	make_link("dir/away", "../other");
	CHECK_INT(mkfifo("dir/fifo", 0666), 0);
	CHECK_INT(chown("dir", owner, 0), 0);
	CHECK_INT(chmod("dir", mode), 0);
	CHECK_INT(lchown("dir/link", others, 0), 0);
	CHECK_INT(lchown("dir/away", others, 0), 0);
	CHECK_INT(chown("dir/file", others, 0), 0);
	CHECK_INT(chown("dir/fifo", others, 0), 0);
	CHECK_INT(chown("dir/sub", others, 0), 0);
	CHECK_INT(chmod("other", 0755), 0);
}

static void is_refused_link(const char *path)
{
	struct place place;
	struct err err = {.kind = ERR_NONE};

	check_row("%s", path);
	CHECK_INT(place_find(&place, path, &err), -1);
	CHECK_INT(err.errnum, EACCES);
	CHECK_HAS(err.text, "belongs to another user");
	CHECK(err.advice != NULL);
}

/* Whether what path names is a stranger's. */
static void is_strangers(const char *path, bool wanted)
{
	struct place place;
	struct err err = {.kind = ERR_NONE};

	check_row("%s", path);
	if (!CHECK_INT(place_find(&place, path, &err), 0))
		return;
	CHECK(place_is_strangers(&place, &place.st) == wanted);
	CHECK_INT(place_check(&place, &place.st, &err), wanted ? -1 : 0);
	CHECK_INT(err.errnum, wanted ? EACCES : 0);
	CHECK((err.advice != NULL) == wanted);
	place_close(&place);
}

static void root_only(void)
{
	if (geteuid() != 0)
		check_skip();
}

static void strangers_links(void)
{
	root_only();
	make_shared(01777, 0, 1234);
	make_link("by-link", "dir/link");
	make_link("by-away", "dir/away/file");
	is_refused_link("dir/link");
	is_refused_link("by-link");
	is_refused_link("dir/away/file");
	is_refused_link("dir/away/");
	is_refused_link("by-away");
	is_refused_link("dir/sub/../away/new");
	is_link("dir/link", true, -1);
}

static void trusted_links(void)
{
	static const struct {
		mode_t mode;
		uid_t owner;
		uid_t others;
	} rows[] = {
	    {01777, 0, 0},       /* our own */
	    {01777, 1234, 1234}, /* of the directory's owner */
	    {0777, 0, 1234},     /* not sticky */
	    {01755, 0, 1234},    /* nobody else may write there */
	    {01775, 0, 1234},    /* but a group */
	};

	root_only();
	for (size_t i = 0; i < ROWS(rows); i++) {
		char sub[16];
		snprintf(sub, sizeof(sub), "case%zu", i);
		CHECK_INT(mkdir(sub, 0755), 0);
		CHECK_INT(chdir(sub), 0);
		make_shared(rows[i].mode, rows[i].owner, rows[i].others);
		leads_to("dir/link", "other", "file");
		leads_to("dir/away/new", "other", "new");
		CHECK_INT(chdir(".."), 0);
	}
}

static void strangers_objects(void)
{
	root_only();
	make_shared(01777, 0, 1234);
	is_strangers("dir/file", true);
	is_strangers("dir/fifo", true);
	is_strangers("dir/sub", true);
	is_strangers("dir/sub/", true);
	is_strangers("dir/sub/file", false);
	is_strangers("dir/sub/.", false);
	is_strangers("dir", false);
	is_strangers("dir/.", false);
	is_strangers("dir/..", false);
	CHECK_INT(chmod("dir", 01770), 0); /* protected_regular = 2: for a group, too */
	is_strangers("dir/file", true);
	is_strangers("dir/fifo", true);
	CHECK_INT(chmod("dir", 01755), 0);
	is_strangers("dir/file", false);
	CHECK_INT(chmod("dir", 0777), 0);
	is_strangers("dir/file", false);
	CHECK_INT(chmod("dir", 01777), 0);
	CHECK_INT(chown("dir", 1234, 0), 0);
	is_strangers("dir/file", false);
	CHECK_INT(chown("dir", 1235, 0), 0);
	is_strangers("dir/file", true);
	CHECK_INT(chown("dir/file", 0, 0), 0);
	is_strangers("dir/file", false);
}

/* Whether a stranger has a directory on the way, and can put another in its place. */
static void is_loose(const char *path, bool wanted)
{
	struct place place;
	struct err err = {.kind = ERR_NONE};

	check_row("%s", path);
	CHECK_INT(place_find(&place, path, &err), 0);
	CHECK(place.is_loose == wanted);
	place_close(&place);
}

static void strangers_directories(void)
{
	root_only();
	make_shared(01777, 0, 1234);
	make_link("by-link", "dir/sub/file");
	CHECK_INT(mkdir("dir/ours", 0700), 0);
	is_loose("dir/sub/file", true);
	is_loose("dir/sub/new", true);
	is_loose("dir/sub/../new", true);
	is_loose("by-link", true);
	is_loose("dir/file", false);
	is_loose("dir/sub", false);
	is_loose("dir/ours/new", false);
	CHECK_INT(chmod("dir", 01755), 0);
	is_loose("dir/sub/file", false);
}

/* As a user, we are not let by root's link either, nor is the stranger that we are to others. */
static void as_a_user(void)
{
	root_only();
	make_shared(01777, 1234, 0);
	check_as_user();
	is_refused_link("dir/link");
	is_strangers("dir/file", true);
	make_link("dir/ours", "sub");
	is_directory("dir/ours", "dir/sub");
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
	promise("a path without a file's name is a directory, or an error", no_file_name);
	promise("a directory that is not there is an error", no_directory);
	promise("names and paths that are too long are errors, not other names", too_long);
	promise("the directory is the one of the beginning though it is renamed", directory_moves);
	promise("two paths are the same if they lead to one name in one directory", same);
	promise("a directory is opened for a name that comes later", inbox);
	promise("what was found is what is opened, and not what has its name by then",
	    object_stays);
	promise("whether the path ends in a link is known, also if that leads nowhere",
	    link_at_the_end);
	promise("a link of /proc leads to what is open, with or without a name", magic_links);
	promise("a stranger's link is refused wherever it stands in a path", strangers_links);
	promise("a link is followed if it is ours, of the directory's owner, or where no stranger "
		"could put one",
	    trusted_links);
	promise("a stranger's object is one in a sticky directory that others may write to",
	    strangers_objects);
	promise("a stranger's directory on the way is known", strangers_directories);
	promise("root is a stranger, too, to a user", as_a_user);
	return check_end();
}
