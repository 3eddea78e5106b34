#include "data/open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/sink_command.h"
#include "data/sink_file.h"
#include "data/sink_lines.h"
#include "data/sink_stream.h"
#include "data/source_command.h"
#include "data/source_file.h"
#include "data/source_pipe.h"
#include "sys/descriptor.h"
#include "sys/io.h"

/*
 * Makes the kind of source that fd is. A file without a size is read to its end, as a pipe is: the
 * files in /proc have none.
 */
static struct source *source_of(int fd, const char *name, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) == -1) {
		err_sys(err, "%s", name);
		return NULL;
	}
	if (S_ISDIR(st.st_mode)) {
		err_set(err, ERR_FAILED, EISDIR, "%s", name);
		err_advise(err, "for a directory there is -- tar cf - DIRECTORY");
		return NULL;
	}
	if (S_ISREG(st.st_mode) && st.st_size > 0)
		return source_file_open(fd, st.st_size, name, err);
	if (S_ISFIFO(st.st_mode))
		io_widen_pipe(fd);
	bool is_read_once = fd == STDIN_FILENO || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
	return source_pipe_open(fd, name, !is_read_once, NULL, err);
}

struct source *open_source(const char *path, char *const argv[], struct err *err)
{
	if (argv != NULL)
		return source_command_open(argv, err);
	if (strcmp(path, "-") == 0)
		return source_of(STDIN_FILENO, "stdin", err);
	/* O_NONBLOCK: a FIFO opens without a writer, and source_read() waits for one. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1) {
		err_sys(err, "%s", path);
		return NULL;
	}
	struct source *source = source_of(fd, path, err);
	if (source == NULL)
		close(fd);
	return source;
}

struct source *open_pipe(int fd, const char *name, const atomic_bool *whole, struct err *err)
{
	return source_pipe_open(fd, name, false, whole, err);
}

/* Fills err: there can be no sink at path, because of errnum. Returns NULL. */
static struct sink *refuse_sink(const char *path, int errnum, struct err *err)
{
	err_set(err, ERR_FAILED, errnum, "%s", path);
	return NULL;
}

/*
 * Returns stream, which may be NULL, as it is or, if there is a lock, as a sink of lines over it.
 */
static struct sink *by_lines(struct sink *stream, struct shared_lock *lock, struct err *err)
{
	if (stream == NULL || lock == NULL)
		return stream;
	struct sink *lines = sink_lines_open(stream, lock, err);
	if (lines == NULL)
		sink_close(stream);
	return lines;
}

static struct sink *open_path(const struct sink_options *options, int64_t deadline, struct err *err)
{
	const char *path = options->path;
	enum sink_sync sync = options->sync;
	struct stat st;

	if (stat(path, &st) == -1) {
		if (errno != ENOENT || options->only_inbox)
			return refuse_sink(path, errno, err);
		/* A dangling link exists, too; -n must not make its target. */
		if (options->no_clobber && lstat(path, &st) == 0)
			return refuse_sink(path, EEXIST, err);
		return sink_file_open(path, NULL, options->no_clobber, sync, err);
	}
	if (options->only_inbox && !S_ISDIR(st.st_mode))
		return refuse_sink(path, ENOTDIR, err);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		if (options->no_clobber)
			return refuse_sink(path, EEXIST, err);
		return sink_file_open(path, &st, false, sync, err);
	case S_IFDIR:
		if (!options->allows_inbox)
			return refuse_sink(path, EISDIR, err);
		return sink_file_open_new(path, sync, err);
	default:
		return by_lines(sink_stream_open(path, &st, sync == SINK_SYNC_ALL, deadline, err),
		    options->lock, err);
	}
}

struct sink *open_sink(const struct sink_options *options, int64_t deadline, struct err *err)
{
	if (options->argv != NULL)
		return sink_command_open(options->argv, err);
	bool is_stdout = strcmp(options->path, "-") == 0;
	int fd = is_stdout ? STDOUT_FILENO : descriptor_from_path(options->path);
	if (fd == -1)
		return open_path(options, deadline, err);
	const char *name = is_stdout ? "stdout" : options->path;
	return by_lines(sink_stream_take(fd, name, options->sync == SINK_SYNC_ALL, err),
	    options->lock, err);
}
