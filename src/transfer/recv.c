#include "transfer/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "net/lifeline.h"
#include "net/sock.h"
#include "sys/io.h"
#include "transfer/rate_limit.h"

/* How long a peer that ended its stream without a byte may take to show that it is still there. */
#define PROBE_WAIT (5 * CLOCK_SECOND)

/* No event tells that what we said has been acknowledged: how often we look. */
#define ANSWER_PAUSE (1 * CLOCK_MILLISECOND)

/* How long we read on for a sender that has yet to notice that we have failed. */
#define FAILED_WAIT (2 * CLOCK_SECOND)

/* The receiver's view of its connection. */
struct receiving {
	int sock;
	struct sink *sink;
	const struct transfer_options *options;
	struct transfer_result *result;
	struct digest digest;
	struct lifeline lifeline;
	char *chunk;
	struct rate_limit rate_limit;
	struct listen_set *listening; /* open as long as others may come instead, or NULL */
	bool broken;                  /* the connection is: nothing can be said any more */
	bool silent;                  /* the peer was, for so long that we take it for the end */
};

static bool may_be_stray(const struct receiving *receiving)
{
	return receiving->options->stays ||
	       (receiving->listening != NULL && receiving->listening->count > 0);
}

static int broken(struct receiving *receiving, struct err *err)
{
	const struct time_limits *limits = &receiving->options->limits;
	bool has_idled = err->kind == ERR_TIMEOUT && clock_now() < limits->end;

	receiving->broken = err->kind == ERR_FAILED;
	transfer_broken("receive", receiving->result->bytes, limits, err);
	if (has_idled && receiving->result->bytes > 0 && receiving->options->idle_eof == 0 &&
	    lifeline_peer(&receiving->lifeline) != LIFELINE_HELD)
		err_advise(err, "is the link up? For nc without -N there is --idle-eof SECONDS");
	return -1;
}

/* Writes a line to the back channel. A stranger may have closed it; that is its right. */
static void say(const struct receiving *receiving, const char *line, size_t len)
{
	if (receiving->options->receipts)
		io_tell(receiving->sock, line, len);
}

static void say_received(const struct receiving *receiving)
{
	char line[RECEIPT_LINE_MAX];
	const struct transfer_result *result = receiving->result;
	size_t len = receipt_write_received(line, result->bytes, result->digest);

	say(receiving, line, len);
}

static void say_stored(const struct receiving *receiving)
{
	char line[RECEIPT_LINE_MAX];
	size_t len = receipt_write_stored(line);

	say(receiving, line, len);
}

/* Whether the receipt is still on its way. A unix socket knows at once whether anybody is there. */
static bool is_unanswered(const struct receiving *receiving)
{
	return !io_hung_up(receiving->sock) && !sock_is_unix(receiving->sock) &&
	       sock_unacknowledged(receiving->sock) > 0;
}

/* Waits until it is no longer, or the deadline. Returns 0, or -1 when interrupted. */
static int wait_for_answer(const struct receiving *receiving, int64_t deadline, struct err *err)
{
	while (is_unanswered(receiving) && clock_now() < deadline) {
		if (io_sleep(deadline_after(ANSWER_PAUSE), err) == -1)
			return -1;
	}
	return 0;
}

/*
 * Tells the sender why. Then reads on a little, and waits until its kernel has it: the close that follows
 * resets the connection, which drops what is still on its way.
 */
static void say_failed(const struct receiving *receiving, const struct err *failure)
{
	char line[RECEIPT_LINE_MAX];
	char rest[8192];
	struct err ignored;
	int64_t deadline = deadline_after(FAILED_WAIT);
	const char *why = failure->errnum != 0 ? strerror(failure->errnum) : failure->text;
	size_t len = receipt_write_failed(line, why);

	if (failure->kind == ERR_INTERRUPTED)
		return;
	say(receiving, line, len);
	if (!receiving->options->receipts || failure->kind == ERR_TIMEOUT)
		return; /* nothing was said, or there is no more time */
	while (clock_now() < deadline &&
	       io_recv(receiving->sock, rest, sizeof(rest), deadline, &ignored) > 0)
		;
	(void)wait_for_answer(receiving, deadline, &ignored);
}

/* Waits for the first byte, and takes the lifeline that may come with it. */
static int begin(struct receiving *receiving, struct err *err)
{
	int64_t deadline = deadline_of(&receiving->options->limits);

	if (io_wait(receiving->sock, POLLIN, deadline, err) == -1)
		return broken(receiving, err);
	lifeline_take(&receiving->lifeline, receiving->sock);
	return 0;
}

/* How many bytes may still come. */
static int64_t allowance(const struct receiving *receiving)
{
	int64_t max = receiving->options->max_size;

	return max == 0 ? INT64_MAX : max - receiving->result->bytes;
}

/* How much to ask for: what may still come and, once all of that is there, one byte, which would be too much. */
static size_t wanted(const struct receiving *receiving, size_t piece)
{
	int64_t left = allowance(receiving);

	if (left == 0)
		return 1;
	return left < (int64_t)piece ? (size_t)left : piece;
}

/* Whoever sends a byte is the one: whoever else waits to be accepted is refused. */
static int take_chunk(struct receiving *receiving, size_t size, struct err *err)
{
	int64_t end = receiving->options->limits.end;

	if (receiving->listening != NULL)
		listen_close(receiving->listening);
	if ((int64_t)size > allowance(receiving))
		return err_set(err, ERR_FAILED, 0, "too large: more than %lld bytes",
		    (long long)receiving->options->max_size);
	digest_add(&receiving->digest, receiving->chunk, size);
	receiving->result->bytes += (int64_t)size;
	progress_add(receiving->options->progress, (int64_t)size);
	return sink_write(receiving->sink, receiving->chunk, size, end, err);
}

/* Lets the time pass until it is the turn of the next bytes; that we take none slows the sender down. */
static int keep_pace(struct receiving *receiving, int64_t received, struct err *err)
{
	int64_t until = rate_limit_count(&receiving->rate_limit, received, clock_now());

	if (until == 0)
		return 0;
	return io_sleep(deadline_min(until, receiving->options->limits.end), err);
}

/* When a silence that begins now is the end. One of ours, where we can tell, never ends like that. */
static int64_t silence_at(struct receiving *receiving)
{
	int64_t idle_eof = receiving->options->idle_eof;

	if (idle_eof == 0 || lifeline_peer(&receiving->lifeline) == LIFELINE_HELD)
		return DEADLINE_NEVER;
	return deadline_after(idle_eof);
}

/* io_recv(), which also returns 0 at the end of a silence. */
static ssize_t receive_some(struct receiving *receiving, size_t size, struct err *err)
{
	int64_t limit = deadline_of(&receiving->options->limits);
	int64_t silence = silence_at(receiving);
	ssize_t n =
	    io_recv(receiving->sock, receiving->chunk, size, deadline_min(limit, silence), err);

	if (n == -1 && err->kind == ERR_TIMEOUT && silence < limit) {
		receiving->silent = true;
		return 0;
	}
	return n;
}

/* Copies until the peer ends its stream. */
static int receive_all(struct receiving *receiving, struct err *err)
{
	const struct transfer_options *options = receiving->options;
	const struct time_limits *limits = &options->limits;
	size_t size = rate_limit_piece(&receiving->rate_limit, options->chunk);

	for (;;) {
		ssize_t n = receive_some(receiving, wanted(receiving, size), err);
		if (n == -1)
			return broken(receiving, err);
		if (n == 0)
			return 0;
		if (transfer_check_time(limits, err) == -1)
			return broken(receiving, err);
		if (take_chunk(receiving, (size_t)n, err) == -1)
			return -1;
		if (keep_pace(receiving, n, err) == -1)
			return broken(receiving, err);
	}
}

/*
 * A stream that ended without a byte: an empty file, or a port scan, or a proxy whose far end is down? The
 * receipt tells: it is acknowledged by who is there, and answered with a reset by who is gone.
 * Returns 0 if the peer is there, 1 if it is gone, or -1 when interrupted.
 */
static int probe(const struct receiving *receiving, struct err *err)
{
	int64_t deadline = deadline_min(deadline_after(PROBE_WAIT), receiving->options->limits.end);

	if (wait_for_answer(receiving, deadline, err) == -1)
		return -1;
	return is_unanswered(receiving) || io_hung_up(receiving->sock);
}

static int gone(struct receiving *receiving, struct err *err)
{
	receiving->broken = true;
	return err_set(err, ERR_FAILED, 0, "receive: the peer is gone after %lld bytes",
	    (long long)receiving->result->bytes);
}

/*
 * Whether an empty stream may be stored. One that gives no receipts cannot know who is there; where
 * anybody may connect, it takes no chances with the file that is there.
 */
static int check_empty(struct receiving *receiving, struct err *err)
{
	bool blind = !receiving->options->receipts && !sock_is_unix(receiving->sock);
	int is_gone = blind ? may_be_stray(receiving) : probe(receiving, err);

	if (is_gone == -1)
		return -1;
	if (is_gone && may_be_stray(receiving))
		return err_set(err, ERR_STRAY, 0, "gone without a byte");
	return is_gone ? gone(receiving, err) : 0;
}

/* At the end of the stream: whether it is one of which nothing is missing. */
static int check_end(struct receiving *receiving, struct err *err)
{
	const struct transfer_options *options = receiving->options;
	const struct transfer_result *result = receiving->result;

	if (lifeline_peer(&receiving->lifeline) == LIFELINE_HELD)
		return gone(receiving, err);
	if (options->expect != NULL && strcmp(options->expect, result->digest) != 0)
		return err_set(err, ERR_MISMATCH, 0,
		    "the digest of the %lld bytes received is %s, not %s", (long long)result->bytes,
		    result->digest, options->expect);
	return 0;
}

static int store(struct receiving *receiving, struct err *err)
{
	const struct transfer_options *options = receiving->options;

	digest_text(&receiving->digest, receiving->result->digest);
	if (check_end(receiving, err) == -1)
		return -1;
	if (!receiving->silent)
		say_received(receiving);
	progress_enter(receiving->options->progress, PROGRESS_STORING);
	if (receiving->result->bytes == 0 && check_empty(receiving, err) == -1)
		return -1;
	if (sink_commit(receiving->sink, options->limits.end, err) == -1)
		return -1;
	/* What has the digest that was expected is whole, however it ended. */
	if (receiving->silent && options->expect == NULL)
		receiving->result->end = TRANSFER_ASSUMED;
	else
		receiving->result->end = TRANSFER_STORED;
	if (!receiving->silent)
		say_stored(receiving);
	lifeline_end(&receiving->lifeline);
	sock_end_abort(receiving->sock);
	return 0;
}

static int run(struct receiving *receiving, struct err *err)
{
	int status = begin(receiving, err);

	if (status == 0)
		status = receive_all(receiving, err);
	if (status == 0)
		status = store(receiving, err);
	if (status == 0)
		return 0;
	if (receiving->broken && receiving->result->bytes == 0 && may_be_stray(receiving))
		err_set(err, ERR_STRAY, 0, "reset without a byte");
	if (!receiving->broken && err->kind != ERR_STRAY)
		say_failed(receiving, err);
	return -1;
}

static bool wants_digest(const struct transfer_options *options)
{
	return options->receipts || options->expect != NULL;
}

int transfer_recv(int sock, struct listen_set *listening, struct sink *sink,
    const struct transfer_options *options, struct transfer_result *result, struct err *err)
{
	struct receiving receiving = {
	    .sock = sock,
	    .sink = sink,
	    .options = options,
	    .result = result,
	    .lifeline = lifeline_none,
	    .listening = listening,
	    .chunk = malloc(options->chunk),
	};
	int status = -1;

	*result = (struct transfer_result){.bytes = 0};
	progress_begin(options->progress, PROGRESS_UNKNOWN);
	rate_limit_init(&receiving.rate_limit, options->rate);
	if (receiving.chunk == NULL)
		err_sys(err, "chunk");
	else if (!wants_digest(options) || digest_open(&receiving.digest, err) == 0)
		status = run(&receiving, err);
	digest_close(&receiving.digest);
	lifeline_close(&receiving.lifeline);
	free(receiving.chunk);
	return status;
}

void transfer_refuse(int sock, const struct transfer_options *options, const struct err *why)
{
	struct receiving receiving = {.sock = sock, .options = options};

	say_failed(&receiving, why);
}
