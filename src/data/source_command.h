/*
 * The output of a command as a source. The stream is complete only if the command exits with status
 * 0.
 */
#ifndef SOURCE_COMMAND_H
#define SOURCE_COMMAND_H

#include "data/source.h"
#include "sys/command.h"

/*
 * Makes a source of the command of the line, which source_start() starts. What line points to has
 * to outlive the source. Returns the source, the caller's to close, or NULL with ERR_FAILED if
 * there is no such command. Does not block.
 */
struct source *source_command_open(const struct command_line *line, struct err *err);

#endif
