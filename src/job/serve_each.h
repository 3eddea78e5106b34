/*
 * The job of sending to, or receiving from, each peer that comes: what one worker of a server does.
 */
#ifndef SERVE_EACH_H
#define SERVE_EACH_H

#include <stddef.h>
#include <stdint.h>

#include "job/recv_one.h"
#include "job/send_one.h"

struct serve_each_options {
	size_t max;    /* peers at once; further ones are left waiting */
	int64_t grace; /* ns that those under way have to end, once SIGTERM asks us to */
};

/*
 * Listens and does the job anew for each peer that comes, until a signal asks us to end (server_run()).
 * The end of each transfer is reported by the process that served it. What is wrong with the file, the
 * directory or the command is found before we listen, as far as it shows. Blocks until then. Returns
 * the exit status.
 */
int serve_each_send(const struct send_job *job, const struct serve_each_options *options);
int serve_each_recv(const struct recv_job *job, const struct serve_each_options *options);

#endif
