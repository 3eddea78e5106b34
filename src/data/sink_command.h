/*
 * The input of a command as a sink. Its exit status decides whether it has taken the stream.
 */
#ifndef SINK_COMMAND_H
#define SINK_COMMAND_H

#include "data/sink.h"
#include "sys/command.h"

/*
 * Makes a sink of the command of the line, which sink_begin() starts. The commit waits until the
 * command has read everything, ends its input, and fails unless it exits with status 0. What line
 * points to has to outlive the sink. Returns the sink, the caller's to close, or NULL with
 * ERR_FAILED if there is no such command. Does not block.
 */
struct sink *sink_command_open(const struct command_line *line, struct err *err);

#endif
