/* Outputs: whole or not there at all, also where the file system has no O_TMPFILE. */
#include "data/sink.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "base/deadline.h"
#include "check.h"
#include "data/inbox_name.h"
#include "data/open.h"
#include "no_tmpfile.h"
#include "sys/signals.h"

#define SHORT (20 * CLOCK_MILLISECOND)
#define LONG (30 * CLOCK_SECOND)

static void make_file(const char *path, const char *content)
{
	FILE *file = fopen(path, "w");

	CHECK(file != NULL);
	fputs(content, file);
	fclose(file);
}

static void check_content(const char *path, const char *wanted)
{
	char content[100] = "";
	FILE *file = fopen(path, "r");

	if (!CHECK(file != NULL))
		return;
	content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
	fclose(file);
	CHECK_STR(content, wanted);
}

static int is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Holds the names in a directory, sorted and with spaces between them, against those wanted. */
static void check_names(const char *dir, const char *wanted)
{
	struct dirent **entries;
	char names[300] = "";
	int count = scandir(dir, &entries, is_entry, alphasort);

	for (int i = 0; i < count; i++) {
		strlcat(names, i > 0 ? " " : "", sizeof(names));
		strlcat(names, entries[i]->d_name, sizeof(names));
		free(entries[i]);
	}
	free(entries);
	CHECK_STR(names, wanted);
}

/* Opens a sink at path, replacing what is there unless no_clobber. */
static struct sink *try_open(const char *path, bool no_clobber, int64_t deadline, struct err *err)
{
	const struct sink_options options = {.path = path, .no_clobber = no_clobber};

	return open_sink(&options, deadline, err);
}

/* The same for what should work; the sink is to be closed, and its stream has begun. */
static bool opens(struct sink **sink, const char *path, bool no_clobber)
{
	struct err err = {.kind = ERR_NONE};

	*sink = try_open(path, no_clobber, DEADLINE_NEVER, &err);
	if (CHECK(*sink != NULL))
		return CHECK_INT(sink_begin(*sink, &ends_unknown, &err), 0);
	CHECK_STR(err.text, "");
	return false;
}

/* Removes the temporary file, if there is one: it would keep the directory from vanishing. */
static void remove_temporary(const char *dir)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int count = scandir(dir, &entries, is_entry, alphasort);

	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		CHECK(strncmp(entries[i]->d_name, ".sockxfer.", 10) == 0);
		CHECK_INT(unlink(path), 0);
		free(entries[i]);
	}
	free(entries);
}

static void write_sink(struct sink *sink, const char *text)
{
	struct err err;

	CHECK_INT(sink_write(sink, text, strlen(text), DEADLINE_NEVER, &err), 0);
}

static void commit_sink(struct sink *sink)
{
	struct err err = {.kind = ERR_NONE};

	if (!CHECK_INT(sink_commit(sink, DEADLINE_NEVER, &err), 0))
		CHECK_STR(err.text, "");
	sink_close(sink);
}

/* The whole of it, for what should work. */
static void put(const char *path, const char *text)
{
	struct sink *sink;

	if (!opens(&sink, path, false))
		return;
	write_sink(sink, text);
	commit_sink(sink);
}

static void check_refused(const char *path, bool no_clobber, int errnum)
{
	struct err err = {.kind = ERR_NONE};

	check_row("%s", path);
	struct sink *sink = try_open(path, no_clobber, DEADLINE_NEVER, &err);
	if (!CHECK(sink == NULL)) {
		sink_close(sink);
		return;
	}
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_INT(err.errnum, errnum);
	CHECK(strncmp(err.text, path, strlen(path)) == 0);
}

static void check_commit_fails(struct sink *sink, int errnum)
{
	struct err err = {.kind = ERR_NONE};

	CHECK_INT(sink_commit(sink, DEADLINE_NEVER, &err), -1);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_INT(err.errnum, errnum);
	sink_close(sink);
}

static void appears_whole(void)
{
	struct sink *sink;

	if (!opens(&sink, "new", false))
		return;
	write_sink(sink, "first ");
	write_sink(sink, "second");
	CHECK_INT(access("new", F_OK), -1);
	commit_sink(sink);
	check_content("new", "first second");
	check_names(".", "new");
	put("empty", "");
	check_content("empty", "");
}

static void replaces(void)
{
	struct sink *sink;

	make_file("out", "old");
	if (!opens(&sink, "out", false))
		return;
	check_content("out", "old");
	write_sink(sink, "new");
	check_content("out", "old");
	commit_sink(sink);
	check_content("out", "new");
	check_names(".", "out");
}

static void discarded(void)
{
	struct sink *sink;

	make_file("out", "old");
	for (int i = 0; i < 2; i++) {
		if (!opens(&sink, i == 0 ? "out" : "new", false))
			return;
		write_sink(sink, "half of it");
		sink_close(sink);
		sink_close(NULL); /* which is nothing */
	}
	check_content("out", "old");
	check_names(".", "out");
}

/* Lets a write beyond so many bytes of a file fail. Returns the limit of before. */
static rlim_t limit_files(rlim_t bytes)
{
	struct rlimit limit;

	signals_install(); /* ignores SIGXFSZ */
	CHECK_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = bytes;
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
	return before;
}

static void disk_full(void)
{
	struct sink *sink;
	struct err err = {.kind = ERR_NONE};
	static char chunk[8192];

	make_file("out", "old");
	limit_files(10000);
	if (!opens(&sink, "out", false))
		return;
	CHECK_INT(sink_write(sink, chunk, sizeof(chunk), DEADLINE_NEVER, &err), 0);
	CHECK_INT(sink_write(sink, chunk, sizeof(chunk), DEADLINE_NEVER, &err), -1);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_STR(err.text, "out: write: File too large");
	sink_close(sink);
	check_content("out", "old");
	check_names(".", "out");
}

/* A write that failed, as it might on a disk that was full for a moment, cannot be made up for. */
static void stays_failed(void)
{
	struct sink *sink;
	struct err err = {.kind = ERR_NONE};
	static char chunk[8192];

	make_file("out", "old");
	rlim_t before = limit_files(10000);
	if (!opens(&sink, "out", false))
		return;
	CHECK_INT(sink_write(sink, chunk, sizeof(chunk), DEADLINE_NEVER, &err), 0);
	CHECK_INT(sink_write(sink, chunk, sizeof(chunk), DEADLINE_NEVER, &err), -1);
	limit_files(before);
	err_clear(&err);
	CHECK_INT(sink_write(sink, chunk, sizeof(chunk), DEADLINE_NEVER, &err), -1);
	CHECK_STR(err.text, "out: write: File too large");
	check_commit_fails(sink, EFBIG);
	check_content("out", "old");
	check_names(".", "out");
}

static void commit_fails(void)
{
	struct sink *sink;

	make_file("out", "old");
	if (!opens(&sink, "out", false))
		return;
	write_sink(sink, "new");
	CHECK_INT(rename("out", "kept"), 0);
	CHECK_INT(mkdir("out", 0700), 0);
	check_commit_fails(sink, EISDIR);
	check_content("kept", "old");
	check_names(".", "kept out");
	check_names("out", "");
}

static void directory_vanishes(void)
{
	struct sink *sink;

	CHECK_INT(mkdir("dir", 0700), 0);
	if (!opens(&sink, "dir/out", false))
		return;
	write_sink(sink, "new");
	remove_temporary("dir");
	CHECK_INT(rmdir("dir"), 0);
	check_commit_fails(sink, ENOENT);
	check_names(".", "");
}

static char inbox_file[PATH_MAX];

static struct sink *try_inbox(const char *path, struct err *err)
{
	const struct sink_options options = {.path = path, .allows_inbox = true};

	return open_sink(&options, DEADLINE_NEVER, err);
}

static bool open_inbox(struct sink **sink, const char *path)
{
	static const struct ends ends = {.peer = "192.0.2.7:9009", .local = ""};
	struct err err = {.kind = ERR_NONE};

	*sink = try_inbox(path, &err);
	if (!CHECK(*sink != NULL))
		return false;
	CHECK((*sink)->is_inbox);
	CHECK_INT(sink_begin(*sink, &ends, &err), 0);
	write_sink(*sink, "new");
	return true;
}

/* Notes what has been made, which is not there before the commit. */
static void commit_inbox(struct sink *sink)
{
	struct err err = {.kind = ERR_NONE};

	CHECK(sink->made == NULL);
	CHECK_INT(sink_commit(sink, DEADLINE_NEVER, &err), 0);
	if (CHECK(sink->made != NULL))
		strlcpy(inbox_file, sink->made, sizeof(inbox_file));
	sink_close(sink);
}

/* Where the file is, from the directory dir that was called path. */
static void check_in_inbox(const char *path, const char *dir)
{
	char found[PATH_MAX];

	CHECK(strncmp(inbox_file, path, strlen(path)) == 0);
	CHECK_STR(inbox_file + strlen(path) + 20, "-192.0.2.7-1");
	snprintf(found, sizeof(found), "%s/%s", dir, inbox_file + strlen(path));
	check_content(found, "new");
	check_names(dir, inbox_file + strlen(path));
	CHECK_INT(unlink(found), 0);
}

static void inbox(void)
{
	static const char *const paths[] = {"dir", "dir/", "link", "link/", "dir/.",
	    "/proc/self/cwd/dir"};
	struct sink *sink;

	CHECK_INT(mkdir("dir", 0700), 0);
	CHECK_INT(symlink("dir", "link"), 0);
	for (size_t i = 0; i < ROWS(paths); i++) {
		char path[64];
		bool has_slash = paths[i][strlen(paths[i]) - 1] == '/';
		check_row("%s", paths[i]);
		snprintf(path, sizeof(path), "%s%s", paths[i], has_slash ? "" : "/");
		if (!open_inbox(&sink, paths[i]))
			return;
		commit_inbox(sink);
		check_in_inbox(path, "dir");
	}
	if (!open_inbox(&sink, "dir"))
		return;
	sink_close(sink);
	check_names("dir", "");
}

/* Makes files of all names but the one with number 3 that ours may get in the next milliseconds. */
static struct timespec take_names(int milliseconds)
{
	char name[INBOX_NAME_MAX];
	char path[INBOX_NAME_MAX + 8];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (int i = 0; i < milliseconds; i++) {
		for (unsigned number = 1; number <= 4; number += 1 + number / 2) {
			inbox_name(name, &now, "192.0.2.7:1", number);
			snprintf(path, sizeof(path), "dir/%s", name);
			make_file(path, "old");
		}
		now.tv_nsec += 1000000;
		if (now.tv_nsec >= 1000000000) {
			now.tv_nsec -= 1000000000;
			now.tv_sec++;
		}
	}
	return now;
}

static void inbox_taken(void)
{
	struct sink *sink;
	struct timespec end;
	struct timespec now;
	size_t len = strlen("dir/20261124T210126.042Z-192.0.2.7-");

	CHECK_INT(mkdir("dir", 0700), 0);
	for (int milliseconds = 20; milliseconds < 20000; milliseconds *= 2) {
		if (!open_inbox(&sink, "dir"))
			return;
		end = take_names(milliseconds);
		commit_inbox(sink);
		check_content(inbox_file, "new");
		clock_gettime(CLOCK_REALTIME, &now);
		if (now.tv_sec < end.tv_sec ||
		    (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec))
			break; /* it was quick enough for this to be a test */
	}
	CHECK_STR(inbox_file + len, "3");
}

/* The directory is the one of the beginning: one that is moved away, with a link to another in its place. */
static void inbox_moves(void)
{
	struct sink *sink;

	CHECK_INT(mkdir("dir", 0700), 0);
	CHECK_INT(mkdir("other", 0700), 0);
	if (!open_inbox(&sink, "dir/"))
		return;
	CHECK_INT(rename("dir", "moved"), 0);
	CHECK_INT(symlink("other", "dir"), 0);
	commit_inbox(sink);
	char moved[PATH_MAX];
	CHECK(realpath("moved", moved) != NULL);
	strlcat(moved, "/", sizeof(moved));
	check_in_inbox(moved, "moved");
	check_names("other", "");
}

static void inbox_vanishes(void)
{
	struct sink *sink;

	CHECK_INT(mkdir("dir", 0700), 0);
	if (!open_inbox(&sink, "dir"))
		return;
	remove_temporary("dir");
	CHECK_INT(rmdir("dir"), 0);
	struct err err = {.kind = ERR_NONE};
	CHECK_INT(sink_commit(sink, DEADLINE_NEVER, &err), -1);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_INT(err.errnum, ENOENT);
	CHECK(sink->made == NULL);
	sink_close(sink);
	check_names(".", "");
}

/* Its path would be too long with a name behind it. */
static void inbox_too_deep(void)
{
	struct err err = {.kind = ERR_NONE};
	char path[PATH_MAX];

	memset(path, '/', sizeof(path));
	path[PATH_MAX - INBOX_NAME_MAX] = '\0';
	CHECK(try_inbox(path, &err) == NULL);
	CHECK_INT(err.errnum, ENAMETOOLONG);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	CHECK_INT(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void modes(void)
{
	static const mode_t old[] = {0600, 0640, 0644, 0666, 0755, 0200};

	umask(027);
	put("new", "x");
	CHECK_INT(mode_of("new"), 0640);
	umask(0);
	put("open", "x");
	CHECK_INT(mode_of("open"), 0666);
	umask(077);
	make_file("out", "old");
	for (size_t i = 0; i < ROWS(old); i++) {
		check_row("%o", (unsigned)old[i]);
		CHECK_INT(chmod("out", old[i]), 0);
		put("out", "new");
		CHECK_INT(mode_of("out"), old[i]);
	}
	check_row("never set-user-ID, for the content is another's");
	CHECK_INT(chmod("out", 04755), 0);
	put("out", "new");
	CHECK_INT(mode_of("out"), 0755);
}

static void owner(void)
{
	struct stat st;

	if (geteuid() != 0)
		check_skip();
	make_file("out", "old");
	CHECK_INT(chown("out", CHECK_USER, 12345), 0);
	put("out", "new");
	CHECK_INT(stat("out", &st), 0);
	CHECK_INT(st.st_uid, CHECK_USER);
	CHECK_INT(st.st_gid, 12345);
	check_content("out", "new");
}

static void follows_links(void)
{
	struct stat st;

	CHECK_INT(mkdir("dir", 0700), 0);
	make_file("dir/out", "old");
	CHECK_INT(symlink("dir/out", "link"), 0);
	CHECK_INT(symlink("link", "chain"), 0);
	CHECK_INT(symlink("dir/new", "dangling"), 0);
	put("chain", "by chain");
	put("dangling", "by dangling");
	check_content("dir/out", "by chain");
	check_content("dir/new", "by dangling");
	CHECK_INT(lstat("chain", &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_INT(lstat("dangling", &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	check_names(".", "chain dangling dir link");
	check_names("dir", "new out");
}

static void no_clobber(void)
{
	struct sink *sink;

	make_file("out", "old");
	CHECK_INT(symlink("out", "link"), 0);
	check_refused("out", true, EEXIST);
	check_refused("link", true, EEXIST);
	if (!opens(&sink, "new", true))
		return;
	write_sink(sink, "new");
	commit_sink(sink);
	check_content("new", "new");
	check_content("out", "old");
	check_names(".", "link new out");
}

static void no_clobber_race(void)
{
	struct sink *sink;

	if (!opens(&sink, "out", true))
		return;
	write_sink(sink, "ours");
	make_file("out", "theirs");
	check_commit_fails(sink, EEXIST);
	check_content("out", "theirs");
	check_names(".", "out");

	check_row("a link that leads nowhere is a name that is taken");
	if (!opens(&sink, "link", true))
		return;
	CHECK_INT(symlink("nowhere", "link"), 0);
	check_commit_fails(sink, EEXIST);
	check_names(".", "link out");
}

static void clobber_race(void)
{
	struct sink *sink;

	if (!opens(&sink, "out", false))
		return;
	write_sink(sink, "ours");
	make_file("out", "theirs");
	commit_sink(sink);
	check_content("out", "ours");
	check_names(".", "out");
}

static void two_at_once(void)
{
	struct sink *first, *second;

	if (!opens(&first, "out", false) || !opens(&second, "out", false))
		return;
	write_sink(first, "fir");
	write_sink(second, "second");
	write_sink(first, "st");
	commit_sink(second);
	check_content("out", "second");
	commit_sink(first);
	check_content("out", "first");
	check_names(".", "out");
}

static void directory_moves(void)
{
	struct sink *sink;

	CHECK_INT(mkdir("dir", 0700), 0);
	if (!opens(&sink, "dir/out", false))
		return;
	write_sink(sink, "new");
	CHECK_INT(rename("dir", "moved"), 0);
	CHECK_INT(mkdir("dir", 0700), 0);
	commit_sink(sink);
	check_content("moved/out", "new");
	check_names("dir", "");
	check_names("moved", "out");
}

static void make_socket(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);

	strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	CHECK_INT(bind(sock, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(sock);
}

static void refused(void)
{
	CHECK_INT(mkdir("dir", 0700), 0);
	CHECK_INT(symlink("dir", "to-dir"), 0);
	CHECK_INT(symlink("loop", "loop"), 0);
	CHECK_INT(symlink("missing/out", "lost"), 0);
	make_file("file", "x");
	make_socket("socket");
	check_refused("dir", false, EISDIR);
	check_refused("dir/", false, EISDIR);
	check_refused("to-dir", false, EISDIR);
	check_refused(".", false, EISDIR);
	check_refused("new/", false, ENOENT);
	check_refused("new/.", false, ENOENT);
	check_refused("missing/out", false, ENOENT);
	check_refused("lost", false, ENOENT);
	check_refused("file/out", false, ENOTDIR);
	check_refused("loop", false, ELOOP);
	check_refused("", false, ENOENT);
	check_refused("socket", false, 0);
	check_names(".", "dir file loop lost socket to-dir");
	check_names("dir", "");
}

static void no_permission(void)
{
	check_as_user();
	CHECK_INT(mkdir("dir", 0700), 0);
	make_file("dir/out", "old");
	make_file("read-only", "old");
	CHECK_INT(chmod("read-only", 0400), 0);
	CHECK_INT(chmod("dir", 0500), 0);
	check_refused("dir/new", false, EACCES);
	check_refused("dir/out", false, EACCES);
	check_refused("read-only", false, EACCES);
	CHECK_INT(chmod("dir", 0700), 0);
	check_names("dir", "out");
	check_content("dir/out", "old");
	check_content("read-only", "old");
}

static void sticky(void)
{
	if (geteuid() != 0)
		check_skip();
	CHECK_INT(mkdir("tmp", 0700), 0);
	CHECK_INT(chmod("tmp", 01777), 0);
	make_file("tmp/roots", "old");
	CHECK_INT(chmod("tmp/roots", 0666), 0);
	check_as_user();
	check_refused("tmp/roots", false, EPERM);
	put("tmp/ours", "once");
	put("tmp/ours", "twice");
	check_content("tmp/roots", "old");
	check_content("tmp/ours", "twice");
	check_names("tmp", "ours roots");
}

static void fifo_without_reader(void)
{
	struct err err = {.kind = ERR_NONE};

	CHECK_INT(mkfifo("fifo", 0600), 0);
	int64_t deadline = deadline_after(SHORT);
	CHECK(try_open("fifo", false, deadline, &err) == NULL);
	CHECK(clock_now() >= deadline);
	CHECK(clock_now() < deadline + LONG);
	CHECK_INT(err.kind, ERR_TIMEOUT);
	CHECK_HAS(err.text, "fifo: no reader");
	CHECK(try_open("fifo", false, DEADLINE_NOW, &err) == NULL);
	CHECK_INT(err.kind, ERR_TIMEOUT);
}

static void *read_fifo(void *content)
{
	struct timespec pause = {.tv_nsec = SHORT};
	char *next = content;
	ssize_t n;

	nanosleep(&pause, NULL);
	int fd = open("fifo", O_RDONLY);
	while ((n = read(fd, next, 1)) > 0)
		next += n;
	*next = '\0';
	close(fd);
	return NULL;
}

static void fifo_with_reader(void)
{
	pthread_t thread;
	char content[100];
	struct stat st;

	CHECK_INT(mkfifo("fifo", 0600), 0);
	CHECK_INT(pthread_create(&thread, NULL, read_fifo, content), 0);
	put("fifo", "through it");
	pthread_join(thread, NULL);
	CHECK_STR(content, "through it");
	CHECK_INT(lstat("fifo", &st), 0);
	CHECK(S_ISFIFO(st.st_mode));
	check_names(".", "fifo");
}

static void slow_reader(void)
{
	struct sink *sink;
	struct err err;
	static char chunk[2 << 20]; /* more than any pipe holds */

	CHECK_INT(mkfifo("fifo", 0600), 0);
	int reader = open("fifo", O_RDONLY | O_NONBLOCK);
	if (!opens(&sink, "fifo", false))
		return;
	int64_t deadline = deadline_after(SHORT);
	CHECK_INT(sink_write(sink, chunk, sizeof(chunk), deadline, &err), -1);
	CHECK(clock_now() >= deadline);
	CHECK_INT(err.kind, ERR_TIMEOUT);
	CHECK_STR(err.text, "fifo: write: timed out");
	sink_close(sink);
	signals_install(); /* ignores SIGPIPE */
	if (!opens(&sink, "fifo", false))
		return;
	close(reader);
	CHECK_INT(sink_write(sink, chunk, sizeof(chunk), DEADLINE_NEVER, &err), -1);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_STR(err.text, "fifo: write: Broken pipe");
	sink_close(sink);
}

static void devices(void)
{
	struct sink *sink;
	struct err err;

	put("/dev/null", "away with it");
	if (!opens(&sink, "/dev/full", false))
		return;
	CHECK_INT(sink_write(sink, "x", 1, DEADLINE_NEVER, &err), -1);
	CHECK_STR(err.text, "/dev/full: write: No space left on device");
	sink_close(sink);
	if (!opens(&sink, "/dev/null", true)) /* nothing is replaced */
		return;
	commit_sink(sink);
}

/* Puts fd where stdout is. The program's own output is not this process's. */
static void be_stdout(int fd)
{
	CHECK(dup2(fd, STDOUT_FILENO) != -1);
	close(fd);
}

static void to_stdout(void)
{
	int fds[2];
	char content[100] = "";

	CHECK_INT(pipe(fds), 0);
	be_stdout(fds[1]);
	put("-", "to a pipe");
	CHECK_INT(read(fds[0], content, sizeof(content) - 1), 9);
	CHECK_STR(content, "to a pipe");
	close(fds[0]);
	CHECK(fcntl(STDOUT_FILENO, F_GETFD) != -1); /* it was not ours to close */

	be_stdout(open("out", O_WRONLY | O_CREAT, 0600));
	put("-", "to a file");
	check_content("out", "to a file");
	check_names(".", "out"); /* none is named "-" */
}

static void bad_stdout(void)
{
	struct err err = {.kind = ERR_NONE};

	be_stdout(open("/dev/null", O_RDONLY));
	CHECK(try_open("-", false, DEADLINE_NEVER, &err) == NULL);
	CHECK_STR(err.text, "stdout: Bad file descriptor");
	int kept = dup(STDOUT_FILENO);
	close(STDOUT_FILENO);
	CHECK(try_open("-", false, DEADLINE_NEVER, &err) == NULL);
	CHECK_STR(err.text, "stdout: Bad file descriptor");
	be_stdout(kept);
}

/* What a server asks, and what is said of a success. */
static void check_kind(const struct sink_options *options, const char *name, const char *done,
    bool is_inbox, bool is_held)
{
	struct err err = {.kind = ERR_NONE};
	struct sink *sink = open_sink(options, DEADLINE_NEVER, &err);

	check_row("%s", options->command.argv != NULL ? options->command.argv[0] : options->path);
	if (!CHECK(sink != NULL))
		return;
	CHECK_STR(sink->name, name);
	CHECK_STR(sink->done, done);
	CHECK_INT(sink->is_inbox, is_inbox);
	CHECK_INT(sink->is_held, is_held);
	sink_close(sink);
}

static void kinds(void)
{
	char *argv[] = {"true", NULL};

	CHECK_INT(mkdir("dir", 0700), 0);
	check_kind(&(struct sink_options){.path = "file"}, "file", "stored", false, false);
	check_kind(&(struct sink_options){.path = "file", .sync = SINK_SYNC_ALL}, "file",
	    "stored on disk", false, false);
	check_kind(&(struct sink_options){.path = "dir", .allows_inbox = true}, "dir", "stored",
	    true, false);
	check_kind(&(struct sink_options){.path = "/dev/null"}, "/dev/null", "written", false,
	    true);
	check_kind(&(struct sink_options){.command = {.argv = argv}}, "true", "taken", false,
	    false);
	be_stdout(open("/dev/null", O_WRONLY));
	check_kind(&(struct sink_options){.path = "-", .sync = SINK_SYNC_ALL}, "stdout", "written",
	    false, true);
}

static void only_inbox(void)
{
	struct err err = {.kind = ERR_NONE};
	struct sink_options options = {.path = "dir", .only_inbox = true, .allows_inbox = true};

	CHECK(open_sink(&options, DEADLINE_NEVER, &err) == NULL);
	CHECK_INT(err.errnum, ENOENT);
	make_file("file", "x");
	options.path = "file";
	CHECK(open_sink(&options, DEADLINE_NEVER, &err) == NULL);
	CHECK_INT(err.errnum, ENOTDIR);
}

/* Has a shell take text, from ends. Returns what the commit does, with its error in err. */
static int take(char *script, const char *text, const struct ends *ends, struct err *err)
{
	char *argv[] = {"sh", "-c", script, NULL};
	struct sink *sink =
	    open_sink(&(struct sink_options){.command = {.argv = argv}}, DEADLINE_NEVER, err);

	signals_install(); /* ignores SIGPIPE */
	if (!CHECK(sink != NULL))
		return -1;
	CHECK_INT(access("begun", F_OK), -1);
	CHECK_INT(sink_begin(sink, ends, err), 0);
	int status = sink_write(sink, text, strlen(text), deadline_after(LONG), err);
	if (status == 0)
		status = sink_commit(sink, deadline_after(LONG), err);
	sink_close(sink);
	return status;
}

static void command(void)
{
	const struct ends ends = {.peer = "192.0.2.7:9009", .local = "unix:/run/x"};
	struct err err = {.kind = ERR_NONE};

	CHECK_INT(take("touch begun; printf '%s ' \"$SOCKXFER_PEER\" >out; cat >>out", "text",
		      &ends, &err),
	    0);
	check_content("out", "192.0.2.7:9009 text");
	CHECK_INT(unlink("begun"), 0);
	CHECK_INT(take("cat; exit 3", "", &ends_unknown, &err), -1);
	CHECK_STR(err.text, "sh: exited with status 3");
	CHECK_INT(take("exec <&-", "text", &ends_unknown, &err), -1);
	CHECK_STR(err.text, "sh: closed its input before the end of the data");
}

int main(void)
{
	promise_both("a file appears under its name at the commit, whole", appears_whole);
	promise_both("until the commit the old file is as it was", replaces);
	promise_both("what is not committed leaves nothing", discarded);
	promise_both("a write that fails leaves the old file, and nothing else", disk_full);
	promise_both("a sink in which a write has failed stays failed", stays_failed);
	promise_both("a commit that fails leaves the old file, and nothing else", commit_fails);
	promise_both("a directory that vanishes is a commit that fails", directory_vanishes);
	promise_both("in a directory a new file is made, and its path is known", inbox);
	promise_both("no file there is replaced: the next number is taken", inbox_taken);
	promise_both("the directory is the one of the beginning, whatever has its name",
	    inbox_moves);
	promise_both("a directory that is removed is a commit that fails", inbox_vanishes);
	promise("a directory whose files would have paths too long is refused", inbox_too_deep);
	promise_both("the mode is that of the file replaced, or 0666 less the umask", modes);
	promise_both("the owner is that of the file replaced, as far as we may", owner);
	promise_both("links are followed to the file, and stay links", follows_links);
	promise_both("with no_clobber no file is replaced", no_clobber);
	promise_both("with no_clobber no file is replaced that came meanwhile", no_clobber_race);
	promise_both("without it, a file that came meanwhile is replaced", clobber_race);
	promise_both("of two sinks on one name each commits its own bytes", two_at_once);
	promise_both("the file goes to the directory of the beginning, wherever that is now",
	    directory_moves);
	promise_both("what cannot be a file is refused at the beginning", refused);
	promise_both("what we may not write is refused at the beginning", no_permission);
	promise_both("another's file in a sticky directory is refused at the beginning", sticky);
	promise("a FIFO without a reader is waited for until the deadline", fifo_without_reader);
	promise("a FIFO is written as it is, once it has a reader", fifo_with_reader);
	promise("a slow reader is waited for until the deadline, and one that goes is an error",
	    slow_reader);
	promise("a device is written as it is", devices);
	promise("- is stdout, a pipe or a file", to_stdout);
	promise("a stdout that cannot be written is refused at the beginning", bad_stdout);
	promise("a sink says what it is called, what a success is, and what a server may ask",
	    kinds);
	promise("what has to be a directory is nothing else", only_inbox);
	promise("a command is started when the stream begins, and its end is that of the commit",
	    command);
	return check_end();
}
