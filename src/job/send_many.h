/*
 * The job of sending the same stream to several receivers at once, read once.
 */
#ifndef SEND_MANY_H
#define SEND_MANY_H

#include "job/send_one.h"
#include "net/addr_list.h"

/*
 * Does the job for all of receivers (instead of the address in job), each served by a process of its
 * own (sys/workers.h), and reports what became of each: an error at once, the rest, and JSON, in the
 * end. Nothing is read, and no command started, before each is connected or has failed. One that fails
 * is left out while the others go on. If the source fails, or we are interrupted or killed, the
 * connections to all that are left are reset.
 *
 * No other thread may run yet: the meter is started when the processes are there. Blocks as long as
 * the limits of the job let each of them, and as the source takes. Returns the exit status: that of the
 * first, in their order, that is not 0; of the source's failure, or of a signal, before any other.
 */
int send_many(const struct send_job *job, const struct addr_list *receivers);

#endif
