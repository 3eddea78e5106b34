/*
 * Processes of ours, each of which does one thing that can take long or go wrong without harm to the others.
 */
#ifndef WORKERS_H
#define WORKERS_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct workers {
	size_t max;
	size_t count;  /* of those that run */
	pid_t *pid;    /* of max slots; 0: it is free */
	int ended;     /* readable when one may have ended: signalfd(2) of SIGCHLD */
	sigset_t mask; /* what was blocked before */
};

/*
 * For max workers at once. Blocks SIGCHLD. Returns 0, the workers then being the caller's to close, or -1 with
 * ERR_FAILED, and then there are none, which may be signalled and closed all the same. Does not block, nor do the others
 * unless they say so (workers_close() does).
 */
int workers_open(struct workers *workers, size_t max, struct err *err);

/*
 * Starts a process that calls run with context, and exits with what it returns; workers->count is to be below max. It
 * listens to the signals of a worker (signals.h), is told to end when we die, and has all that we have open but
 * workers->ended. No other thread may run.
 *
 * Returns its slot, or -1 with ERR_FAILED: EAGAIN, ENOMEM, as fork(2).
 */
ssize_t workers_start(struct workers *workers, int (*run)(void *context), void *context,
    struct err *err);

/*
 * Takes note of one that has ended. Returns its slot, which is free again, and in *status how it ended, as
 * waitpid(2) has it; or -1 if none has.
 */
ssize_t workers_reap(struct workers *workers, int *status);

/*
 * Takes note of children that have ended and are no workers, as the first process of a container has them: what a
 * worker's command left running. For who has started no children but workers. Some may be left for the next call,
 * which workers->ended asks for.
 */
void workers_reap_others(const struct workers *workers);

/*
 * workers_reap(), but waits for one until the deadline, also if none runs. Returns its slot, or -1: ERR_TIMEOUT,
 * ERR_INTERRUPTED.
 */
ssize_t workers_wait(struct workers *workers, int *status, int64_t deadline, struct err *err);

/* Sends them all the signal. */
void workers_signal(const struct workers *workers, int sig);

/*
 * Kills those that still run (SIGKILL), waits for their end, and frees what workers_open() took; SIGCHLD is blocked
 * only if it was before. A second call does nothing.
 */
void workers_close(struct workers *workers);

#endif
