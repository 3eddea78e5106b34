/*
 * The end of a job: its report, and its exit status.
 */
#ifndef CONCLUDE_H
#define CONCLUDE_H

#include "base/err.h"
#include "job/talk.h"
#include "sys/shared_lock.h"
#include "transfer/outcome.h"

/*
 * Reports the end of a transfer; err is its error, or of kind ERR_NONE. The report for people goes
 * to stderr, and the result for programs to stdout, or to stderr if stdout carries the data. lock
 * is that of the transfers of a server, which write to one output; NULL: there is one transfer.
 * Blocks as write(2), and until the lock is free. Returns the exit status. A result that cannot be
 * written is a failure, which err then describes.
 */
int conclude(const struct talk *talk, struct shared_lock *lock, const struct outcome *outcome,
    struct err *err);

#endif
