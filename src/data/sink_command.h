/*
 * The input of a command as a sink. Its exit status decides whether it has taken the stream.
 */
#ifndef SINK_COMMAND_H
#define SINK_COMMAND_H

#include "data/sink.h"

/*
 * Makes a sink of the command argv, which is not started before sink_begin(). The commit waits
 * until it has read everything, tells it that this was all, and fails unless it exits with 0. argv
 * has to outlive the sink. Does not block. Returns the sink, the caller's to close, or NULL with
 * ERR_FAILED if there is no such command.
 */
struct sink *sink_command_open(char *const argv[], struct err *err);

#endif
