/*
 * The output of a command as a source. The stream is complete only if the command exits with status
 * 0.
 */
#ifndef SOURCE_COMMAND_H
#define SOURCE_COMMAND_H

#include "data/source.h"

/*
 * Makes a source of the command argv, which source_start() starts. argv has to outlive the source.
 * Returns the source, the caller's to close, or NULL with ERR_FAILED if there is no such command.
 * Does not block.
 */
struct source *source_command_open(char *const argv[], struct err *err);

#endif
