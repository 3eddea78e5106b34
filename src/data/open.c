#include "data/open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path_name.h"
#include "data/sink_command.h"
#include "data/sink_file.h"
#include "data/sink_lines.h"
#include "data/sink_stream.h"
#include "data/sink_tree.h"
#include "data/source_command.h"
#include "data/source_file.h"
#include "data/source_pipe.h"
#include "data/source_tree.h"
#include "sys/descriptor.h"
#include "sys/io.h"
#include "sys/place.h"

/*
 * Finds the end of a block device, of which fstat(2) tells no size. *size becomes 0 if there is
 * none to be found.
 */
static int find_end(int fd, int64_t *size, struct err *err)
{
	off_t offset = lseek(fd, 0, SEEK_CUR);
	off_t end = offset == -1 ? -1 : lseek(fd, 0, SEEK_END);

	*size = end == -1 ? 0 : end;
	if (end != -1 && lseek(fd, offset, SEEK_SET) == -1)
		return err_sys(err, "lseek");
	return 0;
}

/*
 * Makes the kind of source that fd is. A file without a size is read to its end, as a pipe is: the
 * files in /proc have none.
 */
static struct source *source_of(int fd, const char *name, struct err *err)
{
	struct stat st;
	int64_t size = 0;

	if (fstat(fd, &st) == -1) {
		err_sys(err, "%s", name);
		return NULL;
	}
	if (S_ISBLK(st.st_mode) && find_end(fd, &size, err) == -1) {
		err_prefix(err, "%s", name);
		return NULL;
	}
	if (S_ISREG(st.st_mode))
		size = st.st_size;
	if (S_ISDIR(st.st_mode)) {
		err_set(err, ERR_FAILED, EISDIR, "%s", name);
		err_advise(err, "give its name, and not only a descriptor");
		return NULL;
	}
	if (size > 0)
		return source_file_open(fd, size, name, err);
	if (S_ISFIFO(st.st_mode))
		io_widen_pipe(fd);
	bool is_read_once = fd == STDIN_FILENO || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
	return source_pipe_open(fd, name, !is_read_once, NULL, err);
}

/* Fills err: only a regular file can be gone on with. Returns -1. */
static int refuse_to_resume(const char *path, struct err *err)
{
	return err_set(err, ERR_USAGE, 0, "%s: only a regular file can be resumed (-R)", path);
}

struct source *open_source(const struct source_options *options, struct err *err)
{
	struct stat st;

	if (options->command.argv != NULL)
		return source_command_open(&options->command, err);
	if (options->files.paths == NULL)
		return source_of(STDIN_FILENO, "stdin", err);
	if (options->files.names)
		return source_tree_open(&options->files, -1, options->path, err);
	/* O_NONBLOCK: a FIFO opens without a writer, and source_read() waits for one. */
	int fd = place_open_path(options->path, O_RDONLY | O_NOCTTY | O_NONBLOCK, err);
	if (fd == -1)
		return NULL;
	bool is_known = fstat(fd, &st) == 0;
	if (options->resumes && !(is_known && S_ISREG(st.st_mode))) {
		refuse_to_resume(options->path, err);
		close(fd);
		return NULL;
	}
	bool is_tree = is_known && S_ISDIR(st.st_mode);
	struct source *source = is_tree ? source_tree_open(&options->files, fd, options->path, err)
	                                : source_of(fd, options->path, err);
	if (source == NULL)
		close(fd);
	else
		source->is_regular = is_known && S_ISREG(st.st_mode);
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

/* Returns sink, which may be NULL, or if it resumes with its part. */
static struct sink *with_part(struct sink *sink, const struct sink_options *options,
    struct err *err)
{
	if (sink == NULL || !options->resumes || sink_file_take_part(sink, err) == 0)
		return sink;
	sink_close(sink);
	return NULL;
}

/* Makes a sink where nothing is yet. */
static struct sink *open_new(const struct sink_options *options, struct place *place,
    struct err *err)
{
	if (options->only_inbox)
		return refuse_sink(options->path, ENOENT, err);
	/* A dangling link exists, too; -n must not make its target. */
	if (options->no_clobber && place->is_link)
		return refuse_sink(options->path, EEXIST, err);
	struct sink *sink = sink_file_open(options->path, place, options->no_clobber, options->sync,
	    options->is_tried, err);
	return with_part(sink, options, err);
}

/* Makes a sink of what is there already. */
static struct sink *open_object(const struct sink_options *options, struct place *place,
    int64_t deadline, struct err *err)
{
	const char *path = options->path;

	if (options->resumes && !S_ISREG(place->st.st_mode)) {
		refuse_to_resume(path, err);
		return NULL;
	}
	if (options->only_inbox && !S_ISDIR(place->st.st_mode))
		return refuse_sink(path, ENOTDIR, err);
	if (place_check(place, &place->st, err) == -1) {
		err_prefix(err, "%s", path);
		return NULL;
	}
	switch (place->st.st_mode & S_IFMT) {
	case S_IFREG:
		if (options->no_clobber)
			return refuse_sink(path, EEXIST, err);
		return with_part(sink_file_open(path, place, false, options->sync,
				     options->is_tried, err),
		    options, err);
	case S_IFDIR:
		if (!options->allows_inbox)
			return refuse_sink(path, EISDIR, err);
		return sink_file_open_new(path, place, options->sync, options->is_tried, err);
	default:
		return by_lines(sink_stream_open(path, place, options->sync == SINK_SYNC_ALL,
				    deadline, err),
		    options->lock, err);
	}
}

/* Makes a sink that unpacks, where a directory is, or nothing is yet. */
static struct sink *open_tree(const struct sink_options *options, struct place *place,
    struct err *err)
{
	const char *path = options->path;

	if (place->object == -1 && options->only_inbox) {
		refuse_sink(path, ENOENT, err);
		err_advise(err, "with -k the directory has to be there");
		return NULL;
	}
	if (place->object == -1 && place->is_link)
		return refuse_sink(path, EEXIST, err);
	if (place->object != -1 && !S_ISDIR(place->st.st_mode))
		return refuse_sink(path, ENOTDIR, err);
	if (place->object != -1 && place_check(place, &place->st, err) == -1) {
		err_prefix(err, "%s", path);
		return NULL;
	}
	return sink_tree_open(path, place, &options->limits, options->sync, options->is_tried, err);
}

static struct sink *open_found(const struct sink_options *options, struct place *place,
    int64_t deadline, struct err *err)
{
	if (options->extracts)
		return open_tree(options, place, err);
	return place->object == -1 ? open_new(options, place, err)
	                           : open_object(options, place, deadline, err);
}

/*
 * Finds where the path leads. A directory that is going to be made may have a slash behind its
 * name, as for mkdir(1).
 */
static int find_place(struct place *place, const struct sink_options *options, struct err *err)
{
	char path[PATH_MAX];
	size_t len = path_name_end(options->path);

	if (!options->extracts || len >= sizeof(path))
		return place_find(place, options->path, err);
	memcpy(path, options->path, len);
	path[len] = '\0';
	return place_find(place, path, err);
}

static struct sink *open_path(const struct sink_options *options, int64_t deadline, struct err *err)
{
	struct place place;

	if (find_place(&place, options, err) == -1) {
		if (err->errnum == ENOENT && options->no_clobber && place.is_link)
			return refuse_sink(options->path, EEXIST, err);
		err_prefix(err, "%s", options->path);
		return NULL;
	}
	struct sink *sink = open_found(options, &place, deadline, err);
	place_close(&place);
	return sink;
}

struct sink *open_sink(const struct sink_options *options, int64_t deadline, struct err *err)
{
	if (options->command.argv != NULL)
		return sink_command_open(&options->command, err);
	bool is_stdout = strcmp(options->path, "-") == 0;
	int fd = is_stdout ? STDOUT_FILENO : descriptor_from_path(options->path);
	if (fd == -1 || options->extracts)
		return open_path(options, deadline, err);
	const char *name = is_stdout ? "stdout" : options->path;
	if (options->resumes) {
		refuse_to_resume(name, err);
		return NULL;
	}
	return by_lines(sink_stream_take(fd, name, options->sync == SINK_SYNC_ALL, err),
	    options->lock, err);
}
