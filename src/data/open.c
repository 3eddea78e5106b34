#include "data/open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/source_command.h"
#include "data/source_file.h"
#include "data/source_pipe.h"
#include "sys/io.h"

/*
 * Makes a source of what fd is. Without a size a file is read to its end, for those in /proc have
 * none.
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
	/* O_NONBLOCK: a FIFO opens without a writer, and the wait for one is source_read()'s. */
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
