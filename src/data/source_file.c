#include "data/source_file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/io.h"

struct source_file {
	struct source source;
	int fd;
};

/*
 * Fills err for a file that has ended before its size: it has become shorter, or it never had that
 * size, as the files in /sys. Returns -1.
 */
static int shrank(const struct source_file *file, struct err *err)
{
	const struct source *source = &file->source;
	off_t offset = lseek(file->fd, 0, SEEK_CUR);
	struct stat st;

	if (offset != -1 && fstat(file->fd, &st) == 0 && st.st_size > offset)
		return err_set(err, ERR_FAILED, 0,
		    "%s: it ends after %lld of the %lld bytes that it says it has; to send it as "
		    "it is, pipe it in",
		    source->name, (long long)source->taken, (long long)source->size);
	return err_set(err, ERR_FAILED, 0,
	    "%s: the file has become shorter: %lld of %lld bytes could be read", source->name,
	    (long long)source->taken, (long long)source->size);
}

static ssize_t source_file_read(struct source *source, void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	struct source_file *file = (struct source_file *)source;
	int64_t left = source->size - source->taken;

	(void)deadline;
	if (left == 0)
		return 0;
	if (left < (int64_t)size)
		size = (size_t)left;
	ssize_t n = io_read_file(file->fd, buffer, size, err);
	if (n == -1)
		return err_prefix(err, "%s: read", source->name);
	return n == 0 ? shrank(file, err) : n;
}

static void source_file_close(struct source *source)
{
	struct source_file *file = (struct source_file *)source;

	if (file->fd != STDIN_FILENO)
		close(file->fd);
	free(file);
}

static const struct source_type source_file = {
    .read = source_file_read,
    .close = source_file_close,
};

struct source *source_file_open(int fd, int64_t size, const char *name, struct err *err)
{
	off_t offset = lseek(fd, 0, SEEK_CUR);

	if (offset == -1) {
		err_sys(err, "%s: lseek", name);
		return NULL;
	}
	struct source_file *file = calloc(1, sizeof(*file));
	if (file == NULL) {
		err_sys(err, "%s", name);
		return NULL;
	}
	file->source = (struct source){
	    .type = &source_file,
	    .name = name,
	    .size = offset < size ? size - offset : 0,
	    .reopens = fd != STDIN_FILENO,
	};
	file->fd = fd;
	return &file->source;
}
