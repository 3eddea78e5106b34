#include "data/sink.h"

int sink_begin(struct sink *sink, const struct ends *ends, struct err *err)
{
	return sink->type->begin == NULL ? 0 : sink->type->begin(sink, ends, err);
}

int sink_write(struct sink *sink, const void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	return sink->type->write(sink, buffer, size, deadline, err);
}

int sink_commit(struct sink *sink, int64_t deadline, struct err *err)
{
	return sink->type->commit(sink, deadline, err);
}

void sink_close(struct sink *sink)
{
	if (sink != NULL)
		sink->type->close(sink);
}
