#include "data/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/io.h"

static int is_directory(const struct source *source, struct err *err)
{
	err_set(err, ERR_FAILED, EISDIR, "%s", source->name);
	return err_advise(err, "for a directory there is -- tar cf - DIRECTORY");
}

/* Looks at what fd is. Files of size 0 are read to their end: those in /proc have no size. */
static int measure(struct source *source, struct err *err)
{
	struct stat st;

	if (fstat(source->fd, &st) == -1)
		return err_sys(err, "%s", source->name);
	if (S_ISDIR(st.st_mode))
		return is_directory(source, err);
	if (S_ISFIFO(st.st_mode))
		io_widen_pipe(source->fd);
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return 0;
	off_t offset = lseek(source->fd, 0, SEEK_CUR);
	if (offset == -1)
		return err_sys(err, "%s: lseek", source->name);
	source->sized = true;
	source->size = offset < st.st_size ? st.st_size - offset : 0;
	return 0;
}

static int open_command(struct source *source, char *const *argv, struct err *err)
{
	source->fd = -1;
	source->name = argv[0];
	source->command.argv = argv;
	return command_check(argv, err);
}

int source_open(struct source *source, const char *path, char *const *argv, struct err *err)
{
	*source = (struct source){
	    .fd = STDIN_FILENO,
	    .name = path,
	    .ends = {.peer = "", .local = ""},
	};
	if (argv != NULL)
		return open_command(source, argv, err);
	if (strcmp(path, "-") == 0) {
		source->name = "stdin";
	} else {
		/* O_NONBLOCK: a FIFO opens without a writer, and the wait for one is source_read()'s. */
		source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (source->fd == -1)
			return err_sys(err, "%s", path);
	}
	if (measure(source, err) == -1) {
		source_close(source);
		return -1;
	}
	return 0;
}

void source_adopt(struct source *source, int fd, const char *name, const atomic_bool *whole)
{
	*source = (struct source){.fd = fd, .name = name, .whole = whole};
}

void source_set_ends(struct source *source, const struct ends *ends)
{
	source->ends = *ends;
}

int source_start(struct source *source, struct err *err)
{
	char *const *argv = source->command.argv;

	if (argv == NULL)
		return 0;
	char **variables = ends_variables(&source->ends, err);
	if (variables == NULL)
		return -1;
	int status =
	    command_start(&source->command, argv, variables, STDOUT_FILENO, &source->fd, err);
	free(variables);
	return status;
}

/* The file has ended before its size: it has become shorter, or it never had that size, as those in /sys. */
static int shrank(const struct source *source, struct err *err)
{
	off_t offset = lseek(source->fd, 0, SEEK_CUR);
	struct stat st;

	if (offset != -1 && fstat(source->fd, &st) == 0 && st.st_size > offset)
		return err_set(err, ERR_FAILED, 0,
		    "%s: it ends after %lld of the %lld bytes that it says it has; to send it as it "
		    "is, pipe it in",
		    source->name, (long long)source->taken, (long long)source->size);
	return err_set(err, ERR_FAILED, 0,
	    "%s: the file has become shorter: %lld of %lld bytes could be read", source->name,
	    (long long)source->taken, (long long)source->size);
}

ssize_t source_read(struct source *source, void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	if (source->sized && (int64_t)size > source->size - source->taken)
		size = (size_t)(source->size - source->taken);
	if (size == 0)
		return 0;
	ssize_t n = source->sized ? io_read_file(source->fd, buffer, size, err)
	                          : io_read(source->fd, buffer, size, deadline, err);
	if (n == -1)
		return err_prefix(err, "%s: read", source->name);
	source->taken += n;
	if (n == 0 && source->sized)
		return shrank(source, err);
	if (n == 0 && source->command.pid != 0)
		return command_wait(&source->command, deadline, err);
	if (n == 0 && source->whole != NULL && !atomic_load(source->whole))
		return err_set(err, ERR_FAILED, 0, "%s: it ends before it is whole", source->name);
	return n;
}

bool source_is_ready(const struct source *source, struct pollfd *from)
{
	if (from->fd == source->fd && source->command.pid != 0 &&
	    (from->revents & (POLLIN | POLLHUP)) == POLLHUP)
		*from = (struct pollfd){.fd = source->command.pidfd, .events = POLLIN};
	return from->revents != 0;
}

void source_close(struct source *source)
{
	if (source->fd != -1 && source->fd != STDIN_FILENO)
		close(source->fd);
	source->fd = -1;
	command_stop(&source->command);
}
