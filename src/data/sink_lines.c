#include "data/sink_lines.h"

#include <stdlib.h>
#include <string.h>

#include "data/sink_stream.h"

/* The room for an unfinished line at first, in bytes. */
#define FIRST_ROOM ((size_t)4096)

struct sink_lines {
	struct sink sink;
	struct sink *stream;
	struct shared_lock *lock; /* of the processes that write to stream; the caller's, or NULL */
	bool has_turn;            /* it has taken the lock: it writes, or is within a long line */
	char *held;               /* an unfinished line, of len bytes */
	size_t len;
	size_t room;
};

static int put(const struct sink_lines *lines, const void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	return size == 0 ? 0 : sink_write(lines->stream, buffer, size, deadline, err);
}

/*
 * Takes the lock, and waits until the stream takes bytes, before a write begins: a wait in vain
 * begins no line. Ends a line that another process has left unfinished, so that ours are whole.
 */
static int take_turn(struct sink_lines *lines, int64_t deadline, struct err *err)
{
	bool torn;

	if (lines->has_turn)
		return 0;
	if (shared_lock_take(lines->lock, deadline, &torn, err) == -1)
		return err_prefix(err, "%s: write", lines->sink.name);
	if (sink_stream_wait(lines->stream, deadline, err) == -1) {
		shared_lock_release(lines->lock, torn);
		return -1;
	}
	shared_lock_begin(lines->lock);
	lines->has_turn = true;
	return torn ? put(lines, "\n", 1, deadline, err) : 0;
}

static void give_turn(struct sink_lines *lines, bool torn)
{
	if (lines->has_turn)
		shared_lock_release(lines->lock, torn);
	lines->has_turn = false;
}

/* Takes the lock and keeps it; writes the line that is held, and then these bytes. */
static int put_all(struct sink_lines *lines, const char *bytes, size_t size, int64_t deadline,
    struct err *err)
{
	if (take_turn(lines, deadline, err) == -1 ||
	    put(lines, lines->held, lines->len, deadline, err) == -1 ||
	    put(lines, bytes, size, deadline, err) == -1) {
		give_turn(lines, true);
		return -1;
	}
	lines->len = 0;
	return 0;
}

/* As put_all(), for bytes that end with a newline: releases the lock then. */
static int put_lines(struct sink_lines *lines, const char *bytes, size_t size, int64_t deadline,
    struct err *err)
{
	if (put_all(lines, bytes, size, deadline, err) == -1)
		return -1;
	give_turn(lines, false);
	return 0;
}

static int hold(struct sink_lines *lines, const char *bytes, size_t size, struct err *err)
{
	size_t room = lines->room == 0 ? FIRST_ROOM : lines->room;

	while (room < lines->len + size)
		room *= 2;
	if (room > lines->room) {
		char *held = realloc(lines->held, room);
		if (held == NULL)
			return err_sys(err, "%s: write: a line of %zu bytes", lines->sink.name,
			    lines->len + size);
		lines->held = held;
		lines->room = room;
	}
	memcpy(lines->held + lines->len, bytes, size);
	lines->len += size;
	return 0;
}

/* Takes bytes without a newline: holds them, or writes them if the line is a long one. */
static int begin_line(struct sink_lines *lines, const char *bytes, size_t size, int64_t deadline,
    struct err *err)
{
	if (lines->has_turn || size > SINK_LINES_HELD_MAX - lines->len)
		return put_all(lines, bytes, size, deadline, err);
	return hold(lines, bytes, size, err);
}

static int sink_lines_write(struct sink *sink, const void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	struct sink_lines *lines = (struct sink_lines *)sink;
	const char *bytes = buffer;
	const char *last = memrchr(bytes, '\n', size);
	size_t whole = last == NULL ? 0 : (size_t)(last - bytes) + 1;

	if (whole > 0 && put_lines(lines, bytes, whole, deadline, err) == -1)
		return -1;
	if (size == whole)
		return 0;
	return begin_line(lines, bytes + whole, size - whole, deadline, err);
}

static int sink_lines_commit(struct sink *sink, int64_t deadline, struct err *err)
{
	struct sink_lines *lines = (struct sink_lines *)sink;
	bool has_begun = lines->len > 0 || lines->has_turn;

	if (has_begun && put_lines(lines, "\n", 1, deadline, err) == -1)
		return -1;
	return sink_commit(lines->stream, deadline, err);
}

static void sink_lines_close(struct sink *sink)
{
	struct sink_lines *lines = (struct sink_lines *)sink;

	give_turn(lines, true);
	sink_close(lines->stream);
	free(lines->held);
	free(lines);
}

static const struct sink_type sink_lines = {
    .write = sink_lines_write,
    .commit = sink_lines_commit,
    .close = sink_lines_close,
};

struct sink *sink_lines_open(struct sink *stream, struct shared_lock *lock, struct err *err)
{
	struct sink_lines *lines = calloc(1, sizeof(*lines));

	if (lines == NULL) {
		err_sys(err, "%s", stream->name);
		return NULL;
	}
	lines->sink = (struct sink){
	    .type = &sink_lines,
	    .name = stream->name,
	    .done = stream->done,
	    .is_held = stream->is_held,
	};
	lines->stream = stream;
	lines->lock = lock;
	return &lines->sink;
}
