/* Inputs: a file as it was at the start, or a stream as it comes. */
#include "data/source.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "check.h"

#define SHORT (20 * CLOCK_MILLISECOND)
#define LONG (30 * CLOCK_SECOND)

static void add_to_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	CHECK_INT(write(fd, text, strlen(text)), (intmax_t)strlen(text));
	close(fd);
}

static bool open_source(struct source *source, const char *path)
{
	struct err err = {.kind = ERR_NONE};

	if (CHECK_INT(source_open(source, path, NULL, &err), 0))
		return true;
	CHECK_STR(err.text, "");
	return false;
}

/* Reads the next bytes, at the most size, and holds them against those wanted. */
static void check_read(struct source *source, size_t size, const char *wanted)
{
	char buffer[100] = "";
	struct err err = {.kind = ERR_NONE};

	ssize_t n = source_read(source, buffer, size, deadline_after(LONG), &err);
	CHECK_INT(n, (intmax_t)strlen(wanted));
	CHECK_STR(buffer, wanted);
	CHECK_INT(err.kind, ERR_NONE);
}

static void pieces(void)
{
	struct source source;

	add_to_file("file", "0123456789");
	if (!open_source(&source, "file"))
		return;
	CHECK(source.sized);
	CHECK_INT(source.size, 10);
	check_read(&source, 4, "0123");
	check_read(&source, 4, "4567");
	check_read(&source, 4, "89");
	CHECK_INT(source.taken, 10);
	check_read(&source, 4, "");
	check_read(&source, 4, "");
	source_close(&source);
	source_close(&source); /* and once more, which is nothing */
}

static void grows(void)
{
	struct source source;

	add_to_file("file", "at the start");
	if (!open_source(&source, "file"))
		return;
	add_to_file("file", " and later");
	check_read(&source, 6, "at the");
	add_to_file("file", " and later still");
	check_read(&source, 90, " start");
	check_read(&source, 90, "");
	source_close(&source);
}

static void check_shrunk(struct source *source, const char *why)
{
	char buffer[100];
	struct err err = {.kind = ERR_NONE};

	for (int i = 0; i < 2; i++) { /* and it stays an error */
		CHECK_INT(source_read(source, buffer, sizeof(buffer), DEADLINE_NEVER, &err), -1);
		CHECK_INT(err.kind, ERR_FAILED);
		CHECK_STR(err.text, why);
	}
}

static void shrinks(void)
{
	struct source source;

	add_to_file("file", "0123456789");
	if (!open_source(&source, "file"))
		return;
	check_read(&source, 4, "0123");
	CHECK_INT(truncate("file", 6), 0);
	check_read(&source, 90, "45");
	check_shrunk(&source, "file: the file has become shorter: 6 of 10 bytes could be read");
	source_close(&source);

	check_row("to nothing");
	if (!open_source(&source, "file"))
		return;
	CHECK_INT(truncate("file", 0), 0);
	check_shrunk(&source, "file: the file has become shorter: 0 of 6 bytes could be read");
	source_close(&source);
}

static void replaced(void)
{
	struct source source;

	add_to_file("file", "old");
	if (!open_source(&source, "file"))
		return;
	add_to_file("new", "another one");
	CHECK_INT(rename("new", "file"), 0);
	check_read(&source, 90, "old");
	check_read(&source, 90, "");
	source_close(&source);
}

static void empty(void)
{
	struct source source;

	add_to_file("file", "");
	if (!open_source(&source, "file"))
		return;
	check_read(&source, 90, "");
	source_close(&source);
	if (!open_source(&source, "/dev/null"))
		return;
	check_read(&source, 90, "");
	source_close(&source);
}

static void proc(void)
{
	struct source source;
	char buffer[3];
	struct err err;
	ssize_t n;

	if (access("/proc/self/status", R_OK) == -1)
		check_skip();
	if (!open_source(&source, "/proc/self/status"))
		return;
	while ((n = source_read(&source, buffer, sizeof(buffer), DEADLINE_NEVER, &err)) > 0)
		;
	CHECK_INT(n, 0);
	CHECK(source.taken > 100);
	source_close(&source);
}

static void check_refused(const char *path, int errnum)
{
	struct source source;
	struct err err = {.kind = ERR_NONE};

	check_row("%s", path);
	CHECK_INT(source_open(&source, path, NULL, &err), -1);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_INT(err.errnum, errnum);
	CHECK(strncmp(err.text, path, strlen(path)) == 0);
}

static void refused(void)
{
	add_to_file("file", "x");
	CHECK_INT(symlink("loop", "loop"), 0);
	check_refused("missing", ENOENT);
	check_refused("missing/file", ENOENT);
	check_refused("file/file", ENOTDIR);
	check_refused("loop", ELOOP);
	check_refused("", ENOENT);
	check_refused(".", EISDIR);
	CHECK_INT(chmod("file", 0), 0);
	check_as_user();
	check_refused("file", EACCES);
}

static void *write_later(void *unused)
{
	struct timespec pause = {.tv_nsec = SHORT};

	nanosleep(&pause, NULL);
	int fd = open("fifo", O_WRONLY);
	CHECK_INT(write(fd, "late", 4), 4);
	close(fd);
	return unused;
}

static void fifo(void)
{
	struct source source;
	struct err err;
	char byte;
	pthread_t thread;

	CHECK_INT(mkfifo("fifo", 0600), 0);
	if (!open_source(&source, "fifo"))
		return;
	CHECK(!source.sized);
	int64_t deadline = deadline_after(SHORT);
	CHECK_INT(source_read(&source, &byte, 1, deadline, &err), -1);
	CHECK(clock_now() >= deadline);
	CHECK_INT(err.kind, ERR_TIMEOUT);
	CHECK_STR(err.text, "fifo: read: timed out");
	CHECK_INT(pthread_create(&thread, NULL, write_later, NULL), 0);
	check_read(&source, 90, "late");
	check_read(&source, 90, "");
	pthread_join(thread, NULL);
	source_close(&source);
}

/* Puts fd where stdin is. */
static void be_stdin(int fd)
{
	CHECK(dup2(fd, STDIN_FILENO) != -1);
	close(fd);
}

static void stdin_file(void)
{
	struct source source;

	add_to_file("file", "read already, still to be read");
	be_stdin(open("file", O_RDONLY));
	CHECK_INT(lseek(STDIN_FILENO, 14, SEEK_SET), 14);
	if (!open_source(&source, "-"))
		return;
	CHECK_STR(source.name, "stdin");
	CHECK_INT(source.size, 16);
	check_read(&source, 90, "still to be read");
	check_read(&source, 90, "");
	source_close(&source);
	CHECK(fcntl(STDIN_FILENO, F_GETFD) != -1); /* it was not ours to close */
	check_row("beyond the end");
	CHECK_INT(lseek(STDIN_FILENO, 1000, SEEK_SET), 1000);
	if (!open_source(&source, "-"))
		return;
	check_read(&source, 90, "");
	source_close(&source);
}

static void stdin_pipe(void)
{
	struct source source;
	int fds[2];

	CHECK_INT(pipe(fds), 0);
	be_stdin(fds[0]);
	if (!open_source(&source, "-"))
		return;
	CHECK_INT(write(fds[1], "piped", 5), 5);
	check_read(&source, 90, "piped");
	close(fds[1]);
	check_read(&source, 90, "");
	source_close(&source);
	CHECK_INT(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0); /* others may share it */
}

static void stdin_closed(void)
{
	struct source source;
	struct err err = {.kind = ERR_NONE};
	int kept = dup(STDIN_FILENO);

	close(STDIN_FILENO);
	CHECK_INT(source_open(&source, "-", NULL, &err), -1);
	CHECK_STR(err.text, "stdin: Bad file descriptor");
	be_stdin(kept);
}

/* The end of a pipe from a process of ours, which says whether it is the end of the stream. */
static void adopted(void)
{
	atomic_bool whole = false;
	struct source source;
	struct err err = {.kind = ERR_NONE};
	char byte;
	int fds[2];

	for (int i = 0; i < 2; i++) {
		CHECK_INT(pipe(fds), 0);
		source_adopt(&source, fds[0], "in.jpg", &whole);
		CHECK(!source.sized);
		CHECK_INT(source_start(&source, &err), 0);
		CHECK_INT(write(fds[1], "piped", 5), 5);
		check_read(&source, 90, "piped");
		atomic_store(&whole, i == 1);
		close(fds[1]);
		if (i == 1)
			check_read(&source, 90, "");
		else
			CHECK_INT(source_read(&source, &byte, 1, DEADLINE_NEVER, &err), -1);
		source_close(&source);
		CHECK_INT(fcntl(fds[0], F_GETFD), -1);
	}
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_STR(err.text, "in.jpg: it ends before it is whole");
}

int main(void)
{
	promise("a file is read in pieces to its end, and the end stays the end", pieces);
	promise("what is added to a file after it was opened is left out", grows);
	promise("a file that has become shorter is an error, after what is left of it", shrinks);
	promise("a file that is replaced is read as it was", replaced);
	promise("an empty file ends at once", empty);
	promise("a file that does not know its size is read to its end", proc);
	promise("what cannot be read is refused at the beginning", refused);
	promise("a FIFO is opened at once, and its writer waited for", fifo);
	promise("- is stdin, a file from where it stands", stdin_file);
	promise("- is stdin, a pipe, which stays as it was", stdin_pipe);
	promise("a stdin that is closed is refused", stdin_closed);
	promise("a pipe of ours ends early unless its writer says that it is whole", adopted);
	return check_end();
}
