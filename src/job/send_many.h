/*
 * The job of sending the same stream to several receivers at once; the source is read once.
 */
#ifndef SEND_MANY_H
#define SEND_MANY_H

#include "job/send_one.h"
#include "net/addr_list.h"

/*
 * Does the job for all receivers, in place of the address in job. A worker (sys/workers.h) serves
 * each receiver. The source is not read, and no command starts, before each receiver is connected
 * or has failed. A receiver that fails is left out while the others go on. If the source fails, or
 * the program is interrupted or killed, the connections that are left are reset. Each error is
 * reported at once, and the other results, and JSON, at the end.
 *
 * No other thread may run yet; the meter starts after the workers. Blocks as long as the limits of
 * the job allow each worker, and as the source takes. Returns the exit status: that of a signal or
 * of the source's failure, else the first, in the order of the receivers, that is not 0.
 */
int send_many(const struct send_job *job, const struct addr_list *receivers);

#endif
