#include "transfer/capture.h"

#include <limits.h>
#include <string.h>

#include "net/datagram.h"
#include "sys/io.h"
#include "sys/signals.h"

struct capture {
	int sock;
	struct sink *sink;
	const struct capture_policy *policy;
	struct datagram_counts *counts;
	struct transfer_result *result;
	struct datagram_room *room;
	struct signals_end_watch watch;
	bool has_ended;
	uint32_t dropped;    /* by the kernel, as far as they are counted */
	int64_t idle_until;  /* deadline of the idle limit */
	int64_t quiet_until; /* when a silence is the end */
};

/* From here on what has come is written, and nothing more awaited. */
static void end_capture(struct capture *capture)
{
	capture->has_ended = true;
	signals_unwatch_end(&capture->watch);
}

/*
 * Waits until fd is ready for events, or the capture ends by a signal or by the deadline of all.
 * Returns 1 if fd is ready, 0 at the time until or when the capture has ended, or -1.
 */
static int await(struct capture *capture, int fd, short events, int64_t until, struct err *err)
{
	struct pollfd fds[] = {
	    {.fd = fd, .events = events},
	    {.fd = capture->watch.fd, .events = POLLIN},
	};
	int64_t end = capture->policy->limits.end;
	int ready = io_poll(fds, 2, deadline_min(until, end), err);

	if (ready == -1)
		return -1;
	if (fds[1].revents != 0 || clock_now() >= end)
		end_capture(capture);
	return fds[0].revents != 0 && !capture->has_ended;
}

/* The deadline of the sink, once the capture has ended. */
static int64_t sink_deadline(const struct capture *capture)
{
	return deadline_of_limit(capture->policy->limits.idle);
}

/*
 * Writes the bytes. While the capture goes on, a slow reader is waited for here, so that its end is
 * seen, and gets what it takes at once (sink_reader()).
 */
static int put_bytes(struct capture *capture, const char *data, size_t size, struct err *err)
{
	int reader = sink_reader(capture->sink);
	size_t left = size;

	while (left > 0) {
		bool in_pieces = reader != -1 && !capture->has_ended;
		size_t piece = in_pieces && left > PIPE_BUF ? PIPE_BUF : left;
		int is_ready = in_pieces ? await(capture, reader, POLLOUT, DEADLINE_NEVER, err) : 1;
		if (is_ready == 0)
			continue;
		if (is_ready == -1 ||
		    sink_write(capture->sink, data, piece, sink_deadline(capture), err) == -1)
			return -1;
		data += piece;
		left -= piece;
	}
	capture->result->bytes += (int64_t)size;
	progress_add(capture->policy->progress, (int64_t)size);
	return 0;
}

/* Moves the datagram to the place to, which is not behind its own, as it is to be written. */
static size_t shape(const struct capture *capture, const struct datagram *datagram, char *to)
{
	size_t size = datagram->size;

	memmove(to, datagram->data, size);
	if (!capture->policy->raw && (size == 0 || to[size - 1] != '\n'))
		to[size++] = '\n';
	return size;
}

/* Counts the first count datagrams of the room as written. */
static void count_written(struct capture *capture, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct datagram datagram = datagram_at(capture->room, i);
		datagram_counts_add(capture->counts, datagram.from);
		capture->counts->truncated += datagram.is_cut;
	}
}

/* Writes the count datagrams of the room, as far as max_size allows, in one piece. */
static int write_all(struct capture *capture, size_t count, struct err *err)
{
	char *start = datagram_at(capture->room, 0).data;
	int64_t max = capture->policy->max_size;
	int64_t left = max == 0 ? INT64_MAX : max - capture->result->bytes;
	size_t size = 0;
	size_t fitting = 0;

	while (fitting < count) {
		struct datagram datagram = datagram_at(capture->room, fitting);
		size_t more = shape(capture, &datagram, start + size);
		if ((int64_t)(size + more) > left)
			break;
		size += more;
		fitting++;
	}
	if (put_bytes(capture, start, size, err) == -1) {
		capture->counts->dropped += (int64_t)count;
		return -1;
	}
	count_written(capture, fitting);
	capture->counts->dropped += (int64_t)(count - fitting);
	return fitting == count ? 0 : transfer_too_large(max, err);
}

static int count_drops(struct capture *capture, struct err *err)
{
	struct datagram_state state;

	if (datagram_look(capture->sock, &state, err) == -1)
		return -1;
	/* The kernel's counter may have begun anew. */
	capture->counts->dropped += (uint32_t)(state.dropped - capture->dropped);
	capture->dropped = state.dropped;
	return 0;
}

/* Receives what is there. Returns how many datagrams, or -1. */
static int receive(struct capture *capture, struct err *err)
{
	int count = datagram_receive(capture->sock, capture->room, err);

	if (count == -1)
		return err_prefix(err, "receive");
	if (count_drops(capture, err) == -1)
		return -1;
	return count;
}

/* Notes that datagrams have come, or that the wait for the first one begins. */
static void begin_silence(struct capture *capture)
{
	const struct capture_policy *policy = capture->policy;

	capture->idle_until = deadline_of_limit(policy->limits.idle);
	capture->quiet_until = DEADLINE_NEVER;
	if (capture->counts->datagrams > 0)
		capture->quiet_until = deadline_of_limit(policy->idle_eof);
}

static int take_datagrams(struct capture *capture, struct err *err)
{
	int count = receive(capture, err);

	if (count <= 0)
		return count;
	if (capture->counts->datagrams == 0)
		progress_begin(capture->policy->progress, PROGRESS_UNKNOWN, false);
	if (write_all(capture, (size_t)count, err) == -1)
		return -1;
	begin_silence(capture);
	return 0;
}

/* Writes what comes until the capture ends. */
static int write_until_end(struct capture *capture, struct err *err)
{
	begin_silence(capture);
	while (!capture->has_ended) {
		int64_t until = deadline_min(capture->idle_until, capture->quiet_until);
		int is_ready = await(capture, capture->sock, POLLIN, until, err);
		if (is_ready == -1 || (is_ready == 1 && take_datagrams(capture, err) == -1))
			return -1;
		if (is_ready == 1 || capture->has_ended)
			continue;
		if (clock_now() >= capture->quiet_until)
			end_capture(capture);
		else if (clock_now() >= capture->idle_until)
			return err_set(err, ERR_TIMEOUT, 0, "receive: timed out after %lld bytes",
			    (long long)capture->result->bytes);
	}
	return 0;
}

/*
 * Takes what waits at the socket, but not all of what goes on coming: the memory of what waits now
 * says how much that is at the most. Writes it or, if it has nowhere to go, counts it as dropped.
 */
static int take_rest(struct capture *capture, bool writes, struct err *err)
{
	struct datagram_state state;
	size_t taken = 0;

	if (datagram_look(capture->sock, &state, err) == -1)
		return -1;
	while (taken < state.waiting) {
		int count = receive(capture, err);
		if (count <= 0)
			return count;
		for (int i = 0; i < count; i++)
			taken += datagram_at(capture->room, (size_t)i).size + DATAGRAM_OVERHEAD;
		if (!writes)
			capture->counts->dropped += count;
		else if (write_all(capture, (size_t)count, err) == -1)
			return -1;
	}
	return 0;
}

static int write_and_commit(struct capture *capture, struct err *err)
{
	if (write_until_end(capture, err) == -1 || take_rest(capture, true, err) == -1)
		return -1;
	progress_enter(capture->policy->progress, PROGRESS_STORING);
	if (sink_commit(capture->sink, sink_deadline(capture), err) == -1)
		return -1;
	capture->result->end = TRANSFER_STORED;
	return 0;
}

int capture_run(int sock, struct sink *sink, const char *local, const struct capture_policy *policy,
    struct transfer_result *result, struct err *err)
{
	const struct ends ends = {.peer = "udp:", .local = local}; /* of many peers */
	struct capture capture = {
	    .sock = sock,
	    .sink = sink,
	    .policy = policy,
	    .counts = policy->counts,
	    .result = result,
	    .room = datagram_room_new(policy->longest, err),
	    .watch = {.fd = -1},
	};
	struct err ignored;
	int status = -1;

	*result = (struct transfer_result){.bytes = 0};
	/* A command is started before the watch, of whose signals it has to know nothing. */
	if (capture.room != NULL && sink_begin(sink, &ends, err) == 0 &&
	    signals_watch_end(&capture.watch, err) == 0) {
		status = write_and_commit(&capture, err);
		if (status == -1)
			(void)take_rest(&capture, false, &ignored);
	}
	signals_unwatch_end(&capture.watch);
	datagram_room_free(capture.room);
	return status;
}
