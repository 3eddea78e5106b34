/*
 * A command at the other end of a pipe: started without a shell, waited for, and stopped. Its exit
 * status decides whether its stream was complete; a shell's pipe hides that status.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"

/* What is to be run, and how. */
struct command_line {
	char *const *argv;               /* a list that ends with NULL; NULL: there is no command */
	const struct rlimit *core_limit; /* its limit of core files; NULL: it has ours */
};

struct command {
	char *const *argv; /* the caller's; argv[0] is looked for along PATH */
	pid_t pid;         /* 0: it does not run */
	int ended;         /* of signals_watch_children(); -1: it does not run */
};

/*
 * Checks that argv[0] can be run, as far as PATH and the file's permissions show. Returns 0, or -1
 * with ERR_FAILED. Does not block.
 */
int command_check(char *const argv[], struct err *err);

/*
 * Starts the command of the line, whose argv has to outlive it. The command's descriptor child_fd
 * (0 or 1) is one end of a pipe; *pipe becomes the other end, non-blocking, the caller's to close.
 *
 * The command gets our environment with the changes in variables, a list that ends with NULL and is
 * needed for this call only: "NAME=value" sets a variable, "NAME" removes one.
 *
 * Returns 0, or -1 with ERR_FAILED. Does not block.
 */
int command_start(struct command *command, const struct command_line *line, char *const variables[],
    int child_fd, int *pipe, struct err *err);

/*
 * Returns whether the command, which was started, has ended: then command_wait() does not block.
 * Does not block itself.
 */
bool command_has_ended(const struct command *command);

/*
 * Blocks until the command has ended, or until the deadline. Returns 0 if it exited with status 0,
 * or -1: ERR_FAILED ("tar: exited with status 2", "tar: killed by signal 9 (Killed)"), or
 * ERR_TIMEOUT or ERR_INTERRUPTED, and then it still runs.
 */
int command_wait(struct command *command, int64_t deadline, struct err *err);

/*
 * Ends the command if it still runs: by SIGTERM, and half a second later by SIGKILL. Blocks until
 * it has ended. Processes that the command has started get no signal.
 */
void command_stop(struct command *command);

#endif
