/*
 * Workers: processes of ours, each of which does one thing that can take long or fail without harm
 * to the others.
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
	pid_t *pid;    /* of max slots; 0: the slot is free */
	int ended;     /* readable when a worker may have ended: signalfd(2) of SIGCHLD */
	sigset_t mask; /* what was blocked before workers_open() */
};

/*
 * Makes room for max workers at once, and blocks SIGCHLD. Returns 0, the workers then being the
 * caller's to close, or -1 with ERR_FAILED; a set that failed to open is empty, and may be
 * signalled and closed all the same. Does not block.
 */
int workers_open(struct workers *workers, size_t max, struct err *err);

/* Returns the slot that the next worker will have. One has to be free. */
size_t workers_next(const struct workers *workers);

/*
 * Starts a process that calls run with context, and exits with the value that run returns. The
 * caller makes sure that workers->count is below max, and that no other thread runs. The worker
 * handles the signals of a worker (signals.h), is asked to end when its parent dies, and has all
 * descriptors of its parent but workers->ended.
 *
 * Returns the worker's slot, or -1 with ERR_FAILED: EAGAIN or ENOMEM, as fork(2). Does not block.
 */
ssize_t workers_start(struct workers *workers, int (*run)(void *context), void *context,
    struct err *err);

/*
 * Takes note of one worker that has ended. Returns its slot, which is free again, and sets *status
 * as waitpid(2) does; or returns -1 if none has ended. Does not block.
 */
ssize_t workers_reap(struct workers *workers, int *status);

/*
 * Takes note of children that have ended and are no workers: the first process of a container gets
 * those that a worker's command left running. Only for a process all of whose own children are
 * workers. Some may be left for the next call; workers->ended tells when to make it. Does not
 * block.
 */
void workers_reap_others(const struct workers *workers);

/*
 * As workers_reap(), but blocks until a worker has ended or the deadline, also if none runs.
 * Returns its slot, or -1: ERR_TIMEOUT or ERR_INTERRUPTED.
 */
ssize_t workers_wait(struct workers *workers, int *status, int64_t deadline, struct err *err);

/* Sends the signal to all workers that run. Does not block. */
void workers_signal(const struct workers *workers, int sig);

/*
 * Kills the workers that still run (SIGKILL), blocks until they have ended, frees what
 * workers_open() took, and restores the signal mask that was before it. A second call does nothing.
 */
void workers_close(struct workers *workers);

#endif
