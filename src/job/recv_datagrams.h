/*
 * The job of receiving datagrams: it brings sink, socket and capture together.
 */
#ifndef RECV_DATAGRAMS_H
#define RECV_DATAGRAMS_H

#include <stdbool.h>

#include "job/recv_one.h"

/*
 * Captures what comes to the address of the job, an ADDR_UDP, into its sink, raw or as lines, and
 * reports the end. Blocks until the capture ends. Returns the exit status, which tells of known
 * losses.
 */
int recv_datagrams(const struct recv_job *job, bool raw);

#endif
