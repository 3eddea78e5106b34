#include "data/source.h"

int source_start(struct source *source, const struct ends *ends, struct err *err)
{
	return source->type->start == NULL ? 0 : source->type->start(source, ends, err);
}

ssize_t source_read(struct source *source, void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	ssize_t n = source->type->read(source, buffer, size, deadline, err);

	if (n > 0)
		source->taken += n;
	return n;
}

bool source_is_ready(struct source *source, struct pollfd *from)
{
	return source->type->is_ready == NULL || source->type->is_ready(source, from);
}

void source_close(struct source *source)
{
	if (source != NULL)
		source->type->close(source);
}
