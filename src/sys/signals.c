#include "sys/signals.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static volatile sig_atomic_t stop_signal;

/* Whether sig asks the program to end: all do that end a process by default, but for some. */
static bool asks_to_end(int sig)
{
	switch (sig) {
	case SIGKILL: /* cannot be handled, nor can SIGSTOP */
	case SIGSTOP:
	case SIGTSTP: /* these six end no process */
	case SIGTTIN:
	case SIGTTOU:
	case SIGCONT:
	case SIGCHLD:
	case SIGURG:
	case SIGUSR1: /* signals_queries() */
	case SIGWINCH:
	case SIGPIPE: /* errors of one write */
	case SIGXFSZ:
	case SIGSEGV: /* faults of our own: after one, nothing can be relied on */
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
	case SIGSYS:
		return false;
	default:
		return true;
	}
}

static void on_stop_signal(int sig)
{
	stop_signal = sig;
}

static void on_other_signal(int sig)
{
	(void)sig;
}

static void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	sigemptyset(&action.sa_mask);
	sigaction(sig, &action, NULL);
}

/* Whether sig has its default action. (If it has not, it is ignored, or a sanitizer has it.) */
static bool is_default(int sig)
{
	struct sigaction old;

	return sigaction(sig, NULL, &old) == 0 && old.sa_handler == SIG_DFL;
}

/* A signal that is ignored stays so, in this process and in its commands. */
static void handle_unless_ignored(int sig, void (*handler)(int), int flags)
{
	struct sigaction old;

	if (sigaction(sig, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		handle(sig, handler, flags);
}

void signals_queries(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGWINCH);
#ifdef SIGINFO
	sigaddset(set, SIGINFO);
#endif
}

void signals_block_queries(void)
{
	sigset_t queries;

	signals_queries(&queries);
	pthread_sigmask(SIG_BLOCK, &queries, NULL);
}

void signals_install(void)
{
	for (int sig = 1; sig < NSIG; sig++) {
		if (asks_to_end(sig) && is_default(sig))
			handle(sig, on_stop_signal, 0);
	}
	signal(SIGCHLD, SIG_DFL); /* if inherited as ignored, it would hide how children ended */
	handle(SIGPIPE, SIG_IGN, 0);
	handle(SIGXFSZ, SIG_IGN, 0);
}

/* A handler that does nothing, and not SIG_IGN, which a command would inherit. */
void signals_survive_hangup(void)
{
	handle_unless_ignored(SIGHUP, on_other_signal, SA_RESTART);
}

void signals_become_worker(void)
{
	stop_signal = 0;
	handle_unless_ignored(SIGHUP, on_other_signal, SA_RESTART);
	handle_unless_ignored(SIGTERM, on_other_signal, SA_RESTART);
	handle(SIGNALS_ABORT, on_stop_signal, 0);
}

int signals_caught(void)
{
	return stop_signal;
}

int signals_take(void)
{
	sigset_t mask;

	signals_block(&mask);
	int sig = stop_signal;
	stop_signal = 0;
	signals_restore(&mask);
	return sig;
}

int signals_check(struct err *err)
{
	if (stop_signal == 0)
		return 0;
	return err_set(err, ERR_INTERRUPTED, 0, "interrupted (%s)", strsignal(stop_signal));
}

int signals_watch_children(struct err *err)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &child, NULL);
	int fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd == -1 ? err_sys(err, "signalfd") : fd;
}

void signals_forget_children(int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) > 0)
		;
}

int signals_watch_end(struct signals_end_watch *watch, struct err *err)
{
	static const int sigs[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action;
	sigset_t ends;

	sigemptyset(&ends);
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		/* A signal that is blocked would come also if it is ignored. */
		if (sigaction(sigs[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(&ends, sigs[i]);
	}
	pthread_sigmask(SIG_BLOCK, &ends, &watch->old);
	watch->fd = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	if (watch->fd != -1)
		return 0;
	err_sys(err, "signalfd");
	pthread_sigmask(SIG_SETMASK, &watch->old, NULL);
	return -1;
}

void signals_unwatch_end(struct signals_end_watch *watch)
{
	struct signalfd_siginfo info;

	if (watch->fd == -1)
		return;
	while (read(watch->fd, &info, sizeof(info)) > 0)
		;
	close(watch->fd);
	watch->fd = -1;
	pthread_sigmask(SIG_SETMASK, &watch->old, NULL);
}

void signals_block(sigset_t *old)
{
	sigset_t mask;

	sigemptyset(&mask);
	for (int sig = 1; sig < NSIG; sig++) {
		if (asks_to_end(sig))
			sigaddset(&mask, sig);
	}
	pthread_sigmask(SIG_BLOCK, &mask, old);
}

void signals_restore(const sigset_t *old)
{
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

void signals_die(void)
{
	int sig = stop_signal;
	sigset_t mask;

	signal(sig, SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, sig);
	pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
	raise(sig);
	_exit(128 + sig); /* not reached: each of them ends a process by default */
}
