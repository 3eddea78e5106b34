#include "transfer/transfer.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "net/lifeline.h"
#include "net/sock.h"
#include "sys/io.h"
#include "transfer/rate_limit.h"

/* How many reads of a broken connection may pass before what the peer said last. */
#define DRAIN_MAX 64

/* How long a peer that has everything may take to speak or close, where -w says nothing. */
#define CLOSE_WAIT (30 * CLOCK_SECOND)

/* No event tells that the peer's kernel has everything, so we ask: soon, then less often. */
#define FIRST_ASK (1 * CLOCK_MILLISECOND)
#define LAST_ASK (100 * CLOCK_MILLISECOND)

/*
 * The kernel is asked for a rate that is higher by one part in so many: it spreads a piece's packets evenly, and
 * our own clock keeps the mean, payload only. By itself the kernel's fell short (500 MB/s by 17 to 27%, 100 MB/s by
 * 4), and at low rates it let the first 300 KB through at once.
 */
#define PACE_HEADROOM 4

/*
 * A unix socket takes no more than its buffer of some 200 KiB at once, and what lies in a larger chunk has left the
 * cache by the time it is sent. Measured: 2.2 GB/s in chunks of 2M, 2.5 of 512K.
 */
#define UNIX_CHUNK ((size_t)512 * 1024)

/* The sender's view of its connection. */
struct sending {
	int sock;
	const struct transfer_options *options;
	const struct time_limits *limits; /* those of options */
	struct transfer_result *result;
	struct digest digest;
	struct lifeline lifeline;
	char *chunk; /* of size bytes */
	size_t size;
	size_t next;  /* bytes of the chunk that have been sent */
	size_t ready; /* bytes behind them that are to be sent */
	struct rate_limit rate_limit;
	struct receipt receipt;
	int64_t idle_until; /* when it has been too long without progress */
	int unacked;        /* sock_unacknowledged() at the last progress */
	bool ended;         /* our stream has */
	bool peer_ended;    /* the peer's has, which says nothing of ours */
};

static int peer_failed(struct sending *sending, struct err *err)
{
	const char *text = sending->receipt.text;

	strlcpy(sending->result->peer_text, text, sizeof(sending->result->peer_text));
	return err_set(err, ERR_PEER, 0, "the receiver failed: %s", text);
}

/* Reads some of what the peer says, if it says anything now. */
static int read_back(struct sending *sending, struct err *err)
{
	char bytes[4096];

	if (sending->peer_ended)
		return 0;
	ssize_t n = io_recv(sending->sock, bytes, sizeof(bytes), DEADLINE_NOW, err);
	if (n == -1)
		return err->kind == ERR_TIMEOUT ? 0 : -1;
	sending->peer_ended = n == 0;
	if (sending->options->receipts)
		receipt_hear(&sending->receipt, bytes, (size_t)n, sending->ended);
	return sending->receipt.state == RECEIPT_FAILED ? peer_failed(sending, err) : 0;
}

/*
 * The connection has failed. What the peer said before may still lie there, and tells more; a peer that
 * says very much tells nothing, hence the bound.
 */
static int broken(struct sending *sending, const char *operation, struct err *err)
{
	struct err last = *err;

	for (int i = 0; i < DRAIN_MAX && err->kind == ERR_FAILED && !sending->peer_ended; i++) {
		if (read_back(sending, err) == -1)
			break;
	}
	if (err->kind == ERR_PEER)
		return -1;
	*err = last;
	return transfer_broken(operation, sending->result->bytes, sending->limits, err);
}

/* What to poll the socket for besides its room for data. */
static short hear_events(const struct sending *sending)
{
	return sending->peer_ended ? 0 : POLLIN;
}

/* Acts on what poll said of the socket: the peer speaks, ends its stream, or is gone. */
static int hear(struct sending *sending, int revents, struct err *err)
{
	if (!sending->peer_ended)
		return (revents & (POLLIN | POLLERR | POLLHUP)) != 0 ? read_back(sending, err) : 0;
	if ((revents & (POLLERR | POLLHUP)) != 0)
		return err_set(err, ERR_FAILED, ECONNRESET, "%s", "");
	return 0;
}

static void note_progress(struct sending *sending)
{
	sending->idle_until = deadline_of(sending->limits);
	sending->unacked = sock_unacknowledged(sending->sock);
}

/*
 * Waits until the socket takes data again. That may be long after a slow peer has begun to take some, for there
 * must be room for a third of the buffer; that what lies there becomes less is progress, too.
 */
static int wait_for_room(struct sending *sending, struct err *err)
{
	short events = (short)(POLLOUT | hear_events(sending));
	int revents = io_wait(sending->sock, events, sending->idle_until, err);

	if (revents != -1)
		return hear(sending, revents, err);
	if (err->kind != ERR_TIMEOUT || clock_now() >= sending->limits->end ||
	    sock_unacknowledged(sending->sock) >= sending->unacked)
		return -1;
	note_progress(sending);
	return 0;
}

/* Reads the next chunk, once all of the last one is sent. As source_read(). */
static ssize_t fill(struct sending *sending, struct source *source, struct err *err)
{
	int64_t end = sending->limits->end;
	ssize_t n = source_read(source, sending->chunk, sending->size, end, err);

	if (n == -1)
		return -1;
	digest_add(&sending->digest, sending->chunk, (size_t)n);
	sending->next = 0;
	sending->ready = (size_t)n;
	return n;
}

/* Sends what the socket takes at once of what is ready; the lifeline goes along with the first byte. As io_send(). */
static ssize_t send_some(struct sending *sending, struct err *err)
{
	const char *bytes = sending->chunk + sending->next;

	if (sending->lifeline.offer != -1)
		return lifeline_send(&sending->lifeline, sending->sock, bytes, sending->ready, err);
	return io_send(sending->sock, bytes, sending->ready, err);
}

/* Sends all that is ready. */
static int send_ready(struct sending *sending, struct err *err)
{
	note_progress(sending);
	while (sending->ready > 0) {
		ssize_t n = send_some(sending, err);
		if (n == -1)
			return -1;
		if (n > 0) {
			sending->next += (size_t)n;
			sending->ready -= (size_t)n;
			sending->result->bytes += n;
			progress_add(sending->options->progress, n);
			note_progress(sending);
		} else if (wait_for_room(sending, err) == -1) {
			return -1;
		}
	}
	return read_back(sending, err);
}

/* Waits until a source that is slow has data, and notices if the peer goes meanwhile. */
static int wait_for_source(struct sending *sending, const struct source *source, struct err *err)
{
	struct pollfd fds[2] = {{.fd = source->fd, .events = POLLIN}, {.fd = sending->sock}};
	struct pollfd *from = &fds[0];
	struct pollfd *peer = &fds[1];

	while (!source->sized && !source_is_ready(source, from)) {
		peer->events = hear_events(sending);
		int ready = io_poll(fds, 2, sending->limits->end, err);
		if (ready == 0)
			return err_set(err, ERR_TIMEOUT, 0, "timed out");
		if (ready == -1 || hear(sending, peer->revents, err) == -1)
			return -1;
	}
	return 0;
}

/* Hears the peer until the time. Its socket has nothing more to say once its stream has ended. */
static int hear_until(struct sending *sending, int64_t until, struct err *err)
{
	struct pollfd peer = {.fd = sending->sock, .events = POLLIN};

	if (sending->peer_ended)
		return io_sleep(until, err);
	if (io_poll(&peer, 1, until, err) == -1)
		return -1;
	return hear(sending, peer.revents, err);
}

/* Lets the time pass until it is the turn of the next bytes. */
static int keep_pace(struct sending *sending, int64_t sent, struct err *err)
{
	int64_t until = rate_limit_count(&sending->rate_limit, sent, clock_now());

	while (clock_now() < until) {
		if (hear_until(sending, deadline_min(until, sending->limits->end), err) == -1 ||
		    transfer_check_time(sending->limits, err) == -1)
			return -1;
	}
	return 0;
}

static int send_all(struct sending *sending, struct source *source, struct err *err)
{
	for (;;) {
		if (transfer_check_time(sending->limits, err) == -1 ||
		    wait_for_source(sending, source, err) == -1)
			return broken(sending, "send", err);
		ssize_t n = fill(sending, source, err);
		if (n <= 0)
			return (int)n;
		int64_t before = sending->result->bytes;
		if (send_ready(sending, err) == -1 ||
		    keep_pace(sending, sending->result->bytes - before, err) == -1)
			return broken(sending, "send", err);
	}
}

/* An error that came after the peer's stream had ended shows nowhere else. */
static int check_reset(const struct sending *sending, struct err *err)
{
	int error = sending->peer_ended ? sock_take_error(sending->sock) : 0;

	return error == 0 ? 0 : err_set(err, ERR_FAILED, error, "%s", "");
}

/*
 * How long the peer may be silent once it has everything. Storing takes what it takes, and whoever must
 * have a confirmation waits for it, unless -w says how long.
 */
static int64_t patience(const struct sending *sending)
{
	int64_t idle = sending->limits->idle;

	if (sending->receipt.state == RECEIPT_RECEIVED)
		return DEADLINE_NEVER;
	if (idle == 0 && sending->options->must_confirm)
		return DEADLINE_NEVER;
	return deadline_after(idle != 0 ? idle : CLOSE_WAIT);
}

/* After our FIN: until the receipt, the peer's FIN, with everything acknowledged, or its silence. */
static int wait_for_end(struct sending *sending, struct err *err)
{
	const struct time_limits *limits = sending->limits;
	enum receipt_state state = sending->receipt.state;
	int last = sock_unacknowledged(sending->sock);
	int64_t quiet_at = patience(sending);
	int64_t ask = FIRST_ASK;

	while (sending->receipt.state != RECEIPT_STORED) {
		int left = sock_unacknowledged(sending->sock);
		int64_t now = clock_now();
		/* First, for a unix socket's queue is empty as well when its reader has died. */
		if (check_reset(sending, err) == -1)
			return -1;
		if (left == 0 && (sending->peer_ended || now >= quiet_at))
			return 0;
		/* Progress, or a slow peer to which no limit was set. */
		if (left < last || (left > 0 && limits->idle == 0) ||
		    sending->receipt.state != state)
			quiet_at = patience(sending);
		last = left;
		state = sending->receipt.state;
		if (state == RECEIPT_RECEIVED)
			progress_enter(sending->options->progress, PROGRESS_STORING);
		if (now >= deadline_min(quiet_at, limits->end))
			return err_set(err, ERR_TIMEOUT, 0, "timed out");
		int64_t until = deadline_min(quiet_at, limits->end);
		if (left > 0)
			until = deadline_min(until, now + ask);
		ask = deadline_min(2 * ask, LAST_ASK);
		if (hear_until(sending, until, err) == -1)
			return -1;
	}
	return 0;
}

static int mismatch(const struct sending *sending, struct err *err)
{
	const struct transfer_result *result = sending->result;
	const struct receipt *receipt = &sending->receipt;

	return err_set(err, ERR_MISMATCH, 0,
	    "the receiver got %lld bytes with digest %s, but %lld bytes with digest %s were sent",
	    (long long)receipt->bytes, receipt->digest, (long long)result->bytes, result->digest);
}

/* What the end of the connection means. */
static int judge(struct sending *sending, struct err *err)
{
	const struct receipt *receipt = &sending->receipt;
	struct transfer_result *result = sending->result;
	bool has_receipt = receipt->state == RECEIPT_STORED || receipt->state == RECEIPT_RECEIVED;

	if (has_receipt &&
	    (receipt->bytes != result->bytes || strcmp(receipt->digest, result->digest) != 0))
		return mismatch(sending, err);
	if (receipt->state == RECEIPT_STORED) {
		result->end = TRANSFER_STORED;
		return 0;
	}
	if (has_receipt ||
	    (sending->peer_ended && lifeline_peer(&sending->lifeline) == LIFELINE_HELD))
		return err_set(err, ERR_FAILED, 0,
		    "the receiver went away before it had stored the %lld bytes it received",
		    (long long)result->bytes);
	if (sending->options->must_confirm)
		return err_set(err, ERR_UNCONFIRMED, 0, "%lld bytes were sent, but no receipt came",
		    (long long)result->bytes);
	result->end = sending->peer_ended ? TRANSFER_CLOSED : TRANSFER_SILENT;
	return 0;
}

/* Ends our stream, and finds out what became of it. */
static int finish(struct sending *sending, struct err *err)
{
	lifeline_end(&sending->lifeline);
	if (sock_shutdown_write(sending->sock, err) == -1)
		return broken(sending, "end of data", err);
	sending->ended = true;
	progress_enter(sending->options->progress, PROGRESS_CONFIRMING);
	if (wait_for_end(sending, err) == -1)
		return broken(sending, "end of data", err);
	if (judge(sending, err) == -1)
		return -1;
	sock_end_abort(sending->sock);
	return 0;
}

static int run(struct sending *sending, struct source *source, struct err *err)
{
	if (source_start(source, err) == -1 || send_all(sending, source, err) == -1)
		return -1;
	digest_text(&sending->digest, sending->result->digest);
	return finish(sending, err);
}

/* Opens what a transfer needs besides its two ends, and runs it. */
static int open_and_run(struct sending *sending, struct source *source, struct err *err)
{
	const struct transfer_options *options = sending->options;

	if (options->receipts && digest_open(&sending->digest, err) == -1)
		return -1;
	if (lifeline_open(&sending->lifeline, sending->sock, err) == -1)
		return -1;
	if (sock_is_unix(sending->sock) && sending->size > UNIX_CHUNK)
		sending->size = UNIX_CHUNK;
	sending->chunk = malloc(sending->size);
	if (sending->chunk == NULL)
		return err_sys(err, "chunk");
	return run(sending, source, err);
}

int transfer_send(struct source *source, int sock, const struct transfer_options *options,
    struct transfer_result *result, struct err *err)
{
	struct sending sending = {
	    .sock = sock,
	    .options = options,
	    .limits = &options->limits,
	    .result = result,
	    .lifeline = lifeline_none,
	};

	rate_limit_init(&sending.rate_limit, options->rate);
	sending.size = rate_limit_piece(&sending.rate_limit, options->chunk);
	*result = (struct transfer_result){.bytes = 0};
	progress_begin(options->progress, source->sized ? source->size : PROGRESS_UNKNOWN);
	if (options->rate != 0)
		sock_pace(sock, options->rate + options->rate / PACE_HEADROOM);
	int status = open_and_run(&sending, source, err);
	free(sending.chunk);
	digest_close(&sending.digest);
	lifeline_close(&sending.lifeline);
	return status;
}
