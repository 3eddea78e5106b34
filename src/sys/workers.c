#include "sys/workers.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/io.h"
#include "sys/signals.h"

int workers_open(struct workers *workers, size_t max, struct err *err)
{
	*workers = (struct workers){.ended = -1};
	workers->pid = calloc(max, sizeof(*workers->pid));
	if (workers->pid == NULL)
		return err_sys(err, "workers");
	workers->max = max;
	pthread_sigmask(SIG_BLOCK, NULL, &workers->mask);
	workers->ended = signals_watch_children(err);
	if (workers->ended != -1)
		return 0;
	err_prefix(err, "workers");
	workers_close(workers);
	return -1;
}

/*
 * Makes the kernel end this process when its parent dies, for nothing else would. The parent may
 * have died before prctl(2), so that is checked after it.
 */
static void die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGNALS_ABORT);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
}

_Noreturn static void run_worker(const struct workers *workers, pid_t parent,
    int (*run)(void *context), void *context)
{
	sigset_t mask = workers->mask;

	signals_become_worker();
	die_with(parent);
	close(workers->ended);
	sigdelset(&mask, SIGNALS_ABORT); /* blocked, maybe, by the program that started us */
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	exit(run(context));
}

size_t workers_next(const struct workers *workers)
{
	size_t slot = 0;

	while (workers->pid[slot] != 0)
		slot++;
	return slot;
}

ssize_t workers_start(struct workers *workers, int (*run)(void *context), void *context,
    struct err *err)
{
	size_t slot = workers_next(workers);
	pid_t parent = getpid();
	sigset_t mask;

	fflush(NULL); /* else the worker would write the same bytes again */
	signals_block(&mask);
	pid_t pid = fork();
	if (pid == 0)
		run_worker(workers, parent, run, context);
	signals_restore(&mask);
	if (pid == -1)
		return err_sys(err, "fork");
	workers->pid[slot] = pid;
	workers->count++;
	return (ssize_t)slot;
}

/*
 * As waitpid(2) with WNOHANG. A look that fails is made again, for the signal that led to it is
 * gone, and without another one the end of the worker would never be noticed.
 */
static pid_t look_at(pid_t pid, int *status)
{
	pid_t ended = waitpid(pid, status, WNOHANG);

	return ended == -1 ? waitpid(pid, status, WNOHANG) : ended;
}

ssize_t workers_reap(struct workers *workers, int *status)
{
	signals_forget_children(workers->ended);
	for (size_t slot = 0; slot < workers->max; slot++) {
		pid_t pid = workers->pid[slot];
		if (pid == 0 || look_at(pid, status) != pid)
			continue;
		workers->pid[slot] = 0;
		workers->count--;
		return (ssize_t)slot;
	}
	return -1;
}

static bool is_worker(const struct workers *workers, pid_t pid)
{
	for (size_t slot = 0; slot < workers->max; slot++) {
		if (workers->pid[slot] == pid)
			return true;
	}
	return false;
}

void workers_reap_others(const struct workers *workers)
{
	for (;;) {
		siginfo_t info = {.si_pid = 0};
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 ||
		    info.si_pid == 0 || is_worker(workers, info.si_pid))
			return;
		waitpid(info.si_pid, NULL, WNOHANG);
	}
}

ssize_t workers_wait(struct workers *workers, int *status, int64_t deadline, struct err *err)
{
	for (;;) {
		ssize_t slot = workers_reap(workers, status);
		if (slot != -1)
			return slot;
		if (io_wait(workers->ended, POLLIN, deadline, err) == -1)
			return -1;
	}
}

void workers_signal(const struct workers *workers, int sig)
{
	for (size_t slot = 0; slot < workers->max; slot++) {
		if (workers->pid[slot] != 0)
			kill(workers->pid[slot], sig);
	}
}

void workers_close(struct workers *workers)
{
	if (workers->max == 0)
		return;
	workers_signal(workers, SIGKILL);
	for (size_t slot = 0; slot < workers->max; slot++) {
		if (workers->pid[slot] != 0)
			waitpid(workers->pid[slot], NULL, 0);
	}
	free(workers->pid);
	if (workers->ended != -1)
		close(workers->ended);
	pthread_sigmask(SIG_SETMASK, &workers->mask, NULL);
	*workers = (struct workers){.ended = -1};
}
