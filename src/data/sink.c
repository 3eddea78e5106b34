#include "data/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "data/inbox_name.h"
#include "data/sink_stream.h"
#include "sys/descriptor.h"
#include "sys/io.h"
#include "sys/signals.h"

/* How often a command is looked at that has not read everything: soon, then less often. */
#define FIRST_PAUSE (1 * CLOCK_MILLISECOND)
#define LAST_PAUSE (20 * CLOCK_MILLISECOND)

/* How long a command that has closed its input may take to exit and tell us why. */
#define CLOSE_GRACE (1 * CLOCK_SECOND)

/* So many files of the same millisecond and peer may be there already. */
#define INBOX_TRIES 10000

/* With -S, how much is written before the device is told of it. */
#define SYNC_WINDOW (INT64_C(8) * 1024 * 1024)

static int fail(const struct sink *sink, struct err *err)
{
	return err_sys(err, "%s", sink->path);
}

static int fail_as(const struct sink *sink, int errnum, struct err *err)
{
	return err_set(err, ERR_FAILED, errnum, "%s", sink->path);
}

/* Opens, in its place, the file to be committed later; old is what it will replace, or NULL. */
static int open_in_place(struct sink *sink, const struct stat *old, struct err *err)
{
	sink->kind = SINK_FILE;
	if (sink->options->sync) {
		sink->dir = openat(sink->file.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sink->dir == -1)
			return err_sys(err, "%s: %s directory, which -S has to open", sink->path,
			    sink->in_inbox ? "the" : "its");
	}
	if (atomic_file_open(&sink->file, sink->path, old, err) == -1)
		return -1;
	sink->fd = sink->file.fd;
	return 0;
}

static int open_file(struct sink *sink, const struct stat *old, struct err *err)
{
	if (atomic_file_find(&sink->file, sink->path, err) == -1)
		return -1;
	return open_in_place(sink, old, err);
}

static int open_new(struct sink *sink, struct err *err)
{
	if (open_file(sink, NULL, err) == 0)
		return 0;
	/* It ends as only the name of a directory does, of one that is not there. */
	return err->errnum == EISDIR ? fail_as(sink, ENOENT, err) : -1;
}

/* The file gets its name only at the commit, but its path has to fit into PATH_MAX then. */
static int open_inbox(struct sink *sink, struct err *err)
{
	if (sink->options->inbox_file == NULL)
		return fail_as(sink, EISDIR, err);
	if (strlen(sink->path) + 1 + INBOX_NAME_MAX > PATH_MAX)
		return fail_as(sink, ENAMETOOLONG, err);
	sink->in_inbox = true;
	if (atomic_file_find_directory(&sink->file, sink->path, err) == -1)
		return -1;
	return open_in_place(sink, NULL, err);
}

static int open_stream(struct sink *sink, bool is_fifo, int64_t deadline, struct err *err)
{
	sink->kind = SINK_STREAM;
	sink->waits = true;
	sink->fd = sink_stream_open(sink->path, is_fifo, deadline, err);
	return sink->fd == -1 ? -1 : 0;
}

static int open_path(struct sink *sink, int64_t deadline, struct err *err)
{
	struct stat st;

	if (stat(sink->path, &st) == -1) {
		if (errno != ENOENT || sink->options->only_inbox)
			return fail(sink, err);
		return open_new(sink, err);
	}
	if (sink->options->only_inbox && !S_ISDIR(st.st_mode))
		return fail_as(sink, ENOTDIR, err);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		if (sink->options->no_clobber)
			return fail_as(sink, EEXIST, err);
		return open_file(sink, &st, err);
	case S_IFDIR:
		return open_inbox(sink, err);
	case S_IFSOCK:
		return sink_stream_refuse_socket(sink->path, err);
	default:
		return open_stream(sink, S_ISFIFO(st.st_mode), deadline, err);
	}
}

static int take_descriptor(struct sink *sink, int fd, struct err *err)
{
	sink->kind = SINK_STREAM;
	if (strcmp(sink->path, "-") == 0)
		sink->path = "stdout";
	sink->fd = sink_stream_take(fd, sink->path, &sink->waits, err);
	return sink->fd == -1 ? -1 : 0;
}

static int check_command(struct sink *sink, char *const *argv, struct err *err)
{
	sink->kind = SINK_COMMAND;
	sink->path = argv[0];
	sink->waits = true;
	return command_check(argv, err);
}

int sink_open(struct sink *sink, const char *path, const struct sink_options *options,
    int64_t deadline, struct err *err)
{
	*sink = (struct sink){
	    .fd = -1,
	    .path = path,
	    .ends = {.peer = "", .local = ""},
	    .options = options,
	    .file = {.fd = -1, .dir = -1},
	    .dir = -1,
	};
	if (options->argv != NULL)
		return check_command(sink, options->argv, err);
	int fd = strcmp(path, "-") == 0 ? STDOUT_FILENO : descriptor_from_path(path);
	int status = fd != -1 ? take_descriptor(sink, fd, err) : open_path(sink, deadline, err);
	if (status == -1)
		sink_close(sink);
	sink->lines =
	    (struct sink_lines){.fd = sink->fd, .waits = sink->waits, .lock = options->lock};
	return status;
}

static bool is_by_lines(const struct sink *sink)
{
	return sink->kind == SINK_STREAM && sink->options->lock != NULL;
}

void sink_set_ends(struct sink *sink, const struct ends *ends)
{
	sink->ends = *ends;
}

static int start_command(struct sink *sink, struct err *err)
{
	if (sink->kind != SINK_COMMAND || sink->fd != -1)
		return 0;
	char **variables = ends_variables(&sink->ends, err);
	if (variables == NULL)
		return -1;
	int status = command_start(&sink->command, sink->options->argv, variables, STDIN_FILENO,
	    &sink->fd, err);
	free(variables);
	return status;
}

/* Why a command has closed its input: it may have failed, and else it did not want all of it. */
static int closed_early(struct sink *sink, struct err *err)
{
	if (command_wait(&sink->command, deadline_after(CLOSE_GRACE), err) == -1 &&
	    err->kind != ERR_TIMEOUT)
		return -1;
	return err_set(err, ERR_FAILED, 0, "%s: closed its input before the end of the data",
	    sink->path);
}

static int write_failed(struct sink *sink, struct err *err)
{
	if (sink->kind == SINK_COMMAND && err->errnum == EPIPE)
		return closed_early(sink, err);
	return err_prefix(err, "%s: write", sink->path);
}

int sink_write(struct sink *sink, const void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	int result;

	if (start_command(sink, err) == -1)
		return -1;
	if (is_by_lines(sink))
		result = sink_lines_write(&sink->lines, buffer, size, deadline, err);
	else if (sink->waits)
		result = io_write_stream(sink->fd, buffer, size, deadline, err);
	else
		result = io_write_file(sink->fd, buffer, size, err);
	if (result == -1)
		return write_failed(sink, err);
	sink->written += (int64_t)size;
	for (; sink->options->sync && sink->kind == SINK_FILE &&
	       sink->written - sink->synced >= SYNC_WINDOW;
	     sink->synced += SYNC_WINDOW)
		io_write_back(sink->fd, sink->synced, SYNC_WINDOW);
	return 0;
}

/* Some file systems tell of a lost write only at close(2): a duplicate's close says it in time. */
static int check_written(const struct sink *sink)
{
	int copy = fcntl(sink->fd, F_DUPFD_CLOEXEC, 0);

	return copy == -1 ? -1 : close(copy);
}

static int publish(struct sink *sink)
{
	return atomic_file_publish(&sink->file, sink->options->no_clobber || sink->in_inbox);
}

/* Whether the directory is still, or again, the one of its path. */
static bool is_at_path(const struct sink *sink)
{
	struct stat path;
	struct stat dir;

	return stat(sink->path, &path) == 0 && fstat(sink->file.dir, &dir) == 0 &&
	       path.st_dev == dir.st_dev && path.st_ino == dir.st_ino;
}

/* Writes down where the new file is: in a directory that was moved, by the path that it has now. */
static void tell_inbox_file(struct sink *sink)
{
	const char *dir = sink->path;
	char moved[PATH_MAX];
	char link[DESCRIPTOR_PATH_MAX];

	if (!is_at_path(sink)) {
		descriptor_proc_path(sink->file.dir, link);
		ssize_t len = readlink(link, moved, sizeof(moved) - 1);
		moved[len < 0 ? 0 : len] = '\0';
		dir = len > 0 ? moved : dir;
	}
	snprintf(sink->options->inbox_file, PATH_MAX, "%s%s%s", dir,
	    dir[strlen(dir) - 1] == '/' ? "" : "/", sink->file.name);
	sink->path = sink->options->inbox_file;
}

/* Names the file by the time it is now, and by the first number with which no file has that name. */
static int publish_in_inbox(struct sink *sink)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (unsigned number = 1; number <= INBOX_TRIES; number++) {
		inbox_name(sink->file.name, &now, sink->ends.peer, number);
		if (publish(sink) == 0) {
			tell_inbox_file(sink);
			return 0;
		}
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

/* fsync(2), where there is something to sync: a pipe or a terminal says EINVAL. */
static int sync_descriptor(int fd)
{
	return fsync(fd) == -1 && errno != EINVAL && errno != EROFS ? -1 : 0;
}

/*
 * What a command leaves unread in its pipe is lost without an error, so the end is told to it only once
 * it has read everything. Nothing but its going wakes us: hence the pauses.
 */
static int wait_until_read(struct sink *sink, int64_t deadline, struct err *err)
{
	int64_t pause = FIRST_PAUSE;
	int unread;

	for (;;) {
		if (ioctl(sink->fd, FIONREAD, &unread) == -1)
			return fail(sink, err);
		if (unread == 0)
			return 0;
		if (io_hung_up(sink->fd))
			return closed_early(sink, err);
		if (clock_now() >= deadline)
			return err_set(err, ERR_TIMEOUT, 0, "%s: timed out", sink->path);
		if (io_sleep(deadline_min(deadline, deadline_after(pause)), err) == -1)
			return -1;
		pause = deadline_min(2 * pause, LAST_PAUSE);
	}
}

static int commit_command(struct sink *sink, int64_t deadline, struct err *err)
{
	if (start_command(sink, err) == -1 || wait_until_read(sink, deadline, err) == -1)
		return -1;
	close(sink->fd);
	sink->fd = -1;
	return command_wait(&sink->command, deadline, err);
}

static int commit_file(struct sink *sink, struct err *err)
{
	/* A signal that came during a long fsync is in time still; behind this line it is too late. */
	if (signals_check(err) == -1)
		return -1;
	if ((sink->in_inbox ? publish_in_inbox(sink) : publish(sink)) == -1)
		return fail(sink, err);
	if (sink->dir != -1 && sync_descriptor(sink->dir) == -1)
		return err_sys(err, "%s: fsync of its directory", sink->path);
	return 0;
}

int sink_commit(struct sink *sink, int64_t deadline, struct err *err)
{
	if (sink->kind == SINK_COMMAND)
		return commit_command(sink, deadline, err);
	if (is_by_lines(sink) && sink_lines_end(&sink->lines, deadline, err) == -1)
		return write_failed(sink, err);
	if (sink->options->sync && sync_descriptor(sink->fd) == -1)
		return err_sys(err, "%s: fsync", sink->path);
	if (check_written(sink) == -1)
		return err_sys(err, "%s: close", sink->path);
	return sink->kind == SINK_FILE ? commit_file(sink, err) : 0;
}

void sink_close(struct sink *sink)
{
	sink_lines_close(&sink->lines);
	command_stop(&sink->command); /* before its input ends, which it could take for the end */
	if (sink->fd != -1 && sink->fd != STDOUT_FILENO && sink->kind != SINK_FILE)
		close(sink->fd);
	sink->fd = -1;
	if (sink->dir != -1)
		close(sink->dir);
	sink->dir = -1;
	atomic_file_close(&sink->file);
}
