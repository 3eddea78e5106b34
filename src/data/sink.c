#include "data/sink.h"

/* Keeps what a function of the sink's kind returned, if that was a failure. Returns it. */
static int keep_failure(struct sink *sink, int status, const struct err *err)
{
	if (status == -1)
		sink->failure = *err;
	return status;
}

/* Whether the sink has failed before, which is said once more then. */
static bool is_failed(const struct sink *sink, struct err *err)
{
	if (sink->failure.kind == ERR_NONE)
		return false;
	*err = sink->failure;
	return true;
}

ssize_t sink_read_part(struct sink *sink, void *buffer, size_t size, struct err *err)
{
	if (is_failed(sink, err))
		return -1;
	ssize_t n = sink->type->read_part(sink, buffer, size, err);
	return n == -1 ? keep_failure(sink, -1, err) : n;
}

int sink_resume(struct sink *sink, struct err *err)
{
	if (is_failed(sink, err))
		return -1;
	return keep_failure(sink, sink->type->resume(sink, err), err);
}

int sink_begin(struct sink *sink, const struct ends *ends, struct err *err)
{
	if (is_failed(sink, err))
		return -1;
	if (sink->type->begin == NULL)
		return 0;
	return keep_failure(sink, sink->type->begin(sink, ends, err), err);
}

int sink_write(struct sink *sink, const void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	if (is_failed(sink, err))
		return -1;
	return keep_failure(sink, sink->type->write(sink, buffer, size, deadline, err), err);
}

int sink_reader(const struct sink *sink)
{
	return sink->type->reader == NULL ? -1 : sink->type->reader(sink);
}

int sink_commit(struct sink *sink, int64_t deadline, struct err *err)
{
	if (is_failed(sink, err))
		return -1;
	return keep_failure(sink, sink->type->commit(sink, deadline, err), err);
}

void sink_note(struct sink *sink, char *text, size_t size)
{
	*text = '\0';
	if (sink->type->note != NULL)
		sink->type->note(sink, text, size);
}

void sink_close(struct sink *sink)
{
	if (sink != NULL)
		sink->type->close(sink);
}
