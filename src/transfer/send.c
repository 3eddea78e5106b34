#include "transfer/send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/back_channel.h"
#include "transfer/digest.h"
#include "transfer/rate_limit.h"
#include "transfer/receipt.h"
#include "transfer/resume_send.h"

/* How long a peer that has everything may take to speak or close, where -w says nothing. */
#define CLOSE_WAIT (30 * CLOCK_SECOND)

/* How long the rest of a line may take, which a receiver that is in doubt of us says in pieces. */
#define LINE_WAIT (2 * CLOCK_SECOND)

/* No event tells that the peer's kernel has everything, so we ask: soon, then less often. */
#define FIRST_ASK (1 * CLOCK_MILLISECOND)
#define LAST_ASK (100 * CLOCK_MILLISECOND)

/*
 * The kernel is asked for a rate that is higher by one part in so many: it spreads a piece's
 * packets evenly, and our own clock keeps the mean, payload only. By itself the kernel's fell
 * short (500 MB/s by 17 to 27%, 100 MB/s by 4), and at low rates it let the first 300 KB through
 * at once.
 */
#define PACE_HEADROOM 4

/*
 * More than the kernel of a receiver holds, even one that is set up for a link of 10 Gbit/s around
 * the world: when so much is acknowledged, the receiver reads.
 */
#define RECEIVE_BUFFER_MAX (INT64_C(256) * 1024 * 1024)

/* The sender's view of its connection. */
struct sending {
	struct channel *channel;
	struct source *source;
	const struct ends *ends;
	const struct send_policy *policy;
	const struct time_limits *limits; /* those of policy */
	struct transfer_result *result;
	struct digest digest;
	struct rate_limit rate_limit;
	struct back_channel back;
	char *chunk;
	size_t chunk_size;
	int64_t idle_until;   /* when it has been too long without progress */
	int64_t in_flight;    /* at the last progress, if there is a limit without */
	bool may_be_compared; /* the receiver may still read what it has, and none of our bytes */
};

/* The connection has failed, unless the peer has said why it has. */
static int sending_broken(struct sending *sending, const char *operation, struct err *err)
{
	if (back_channel_explains(&sending->back, err))
		return -1;
	return transfer_broken(operation, sending->result, sending->limits, err);
}

/* Whether the receiver may still compare what it has, which no limit is set to. */
static bool may_be_compared(struct sending *sending)
{
	const struct transfer_result *result = sending->result;
	int64_t sent = result->bytes - result->resumed_at;

	if (sending->back.receipt.state == RECEIPT_RECEIVED ||
	    (sending->in_flight >= 0 && sent - sending->in_flight > RECEIVE_BUFFER_MAX))
		sending->may_be_compared = false;
	return sending->may_be_compared;
}

/* Without a limit for the time without progress nobody asks how much is in flight. */
static void note_progress(struct sending *sending)
{
	if (sending->limits->idle != 0)
		sending->in_flight = sending->channel->type->in_flight(sending->channel);
	sending->idle_until =
	    may_be_compared(sending) ? sending->limits->end : deadline_of(sending->limits);
}

static bool has_progressed(const struct sending *sending)
{
	int64_t left = sending->channel->type->in_flight(sending->channel);

	return left >= 0 && left < sending->in_flight;
}

/*
 * Waits until the channel takes data again. That may be long after a slow peer has begun to take
 * some, for there must be room for a third of the buffer; that there is less in flight is progress.
 */
static int wait_for_room(struct sending *sending, struct err *err)
{
	struct channel *channel = sending->channel;
	unsigned wanted = CHANNEL_WRITABLE | back_channel_events(&sending->back);
	int events = channel->type->wait(channel, wanted, NULL, sending->idle_until, err);

	if (events == -1 || back_channel_hear(&sending->back, events, err) == -1)
		return -1;
	/* A peer that talks without a pause must not keep us from the limits. */
	if ((events & CHANNEL_WRITABLE) != 0 || clock_now() < sending->idle_until)
		return 0;
	if (clock_now() >= sending->limits->end || !has_progressed(sending))
		return err_set(err, ERR_TIMEOUT, 0, "timed out");
	note_progress(sending);
	return 0;
}

/* Sends some of the size bytes, as many as the channel takes. Returns how many, or -1. */
static ssize_t send_some(struct sending *sending, const char *bytes, size_t size, struct err *err)
{
	struct channel *channel = sending->channel;
	ssize_t n;

	while ((n = channel->type->send(channel, bytes, size, err)) == CHANNEL_LATER) {
		if (wait_for_room(sending, err) == -1)
			return -1;
	}
	return n;
}

static int send_chunk(struct sending *sending, size_t size, struct err *err)
{
	size_t sent = 0;

	note_progress(sending);
	while (sent < size) {
		ssize_t n = send_some(sending, sending->chunk + sent, size - sent, err);
		if (n == -1)
			return -1;
		sent += (size_t)n;
		sending->result->bytes += n;
		progress_add(sending->policy->progress, n);
		note_progress(sending);
	}
	return back_channel_read(&sending->back, err);
}

/* Sends a line in front of the stream. */
static int send_line(struct sending *sending, const char *line, size_t len, struct err *err)
{
	size_t sent = 0;

	note_progress(sending);
	while (sent < len) {
		ssize_t n = send_some(sending, line + sent, len - sent, err);
		if (n == -1)
			return -1;
		sent += (size_t)n;
	}
	return 0;
}

/* Waits until a source that is slow has data, and notices if the peer goes meanwhile. */
static int await_source(struct sending *sending, struct err *err)
{
	struct channel *channel = sending->channel;
	struct pollfd from = {.fd = -1};

	while (!source_is_ready(sending->source, &from)) {
		int events = channel->type->wait(channel, back_channel_events(&sending->back),
		    &from, sending->limits->end, err);
		if (events == -1 || back_channel_hear(&sending->back, events, err) == -1 ||
		    transfer_check_time(sending->limits, err) == -1)
			return -1;
	}
	return 0;
}

/* Lets the time pass until it is the turn of the next bytes. */
static int keep_rate(struct sending *sending, int64_t sent, struct err *err)
{
	if (sending->policy->rate == 0)
		return 0;
	int64_t until = rate_limit_count(&sending->rate_limit, sent, clock_now());
	while (clock_now() < until) {
		if (back_channel_wait(&sending->back, deadline_min(until, sending->limits->end),
			err) == -1 ||
		    transfer_check_time(sending->limits, err) == -1)
			return -1;
	}
	return 0;
}

static int send_all(struct sending *sending, struct err *err)
{
	const struct time_limits *limits = sending->limits;

	for (;;) {
		if (transfer_check_time(limits, err) == -1 || await_source(sending, err) == -1)
			return sending_broken(sending, "send", err);
		ssize_t n = source_read(sending->source, sending->chunk, sending->chunk_size,
		    limits->end, err);
		if (n <= 0)
			return (int)n;
		digest_add(&sending->digest, sending->chunk, (size_t)n);
		if (send_chunk(sending, (size_t)n, err) == -1 || keep_rate(sending, n, err) == -1)
			return sending_broken(sending, "send", err);
		if (sending->source->is_tree)
			progress_note_entries(sending->policy->progress, sending->source->entries);
	}
}

/*
 * When the peer has been silent for too long once it has everything. Storing takes what it takes,
 * and a user who must have a confirmation waits for it, unless -w says how long.
 */
static int64_t patience(struct sending *sending)
{
	int64_t idle = sending->limits->idle;

	if (sending->back.receipt.state == RECEIPT_RECEIVED || may_be_compared(sending))
		return DEADLINE_NEVER;
	if (idle == 0 && sending->policy->must_confirm)
		return DEADLINE_NEVER;
	if (idle == 0)
		idle = CLOSE_WAIT;
	if (receipt_has_begun(&sending->back.receipt) && idle < LINE_WAIT)
		idle = LINE_WAIT;
	return deadline_after(idle);
}

/* After our end: until the receipt, the peer's end with everything acknowledged, or its silence. */
static int wait_for_end(struct sending *sending, struct err *err)
{
	const struct time_limits *limits = sending->limits;
	struct channel *channel = sending->channel;
	enum receipt_state state = sending->back.receipt.state;
	bool has_begun = receipt_has_begun(&sending->back.receipt);
	int64_t last = channel->type->in_flight(channel);
	int64_t quiet_at = patience(sending);
	int64_t ask = FIRST_ASK;

	while (sending->back.receipt.state != RECEIPT_STORED) {
		int64_t left = channel->type->in_flight(channel);
		int64_t now = clock_now();
		/* First, for a unix socket's queue is empty as well when its reader has died. */
		if (back_channel_check(&sending->back, err) == -1)
			return -1;
		if (left == 0 && (sending->back.has_ended || now >= quiet_at))
			return 0;
		if (left < 0 && sending->back.has_ended)
			return err_set(err, ERR_FAILED, 0, "%s",
			    "the receiver closed, and it cannot be told whether it has everything");
		/* Progress, or a slow peer to which no limit was set. */
		if ((left >= 0 && left < last) || (left > 0 && limits->idle == 0) ||
		    sending->back.receipt.state != state ||
		    receipt_has_begun(&sending->back.receipt) != has_begun)
			quiet_at = patience(sending);
		last = left;
		state = sending->back.receipt.state;
		has_begun = receipt_has_begun(&sending->back.receipt);
		if (state == RECEIPT_RECEIVED)
			progress_enter(sending->policy->progress, PROGRESS_STORING);
		if (now >= deadline_min(quiet_at, limits->end))
			return err_set(err, ERR_TIMEOUT, 0, "timed out");
		int64_t until = deadline_min(quiet_at, limits->end);
		if (left > 0)
			until = deadline_min(until, now + ask);
		ask = deadline_min(2 * ask, LAST_ASK);
		if (back_channel_wait(&sending->back, until, err) == -1)
			return -1;
	}
	return 0;
}

static int check_receipt(const struct sending *sending, struct err *err)
{
	const struct transfer_result *result = sending->result;
	const struct receipt *receipt = &sending->back.receipt;

	if (receipt->bytes == result->bytes && strcmp(receipt->digest, result->digest) == 0)
		return 0;
	return err_set(err, ERR_MISMATCH, 0,
	    "the receiver got %lld bytes with digest %s, but %lld bytes with digest %s were sent",
	    (long long)receipt->bytes, receipt->digest, (long long)result->bytes, result->digest);
}

/* Decides what the end of the connection means. */
static int judge(struct sending *sending, struct err *err)
{
	struct channel *channel = sending->channel;
	enum receipt_state state = sending->back.receipt.state;
	struct transfer_result *result = sending->result;
	bool has_receipt = state == RECEIPT_STORED || state == RECEIPT_RECEIVED;

	if (has_receipt && check_receipt(sending, err) == -1)
		return -1;
	if (state == RECEIPT_STORED) {
		result->end = TRANSFER_STORED;
		return 0;
	}
	if (has_receipt ||
	    (sending->back.has_ended && channel->type->peer(channel) == CHANNEL_PEER_OPEN)) {
		result->is_broken = true;
		return err_set(err, ERR_FAILED, 0,
		    "the receiver went away before it had stored the %lld bytes it received",
		    (long long)result->bytes);
	}
	if (sending->policy->must_confirm)
		return err_set(err, ERR_UNCONFIRMED, 0, "%lld bytes were sent, but no receipt came",
		    (long long)result->bytes);
	result->end = sending->back.has_ended ? TRANSFER_CLOSED : TRANSFER_SILENT;
	return 0;
}

/* Ends our stream, and finds out what became of it. */
static int end_and_confirm(struct sending *sending, struct err *err)
{
	struct channel *channel = sending->channel;

	if (channel->type->finish(channel, err) == -1)
		return sending_broken(sending, "end of data", err);
	sending->back.data_ended = true;
	progress_enter(sending->policy->progress, PROGRESS_CONFIRMING);
	if (wait_for_end(sending, err) == -1)
		return sending_broken(sending, "end of data", err);
	if (judge(sending, err) == -1)
		return -1;
	channel->type->settle(channel);
	return 0;
}

/*
 * Fails, as nothing is to be sent a second time to who may append it. It may be a proxy in front of
 * a receiver that is not there yet.
 */
static int not_resumed(struct transfer_result *result, struct err *err)
{
	result->is_broken = true;
	return err_set(err, ERR_FAILED, 0, "the receiver does not resume, but has done so before");
}

/*
 * Agrees with the receiver on where the stream begins, and skips what is before that. Returns 0,
 * also if the receiver does not resume, and gets all of it.
 */
static int resume(struct sending *sending, struct err *err)
{
	const struct resume_send sender = {
	    .back = &sending->back,
	    .source = sending->source,
	    .digest = &sending->digest,
	    .limits = sending->limits,
	    .progress = sending->policy->progress,
	    .chunk = sending->chunk,
	    .chunk_size = sending->chunk_size,
	};
	struct transfer_result *result = sending->result;
	char line[RESUME_LINES_MAX];
	struct resume_from from = {.from = 0};

	int status = resume_send_wait(&sender, err);
	if (status == 0)
		return sending->policy->must_resume ? not_resumed(result, err) : 0;
	result->both_resume = status == 1;
	if (status == 1)
		status = resume_send_check(&sender, &from, err);
	if (status == -2)
		return -1;
	if (status != 0)
		return sending_broken(sending, "send", err);
	result->resumed_at = from.from;
	result->bytes = from.from;
	sending->may_be_compared = from.from > 0;
	if (from.from > 0)
		progress_go_on(sending->policy->progress, from.from, from.size);
	if (send_line(sending, line, resume_lines_write_from(line, &from), err) == -1)
		return sending_broken(sending, "send", err);
	return 0;
}

static int send_and_confirm(struct sending *sending, struct err *err)
{
	if (source_start(sending->source, sending->ends, err) == -1 ||
	    (sending->policy->resumes && resume(sending, err) == -1) ||
	    send_all(sending, err) == -1)
		return -1;
	digest_text(&sending->digest, sending->result->digest);
	return end_and_confirm(sending, err);
}

/* Whether the receiver says that its part is of another file. */
static bool is_other_part(const struct transfer_result *result)
{
	char text[RECEIPT_LINE_MAX];

	snprintf(text, sizeof(text), RESUME_LINES_DIFFER, result->resumed_at);
	return result->resumed_at > 0 && strcmp(result->peer_text, text) == 0;
}

static size_t chunk_of(const struct sending *sending)
{
	size_t max = sending->channel->chunk_max;
	size_t size = rate_limit_piece(&sending->rate_limit, sending->policy->chunk);

	return max != 0 && size > max ? max : size;
}

int transfer_send(struct source *source, struct channel *channel, const struct ends *ends,
    const struct send_policy *policy, struct transfer_result *result, struct err *err)
{
	struct sending sending = {
	    .channel = channel,
	    .source = source,
	    .ends = ends,
	    .policy = policy,
	    .limits = &policy->limits,
	    .result = result,
	    .back = {.channel = channel, .heeds_receipts = policy->heeds_receipts},
	};
	int status = -1;

	*result = (struct transfer_result){.bytes = 0};
	progress_begin(policy->progress,
	    source->size == SOURCE_SIZE_UNKNOWN ? PROGRESS_UNKNOWN : source->size, source->is_tree);
	rate_limit_init(&sending.rate_limit, policy->rate);
	if (policy->rate != 0)
		channel->type->pace(channel, policy->rate + policy->rate / PACE_HEADROOM);
	sending.chunk_size = chunk_of(&sending);
	sending.chunk = malloc(sending.chunk_size);
	if (sending.chunk == NULL)
		err_sys(err, "chunk");
	else if (!policy->heeds_receipts || digest_open(&sending.digest, err) == 0)
		status = send_and_confirm(&sending, err);
	strlcpy(result->peer_text, sending.back.receipt.text, sizeof(result->peer_text));
	if (err->kind == ERR_PEER && is_other_part(result))
		err_advise(err, "send once without -R, or let the receiver remove its part");
	digest_close(&sending.digest);
	free(sending.chunk);
	return status;
}
