/*
 * A lock for several processes that write to one place: it lies in memory that the workers share
 * with the parent that forked them. A process that dies with the lock does not keep the others
 * waiting.
 */
#ifndef SHARED_LOCK_H
#define SHARED_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct shared_lock;

/*
 * Makes a lock that this process shares with those that it forks from now on. Returns it, the
 * caller's to close, or NULL with ERR_FAILED. Does not block.
 */
struct shared_lock *shared_lock_open(struct err *err);

/*
 * Takes the lock; blocks until it is free, until the deadline, or until a signal asks the program
 * to end. A lock that is free at once is taken whatever the deadline and the signal. *torn becomes
 * whether the last write may have ended in the middle: its writer said so, or died after
 * shared_lock_begin(). If lock is NULL, the process writes alone and has nothing to wait for.
 *
 * Returns 0, and then the caller has to release the lock, or -1: ERR_TIMEOUT, ERR_INTERRUPTED or
 * ERR_FAILED.
 */
int shared_lock_take(struct shared_lock *lock, int64_t deadline, bool *torn, struct err *err);

/*
 * Says, with the lock taken, that a write begins: if the process dies now, the write may end in the
 * middle. lock may be NULL. Does not block.
 */
void shared_lock_begin(struct shared_lock *lock);

/*
 * Releases the lock. torn says whether the caller's write has ended in the middle. lock may be
 * NULL. Does not block.
 */
void shared_lock_release(struct shared_lock *lock, bool torn);

/* Frees the lock in this process. lock may be NULL. Does not block. */
void shared_lock_close(struct shared_lock *lock);

#endif
