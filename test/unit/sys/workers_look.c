/* A look for the end of a worker that fails, when the worker has ended and its signal is read. */
#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/deadline.h"
#include "check.h"
#include "sys/workers.h"

#define LONG (30 * CLOCK_SECOND)

static int failures;

/* Takes the place of the C library's, and fails as often as failures says. */
pid_t waitpid(pid_t pid, int *status, int options)
{
	if (failures == 0)
		return wait4(pid, status, options, NULL);
	failures--;
	errno = ENOMEM;
	return -1;
}

static int answer(void *context)
{
	return *(int *)context;
}

static void made_again(void)
{
	struct workers workers;
	struct err err = {.kind = ERR_NONE};
	siginfo_t info;
	int seven = 7;
	int status = 0;

	CHECK_INT(workers_open(&workers, 1, &err), 0);
	CHECK_INT(workers_start(&workers, answer, &seven, &err), 0);
	CHECK_INT(waitid(P_PID, (id_t)workers.pid[0], &info, WEXITED | WNOWAIT), 0);
	failures = 1;
	CHECK_INT(workers_wait(&workers, &status, deadline_after(LONG), &err), 0);
	CHECK_INT(failures, 0);
	CHECK_INT(WEXITSTATUS(status), 7);
	workers_close(&workers);
}

int main(void)
{
	promise("a look for a worker's end that fails is made again", made_again);
	return check_end();
}
