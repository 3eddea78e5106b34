#include "sys/io.h"
#include "transfer/copy.h"

static ssize_t fill(struct copy *copy, int64_t deadline, struct err *err)
{
	ssize_t n = source_read(copy->source, copy->chunk, copy->size, deadline, err);

	if (n == -1)
		return -1;
	digest_add(copy->digest, copy->chunk, (size_t)n);
	copy->in_file = false;
	copy->next = 0;
	copy->ready = (size_t)n;
	return n;
}

static ssize_t send_ready(struct copy *copy, struct err *err)
{
	const char *bytes = copy->chunk + copy->next;
	ssize_t n;

	if (copy->lifeline->offer != -1)
		n = lifeline_send(copy->lifeline, copy->sock, bytes, copy->ready, err);
	else
		n = io_send(copy->sock, bytes, copy->ready, err);
	if (n == -1)
		return -1;
	copy->next += (size_t)n;
	copy->ready -= (size_t)n;
	return n;
}

const struct copy_engine copy_portable = {.fill = fill, .send = send_ready};
