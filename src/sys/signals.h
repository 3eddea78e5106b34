/*
 * The signals that ask the program to end: INT, TERM, HUP, and all others that end a process by
 * default, such as QUIT, ALRM, XCPU and the realtime signals; not KILL, which cannot be handled,
 * nor SEGV and the other faults, which end us at once. A handler sets a flag and does nothing else.
 * Each wait and each loop checks the flag, cleans up and returns; main() then ends the program by
 * that same signal, so that a shell sees what it would see of any program, and gets QUIT's core.
 *
 * A worker is a process that we have forked. Its parent ends it by SIGNALS_ABORT. HUP and TERM may
 * be sent to all processes of a session or a service; they do not end a worker, so that its parent
 * can act on them and give the worker time. The others do.
 *
 * No function here blocks.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>

#include "base/err.h"

/*
 * Installs the handlers, without SA_RESTART. A signal that is ignored already stays so, as nohup(1)
 * and a shell's background jobs want it. SIGPIPE and SIGXFSZ become ignored: each is an error of
 * one write. SIGCHLD gets its default action, so that children can be waited for.
 */
void signals_install(void);

/*
 * Fills *set with the signals that ask how far a transfer is, or tell that the window has another
 * size: USR1, INFO on a system that has it, and WINCH. They are blocked and waited for
 * (sigtimedwait(2)), and never end the program.
 */
void signals_queries(sigset_t *set);

/* Blocks the signals of signals_queries() in this thread and in those that it will start. */
void signals_block_queries(void);

/*
 * Asks a worker to end. So do INT and QUIT: a terminal sends them to parent and workers alike.
 */
#define SIGNALS_ABORT SIGUSR2

/*
 * Keeps HUP from ending the program, for a server whose terminal may be closed. A command that we
 * start gets the default action of HUP, or ignores it if we did so from the beginning.
 */
void signals_survive_hangup(void);

/*
 * Forgets the signals that the parent has caught, and handles those of a worker from now on. A
 * worker calls it before all else, with the signals blocked (signals_block()).
 */
void signals_become_worker(void);

/* Returns the signal that asked the program to end, or 0. */
int signals_caught(void);

/*
 * As signals_caught(), but forgets the signal: it ends no more waits, and the next one is noticed.
 * A caller that sends it to its own process again (raise(3)) undoes that.
 */
int signals_take(void);

/* Returns 0, or -1 with ERR_INTERRUPTED if a signal has asked the program to end. */
int signals_check(struct err *err);

/*
 * Returns a new descriptor that is readable when a child has ended (signalfd(2)), the caller's to
 * close, or -1 with ERR_FAILED. SIGCHLD is blocked from now on.
 *
 * All such descriptors of a process share one signal: it may stand for several children or for
 * another's, and who reads it takes it from all. So a caller first reads until nothing is left,
 * then looks which of its children have ended, then waits.
 */
int signals_watch_children(struct err *err);

/* Reads until nothing is left from a descriptor of signals_watch_children(). */
void signals_forget_children(int fd);

/* A watch for the signals that end work of which a part is as good as all: INT, TERM and HUP. */
struct signals_end_watch {
	int fd; /* readable once one of them has come; -1: there is no watch */
	sigset_t old;
};

/*
 * From now on these signals, unless they are ignored, only make watch->fd readable, in this thread
 * and those that it starts. Returns 0, or -1 with ERR_FAILED.
 */
int signals_watch_end(struct signals_end_watch *watch, struct err *err);

/*
 * Ends the watch, if there is one; those of the signals that have come are forgotten, and the next
 * one asks the program to end as ever.
 */
void signals_unwatch_end(struct signals_end_watch *watch);

/*
 * Blocks the signals that ask for the end, so that none comes between a check of the flag and a
 * wait that unblocks them (ppoll(2)). *old becomes the mask to wait with and to restore.
 */
void signals_block(sigset_t *old);

/* Restores the mask that signals_block() saved. */
void signals_restore(const sigset_t *old);

/* Ends the process by the signal that asked for it; does not return. */
_Noreturn void signals_die(void);

#endif
