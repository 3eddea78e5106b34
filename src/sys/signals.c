#include "sys/signals.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop_signal;

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};

#define STOP_SIGNALS (sizeof(stop_signals) / sizeof(stop_signals[0]))

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
	for (size_t i = 0; i < STOP_SIGNALS; i++)
		handle_unless_ignored(stop_signals[i], on_stop_signal, 0);
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

void signals_block(sigset_t *old)
{
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < STOP_SIGNALS; i++)
		sigaddset(&mask, stop_signals[i]);
	sigaddset(&mask, SIGNALS_ABORT);
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
	_exit(128 + sig); /* not reached: each of the three ends a process by default */
}
