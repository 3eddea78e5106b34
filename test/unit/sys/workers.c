/* Processes of ours: started, told to end, and accounted for. */
#include "sys/workers.h"

#include <errno.h>
#include <sys/resource.h>

#include "base/deadline.h"
#include "check.h"
#include "sys/io.h"
#include "sys/signals.h"

#define SHORT (200 * CLOCK_MILLISECOND)
#define LONG (30 * CLOCK_SECOND) /* what is said to be at once must take less */

static int answer(void *context)
{
	return *(int *)context;
}

/* Runs until it is told to end, and exits with the signal that told it. */
static int wait_for_signal(void *context)
{
	struct err err;

	(void)context;
	(void)io_sleep(DEADLINE_NEVER, &err);
	return signals_caught();
}

static int crash(void *context)
{
	(void)context;
	raise(SIGKILL);
	return 0;
}

static void returns_what_it_does(void)
{
	struct workers workers;
	struct err err;
	int seven = 7;
	int status = 0;

	CHECK_INT(workers_open(&workers, 2, &err), 0);
	CHECK_INT(workers_start(&workers, answer, &seven, &err), 0);
	CHECK_INT(workers_start(&workers, crash, NULL, &err), 1);
	CHECK(workers.count == 2);
	for (int i = 0; i < 2; i++) {
		ssize_t slot = workers_wait(&workers, &status, deadline_after(LONG), &err);
		if (slot == 0)
			CHECK_INT(WEXITSTATUS(status), 7);
		else
			CHECK_INT(WTERMSIG(status), SIGKILL);
	}
	CHECK(workers.count == 0);
	CHECK_INT(workers_reap(&workers, &status), -1);
	workers_close(&workers);
	workers_close(&workers);
}

static void slots_are_used_again(void)
{
	struct workers workers;
	struct err err;
	int zero = 0;
	int status;

	CHECK_INT(workers_open(&workers, 2, &err), 0);
	CHECK_INT(workers_start(&workers, wait_for_signal, NULL, &err), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(workers_start(&workers, answer, &zero, &err), 1);
		CHECK_INT(workers_wait(&workers, &status, deadline_after(LONG), &err), 1);
	}
	CHECK(workers.count == 1);
	workers_close(&workers);
	CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
	CHECK_INT(errno, ECHILD);
}

static void only_we_end_them(void)
{
	struct workers workers;
	struct err err;
	int status = 0;

	signals_install();
	CHECK_INT(workers_open(&workers, 1, &err), 0);
	CHECK_INT(workers_start(&workers, wait_for_signal, NULL, &err), 0);
	workers_signal(&workers, SIGTERM);
	workers_signal(&workers, SIGHUP);
	CHECK_INT(workers_wait(&workers, &status, deadline_after(SHORT), &err), -1);
	CHECK_INT(err.kind, ERR_TIMEOUT);
	workers_signal(&workers, SIGNALS_ABORT);
	CHECK_INT(workers_wait(&workers, &status, deadline_after(LONG), &err), 0);
	CHECK_INT(WEXITSTATUS(status), SIGNALS_ABORT);
	workers_close(&workers);
}

/* A signal that has asked the parent to end does not ask a worker that is started later. */
static void begin_anew(void)
{
	struct workers workers;
	struct err err;
	int status = 0;

	signals_install();
	CHECK_INT(workers_open(&workers, 1, &err), 0);
	raise(SIGTERM);
	CHECK_INT(workers_start(&workers, wait_for_signal, NULL, &err), 0);
	CHECK_INT(workers_wait(&workers, &status, DEADLINE_NEVER, &err), -1);
	CHECK_INT(err.kind, ERR_INTERRUPTED);
	CHECK_INT(signals_take(), SIGTERM);
	CHECK_INT(signals_take(), 0);
	CHECK_INT(workers_wait(&workers, &status, deadline_after(SHORT), &err), -1);
	CHECK_INT(err.kind, ERR_TIMEOUT);
	workers_close(&workers);
}

/*
 * Dies and leaves a worker of its own behind. Both hold a pipe of the test; the end of file there
 * tells that both have ended.
 */
static int die_before_worker(void *context)
{
	struct workers workers;
	struct err err;

	(void)context;
	if (workers_open(&workers, 1, &err) == 0 &&
	    workers_start(&workers, wait_for_signal, NULL, &err) == 0)
		raise(SIGKILL);
	return 1;
}

static void orphans_end(void)
{
	struct workers workers;
	struct err err;
	int ends[2];
	int status = 0;
	char byte;

	CHECK_INT(pipe(ends), 0);
	CHECK_INT(workers_open(&workers, 1, &err), 0);
	CHECK_INT(workers_start(&workers, die_before_worker, NULL, &err), 0);
	CHECK_INT(workers_wait(&workers, &status, deadline_after(LONG), &err), 0);
	CHECK_INT(WTERMSIG(status), SIGKILL);
	close(ends[1]);
	CHECK_INT(io_read(ends[0], &byte, 1, deadline_after(LONG), &err), 0);
	close(ends[0]);
	workers_close(&workers);
}

static int has_descriptor(void *context)
{
	return fcntl(*(int *)context, F_GETFD) != -1;
}

static void have_no_descriptor_of_ours(void)
{
	struct workers workers;
	struct err err;
	int status = 0;

	CHECK_INT(workers_open(&workers, 1, &err), 0);
	CHECK_INT(workers_start(&workers, has_descriptor, &workers.ended, &err), 0);
	CHECK_INT(workers_wait(&workers, &status, deadline_after(LONG), &err), 0);
	CHECK_INT(WEXITSTATUS(status), 0);
	workers_close(&workers);
}

/*
 * This test and the next one restore their limit: a sanitizer that looks for leaks at the end needs
 * processes and descriptors.
 */
static void no_process(void)
{
	struct rlimit none = {.rlim_cur = 0};
	struct rlimit before;
	struct workers workers;
	struct err err;
	int zero = 0;

	if (geteuid() == 0 && (setgid(CHECK_USER) == -1 || setuid(CHECK_USER) == -1))
		_exit(CHECK_SKIPPED);
	CHECK_INT(getrlimit(RLIMIT_NPROC, &before), 0);
	none.rlim_max = before.rlim_max;
	CHECK_INT(setrlimit(RLIMIT_NPROC, &none), 0);
	CHECK_INT(workers_open(&workers, 1, &err), 0);
	CHECK_INT(workers_start(&workers, answer, &zero, &err), -1);
	CHECK_INT(err.errnum, EAGAIN);
	CHECK_STR(err.text, "fork: Resource temporarily unavailable");
	CHECK(workers.count == 0);
	workers_close(&workers);
	setrlimit(RLIMIT_NPROC, &before);
}

/* A server signals and closes its workers at its end, even if they failed to open. */
static void no_descriptor(void)
{
	struct rlimit none = {.rlim_cur = 0};
	struct rlimit before;
	struct workers workers;
	struct err err;
	sigset_t mask;

	CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
	none.rlim_max = before.rlim_max;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
	CHECK_INT(workers_open(&workers, 1, &err), -1);
	CHECK_INT(err.errnum, EMFILE);
	workers_signal(&workers, SIGKILL);
	workers_close(&workers);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	CHECK_INT(sigismember(&mask, SIGCHLD), 0);
	setrlimit(RLIMIT_NOFILE, &before);
}

int main(void)
{
	promise("how a worker ended is told, be it by a signal", returns_what_it_does);
	promise("a slot is used again, and none is left running", slots_are_used_again);
	promise("TERM and HUP, which go to all, do not end a worker: we do", only_we_end_them);
	promise("a worker does not have the signal that its parent had", begin_anew);
	promise("a worker whose parent dies ends, too", orphans_end);
	promise("a worker does not hold what tells its parent of ends", have_no_descriptor_of_ours);
	promise("where no process is to be had, that is an error", no_process);
	promise("where no descriptor is to be had, that is an error", no_descriptor);
	return check_end();
}
