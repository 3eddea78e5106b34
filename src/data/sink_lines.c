#include "data/sink_lines.h"

#include <stdlib.h>
#include <string.h>

#include "sys/io.h"

/* The first room for a line that has begun. */
#define FIRST_ROOM ((size_t)4096)

static int put(const struct sink_lines *lines, const void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	if (size == 0)
		return 0;
	if (lines->waits)
		return io_write_stream(lines->fd, buffer, size, deadline, err);
	return io_write_file(lines->fd, buffer, size, err);
}

/*
 * Begins to write, in our turn, once something can be written: a wait in vain begins no line. What another one has
 * begun and left is ended, so that ours are whole.
 */
static int begin(struct sink_lines *lines, int64_t deadline, struct err *err)
{
	bool torn;

	if (lines->has_turn)
		return 0;
	if (shared_lock_take(lines->lock, deadline, &torn, err) == -1)
		return -1;
	if (lines->waits && io_wait(lines->fd, POLLOUT, deadline, err) == -1) {
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

/* In our turn, which stays ours: writes what is held, and then these bytes. */
static int put_all(struct sink_lines *lines, const char *bytes, size_t size, int64_t deadline,
    struct err *err)
{
	if (begin(lines, deadline, err) == -1 ||
	    put(lines, lines->held, lines->len, deadline, err) == -1 ||
	    put(lines, bytes, size, deadline, err) == -1) {
		give_turn(lines, true);
		return -1;
	}
	lines->len = 0;
	return 0;
}

/* The same, where the last of the bytes is a newline: it is the next one's turn then. */
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
			return err_sys(err, "a line of %zu bytes", lines->len + size);
		lines->held = held;
		lines->room = room;
	}
	memcpy(lines->held + lines->len, bytes, size);
	lines->len += size;
	return 0;
}

/* A line has begun, or goes on. */
static int begin_line(struct sink_lines *lines, const char *bytes, size_t size, int64_t deadline,
    struct err *err)
{
	if (lines->has_turn || size > SINK_LINES_HELD_MAX - lines->len)
		return put_all(lines, bytes, size, deadline, err);
	return hold(lines, bytes, size, err);
}

int sink_lines_write(struct sink_lines *lines, const void *buffer, size_t size, int64_t deadline,
    struct err *err)
{
	const char *bytes = buffer;
	const char *last = memrchr(bytes, '\n', size);
	size_t whole = last == NULL ? 0 : (size_t)(last - bytes) + 1;

	if (whole > 0 && put_lines(lines, bytes, whole, deadline, err) == -1)
		return -1;
	if (size == whole)
		return 0;
	return begin_line(lines, bytes + whole, size - whole, deadline, err);
}

int sink_lines_end(struct sink_lines *lines, int64_t deadline, struct err *err)
{
	if (lines->len == 0 && !lines->has_turn)
		return 0;
	return put_lines(lines, "\n", 1, deadline, err);
}

void sink_lines_close(struct sink_lines *lines)
{
	give_turn(lines, true);
	free(lines->held);
	lines->held = NULL;
	lines->len = 0;
	lines->room = 0;
}
