/*
 * The job of sending to, or receiving from, each peer that connects: the work of one worker of a
 * server.
 */
#ifndef SERVE_EACH_H
#define SERVE_EACH_H

#include <stddef.h>
#include <stdint.h>

#include "job/recv_one.h"
#include "job/send_one.h"

struct serve_each_options {
	size_t max;    /* the most peers at once; further ones have to wait */
	int64_t grace; /* ns that transfers may go on after SIGTERM has asked the server to end */
};

/*
 * Listen, and do the job anew for each peer that connects, until a signal asks the server to end
 * (server_run()). The process that has served a transfer reports its end. Errors in the file, the
 * directory or the command are found before we listen, as far as they show. Block until the server
 * has ended. Return the exit status.
 */
int serve_each_send(const struct send_job *job, const struct serve_each_options *options);
int serve_each_recv(const struct recv_job *job, const struct serve_each_options *options);

#endif
