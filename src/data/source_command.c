#include "data/source_command.h"

#include <stdlib.h>
#include <unistd.h>

#include "sys/io.h"
#include "sys/signals.h"

struct source_command {
	struct source source;
	struct command_line line;
	struct command command;
	int fd; /* the pipe that it writes to; -1: it is not started */
};

static int source_command_start(struct source *source, const struct ends *ends, struct err *err)
{
	struct source_command *producer = (struct source_command *)source;
	char **variables = ends_variables(ends, err);

	if (variables == NULL)
		return -1;
	int status = command_start(&producer->command, &producer->line, variables, STDOUT_FILENO,
	    &producer->fd, err);
	free(variables);
	return status;
}

/* At the end of the output, also waits for the end of the command. */
static ssize_t source_command_read(struct source *source, void *buffer, size_t size,
    int64_t deadline, struct err *err)
{
	struct source_command *producer = (struct source_command *)source;
	ssize_t n = io_read(producer->fd, buffer, size, deadline, err);

	if (n == -1)
		return err_prefix(err, "%s: read", source->name);
	if (n == 0 && producer->command.pid != 0)
		return command_wait(&producer->command, deadline, err);
	return n;
}

/* Once the output has ended, the descriptor to wait for is the command's, which may still run. */
static bool source_command_is_ready(struct source *source, struct pollfd *from)
{
	const struct source_command *producer = (const struct source_command *)source;

	if (from->fd == -1)
		*from = (struct pollfd){.fd = producer->fd, .events = POLLIN};
	if (producer->command.pid == 0)
		return from->revents != 0;
	if (from->fd == producer->fd) {
		if ((from->revents & (POLLIN | POLLHUP)) != POLLHUP)
			return from->revents != 0;
		*from = (struct pollfd){.fd = producer->command.ended, .events = POLLIN};
	} else if (from->revents != 0) {
		signals_forget_children(producer->command.ended);
	}
	return command_has_ended(&producer->command);
}

static void source_command_close(struct source *source)
{
	struct source_command *producer = (struct source_command *)source;

	if (producer->fd != -1)
		close(producer->fd);
	command_stop(&producer->command);
	free(producer);
}

static const struct source_type source_command = {
    .start = source_command_start,
    .read = source_command_read,
    .is_ready = source_command_is_ready,
    .close = source_command_close,
};

struct source *source_command_open(const struct command_line *line, struct err *err)
{
	if (command_check(line->argv, err) == -1)
		return NULL;
	struct source_command *producer = calloc(1, sizeof(*producer));
	if (producer == NULL) {
		err_sys(err, "%s", line->argv[0]);
		return NULL;
	}
	producer->source = (struct source){
	    .type = &source_command,
	    .name = line->argv[0],
	    .size = SOURCE_SIZE_UNKNOWN,
	    .reopens = true,
	};
	producer->line = *line;
	producer->fd = -1;
	return &producer->source;
}
