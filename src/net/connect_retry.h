/*
 * Connecting again and again until a program listens, with a pause that grows from try to try.
 */
#ifndef CONNECT_RETRY_H
#define CONNECT_RETRY_H

#include <stdint.h>

#include "base/deadline.h"
#include "base/err.h"
#include "net/addr.h"
#include "net/connect.h"

struct connect_retry_options {
	int64_t until; /* deadline of the tries; DEADLINE_NOW: one try, which limits alone end */
	const struct time_limits *limits; /* idle: of each try; end: of all tries */
	/*
	 * Called with context and each socket that is connected, which becomes its own, for what
	 * else belongs to a try. Returns 0, or -1 if the try has failed.
	 */
	int (*on_socket)(void *context, int sock, struct err *err);
	/* Called with context after each failed try that another one will follow; or NULL. */
	void (*on_failure)(void *context, const struct err *err);
	void *context;
};

/*
 * Calls connect_open() and options->on_socket() until both succeed or the time is up. The pause
 * after a failure is 0.1 s, then twice as long each time, at most 2 s. A try ends when the time is
 * up; one that begins then, or shortly before, as the last one does, has a second.
 *
 * An error that waiting cannot mend ends the tries at once: an unknown service, a source address
 * that is not ours, a family that the host lacks, a lack of permission, an impossible path, a lack
 * of descriptors or of memory, another end that does not have the key, or has answered and then not
 * gone on with the handshake (EPROTO). Blocks while it tries.
 *
 * Returns 0, with err cleared, or -1 with the last try's error; with ERR_TIMEOUT if limits->end has
 * ended the tries.
 */
int connect_retry(const struct addr *addr, const struct connect_options *how,
    const struct connect_retry_options *options, struct err *err);

#endif
