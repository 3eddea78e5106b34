#include "transfer/resume_recv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static int greet(const struct resume_recv *receiver, char *token, struct err *err)
{
	struct channel *channel = receiver->channel;
	char line[RESUME_LINES_MAX];
	uint64_t bits;

	if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
		return err_sys(err, "getrandom");
	snprintf(token, RESUME_LINES_TOKEN_MAX, "%016" PRIx64, bits);
	size_t len = resume_lines_write_have(line, receiver->sink->part, token);
	channel->type->say(channel, line, len);
	return 0;
}

/* Fails because of a stream that was cut: a proxy makes an end of what is none. */
static int end_early(struct transfer_result *result, const char *where, struct err *err)
{
	result->is_broken = true;
	return err_set(err, ERR_FAILED, 0, "receive: the stream ended %s", where);
}

/*
 * How long to wait for the next bytes. A sender reads first what we have, however long that takes;
 * if it is gone, keepalive finds out.
 */
static int64_t limit_of(const struct resume_recv *receiver, const struct resume_answer *answer)
{
	if (answer->len == 0 && receiver->sink->part > 0)
		return receiver->limits->end;
	return deadline_of(receiver->limits);
}

/* Receives the next bytes of the answer. Returns how many, 0 at the end, or -1. */
static ssize_t receive_more(const struct resume_recv *receiver, struct resume_answer *answer,
    struct err *err)
{
	struct channel *channel = receiver->channel;
	int64_t limit = limit_of(receiver, answer);
	ssize_t n = channel->type->recv(channel, answer->bytes + answer->len,
	    sizeof(answer->bytes) - answer->len, limit, err);

	if (n == CHANNEL_LATER)
		n = err_set(err, ERR_TIMEOUT, 0, "timed out");
	if (n > 0)
		answer->len += (size_t)n;
	if (n == -1 || transfer_check_time(receiver->limits, err) == -1)
		return transfer_broken("receive", receiver->result, receiver->limits, err);
	return n;
}

int resume_recv_meet(const struct resume_recv *receiver, struct resume_answer *answer,
    struct err *err)
{
	struct channel *channel = receiver->channel;
	char token[RESUME_LINES_TOKEN_MAX];
	ssize_t n;

	*answer = (struct resume_answer){.begin = RESUME_UNKNOWN};
	if (greet(receiver, token, err) == -1)
		return -1;
	do {
		n = receive_more(receiver, answer, err);
		if (n == -1)
			return -1;
		answer->begin = resume_lines_read_from(answer->bytes, answer->len, token,
		    &answer->from, &answer->line_len);
	} while (n > 0 && answer->begin == RESUME_UNKNOWN);
	if (answer->begin == RESUME_WRONG)
		return err_set(err, ERR_FAILED, 0, "the sender says wrongly where it goes on");
	if (n == 0 && answer->len > 0 && channel->type->peer(channel) != CHANNEL_PEER_DONE)
		return end_early(receiver->result, "within the line of a sender that resumes", err);
	return 0;
}

/* Looks whether the connection is still there, and the time is not up. Returns 0, or -1. */
static int look_at_connection(const struct resume_recv *receiver, struct err *err)
{
	struct channel *channel = receiver->channel;

	if (channel->type->is_gone(channel))
		err_set(err, ERR_FAILED, ECONNRESET, "%s", "");
	else if (transfer_check_time(receiver->limits, err) == 0)
		return 0;
	return transfer_broken("receive", receiver->result, receiver->limits, err);
}

/* Adds the part to the digest. */
static int read_all_of_part(const struct resume_recv *receiver, struct err *err)
{
	int64_t left = receiver->sink->part;

	progress_check(receiver->progress, left);
	while (left > 0) {
		size_t size = receiver->chunk_size;
		if (left < (int64_t)size)
			size = (size_t)left;
		ssize_t n = sink_read_part(receiver->sink, receiver->chunk, size, err);
		if (n == -1 || look_at_connection(receiver, err) == -1)
			return -1;
		digest_add(receiver->digest, receiver->chunk, (size_t)n);
		progress_add(receiver->progress, n);
		left -= n;
	}
	return 0;
}

static int go_on_with_part(const struct resume_recv *receiver, const struct resume_from *from,
    struct err *err)
{
	char digest[DIGEST_TEXT_MAX];

	if (read_all_of_part(receiver, err) == -1)
		return -1;
	digest_text(receiver->digest, digest);
	if (strcmp(digest, from->digest) != 0) {
		err_set(err, ERR_MISMATCH, 0, RESUME_LINES_DIFFER, from->from);
		return err_advise(err, "send once without -R, or remove the part (NAME.part)");
	}
	return sink_resume(receiver->sink, err);
}

int resume_recv_follow(const struct resume_recv *receiver, const struct resume_from *from,
    struct err *err)
{
	struct transfer_result *result = receiver->result;
	char nothing[DIGEST_TEXT_MAX];

	result->both_resume = true;
	digest_text(receiver->digest, nothing);
	if (from->from != 0 && from->from != receiver->sink->part)
		return err_set(err, ERR_FAILED, 0,
		    "the sender goes on after %" PRId64 " bytes, but %" PRId64 " are here",
		    from->from, receiver->sink->part);
	if (from->from == 0 && strcmp(from->digest, nothing) != 0)
		return err_set(err, ERR_FAILED, 0, "the sender has a digest of no bytes");
	if (receiver->max_size != 0 && from->size > receiver->max_size)
		return transfer_too_large(receiver->max_size, err);
	if (from->from != 0 && go_on_with_part(receiver, from, err) == -1)
		return -1;
	result->resumed_at = from->from;
	result->bytes = from->from;
	progress_go_on(receiver->progress, from->from, from->size);
	return 0;
}

int resume_recv_end(struct transfer_result *result, int64_t size, struct err *err)
{
	char where[64];

	if (result->bytes >= size)
		return 0;
	snprintf(where, sizeof(where), "after %" PRId64 " of %" PRId64 " bytes", result->bytes,
	    size);
	return end_early(result, where, err);
}
