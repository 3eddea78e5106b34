#include "transfer/emit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "net/datagram.h"
#include "net/sock.h"
#include "sys/io.h"
#include "sys/signals.h"
#include "transfer/rate_limit.h"

/* Room for what is read: several of the longest datagrams. */
#define ROOM ((size_t)4 * 65536)

struct emission {
	struct source *source;
	int sock;
	const struct emit_policy *policy;
	struct datagram_counts *counts;
	struct transfer_result *result;
	struct rate_limit rate_limit;
	char *room;
	size_t start; /* of what is not sent yet */
	size_t end;   /* of what is read */
	bool is_all;  /* there is nothing more to read */
};

/* A datagram in the room. */
struct part {
	size_t size;
	size_t step; /* its size and that of its newline */
};

/*
 * Finds the datagram that begins at the offset. Returns 1, 0 if more has to be read for it, or -1.
 */
static int next_datagram(const struct emission *emission, size_t offset, struct part *part,
    struct err *err)
{
	size_t longest = emission->policy->longest;
	size_t left = emission->end - offset;
	const char *newline = NULL;

	if (left == 0)
		return 0;
	if (!emission->policy->raw)
		newline = memchr(emission->room + offset, '\n', left);
	part->size = newline == NULL ? left : (size_t)(newline - emission->room) - offset;
	if (part->size > longest && !emission->policy->raw)
		return err_set(err, ERR_FAILED, 0,
		    "%s: line %" PRId64 " is longer than %zu bytes, the most of a datagram",
		    emission->source->name, emission->counts->datagrams + 1, longest);
	if (part->size > longest)
		part->size = longest;
	part->step = part->size + (newline != NULL);
	return newline != NULL || part->size == longest || emission->is_all;
}

/* Reads more behind what is there. */
static int read_more(struct emission *emission, struct err *err)
{
	size_t left = emission->end - emission->start;

	memmove(emission->room, emission->room + emission->start, left);
	emission->start = 0;
	emission->end = left;
	ssize_t n = source_read(emission->source, emission->room + left, ROOM - left,
	    emission->policy->limits.end, err);
	if (n == -1)
		return -1;
	emission->end += (size_t)n;
	emission->is_all = n == 0;
	return 0;
}

/*
 * Finds the datagrams to be sent at once, as many as the rate allows. Returns how many, 0 if there
 * are none but more may be read, or -1 if the first is too long.
 */
static int gather(const struct emission *emission, struct iovec *parts, struct err *err)
{
	size_t most = rate_limit_piece(&emission->rate_limit, ROOM);
	size_t offset = emission->start;
	int count = 0;

	while (count < DATAGRAM_BATCH && offset - emission->start < most) {
		struct part part = {.size = 0};
		int found = next_datagram(emission, offset, &part, err);
		if (found == -1 && count == 0)
			return -1;
		if (found != 1)
			break;
		parts[count++] = (struct iovec){emission->room + offset, part.size};
		offset += part.step;
	}
	err_clear(err); /* one that is too long is the first of the next */
	return count;
}

static int fail_to_send(const struct emission *emission, struct err *err)
{
	int errnum = err->errnum;
	char why[128];

	if (err->kind == ERR_INTERRUPTED)
		return -1;
	strlcpy(why, err->text, sizeof(why));
	err_set(err, err->kind, 0, "send: %s, after %" PRId64 " datagrams", why,
	    emission->counts->datagrams);
	err->errnum = errnum;
	return errnum == ECONNREFUSED
	           ? err_advise(err, "nobody receives at that port: start the other end first")
	           : -1;
}

/* Notes that the first count of the parts are sent. Returns how many bytes they have. */
static int64_t count_sent(struct emission *emission, const struct iovec *parts, int count)
{
	int64_t bytes = 0;

	for (int i = 0; i < count; i++)
		bytes += (int64_t)parts[i].iov_len;
	emission->counts->datagrams += count;
	emission->result->bytes += bytes;
	progress_add(emission->policy->progress, bytes);
	return bytes;
}

/* Sends the parts, in the time that the rate gives them. */
static int send_parts(struct emission *emission, struct iovec *parts, int count, struct err *err)
{
	const struct time_limits *limits = &emission->policy->limits;
	int64_t deadline = deadline_of(limits);
	bool is_short = false;
	int64_t bytes = 0;

	for (int sent = 0; sent < count;) {
		int wanted = is_short ? 1 : count - sent;
		int n = datagram_send(emission->sock, parts + sent, (size_t)wanted, err);
		if (n == -1 || (n == 0 && io_wait(emission->sock, POLLOUT, deadline, err) == -1))
			return fail_to_send(emission, err);
		is_short = n < wanted;
		bytes += count_sent(emission, parts + sent, n);
		sent += n;
	}
	int64_t until = rate_limit_count(&emission->rate_limit, bytes, clock_now());
	if (emission->policy->rate != 0 && io_sleep(deadline_min(until, limits->end), err) == -1)
		return -1;
	if (transfer_check_time(limits, err) == -1)
		return err_set(err, ERR_TIMEOUT, 0,
		    "send: the time limit of -W has passed after %" PRId64 " datagrams",
		    emission->counts->datagrams);
	return signals_check(err);
}

/* Sends the datagrams that are in the room. Returns how many, or -1. */
static int emit_some(struct emission *emission, struct err *err)
{
	struct iovec parts[DATAGRAM_BATCH];
	int count = gather(emission, parts, err);

	if (count <= 0)
		return count;
	if (send_parts(emission, parts, count, err) == -1)
		return -1;
	const char *end = (const char *)parts[count - 1].iov_base + parts[count - 1].iov_len;
	emission->start = (size_t)(end - emission->room);
	if (!emission->policy->raw && emission->start < emission->end)
		emission->start++; /* its newline */
	return count;
}

static int emit_all(struct emission *emission, struct err *err)
{
	for (;;) {
		int count = emit_some(emission, err);
		if (count == -1)
			return -1;
		if (count == 0 && emission->is_all)
			break;
		if (count == 0 && read_more(emission, err) == -1)
			return -1;
	}
	/* The refusal of the last ones, as far as it has come. */
	int errnum = sock_take_error(emission->sock);
	if (errnum == 0)
		return 0;
	err_set(err, ERR_FAILED, errnum, "%s", "");
	return fail_to_send(emission, err);
}

int emit_run(struct source *source, int sock, const struct ends *ends,
    const struct emit_policy *policy, struct transfer_result *result, struct err *err)
{
	struct emission emission = {
	    .source = source,
	    .sock = sock,
	    .policy = policy,
	    .counts = policy->counts,
	    .result = result,
	    .room = malloc(ROOM),
	};
	int status = -1;

	*result = (struct transfer_result){.bytes = 0};
	rate_limit_init(&emission.rate_limit, policy->rate);
	progress_begin(policy->progress, source->size, false);
	if (emission.room == NULL)
		err_sys(err, "datagrams");
	else if (source_start(source, ends, err) == 0)
		status = emit_all(&emission, err);
	free(emission.room);
	if (status == 0)
		result->end = TRANSFER_CLOSED;
	return status;
}
