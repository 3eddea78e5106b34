#include "transfer/copy.h"

#include <stdlib.h>

#include "net/sock.h"

/*
 * A unix socket takes no more than its buffer of some 200 KiB at once, and what lies in a larger chunk has left the
 * cache by its turn. Measured: 2.2 GB/s in chunks of 2M, 2.5 of 512K.
 */
#define UNIX_CHUNK ((size_t)512 * 1024)

int copy_open(struct copy *copy, struct err *err)
{
	if (sock_is_unix(copy->sock) && copy->size > UNIX_CHUNK)
		copy->size = UNIX_CHUNK;
	copy->chunk = malloc(copy->size);
	if (copy->chunk == NULL)
		return err_sys(err, "chunk");
	copy->engine = copy_linux_suits(copy) ? &copy_linux : &copy_portable;
	return 0;
}

ssize_t copy_fill(struct copy *copy, int64_t deadline, struct err *err)
{
	return copy->engine->fill(copy, deadline, err);
}

ssize_t copy_send(struct copy *copy, struct err *err)
{
	return copy->engine->send(copy, err);
}

int copy_check(const struct copy *copy, struct err *err)
{
	return copy->live ? source_check_unchanged(copy->source, err) : 0;
}

void copy_close(struct copy *copy)
{
	free(copy->chunk);
	copy->chunk = NULL;
}
