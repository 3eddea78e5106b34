/*
 * The job of sending datagrams: it brings source and socket together.
 */
#ifndef SEND_DATAGRAMS_H
#define SEND_DATAGRAMS_H

#include <stdbool.h>

#include "job/send_one.h"

/*
 * Sends the source of the job as datagrams to its address, an ADDR_UDP, in pieces of the job's
 * chunk if raw, else by lines, and reports the end. Blocks as long as the limits allow. Returns the
 * exit status.
 */
int send_datagrams(const struct send_job *job, bool raw);

#endif
