#include "transfer/recv.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/digest.h"
#include "transfer/doubt.h"
#include "transfer/rate_limit.h"
#include "transfer/receipt.h"
#include "transfer/resume_recv.h"
#include "transfer/stray_talk.h"

/* How long we read on for a sender that has yet to notice that we have failed. */
#define FAILED_WAIT (2 * CLOCK_SECOND)

/* The receiver's view of its connection. */
struct receiving {
	struct channel *channel;
	struct sink *sink;
	const struct ends *ends;
	const struct recv_policy *policy;
	struct transfer_result *result;
	struct digest digest;
	struct rate_limit rate_limit;
	struct stray_talk talk;
	char *chunk;
	int64_t size;    /* of the stream, if its sender resumes */
	bool is_claimed; /* a byte has come */
	bool has_begun;  /* the sink has */
	bool broken;     /* the connection is: nothing can be said any more */
	bool silent;     /* the peer was, for so long that we take it for the end */
};

static enum channel_peer peer_state(const struct receiving *receiving)
{
	struct channel *channel = receiving->channel;

	return channel->type->peer(channel);
}

/* Whether the peer is of our kind, and has not said yet that its end is certain. */
static bool must_speak(const struct receiving *receiving)
{
	return peer_state(receiving) == CHANNEL_PEER_OPEN;
}

/* To a stream that is a ClientHello, says what the user can do. Returns -1. */
static int advise_on_tls(const struct receiving *receiving, struct err *err)
{
	if (receiving->channel->key == NULL && stray_talk_is_tls(&receiving->talk) &&
	    err->kind != ERR_INTERRUPTED)
		err_advise(err, "the other end encrypts: give --key at both ends");
	return -1;
}

static int receiving_broken(struct receiving *receiving, struct err *err)
{
	const struct time_limits *limits = &receiving->policy->limits;
	bool has_idled = err->kind == ERR_TIMEOUT && clock_now() < limits->end;

	receiving->broken = err->kind == ERR_FAILED;
	transfer_broken("receive", receiving->result, limits, err);
	if (has_idled && receiving->result->bytes > 0 && receiving->policy->idle_eof == 0 &&
	    !must_speak(receiving))
		err_advise(err, "is the link up? For nc without -N there is --idle-eof SECONDS");
	/* A stranger that closes with our line unread resets the connection. */
	if (receiving->broken && receiving->policy->resumes && !receiving->result->both_resume &&
	    receiving->is_claimed)
		err_advise(err, "leave out -R where the other end is not sockxfer");
	return advise_on_tls(receiving, err);
}

/* Writes a line to the back channel. Another program may have closed it; that is its right. */
static void say_line(const struct receiving *receiving, const char *line, size_t len)
{
	struct channel *channel = receiving->channel;

	if (receiving->policy->gives_receipts)
		channel->type->say(channel, line, len);
}

static void say_stored(const struct receiving *receiving)
{
	char line[RECEIPT_LINE_MAX];
	size_t len = receipt_write_stored(line);

	say_line(receiving, line, len);
}

/*
 * Tells the sender why. Then reads on a little, and waits until its kernel has it: the close that
 * follows resets the connection, which drops what is still on its way.
 */
static void say_failed(const struct receiving *receiving, const struct err *failure)
{
	struct channel *channel = receiving->channel;
	char line[RECEIPT_LINE_MAX];
	char rest[8192];
	struct err ignored;
	int64_t deadline = deadline_after(FAILED_WAIT);
	const char *why = failure->errnum != 0 ? strerror(failure->errnum) : failure->text;
	size_t len = receipt_write_failed(line, why);

	if (failure->kind == ERR_INTERRUPTED)
		return;
	say_line(receiving, line, len);
	if (!receiving->policy->gives_receipts || failure->kind == ERR_TIMEOUT)
		return; /* nothing was said, or there is no more time */
	while (clock_now() < deadline &&
	       channel->type->recv(channel, rest, sizeof(rest), deadline, &ignored) > 0)
		;
	(void)doubt_wait(channel, deadline, &ignored);
}

/* How many bytes may still come. */
static int64_t allowance(const struct receiving *receiving)
{
	int64_t max = receiving->policy->max_size;

	return max == 0 ? INT64_MAX : max - receiving->result->bytes;
}

/*
 * How much to ask for: as much as may still come and, once all of that is there, one byte, which
 * would be too much.
 */
static size_t wanted(const struct receiving *receiving, size_t piece)
{
	int64_t left = allowance(receiving);

	if (left == 0)
		return 1;
	return left < (int64_t)piece ? (size_t)left : piece;
}

/* With the first byte the peer is the one: others that wait to be accepted are refused. */
static void claim_peer(struct receiving *receiving)
{
	const struct recv_policy *policy = receiving->policy;

	if (!receiving->is_claimed && policy->on_claim != NULL)
		policy->on_claim(policy->context);
	receiving->is_claimed = true;
}

static int begin_sink(struct receiving *receiving, struct err *err)
{
	if (receiving->has_begun)
		return 0;
	receiving->has_begun = true;
	return sink_begin(receiving->sink, receiving->ends, err);
}

static int store_bytes(struct receiving *receiving, const char *bytes, size_t size, struct err *err)
{
	const struct recv_policy *policy = receiving->policy;

	if ((int64_t)size > allowance(receiving))
		return transfer_too_large(policy->max_size, err);
	digest_add(&receiving->digest, bytes, size);
	stray_talk_hear(&receiving->talk, bytes, size);
	receiving->result->bytes += (int64_t)size;
	progress_add(policy->progress, (int64_t)size);
	if (begin_sink(receiving, err) == -1)
		return -1;
	if (sink_write(receiving->sink, bytes, size, policy->limits.end, err) == -1)
		return -1;
	if (receiving->sink->is_tree)
		progress_note_entries(policy->progress, receiving->sink->entries);
	return 0;
}

/* Lets the time pass until it is the turn of the next bytes; the sender is slowed down by it. */
static int wait_for_turn(struct receiving *receiving, int64_t received, struct err *err)
{
	struct channel *channel = receiving->channel;

	if (receiving->policy->rate == 0)
		return 0;
	int64_t until = rate_limit_count(&receiving->rate_limit, received, clock_now());
	until = deadline_min(until, receiving->policy->limits.end);
	return channel->type->wait(channel, 0, NULL, until, err);
}

/*
 * When a silence that begins now is the end. A peer of our kind, where we can tell, never ends so.
 */
static int64_t silence_at(struct receiving *receiving)
{
	int64_t idle_eof = receiving->policy->idle_eof;

	if (idle_eof == 0 || receiving->result->bytes == 0 || must_speak(receiving))
		return DEADLINE_NEVER;
	return deadline_after(idle_eof);
}

/* Notes for others whether, and since when, bytes of the peer are waited for. */
static void note_wait(const struct receiving *receiving, int64_t since)
{
	if (receiving->policy->waits_since != NULL)
		atomic_store(receiving->policy->waits_since, since);
}

/* Receives what is there. Returns how many bytes, 0 at the end, a silence included, or -1. */
static ssize_t receive_some(struct receiving *receiving, size_t size, struct err *err)
{
	struct channel *channel = receiving->channel;
	int64_t limit = deadline_of(&receiving->policy->limits);
	int64_t silence = silence_at(receiving);

	note_wait(receiving, clock_now());
	ssize_t n =
	    channel->type->recv(channel, receiving->chunk, size, deadline_min(limit, silence), err);
	note_wait(receiving, DEADLINE_NEVER);
	if (n != CHANNEL_LATER)
		return n;
	if (silence >= limit)
		return err_set(err, ERR_TIMEOUT, 0, "timed out");
	receiving->silent = true;
	return 0;
}

static int take_in_turn(struct receiving *receiving, const char *bytes, size_t size,
    struct err *err)
{
	claim_peer(receiving);
	if (store_bytes(receiving, bytes, size, err) == -1)
		return -1;
	if (wait_for_turn(receiving, (int64_t)size, err) == -1)
		return receiving_broken(receiving, err);
	return 0;
}

/*
 * Tells the sender how much there is, and acts on what it begins with: its line, or a stream of
 * another program, or of a sender that does not resume, which is whole.
 */
static int meet_sender(struct receiving *receiving, struct err *err)
{
	const struct resume_recv receiver = {
	    .channel = receiving->channel,
	    .sink = receiving->sink,
	    .digest = &receiving->digest,
	    .limits = &receiving->policy->limits,
	    .max_size = receiving->policy->max_size,
	    .progress = receiving->policy->progress,
	    .result = receiving->result,
	    .chunk = receiving->chunk,
	    .chunk_size = receiving->policy->chunk,
	};
	struct resume_answer answer;

	int status = resume_recv_meet(&receiver, &answer, err);
	if (answer.len > 0)
		claim_peer(receiving);
	if (status == 0 && answer.begin == RESUME_LINE) {
		receiving->size = answer.from.size;
		status = resume_recv_follow(&receiver, &answer.from, err);
	}
	if (status == -1)
		receiving->broken = receiving->result->is_broken && err->kind == ERR_FAILED;
	size_t rest = answer.len - answer.line_len;
	if (status == -1 || rest == 0)
		return status;
	return take_in_turn(receiving, answer.bytes + answer.line_len, rest, err);
}

/* Copies until the peer ends its stream. */
static int receive_all(struct receiving *receiving, struct err *err)
{
	size_t size = rate_limit_piece(&receiving->rate_limit, receiving->policy->chunk);

	if (receiving->policy->resumes && meet_sender(receiving, err) == -1)
		return -1;
	for (;;) {
		ssize_t n = receive_some(receiving, wanted(receiving, size), err);
		if (n == 0)
			return 0;
		if (n == -1 || transfer_check_time(&receiving->policy->limits, err) == -1)
			return receiving_broken(receiving, err);
		if (take_in_turn(receiving, receiving->chunk, (size_t)n, err) == -1)
			return -1;
	}
}

/*
 * As doubt_say(). A receiver that gives no receipts cannot know whether the peer is there; where
 * any host may connect, it takes no chances with the file that is there.
 */
static int say_in_doubt(const struct receiving *receiving, const char *line, size_t len,
    struct err *err)
{
	const struct recv_policy *policy = receiving->policy;

	if (policy->gives_receipts)
		return doubt_say(receiving->channel, line, len, &policy->limits, err);
	if (!receiving->channel->shows_death)
		return policy->may_be_stray;
	return doubt_peer(receiving->channel, &policy->limits, err);
}

static int peer_is_gone(struct receiving *receiving, struct err *err)
{
	receiving->broken = true;
	receiving->result->is_broken = true;
	return err_set(err, ERR_FAILED, 0, "receive: the peer is gone after %lld bytes",
	    (long long)receiving->result->bytes);
}

/* Fails because of a peer that is gone, and whose stream is empty, or looks like name. */
static int refuse_stray(struct receiving *receiving, const char *name, struct err *err)
{
	if (name == NULL && receiving->policy->may_be_stray)
		return err_set(err, ERR_STRAY, 0, "gone without a byte");
	if (name == NULL)
		return peer_is_gone(receiving, err);
	receiving->broken = true;
	err_set(err, ERR_FAILED, 0,
	    "receive: looks like %s, from a sender that is gone after %lld bytes", name,
	    (long long)receiving->result->bytes);
	return advise_on_tls(receiving, err);
}

/*
 * What the stream looks like that a stray has sent, or NULL: then nothing speaks against its end.
 * Neither a peer of our kind nor the digest that was expected leaves a doubt, and silence is
 * what the user has declared to be an end.
 */
static const char *stray_name(const struct receiving *receiving)
{
	if (receiving->silent || receiving->policy->expect != NULL ||
	    receiving->result->both_resume || peer_state(receiving) == CHANNEL_PEER_DONE)
		return NULL;
	return stray_talk_name(&receiving->talk);
}

/*
 * Whether the peer is no stray, and no proxy has made the end of its stream: it has the key, or has
 * answered us, and the stream has the size that it has said.
 */
static bool is_certified(const struct receiving *receiving)
{
	return receiving->result->both_resume ||
	       (receiving->channel->key != NULL && peer_state(receiving) == CHANNEL_PEER_DONE);
}

/*
 * Says that everything is received. If it is nothing, or what a stray says, that is an end only if
 * the peer stays to hear it: else it was a port scan, a client that has given up, or a proxy whose
 * far end is down.
 */
static int say_received(struct receiving *receiving, struct err *err)
{
	char line[RECEIPT_LINE_MAX];
	const struct transfer_result *result = receiving->result;
	size_t len = receipt_write_received(line, result->bytes, result->digest);
	const char *name = stray_name(receiving);

	if ((result->bytes == 0 && !is_certified(receiving)) || name != NULL) {
		int is_gone = say_in_doubt(receiving, line, len, err);
		if (is_gone == -1)
			return receiving_broken(receiving, err);
		return is_gone ? refuse_stray(receiving, name, err) : 0;
	}
	if (!receiving->silent)
		say_line(receiving, line, len);
	return 0;
}

/* At the end of the stream: whether it is one of which nothing is missing. */
static int check_end(struct receiving *receiving, struct err *err)
{
	const char *expect = receiving->policy->expect;
	struct transfer_result *result = receiving->result;

	if (must_speak(receiving))
		return peer_is_gone(receiving, err);
	if (result->both_resume && resume_recv_end(result, receiving->size, err) == -1)
		return -1;
	if (expect != NULL && strcmp(expect, result->digest) != 0)
		return err_set(err, ERR_MISMATCH, 0,
		    "the digest of the %lld bytes received is %s, not %s", (long long)result->bytes,
		    result->digest, expect);
	return 0;
}

static int store(struct receiving *receiving, struct err *err)
{
	const struct recv_policy *policy = receiving->policy;
	struct channel *channel = receiving->channel;

	digest_text(&receiving->digest, receiving->result->digest);
	if (check_end(receiving, err) == -1)
		return -1;
	progress_enter(policy->progress, PROGRESS_STORING);
	if (say_received(receiving, err) == -1)
		return -1;
	if (begin_sink(receiving, err) == -1)
		return -1;
	if (sink_commit(receiving->sink, policy->limits.end, err) == -1)
		return -1;
	/* A stream that has the digest that was expected is whole, however it ended. */
	if (receiving->silent && policy->expect == NULL)
		receiving->result->end = TRANSFER_ASSUMED;
	else
		receiving->result->end = TRANSFER_STORED;
	if (!receiving->silent)
		say_stored(receiving);
	channel->type->settle(channel);
	return 0;
}

static int receive_and_store(struct receiving *receiving, struct err *err)
{
	if (receive_all(receiving, err) == 0 && store(receiving, err) == 0)
		return 0;
	if (receiving->broken && !receiving->is_claimed && receiving->policy->may_be_stray)
		err_set(err, ERR_STRAY, 0, "reset without a byte");
	/* The sender may try again, too, which it would not after a failure. */
	if (receiving->policy->resumes && receiving->result->is_broken)
		return -1;
	if (!receiving->broken && err->kind != ERR_STRAY)
		say_failed(receiving, err);
	return -1;
}

static bool wants_digest(const struct recv_policy *policy)
{
	return policy->gives_receipts || policy->expect != NULL;
}

int transfer_recv(struct channel *channel, struct sink *sink, const struct ends *ends,
    const struct recv_policy *policy, struct transfer_result *result, struct err *err)
{
	struct receiving receiving = {
	    .channel = channel,
	    .sink = sink,
	    .ends = ends,
	    .policy = policy,
	    .result = result,
	    .chunk = malloc(policy->chunk),
	};
	int status = -1;

	*result = (struct transfer_result){.bytes = 0};
	progress_begin(policy->progress, PROGRESS_UNKNOWN, sink->is_tree);
	rate_limit_init(&receiving.rate_limit, policy->rate);
	if (receiving.chunk == NULL)
		err_sys(err, "chunk");
	else if (!wants_digest(policy) || digest_open(&receiving.digest, err) == 0)
		status = receive_and_store(&receiving, err);
	digest_close(&receiving.digest);
	free(receiving.chunk);
	return status;
}

void transfer_refuse(struct channel *channel, const struct recv_policy *policy,
    const struct err *why)
{
	struct receiving receiving = {.channel = channel, .policy = policy};

	say_failed(&receiving, why);
}
