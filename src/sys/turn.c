#include "sys/turn.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "sys/interrupt.h"

/*
 * A signal does not end the wait for a mutex: how often it is looked for. Only where another one's write to a slow
 * reader takes that long.
 */
#define LOOK (100 * CLOCK_MILLISECOND)

struct turn {
	pthread_mutex_t lock; /* robust: that its holder has died, the next one is told */
	bool torn;
};

static int init(struct turn *turn)
{
	pthread_mutexattr_t attr;
	int error = pthread_mutexattr_init(&attr);

	if (error != 0)
		return error;
	error = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (error == 0)
		error = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if (error == 0)
		error = pthread_mutex_init(&turn->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return error;
}

struct turn *turn_open(struct err *err)
{
	const int flags = MAP_SHARED | MAP_ANONYMOUS;
	/* cppcheck-suppress invalidFunctionArg ; -1: there is no file (mmap(2)) */
	struct turn *turn = mmap(NULL, sizeof(*turn), PROT_READ | PROT_WRITE, flags, -1, 0);

	if (turn == MAP_FAILED) {
		err_sys(err, "shared memory");
		return NULL;
	}
	int error = init(turn);
	if (error == 0)
		return turn;
	err_set(err, ERR_FAILED, error, "shared lock");
	turn_close(turn);
	return NULL;
}

static int lock_until(struct turn *turn, int64_t until)
{
	struct timespec time = {
	    .tv_sec = until / CLOCK_SECOND,
	    .tv_nsec = until % CLOCK_SECOND,
	};

	return pthread_mutex_clocklock(&turn->lock, CLOCK_MONOTONIC, &time);
}

static int lock(struct turn *turn, int64_t deadline, struct err *err)
{
	int error = pthread_mutex_trylock(&turn->lock);

	while (error == EBUSY || error == ETIMEDOUT) {
		if (interrupt_check(err) == -1)
			return -1;
		if (clock_now() >= deadline)
			return err_set(err, ERR_TIMEOUT, 0, "timed out");
		error = lock_until(turn, deadline_min(deadline, deadline_after(LOOK)));
	}
	if (error == EOWNERDEAD)
		error = pthread_mutex_consistent(&turn->lock);
	return error == 0 ? 0 : err_set(err, ERR_FAILED, error, "shared lock");
}

int turn_take(struct turn *turn, int64_t deadline, bool *torn, struct err *err)
{
	*torn = false;
	if (turn == NULL)
		return 0;
	if (lock(turn, deadline, err) == -1)
		return -1;
	*torn = turn->torn;
	return 0;
}

void turn_begin(struct turn *turn)
{
	if (turn != NULL)
		turn->torn = true;
}

void turn_give(struct turn *turn, bool torn)
{
	if (turn == NULL)
		return;
	turn->torn = torn;
	pthread_mutex_unlock(&turn->lock);
}

void turn_close(struct turn *turn)
{
	if (turn != NULL)
		munmap(turn, sizeof(*turn));
}
