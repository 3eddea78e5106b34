#include "data/sink_command.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/deadline.h"
#include "sys/io.h"

/* The pauses between two checks whether the command has read everything; each is twice the last. */
#define FIRST_PAUSE (1 * CLOCK_MILLISECOND)
#define LAST_PAUSE (20 * CLOCK_MILLISECOND)

/* How long a command that has closed its input may take to exit, which tells why it has. */
#define CLOSE_GRACE (1 * CLOCK_SECOND)

/*
 * How many NUL bytes at the end of the data a command may leave unread: tar stops at the end mark
 * of an archive, and the rest of the last record, which may be long, is padding.
 */
#define PADDING_MAX ((size_t)1024 * 1024)

struct sink_command {
	struct sink sink;
	struct command_line line;
	struct command command;
	int fd;      /* the pipe that it reads; -1: there is none */
	size_t nuls; /* how many bytes at the end of the data so far are NUL; at most PADDING_MAX */
	size_t unread; /* how many bytes it has left unread, if it is satisfied */
	bool
	    is_satisfied; /* it has exited with status 0, and has left nothing unread but padding */
};

static int sink_command_begin(struct sink *sink, const struct ends *ends, struct err *err)
{
	struct sink_command *consumer = (struct sink_command *)sink;
	char **variables = ends_variables(ends, err);

	if (variables == NULL)
		return -1;
	int status = command_start(&consumer->command, &consumer->line, variables, STDIN_FILENO,
	    &consumer->fd, err);
	free(variables);
	return status;
}

/* Returns how many bytes at the end of the buffer are NUL, at most PADDING_MAX. */
static size_t count_nuls(const char *buffer, size_t size)
{
	static const char zeros[512];
	const char *end = buffer + size;
	const char *first = size < PADDING_MAX ? buffer : end - PADDING_MAX;
	const char *next = end;

	while ((size_t)(next - first) >= sizeof(zeros) &&
	       memcmp(next - sizeof(zeros), zeros, sizeof(zeros)) == 0)
		next -= sizeof(zeros);
	while (next > first && next[-1] == '\0')
		next--;
	return (size_t)(end - next);
}

/* Takes note of the bytes at the end of the data so far. */
static void note_nuls(struct sink_command *consumer, const char *buffer, size_t size)
{
	size_t count = count_nuls(buffer, size);

	consumer->nuls = count < size ? count : consumer->nuls + count;
	if (consumer->nuls > PADDING_MAX)
		consumer->nuls = PADDING_MAX;
}

static int left_data(const struct sink_command *consumer, struct err *err)
{
	return err_set(err, ERR_FAILED, 0, "%s: closed its input before the end of the data",
	    consumer->sink.name);
}

/* Decides about a command that left unread the last bytes so far, as many as unread says. */
static int check_padding(struct sink_command *consumer, struct err *err)
{
	return consumer->unread <= consumer->nuls ? 0 : left_data(consumer, err);
}

/*
 * Finds out why the command has closed its input, when that many of the bytes so far have not been
 * written to its pipe. Returns 0 if it has exited with status 0 and did not need the rest, or -1
 * with its exit status if it failed, or that it did not want all of the data.
 */
static int closed_early(struct sink_command *consumer, size_t unwritten, struct err *err)
{
	int in_pipe;

	if (command_wait(&consumer->command, deadline_after(CLOSE_GRACE), err) == -1)
		return err->kind == ERR_TIMEOUT ? left_data(consumer, err) : -1;
	if (ioctl(consumer->fd, FIONREAD, &in_pipe) == -1)
		return err_sys(err, "%s", consumer->sink.name);
	consumer->is_satisfied = true;
	consumer->unread = (size_t)in_pipe + unwritten;
	return check_padding(consumer, err);
}

/* Writes to the pipe until *left, the number of bytes that are left, is 0. Returns 0, or -1. */
static int feed(const struct sink_command *consumer, const char *buffer, size_t *left,
    int64_t deadline, struct err *err)
{
	while (*left > 0) {
		ssize_t n = io_write_some(consumer->fd, buffer, *left, err);
		if (n == -1 || (n == 0 && io_wait(consumer->fd, POLLOUT, deadline, err) == -1))
			return -1;
		buffer += n;
		*left -= (size_t)n;
	}
	return 0;
}

static int sink_command_write(struct sink *sink, const void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	struct sink_command *consumer = (struct sink_command *)sink;
	size_t left = size;

	note_nuls(consumer, buffer, size);
	if (consumer->is_satisfied) {
		consumer->unread += size;
		return check_padding(consumer, err);
	}
	if (feed(consumer, buffer, &left, deadline, err) == 0)
		return 0;
	if (err->errnum != EPIPE)
		return err_prefix(err, "%s: write", sink->name);
	err_clear(err);
	return closed_early(consumer, left, err);
}

static int sink_command_reader(const struct sink *sink)
{
	return ((const struct sink_command *)sink)->fd;
}

/*
 * Waits until the command has read everything or is satisfied, before its input ends: bytes that a
 * command leaves unread in its pipe are lost without an error. No event tells when the pipe is
 * empty, hence the pauses.
 */
static int wait_until_read(struct sink_command *consumer, int64_t deadline, struct err *err)
{
	const char *name = consumer->sink.name;
	int64_t pause = FIRST_PAUSE;
	int unread;

	for (;;) {
		if (ioctl(consumer->fd, FIONREAD, &unread) == -1)
			return err_sys(err, "%s", name);
		if (unread == 0)
			return 0;
		if (io_hung_up(consumer->fd))
			return closed_early(consumer, 0, err);
		if (clock_now() >= deadline)
			return err_set(err, ERR_TIMEOUT, 0, "%s: timed out", name);
		if (io_sleep(deadline_min(deadline, deadline_after(pause)), err) == -1)
			return -1;
		pause = deadline_min(2 * pause, LAST_PAUSE);
	}
}

static int sink_command_commit(struct sink *sink, int64_t deadline, struct err *err)
{
	struct sink_command *consumer = (struct sink_command *)sink;

	if (!consumer->is_satisfied && wait_until_read(consumer, deadline, err) == -1)
		return -1;
	int fd = consumer->fd;
	consumer->fd = -1;
	if (close(fd) == -1)
		return err_sys(err, "%s: close", sink->name);
	return consumer->is_satisfied ? 0 : command_wait(&consumer->command, deadline, err);
}

static void sink_command_close(struct sink *sink)
{
	struct sink_command *consumer = (struct sink_command *)sink;

	/* Stop it first: it could take the end of its input for the end of the data. */
	command_stop(&consumer->command);
	if (consumer->fd != -1)
		close(consumer->fd);
	free(consumer);
}

static const struct sink_type sink_command = {
    .begin = sink_command_begin,
    .write = sink_command_write,
    .reader = sink_command_reader,
    .commit = sink_command_commit,
    .close = sink_command_close,
};

struct sink *sink_command_open(const struct command_line *line, struct err *err)
{
	if (command_check(line->argv, err) == -1)
		return NULL;
	struct sink_command *consumer = calloc(1, sizeof(*consumer));
	if (consumer == NULL) {
		err_sys(err, "%s", line->argv[0]);
		return NULL;
	}
	consumer->sink =
	    (struct sink){.type = &sink_command, .name = line->argv[0], .done = "taken"};
	consumer->line = *line;
	consumer->fd = -1;
	return &consumer->sink;
}
