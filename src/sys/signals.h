/*
 * The signals that ask the program to end: INT, TERM and HUP. A handler sets a flag and does nothing
 * else; whatever waits or loops looks at it, cleans up and returns, and main() then dies of that
 * same signal, so that a shell sees what it would see of any program.
 *
 * A worker, a process that we have forked, ends when we say so, by SIGNALS_ABORT; HUP and TERM, which may be sent to
 * all processes of a session or a service, are ours to act on, and to give it time.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>

#include "base/err.h"

/*
 * Installs the handlers, without SA_RESTART. A signal that is ignored already stays so, as nohup(1)
 * and a shell's background jobs want it. Ignores SIGPIPE and SIGXFSZ: they are errors of one write.
 * SIGCHLD gets its default, so that children can be waited for.
 */
void signals_install(void);

/*
 * The signals that ask how far we are, or tell of a new size of the window: USR1, INFO where there is one, and
 * WINCH. They are blocked and waited for (sigtimedwait(2)), and never end anything.
 */
void signals_queries(sigset_t *set);

/* Blocks them, for this thread and those that it will start. */
void signals_block_queries(void);

/* What asks a worker to end, besides INT, which a terminal sends to us all. */
#define SIGNALS_ABORT SIGUSR2

/*
 * HUP ends us no more: for one that serves many, and whose terminal may be closed. A command of ours gets its default,
 * or what was ignored before.
 */
void signals_survive_hangup(void);

/*
 * In a worker, first of all and with the signals blocked (signals_block()): forgets what signals its parent had, and
 * listens to those of a worker.
 */
void signals_become_worker(void);

/* The signal that asked us to end, or 0. */
int signals_caught(void);

/*
 * The same, but forgotten, so that it ends no more waits and another one is noticed. Sent to ourselves again (raise(3))
 * it is remembered.
 */
int signals_take(void);

/* 0, or -1 with ERR_INTERRUPTED if a signal has asked us to end. */
int signals_check(struct err *err);

/*
 * Blocks the three signals and SIGNALS_ABORT, so that none can come between a look at the flag and a wait that
 * unblocks them (ppoll(2)); *old takes the mask to wait with and to restore.
 */
void signals_block(sigset_t *old);

/* Restores the mask that signals_block() saved. */
void signals_restore(const sigset_t *old);

/* Ends the process by the signal that asked for it; does not return. */
_Noreturn void signals_die(void);

#endif
