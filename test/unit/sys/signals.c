/* The signals that ask the program to end, and those that must not. */
#include "sys/signals.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "check.h"

static const int stops[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGXCPU, SIGUSR2, SIGVTALRM,
    SIGPROF, SIGIO, SIGPWR, SIGSTKFLT, SIGABRT};

/* Those that stop no process, or whose default does not end one, or that have another meaning. */
static const int others[] = {SIGUSR1, SIGWINCH, SIGPIPE, SIGXFSZ, SIGCHLD, SIGCONT, SIGURG};

static void sets_the_flag(void)
{
	struct err err = {.kind = ERR_NONE};

	signals_install();
	CHECK_INT(signals_caught(), 0);
	CHECK_INT(signals_check(&err), 0);
	CHECK_INT(err.kind, ERR_NONE);
	for (size_t i = 0; i < ROWS(stops); i++) {
		raise(stops[i]);
		CHECK_INT(signals_caught(), stops[i]);
		CHECK_INT(signals_check(&err), -1);
		CHECK_INT(err.kind, ERR_INTERRUPTED);
	}
	CHECK_STR(err.text, "interrupted (Aborted)");
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++) {
		raise(sig);
		CHECK_INT(signals_caught(), sig);
	}
}

static void others_do_not(void)
{
	signals_block_queries();
	signals_install();
	for (size_t i = 0; i < ROWS(others); i++)
		raise(others[i]);
	CHECK_INT(signals_caught(), 0);
}

/* Returns the signal that ends a child which installs the handlers and then fails. */
static int end_of_child(void (*fail)(void))
{
	int status = 0;
	const struct rlimit no_core = {.rlim_cur = 0};
	pid_t child = fork();

	if (child == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGBUS, SIG_DFL); /* a sanitizer may have taken it */
		signals_install();
		fail();
		_exit(0);
	}
	CHECK_INT(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* A page behind the end of its file. */
static void touch_nothing(void)
{
	int fd = open("empty", O_RDWR | O_CREAT, 0600);
	volatile char *page = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);

	_exit(page[0]);
}

static void faults_end_us(void)
{
	CHECK_INT(end_of_child(touch_nothing), SIGBUS);
	CHECK_INT(end_of_child(abort), SIGABRT);
}

static void stays_ignored(void)
{
	struct sigaction old;

	signal(SIGINT, SIG_IGN);
	signals_install();
	raise(SIGINT);
	CHECK_INT(signals_caught(), 0);
	sigaction(SIGINT, NULL, &old);
	CHECK(old.sa_handler == SIG_IGN);
	raise(SIGTERM);
	CHECK_INT(signals_caught(), SIGTERM);
}

static void system_calls_are_not_restarted(void)
{
	struct sigaction action;

	signals_install();
	for (size_t i = 0; i < ROWS(stops); i++) {
		sigaction(stops[i], NULL, &action);
		CHECK_INT(action.sa_flags & SA_RESTART, 0);
	}
}

static void write_errors(void)
{
	int fds[2];
	struct rlimit limit = {.rlim_cur = 4, .rlim_max = RLIM_INFINITY};
	int fd = open("file", O_WRONLY | O_CREAT, 0600);

	signals_install();
	CHECK_INT(pipe(fds), 0);
	close(fds[0]);
	CHECK_INT(write(fds[1], "x", 1), -1); /* SIGPIPE */
	close(fds[1]);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 4;
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
	CHECK_INT(write(fd, "12345678", 8), 4);
	CHECK_INT(write(fd, "5", 1), -1); /* SIGXFSZ */
	CHECK_INT(signals_caught(), 0);
	close(fd);
}

static void blocks(void)
{
	sigset_t old, now;

	signals_install();
	signals_block(&old);
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	for (size_t i = 0; i < ROWS(stops); i++) {
		CHECK_INT(sigismember(&now, stops[i]), 1);
		CHECK_INT(sigismember(&old, stops[i]), 0);
		raise(stops[i]);
	}
	CHECK_INT(signals_caught(), 0);
	signals_restore(&old);
	CHECK(signals_caught() != 0);
}

static void dies_of_it(void)
{
	const struct rlimit no_core = {.rlim_cur = 0};

	setrlimit(RLIMIT_CORE, &no_core);
	for (size_t i = 0; i < ROWS(stops); i++) {
		int status = 0;
		check_row("%s", strsignal(stops[i]));
		pid_t child = fork();
		if (child == 0) {
			signals_install();
			raise(stops[i]);
			signals_die();
		}
		CHECK_INT(waitpid(child, &status, 0), child);
		CHECK(WIFSIGNALED(status));
		CHECK_INT(WTERMSIG(status), stops[i]);
	}
}

static bool is_readable(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, 0) == 1;
}

static void watches_the_end(void)
{
	static const int ends[] = {SIGINT, SIGTERM};
	struct err err = {.kind = ERR_NONE};
	struct signals_end_watch watch;

	signal(SIGHUP, SIG_IGN);
	signals_install();
	for (size_t i = 0; i < ROWS(ends); i++) {
		CHECK_INT(signals_watch_end(&watch, &err), 0);
		raise(SIGHUP);
		CHECK(!is_readable(watch.fd));
		raise(ends[i]);
		CHECK(is_readable(watch.fd));
		CHECK_INT(signals_caught(), 0);
		signals_unwatch_end(&watch);
		CHECK_INT(signals_caught(), 0);
		signals_unwatch_end(&watch);
	}
	CHECK_INT(signals_watch_end(&watch, &err), 0);
	raise(SIGQUIT);
	CHECK_INT(signals_take(), SIGQUIT);
	signals_unwatch_end(&watch);
	raise(SIGTERM);
	CHECK_INT(signals_caught(), SIGTERM);
}

int main(void)
{
	promise("each signal that ends a process by default sets the flag, and does nothing else",
	    sets_the_flag);
	promise("a query, a write error or a signal that ends no process does not", others_do_not);
	promise("a fault of our own ends us by its signal", faults_end_us);
	promise("a signal that was ignored stays so", stays_ignored);
	promise("a signal to stop ends the system call that it meets",
	    system_calls_are_not_restarted);
	promise("SIGPIPE and SIGXFSZ are errors of one write", write_errors);
	promise("a blocked signal is seen when it is let through", blocks);
	promise(
	    "a watch for the end has INT, TERM and HUP, unless they are ignored, and only those",
	    watches_the_end);
	promise("the program dies of the signal that asked for it", dies_of_it);
	return check_end();
}
