/*
 * Whose turn it is to write where several processes write: a lock in memory that workers share with the parent that
 * forked them. One that dies in its turn does not keep the others waiting.
 */
#ifndef SHARED_LOCK_H
#define SHARED_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct shared_lock;

/* Makes one, for the processes forked from now on. Returns it, the caller's to close, or NULL with ERR_FAILED. */
struct shared_lock *shared_lock_open(struct err *err);

/*
 * Waits for the turn until the deadline, or until a signal asks us to end; a turn that is to be had at once is had in
 * any case. *torn tells whether what was written last may have ended in the middle: its writer said so, or died after
 * shared_lock_begin(). A turn that is NULL is one that we have alone.
 *
 * Returns 0, the turn then being to be given on, or -1: ERR_TIMEOUT, ERR_INTERRUPTED, ERR_FAILED.
 */
int shared_lock_take(struct shared_lock *lock, int64_t deadline, bool *torn, struct err *err);

/* In our turn: we begin to write, and if we die now it may end in the middle. */
void shared_lock_begin(struct shared_lock *lock);

/* Gives it on; torn: what we have written ends in the middle. */
void shared_lock_release(struct shared_lock *lock, bool torn);

/* Frees it, in this process. NULL may be closed. */
void shared_lock_close(struct shared_lock *lock);

#endif
