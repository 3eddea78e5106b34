#include "data/sink_command.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/deadline.h"
#include "sys/command.h"
#include "sys/io.h"

/* The pauses between two checks whether the command has read everything; each is twice the last. */
#define FIRST_PAUSE (1 * CLOCK_MILLISECOND)
#define LAST_PAUSE (20 * CLOCK_MILLISECOND)

/* How long a command that has closed its input may take to exit, which tells why it has. */
#define CLOSE_GRACE (1 * CLOCK_SECOND)

struct sink_command {
	struct sink sink;
	char *const *argv;
	struct command command;
	int fd; /* the pipe that it reads; -1: there is none */
};

static int sink_command_begin(struct sink *sink, const struct ends *ends, struct err *err)
{
	struct sink_command *consumer = (struct sink_command *)sink;
	char **variables = ends_variables(ends, err);

	if (variables == NULL)
		return -1;
	int status = command_start(&consumer->command, consumer->argv, variables, STDIN_FILENO,
	    &consumer->fd, err);
	free(variables);
	return status;
}

/*
 * Fills err with the reason why the command has closed its input: its exit status if it failed,
 * else that it did not want all of the data. Returns -1.
 */
static int closed_early(struct sink_command *consumer, struct err *err)
{
	if (command_wait(&consumer->command, deadline_after(CLOSE_GRACE), err) == -1 &&
	    err->kind != ERR_TIMEOUT)
		return -1;
	return err_set(err, ERR_FAILED, 0, "%s: closed its input before the end of the data",
	    consumer->sink.name);
}

static int sink_command_write(struct sink *sink, const void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	struct sink_command *consumer = (struct sink_command *)sink;

	if (io_write_stream(consumer->fd, buffer, size, deadline, err) == 0)
		return 0;
	if (err->errnum == EPIPE)
		return closed_early(consumer, err);
	return err_prefix(err, "%s: write", sink->name);
}

/*
 * Waits until the command has read everything, before its input ends: bytes that a command leaves
 * unread in its pipe are lost without an error. No event tells when the pipe is empty, hence the
 * pauses.
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
			return closed_early(consumer, err);
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

	if (wait_until_read(consumer, deadline, err) == -1)
		return -1;
	int fd = consumer->fd;
	consumer->fd = -1;
	if (close(fd) == -1)
		return err_sys(err, "%s: close", sink->name);
	return command_wait(&consumer->command, deadline, err);
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
    .commit = sink_command_commit,
    .close = sink_command_close,
};

struct sink *sink_command_open(char *const argv[], struct err *err)
{
	if (command_check(argv, err) == -1)
		return NULL;
	struct sink_command *consumer = calloc(1, sizeof(*consumer));
	if (consumer == NULL) {
		err_sys(err, "%s", argv[0]);
		return NULL;
	}
	consumer->sink = (struct sink){.type = &sink_command, .name = argv[0], .done = "taken"};
	consumer->argv = argv;
	consumer->fd = -1;
	return &consumer->sink;
}
