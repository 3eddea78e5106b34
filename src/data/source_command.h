/*
 * The output of a command as a source. Its bytes are all there are only if the command exits with
 * 0.
 */
#ifndef SOURCE_COMMAND_H
#define SOURCE_COMMAND_H

#include "data/source.h"

/*
 * Makes a source of the command argv, which is not started before source_start(). argv has to
 * outlive the source. Does not block. Returns the source, the caller's to close, or NULL with
 * ERR_FAILED if there is no such command.
 */
struct source *source_command_open(char *const argv[], struct err *err);

#endif
