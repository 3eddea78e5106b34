/* Inputs: a file as it was at the start, or a stream as it comes. */
#include "data/source.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include "base/deadline.h"
#include "check.h"
#include "open_word.h"

#define SHORT (20 * CLOCK_MILLISECOND)
#define LONG (30 * CLOCK_SECOND)

static bool has_devices; /* of files, fstat() says so */

static void add_to_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	CHECK_INT(write(fd, text, strlen(text)), (intmax_t)strlen(text));
	close(fd);
}

/* Opens what should work; the source is to be closed. */
static bool opens(struct source **source, const char *path)
{
	struct err err = {.kind = ERR_NONE};

	*source = open_word(path, NULL, &err);
	if (CHECK(*source != NULL))
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
	struct source *source;

	add_to_file("file", "0123456789");
	if (!opens(&source, "file"))
		return;
	CHECK(source->size != SOURCE_SIZE_UNKNOWN);
	CHECK_INT(source->size, 10);
	check_read(source, 4, "0123");
	check_read(source, 4, "4567");
	check_read(source, 4, "89");
	CHECK_INT(source->taken, 10);
	check_read(source, 4, "");
	check_read(source, 4, "");
	source_close(source);
	source_close(NULL); /* which is nothing */
}

/* Takes the place of the C library's: a regular file passes for a block device. */
int fstat(int fd, struct stat *st)
{
	int status = fstatat(fd, "", st, AT_EMPTY_PATH);

	if (status == 0 && has_devices && S_ISREG(st->st_mode)) {
		st->st_mode = S_IFBLK | 0600;
		st->st_size = 0;
	}
	return status;
}

static void block_device(void)
{
	struct source *source;

	add_to_file("device", "0123456789");
	add_to_file("empty", "");
	has_devices = true;
	if (!opens(&source, "device"))
		return;
	CHECK_INT(source->size, 10);
	CHECK(source->reopens);
	check_read(source, 90, "0123456789");
	check_read(source, 90, "");
	source_close(source);
	/* One without a medium, for example, is read all the same. */
	if (!opens(&source, "empty"))
		return;
	CHECK_INT(source->size, SOURCE_SIZE_UNKNOWN);
	check_read(source, 90, "");
	source_close(source);
}

/* What was read of stdin before belongs to who read it. */
static void block_device_in_the_middle(void)
{
	struct source *source;
	char before[4];

	add_to_file("device", "0123456789");
	has_devices = true;
	close(STDIN_FILENO);
	CHECK_INT(open("device", O_RDONLY), STDIN_FILENO);
	CHECK_INT(read(STDIN_FILENO, before, sizeof(before)), sizeof(before));
	if (!opens(&source, "-"))
		return;
	CHECK_INT(source->size, 6);
	check_read(source, 90, "456789");
	check_read(source, 90, "");
	source_close(source);
}

static void grows(void)
{
	struct source *source;

	add_to_file("file", "at the start");
	if (!opens(&source, "file"))
		return;
	add_to_file("file", " and later");
	check_read(source, 6, "at the");
	add_to_file("file", " and later still");
	check_read(source, 90, " start");
	check_read(source, 90, "");
	source_close(source);
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
	struct source *source;

	add_to_file("file", "0123456789");
	if (!opens(&source, "file"))
		return;
	check_read(source, 4, "0123");
	CHECK_INT(truncate("file", 6), 0);
	check_read(source, 90, "45");
	check_shrunk(source, "file: the file has become shorter: 6 of 10 bytes could be read");
	source_close(source);

	check_row("to nothing");
	if (!opens(&source, "file"))
		return;
	CHECK_INT(truncate("file", 0), 0);
	check_shrunk(source, "file: the file has become shorter: 0 of 6 bytes could be read");
	source_close(source);
}

static void replaced(void)
{
	struct source *source;

	add_to_file("file", "old");
	if (!opens(&source, "file"))
		return;
	add_to_file("new", "another one");
	CHECK_INT(rename("new", "file"), 0);
	check_read(source, 90, "old");
	check_read(source, 90, "");
	source_close(source);
}

static void empty(void)
{
	struct source *source;

	add_to_file("file", "");
	if (!opens(&source, "file"))
		return;
	check_read(source, 90, "");
	source_close(source);
	if (!opens(&source, "/dev/null"))
		return;
	check_read(source, 90, "");
	source_close(source);
}

static void proc(void)
{
	struct source *source;
	char buffer[3];
	struct err err;
	ssize_t n;

	if (access("/proc/self/status", R_OK) == -1)
		check_skip();
	if (!opens(&source, "/proc/self/status"))
		return;
	while ((n = source_read(source, buffer, sizeof(buffer), DEADLINE_NEVER, &err)) > 0)
		;
	CHECK_INT(n, 0);
	CHECK(source->taken > 100);
	source_close(source);
}

static void check_refused(const char *path, int errnum)
{
	struct err err = {.kind = ERR_NONE};

	check_row("%s", path);
	CHECK(open_word(path, NULL, &err) == NULL);
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
	struct source *source;
	struct err err;
	char byte;
	pthread_t thread;

	CHECK_INT(mkfifo("fifo", 0600), 0);
	if (!opens(&source, "fifo"))
		return;
	CHECK_INT(source->size, SOURCE_SIZE_UNKNOWN);
	int64_t deadline = deadline_after(SHORT);
	CHECK_INT(source_read(source, &byte, 1, deadline, &err), -1);
	CHECK(clock_now() >= deadline);
	CHECK_INT(err.kind, ERR_TIMEOUT);
	CHECK_STR(err.text, "fifo: read: timed out");
	CHECK_INT(pthread_create(&thread, NULL, write_later, NULL), 0);
	check_read(source, 90, "late");
	check_read(source, 90, "");
	pthread_join(thread, NULL);
	source_close(source);
}

/* Puts fd where stdin is. */
static void be_stdin(int fd)
{
	CHECK(dup2(fd, STDIN_FILENO) != -1);
	close(fd);
}

static void stdin_file(void)
{
	struct source *source;

	add_to_file("file", "read already, still to be read");
	be_stdin(open("file", O_RDONLY));
	CHECK_INT(lseek(STDIN_FILENO, 14, SEEK_SET), 14);
	if (!opens(&source, "-"))
		return;
	CHECK_STR(source->name, "stdin");
	CHECK_INT(source->size, 16);
	check_read(source, 90, "still to be read");
	check_read(source, 90, "");
	source_close(source);
	CHECK(fcntl(STDIN_FILENO, F_GETFD) != -1); /* it was not ours to close */
	check_row("beyond the end");
	CHECK_INT(lseek(STDIN_FILENO, 1000, SEEK_SET), 1000);
	if (!opens(&source, "-"))
		return;
	check_read(source, 90, "");
	source_close(source);
}

static void stdin_pipe(void)
{
	struct source *source;
	int fds[2];

	CHECK_INT(pipe(fds), 0);
	be_stdin(fds[0]);
	if (!opens(&source, "-"))
		return;
	CHECK_INT(write(fds[1], "piped", 5), 5);
	check_read(source, 90, "piped");
	close(fds[1]);
	check_read(source, 90, "");
	source_close(source);
	CHECK_INT(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0); /* others may share it */
}

static void stdin_closed(void)
{
	struct err err = {.kind = ERR_NONE};
	int kept = dup(STDIN_FILENO);

	close(STDIN_FILENO);
	CHECK(open_word("-", NULL, &err) == NULL);
	CHECK_STR(err.text, "stdin: Bad file descriptor");
	be_stdin(kept);
}

/* The end of a pipe from a process of ours, which says whether it is the end of the stream. */
static void adopted(void)
{
	atomic_bool whole = false;
	struct source *source;
	struct err err = {.kind = ERR_NONE};
	char byte;
	int fds[2];

	for (int i = 0; i < 2; i++) {
		CHECK_INT(pipe(fds), 0);
		source = open_pipe(fds[0], "in.jpg", &whole, &err);
		if (!CHECK(source != NULL))
			return;
		CHECK_INT(source->size, SOURCE_SIZE_UNKNOWN);
		CHECK_INT(source_start(source, &ends_unknown, &err), 0);
		CHECK_INT(write(fds[1], "piped", 5), 5);
		check_read(source, 90, "piped");
		atomic_store(&whole, i == 1);
		close(fds[1]);
		if (i == 1)
			check_read(source, 90, "");
		else
			CHECK_INT(source_read(source, &byte, 1, DEADLINE_NEVER, &err), -1);
		source_close(source);
		CHECK_INT(fcntl(fds[0], F_GETFD), -1);
	}
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_STR(err.text, "in.jpg: it ends before it is whole");
}

/* Whether what path names can be sent again and again, be it a command if argv is not NULL. */
static void check_reopens(const char *path, char *const argv[], bool wanted)
{
	struct err err = {.kind = ERR_NONE};
	struct source *source = open_word(path, argv, &err);

	check_row("%s", path);
	if (!CHECK(source != NULL))
		return;
	CHECK_INT(source->reopens, wanted);
	source_close(source);
}

static void reopens(void)
{
	char *argv[] = {"true", NULL};

	add_to_file("file", "x");
	add_to_file("empty", "");
	CHECK_INT(mkfifo("fifo", 0600), 0);
	check_reopens("file", NULL, true);
	check_reopens("empty", NULL, true);
	check_reopens("/dev/null", NULL, true);
	check_reopens("true", argv, true);
	check_reopens("fifo", NULL, false);
	be_stdin(open("file", O_RDONLY));
	check_reopens("-", NULL, false);
}

static void ready_file(void)
{
	struct source *source;
	struct pollfd from = {.fd = -1};

	add_to_file("file", "x");
	if (!opens(&source, "file"))
		return;
	CHECK(source_is_ready(source, &from));
	CHECK_INT(from.fd, -1);
	check_read(source, 90, "x");
	CHECK(source_is_ready(source, &from));
	source_close(source);
}

/* Polls what is to be polled, which has to say something in time. */
static void poll_from(struct pollfd *from)
{
	CHECK(from->fd != -1);
	CHECK_INT(poll(from, 1, LONG / CLOCK_MILLISECOND), 1);
}

static void ready_pipe(void)
{
	struct source *source;
	struct pollfd from = {.fd = -1};
	int fds[2];

	CHECK_INT(pipe(fds), 0);
	be_stdin(fds[0]);
	if (!opens(&source, "-"))
		return;
	CHECK(!source_is_ready(source, &from));
	CHECK_INT(poll(&from, 1, 0), 0);
	CHECK(!source_is_ready(source, &from));
	CHECK_INT(write(fds[1], "x", 1), 1);
	poll_from(&from);
	CHECK(source_is_ready(source, &from));
	check_read(source, 90, "x");
	close(fds[1]);
	poll_from(&from);
	CHECK(source_is_ready(source, &from));
	check_read(source, 90, "");
	source_close(source);
}

static struct source *start_shell(char *script, const struct ends *ends)
{
	/* The source keeps it, until the promise has been tried. */
	static char *argv[] = {"sh", "-c", NULL, NULL};
	struct err err = {.kind = ERR_NONE};

	argv[2] = script;
	struct source *source = open_word("-", argv, &err);
	CHECK(source != NULL);
	CHECK_STR(source->name, "sh");
	CHECK_INT(source->size, SOURCE_SIZE_UNKNOWN);
	CHECK_INT(source_start(source, ends, &err), 0);
	return source;
}

static void command(void)
{
	const struct ends ends = {.peer = "192.0.2.7:9009", .local = "unix:/run/x"};
	struct err err = {.kind = ERR_NONE};
	char byte;

	struct source *source = start_shell("printf %s \"$SOCKXFER_PEER $SOCKXFER_LOCAL\"", &ends);
	check_read(source, 90, "192.0.2.7:9009 unix:/run/x");
	check_read(source, 90, "");
	check_read(source, 90, "");
	source_close(source);
	CHECK_INT(setenv("SOCKXFER_PEER", "another's", 1), 0);
	source = start_shell("printf %s \"${SOCKXFER_PEER-none}\"; exit 3", &ends_unknown);
	check_read(source, 90, "none");
	CHECK_INT(source_read(source, &byte, 1, deadline_after(LONG), &err), -1);
	CHECK_STR(err.text, "sh: exited with status 3");
	source_close(source);
}

/* A command that has closed its output is ready only when it has ended. */
static void ready_command(void)
{
	struct pollfd from = {.fd = -1};

	CHECK_INT(mkfifo("go", 0600), 0);
	struct source *source = start_shell("exec >&-; read -r line <go", &ends_unknown);
	CHECK(!source_is_ready(source, &from));
	int output = from.fd;
	poll_from(&from);
	CHECK(!source_is_ready(source, &from));
	CHECK(from.fd != output);
	CHECK_INT(poll(&from, 1, 0), 0);
	CHECK(!source_is_ready(source, &from));
	int go = open("go", O_WRONLY);
	close(go);
	poll_from(&from);
	CHECK(source_is_ready(source, &from));
	source_close(source);
}

/* A kind of source as another file may have one: no descriptor, and a table without what it does not need. */
struct memory {
	struct source source;
	const char *next;
	bool *is_closed;
};

static ssize_t memory_read(struct source *source, void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	struct memory *memory = (struct memory *)source;
	size_t left = strlen(memory->next);

	(void)deadline, (void)err;
	size = left < size ? left : size;
	memcpy(buffer, memory->next, size);
	memory->next += size;
	return (ssize_t)size;
}

static void memory_close(struct source *source)
{
	*((struct memory *)source)->is_closed = true;
}

static void in_memory(void)
{
	static const struct source_type type = {.read = memory_read, .close = memory_close};
	bool is_closed = false;
	struct memory memory = {
	    .source = {.type = &type, .name = "memory", .size = SOURCE_SIZE_UNKNOWN},
	    .next = "some bytes",
	    .is_closed = &is_closed,
	};
	struct source *source = &memory.source;
	struct pollfd from = {.fd = -1};
	struct err err = {.kind = ERR_NONE};

	CHECK_INT(source_start(source, &ends_unknown, &err), 0);
	CHECK(source_is_ready(source, &from));
	check_read(source, 4, "some");
	check_read(source, 90, " bytes");
	check_read(source, 90, "");
	CHECK_INT(source->taken, 10);
	source_close(source);
	CHECK(is_closed);
}

int main(void)
{
	promise("a file is read in pieces to its end, and the end stays the end", pieces);
	promise("a block device has a size, and is read to its end", block_device);
	promise("a block device that is stdin is read from where it stands",
	    block_device_in_the_middle);
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
	promise("what can be read once only says so", reopens);
	promise("a file is always ready", ready_file);
	promise("a pipe is ready when it has bytes or an end", ready_pipe);
	promise("a command is told who is connected, and its exit status is that of the stream",
	    command);
	promise("a command whose output has ended is ready when it has ended too", ready_command);
	promise("a source needs no descriptor", in_memory);
	return check_end();
}
