#include "data/source_pipe.h"

#include <stdlib.h>
#include <unistd.h>

#include "sys/io.h"

struct source_pipe {
	struct source source;
	int fd;
	const atomic_bool *whole; /* see source_pipe_open() */
};

static ssize_t source_pipe_read(struct source *source, void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	const struct source_pipe *pipe = (const struct source_pipe *)source;
	ssize_t n = io_read(pipe->fd, buffer, size, deadline, err);

	if (n == -1)
		return err_prefix(err, "%s: read", source->name);
	if (n == 0 && pipe->whole != NULL && !atomic_load(pipe->whole))
		return err_set(err, ERR_FAILED, 0, "%s: it ends before it is whole", source->name);
	return n;
}

static bool source_pipe_is_ready(struct source *source, struct pollfd *from)
{
	const struct source_pipe *pipe = (const struct source_pipe *)source;

	if (from->fd == -1)
		*from = (struct pollfd){.fd = pipe->fd, .events = POLLIN};
	return from->revents != 0;
}

static void source_pipe_close(struct source *source)
{
	struct source_pipe *pipe = (struct source_pipe *)source;

	if (pipe->fd != STDIN_FILENO)
		close(pipe->fd);
	free(pipe);
}

static const struct source_type source_pipe = {
    .read = source_pipe_read,
    .is_ready = source_pipe_is_ready,
    .close = source_pipe_close,
};

struct source *source_pipe_open(int fd, const char *name, bool reopens, const atomic_bool *whole,
    struct err *err)
{
	struct source_pipe *pipe = calloc(1, sizeof(*pipe));

	if (pipe == NULL) {
		err_sys(err, "%s", name);
		return NULL;
	}
	pipe->source = (struct source){
	    .type = &source_pipe,
	    .name = name,
	    .size = SOURCE_SIZE_UNKNOWN,
	    .reopens = reopens,
	};
	pipe->fd = fd;
	pipe->whole = whole;
	return &pipe->source;
}
