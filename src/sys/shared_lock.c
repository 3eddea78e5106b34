#include "sys/shared_lock.h"

#include <errno.h>
#include <pthread.h>

#include "base/deadline.h"
#include "sys/shared_memory.h"
#include "sys/signals.h"

/*
 * How often a wait for the mutex checks for a signal, which cannot end that wait by itself. A wait
 * is that long only if another process writes to a slow reader.
 */
#define LOOK (100 * CLOCK_MILLISECOND)

struct shared_lock {
	pthread_mutex_t mutex; /* robust: the next to take it learns that its holder has died */
	bool torn;
};

/* Returns 0 or an errno. */
static int init(struct shared_lock *lock)
{
	pthread_mutexattr_t attr;
	int error = pthread_mutexattr_init(&attr);

	if (error != 0)
		return error;
	error = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (error == 0)
		error = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if (error == 0)
		error = pthread_mutex_init(&lock->mutex, &attr);
	pthread_mutexattr_destroy(&attr);
	return error;
}

struct shared_lock *shared_lock_open(struct err *err)
{
	struct shared_lock *lock = shared_memory_open(sizeof(*lock), err);

	if (lock == NULL)
		return NULL;
	int error = init(lock);
	if (error == 0)
		return lock;
	err_set(err, ERR_FAILED, error, "shared lock");
	shared_lock_close(lock);
	return NULL;
}

/* Returns 0 or an errno: ETIMEDOUT, EOWNERDEAD. */
static int lock_until(struct shared_lock *lock, int64_t until)
{
	struct timespec time = {
	    .tv_sec = until / CLOCK_SECOND,
	    .tv_nsec = until % CLOCK_SECOND,
	};

	return pthread_mutex_clocklock(&lock->mutex, CLOCK_MONOTONIC, &time);
}

static int lock_mutex(struct shared_lock *lock, int64_t deadline, struct err *err)
{
	int error = pthread_mutex_trylock(&lock->mutex);

	while (error == EBUSY || error == ETIMEDOUT) {
		if (signals_check(err) == -1)
			return -1;
		if (clock_now() >= deadline)
			return err_set(err, ERR_TIMEOUT, 0, "timed out");
		error = lock_until(lock, deadline_min(deadline, deadline_after(LOOK)));
	}
	if (error == EOWNERDEAD)
		error = pthread_mutex_consistent(&lock->mutex);
	return error == 0 ? 0 : err_set(err, ERR_FAILED, error, "shared lock");
}

int shared_lock_take(struct shared_lock *lock, int64_t deadline, bool *torn, struct err *err)
{
	*torn = false;
	if (lock == NULL)
		return 0;
	if (lock_mutex(lock, deadline, err) == -1)
		return -1;
	*torn = lock->torn;
	return 0;
}

void shared_lock_begin(struct shared_lock *lock)
{
	if (lock != NULL)
		lock->torn = true;
}

void shared_lock_release(struct shared_lock *lock, bool torn)
{
	if (lock == NULL)
		return;
	lock->torn = torn;
	pthread_mutex_unlock(&lock->mutex);
}

void shared_lock_close(struct shared_lock *lock)
{
	shared_memory_close(lock, sizeof(*lock));
}
