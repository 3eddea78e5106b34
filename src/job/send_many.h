/*
 * The send command with several receivers: the same stream to all of them at once, read once.
 */
#ifndef SEND_MANY_H
#define SEND_MANY_H

#include "cli/settings.h"
#include "transfer/send.h"
#include "ui/progress_meter.h"

/*
 * Sends what settings ask for to all of settings->receivers, each served by a process of its own (workers.h), and reports
 * what became of each: an error at once, the rest, and JSON, in the end. Nothing is read, and no command started, before
 * each is connected or has failed. One that fails is left out while the others go on. If the source fails, or we are
 * interrupted or killed, the connections to all that are left are reset.
 *
 * No other thread may run yet: the meter, as how has it, is started when the processes are there. Blocks as long as
 * the limits of transfer let each of them, and as the source takes. Returns the exit status: that of the first, in
 * their order, that is not 0; of the source's failure, or of a signal, before any other.
 */
int fanout_send(const struct settings *settings, const struct send_policy *transfer,
    const struct progress_meter_options *how);

#endif
