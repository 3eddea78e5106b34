/*
 * A command at the other end of a pipe: started without a shell, waited for, and stopped. Its exit
 * status decides whether its stream was complete, which a shell's pipe hides.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct command {
	char *const *argv; /* the caller's; argv[0] is looked for along PATH */
	pid_t pid;         /* 0: it does not run */
	int pidfd;         /* -1: the same */
};

/* Whether argv[0] can be run, as far as that shows. Returns 0, or -1 with ERR_FAILED. */
int command_check(char *const argv[], struct err *err);

/*
 * Starts argv with its descriptor child_fd (0 or 1) a pipe whose other end, non-blocking, becomes
 * *pipe, the caller's to close. Its environment is ours, but for variables, a list that ends with
 * NULL: "NAME=value" is added, or takes the place of the variable of that name, and "NAME" takes it
 * out. argv has to outlive the command, variables does not. Returns 0, or -1 with ERR_FAILED. Does
 * not block.
 */
int command_start(struct command *command, char *const argv[], char *const variables[],
    int child_fd, int *pipe, struct err *err);

/*
 * Waits until the command has ended or the deadline. Returns 0 if it exited with 0, or -1:
 * ERR_FAILED ("tar: exited with status 2", "tar: killed by signal 9 (Killed)"), ERR_TIMEOUT,
 * ERR_INTERRUPTED, after the latter two of which it still runs.
 */
int command_wait(struct command *command, int64_t deadline, struct err *err);

/*
 * Ends the command if it still runs: by SIGTERM, and half a second later by SIGKILL; blocks until
 * then. Only the command itself is told, not what it may have started.
 */
void command_stop(struct command *command);

#endif
