/*
 * The end of a job: what is said of it, and its exit status.
 */
#ifndef CONCLUDE_H
#define CONCLUDE_H

#include "base/err.h"
#include "job/talk.h"
#include "sys/shared_lock.h"
#include "transfer/outcome.h"

/*
 * Reports how a transfer ended, err being of kind ERR_NONE if all is well: on stderr for people, and on
 * stdout what is for a program to read. lock is that of the transfers of a server, which write to the
 * same place; NULL: there is one transfer. Blocks as write(2) does, and until it is its turn. Returns
 * the exit status; it is a failure, too, if stdout does not take what is for it.
 */
int conclude(const struct talk *talk, struct shared_lock *lock, const struct outcome *outcome,
    struct err *err);

#endif
