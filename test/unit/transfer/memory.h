/*
 * The surroundings of a transfer, in memory: a channel whose peer follows a script, a source, a
 * sink, and a clock that moves only while something is waited for. So a case takes no time, and is
 * exact to the nanosecond.
 *
 * The peer takes the steps of its script one after the other, each when its conditions are met. The
 * log has what was done, in its order. A fault makes one call fail, of one name or of any.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <errno.h>
#include <poll.h>
#include <stddef.h>

#include "base/deadline.h"
#include "base/err.h"
#include "check.h"
#include "data/ends.h"
#include "data/sink.h"
#include "data/source.h"
#include "net/channel.h"
#include "transfer/digest.h"

#define MEMORY_START (1000 * CLOCK_SECOND) /* the time at which each case begins */
#define MEMORY_MAX ((size_t)65536)         /* bytes that are kept of anything */
#define MEMORY_STEPS 16
#define MEMORY_MOVES 256
#define MEMORY_CALLS 1000000 /* calls of a channel: a bound for what does not end */
#define MEMORY_FD 999        /* what the source gives to be polled; nothing is open there */

/* What the peer, or the network, can do. */
enum memory_does {
	SPEAKS,  /* sends .bytes, of .n bytes, or all of the string */
	FLOODS,  /* sends without end */
	ENDS,    /* ends its stream */
	CLOSES,  /* closes, and it shows that both streams have ended */
	RESETS,  /* the connection breaks, with the errno .n */
	TAKES,   /* has room for .n bytes more than it had */
	ACKS,    /* acknowledges .n bytes more, or all there are by then (0) */
	HEARS,   /* acknowledges everything from now on */
	BECOMES, /* what is known of the peer is .n from now on */
	HIDES    /* what is in flight cannot be told from now on */
};

struct memory_step {
	enum memory_does does;
	int64_t at;    /* not before this time, in ns from the beginning */
	size_t after;  /* not before so many bytes have been sent to the peer */
	bool at_end;   /* not before our stream has ended */
	bool at_words; /* not before something was said to the peer */
	const char *bytes;
	size_t n;
};

struct memory {
	struct channel channel;
	struct source source;
	struct sink sink;

	/* what a test sets */
	size_t room;         /* bytes that the channel takes, until TAKES */
	size_t send_max;     /* bytes that it takes in one call */
	size_t recv_max;     /* bytes that it gives in one call */
	int64_t recv_time;   /* ns that a call takes which gives some */
	bool acks_by_script; /* else everything is acknowledged at once */
	bool is_unknown;     /* in_flight() cannot tell */
	enum channel_peer peer;
	const char *bytes; /* of the source */
	size_t size;
	size_t read_max;     /* bytes that the source gives in one call */
	int64_t source_gap;  /* ns from the beginning to its first bytes, and between them */
	int64_t read_time;   /* ns that a call takes which reads the source, or the part */
	int64_t commit_time; /* ns that the commit takes */
	const char *part;    /* of the sink, of sink.part bytes */
	const char *fails;   /* the call that fails; "": any; NULL: none */
	int fails_after;     /* so many such calls go well before */
	enum err_kind fault_kind;
	int fault_errnum;

	/* what comes of it */
	struct memory_step steps[MEMORY_STEPS];
	size_t step_count;
	size_t steps_done;
	char inbox[MEMORY_MAX]; /* what the peer has sent, and we have not read */
	size_t inbox_len;
	char sent[MEMORY_MAX]; /* to the peer */
	size_t sent_len;
	char said[MEMORY_MAX]; /* to the peer, on the back channel */
	char stored[MEMORY_MAX];
	size_t stored_len;
	size_t part_read;
	size_t acked;
	int error; /* an errno that no call has told yet */
	bool has_ended;
	bool has_flooded;
	bool is_broken;
	bool is_closed;
	bool has_finished; /* our stream has ended */
	bool has_settled;
	bool has_committed;
	bool is_stuck;   /* something that never comes was waited for without end */
	bool has_failed; /* the fault was met */
	int calls;
	int64_t paced;
	int64_t source_due;
	int64_t source_deadline; /* of the last call */
	int64_t sink_deadline;
	const struct ends *ends;
	struct {
		int64_t at; /* ns from the beginning */
		size_t n;
	} moves[MEMORY_MOVES]; /* the bytes that the channel took or gave, and when */
	size_t move_count;
	char log[1024];
};

/* The clock of the program under test. */
static int64_t memory_now = MEMORY_START;

int64_t clock_now(void)
{
	return memory_now;
}

/* The time since the beginning, in ns. */
static inline int64_t memory_time(void)
{
	return memory_now - MEMORY_START;
}

/* A step of the peer: PEER(&memory, SPEAKS, .at = CLOCK_SECOND, .bytes = "x"). */
#define PEER(memory, what, ...)                                                                    \
	memory_add((memory), (struct memory_step){.does = (what), __VA_ARGS__})

static inline void memory_add(struct memory *memory, struct memory_step step)
{
	if (!CHECK(memory->step_count < MEMORY_STEPS))
		exit(1);
	if (step.does == SPEAKS && step.n == 0)
		step.n = strlen(step.bytes);
	memory->steps[memory->step_count++] = step;
}

/* Notes that something was done. */
__attribute__((format(printf, 2, 3))) static inline void memory_note(struct memory *memory,
    const char *fmt, ...)
{
	size_t len = strlen(memory->log);
	va_list ap;

	if (len > 0 && len + 1 < sizeof(memory->log))
		memory->log[len++] = ' ';
	va_start(ap, fmt);
	vsnprintf(memory->log + len, sizeof(memory->log) - len, fmt, ap);
	va_end(ap);
}

static inline void memory_note_move(struct memory *memory, size_t n)
{
	if (memory->move_count == MEMORY_MOVES)
		return;
	memory->moves[memory->move_count].at = memory_time();
	memory->moves[memory->move_count++].n = n;
}

/* Begins a call that may fail. Returns 0, or -1: it is the one that does. */
static inline int memory_call(struct memory *memory, const char *name, struct err *err)
{
	if (memory->fails == NULL || (memory->fails[0] != '\0' && strcmp(memory->fails, name) != 0))
		return 0;
	if (memory->fails_after-- != 0)
		return 0;
	memory->has_failed = true;
	return err_set(err, memory->fault_kind, memory->fault_errnum, "%s",
	    memory->fault_errnum == 0 ? "it fails" : "");
}

static inline void memory_append(char *to, size_t *len, const void *bytes, size_t size)
{
	if (!CHECK(size <= MEMORY_MAX - *len))
		exit(1);
	memcpy(to + *len, bytes, size);
	*len += size;
}

/* The bytes of ours that can be acknowledged, the end as one. */
static inline size_t memory_outgoing(const struct memory *memory)
{
	return memory->sent_len + strlen(memory->said) + memory->has_finished;
}

static inline void memory_break(struct memory *memory, int errnum)
{
	memory->error = errnum;
	memory->is_broken = true;
	memory->is_closed = true;
	memory->has_ended = true;
}

static inline void memory_take_step(struct memory *memory, const struct memory_step *step)
{
	switch (step->does) {
	case SPEAKS:
		memory_append(memory->inbox, &memory->inbox_len, step->bytes, step->n);
		break;
	case FLOODS:
		memory->has_flooded = true;
		break;
	case ENDS:
		memory->has_ended = true;
		break;
	case CLOSES:
		memory->has_ended = true;
		memory->is_closed = true;
		break;
	case RESETS:
		memory_break(memory, (int)step->n);
		break;
	case TAKES:
		memory->room += step->n;
		break;
	case ACKS:
		memory->acked = step->n == 0 ? memory_outgoing(memory) : memory->acked + step->n;
		break;
	case HEARS:
		memory->acks_by_script = false;
		break;
	case BECOMES:
		memory->peer = (enum channel_peer)step->n;
		break;
	case HIDES:
		memory->is_unknown = true;
		break;
	}
}

static inline bool memory_may_step(const struct memory *memory, const struct memory_step *step)
{
	return memory->sent_len >= step->after && (memory->has_finished || !step->at_end) &&
	       (memory->said[0] != '\0' || !step->at_words);
}

/* Takes the steps whose time has come. Returns when the next is due if nothing else is done. */
static inline int64_t memory_step(struct memory *memory)
{
	if (++memory->calls > MEMORY_CALLS) {
		CHECK_FAIL("the transfer ends");
		exit(1);
	}
	while (memory->steps_done < memory->step_count) {
		const struct memory_step *step = &memory->steps[memory->steps_done];
		if (!memory_may_step(memory, step))
			return DEADLINE_NEVER;
		if (memory_time() < step->at)
			return MEMORY_START + step->at;
		memory_take_step(memory, step);
		memory->steps_done++;
	}
	return DEADLINE_NEVER;
}

/* Moves the clock. What is waited for without end and never comes ends as a signal ends it. */
static inline int memory_pass(struct memory *memory, int64_t until, struct err *err)
{
	if (until == DEADLINE_NEVER) {
		memory->is_stuck = true;
		return err_set(err, ERR_INTERRUPTED, 0, "it would wait for ever");
	}
	if (until > memory_now)
		memory_now = until;
	return 0;
}

static inline struct memory *memory_of_channel(const struct channel *channel)
{
	return (struct memory *)((char *)channel - offsetof(struct memory, channel));
}

static inline ssize_t memory_send(struct channel *channel, const void *bytes, size_t size,
    struct err *err)
{
	struct memory *memory = memory_of_channel(channel);

	memory_step(memory);
	CHECK(size > 0);
	if (memory_call(memory, "send", err) == -1)
		return -1;
	if (memory->is_broken) {
		int errnum = memory->error == 0 ? EPIPE : memory->error;
		memory->error = 0;
		return err_set(err, ERR_FAILED, errnum, "%s", "");
	}
	if (size > memory->room)
		size = memory->room;
	if (size > memory->send_max)
		size = memory->send_max;
	if (size == 0)
		return CHANNEL_LATER;
	memory_append(memory->sent, &memory->sent_len, bytes, size);
	memory->room -= size;
	memory_note_move(memory, size);
	return (ssize_t)size;
}

/* Gives what the peer has sent. */
static inline ssize_t memory_give(struct memory *memory, void *bytes, size_t size)
{
	if (size > memory->recv_max)
		size = memory->recv_max;
	if (memory->has_flooded) {
		memset(bytes, 'x', size);
	} else {
		if (size > memory->inbox_len)
			size = memory->inbox_len;
		memcpy(bytes, memory->inbox, size);
		memory->inbox_len -= size;
		memmove(memory->inbox, memory->inbox + size, memory->inbox_len);
	}
	memory_note_move(memory, size);
	memory_now += memory->recv_time;
	return (ssize_t)size;
}

static inline ssize_t memory_recv(struct channel *channel, void *bytes, size_t size,
    int64_t deadline, struct err *err)
{
	struct memory *memory = memory_of_channel(channel);

	CHECK(size > 0);
	if (memory_call(memory, "recv", err) == -1)
		return -1;
	for (;;) {
		int64_t next = memory_step(memory);
		if (memory->inbox_len > 0 || memory->has_flooded)
			return memory_give(memory, bytes, size);
		if (memory->error != 0) {
			err_set(err, ERR_FAILED, memory->error, "%s", "");
			memory->error = 0;
			return -1;
		}
		if (memory->has_ended)
			return 0;
		if (memory_now >= deadline)
			return CHANNEL_LATER;
		if (memory_pass(memory, deadline_min(deadline, next), err) == -1)
			return -1;
	}
}

/* What there is of events, a set of channel_event bits. */
static inline unsigned memory_events(const struct memory *memory, unsigned events)
{
	unsigned found = 0;

	if (events == 0)
		return 0;
	if (memory->inbox_len > 0 || memory->has_flooded || memory->has_ended)
		found |= events & CHANNEL_READABLE;
	if (memory->room > 0 || memory->is_broken)
		found |= events & CHANNEL_WRITABLE;
	if (memory->is_closed || (memory->has_ended && memory->has_finished))
		found |= CHANNEL_HUNG_UP | CHANNEL_READABLE;
	return found;
}

static inline int memory_wait(struct channel *channel, unsigned events, struct pollfd *other,
    int64_t deadline, struct err *err)
{
	struct memory *memory = memory_of_channel(channel);
	bool has_other = other != NULL && other->fd >= 0;

	if (memory_call(memory, "wait", err) == -1)
		return -1;
	for (;;) {
		int64_t next = memory_step(memory);
		unsigned found = memory_events(memory, events);
		if (has_other && memory_now >= memory->source_due)
			found |= CHANNEL_OTHER;
		if (other != NULL)
			other->revents = (found & CHANNEL_OTHER) != 0 ? POLLIN : 0;
		if (found != 0 || memory_now >= deadline)
			return (int)found;
		next = deadline_min(next, has_other ? memory->source_due : DEADLINE_NEVER);
		if (memory_pass(memory, deadline_min(deadline, next), err) == -1)
			return -1;
	}
}

static inline void memory_say(struct channel *channel, const char *line, size_t len)
{
	struct memory *memory = memory_of_channel(channel);
	size_t said = strlen(memory->said);

	memory_step(memory);
	CHECK(strnlen(line, len) == len);
	memory_append(memory->said, &said, line, len);
	memory_append(memory->said, &said, "", 1);
	/* its second word: "sockxfer/1 received 5 xxh128:..."; a line may come in pieces */
	if (strncmp(line, "sockxfer/1 ", 11) == 0)
		memory_note(memory, "say:%.*s", (int)strcspn(line + 11, " \n"), line + 11);
	else
		memory_note(memory, "say:rest");
}

static inline int memory_finish(struct channel *channel, struct err *err)
{
	struct memory *memory = memory_of_channel(channel);

	memory_step(memory);
	if (memory_call(memory, "finish", err) == -1)
		return -1;
	if (memory->is_broken)
		return err_set(err, ERR_FAILED, ENOTCONN, "%s", "");
	CHECK(!memory->has_finished);
	memory->has_finished = true;
	memory_note(memory, "finish");
	return 0;
}

static inline void memory_settle(struct channel *channel)
{
	struct memory *memory = memory_of_channel(channel);

	CHECK(!memory->has_settled);
	memory->has_settled = true;
	memory_note(memory, "settle");
}

static inline int memory_check(struct channel *channel, struct err *err)
{
	struct memory *memory = memory_of_channel(channel);
	int errnum;

	memory_step(memory);
	if (memory_call(memory, "check", err) == -1)
		return -1;
	errnum = memory->error;
	memory->error = 0;
	return errnum == 0 ? 0 : err_set(err, ERR_FAILED, errnum, "%s", "");
}

static inline enum channel_peer memory_peer(struct channel *channel)
{
	struct memory *memory = memory_of_channel(channel);

	memory_step(memory);
	return memory->peer;
}

static inline int64_t memory_in_flight(const struct channel *channel)
{
	struct memory *memory = memory_of_channel(channel);

	memory_step(memory);
	if (memory->is_unknown)
		return -1;
	if (!memory->acks_by_script || memory->is_broken)
		return 0;
	return (int64_t)(memory_outgoing(memory) - memory->acked);
}

static inline bool memory_is_gone(const struct channel *channel)
{
	struct memory *memory = memory_of_channel(channel);

	memory_step(memory);
	return memory->is_closed;
}

static inline void memory_pace(struct channel *channel, int64_t rate)
{
	memory_of_channel(channel)->paced = rate;
}

static inline void memory_close(struct channel *channel)
{
	(void)channel;
	CHECK_FAIL("the channel is its owner's to close");
}

static const struct channel_type memory_channel = {
    .send = memory_send,
    .recv = memory_recv,
    .wait = memory_wait,
    .say = memory_say,
    .finish = memory_finish,
    .settle = memory_settle,
    .check = memory_check,
    .peer = memory_peer,
    .in_flight = memory_in_flight,
    .is_gone = memory_is_gone,
    .pace = memory_pace,
    .close = memory_close,
};

static inline struct memory *memory_of_source(struct source *source)
{
	return (struct memory *)((char *)source - offsetof(struct memory, source));
}

static inline int memory_source_start(struct source *source, const struct ends *ends,
    struct err *err)
{
	struct memory *memory = memory_of_source(source);

	if (memory_call(memory, "start", err) == -1)
		return -1;
	memory->ends = ends;
	memory_note(memory, "start");
	return 0;
}

static inline ssize_t memory_source_read(struct source *source, void *buffer, size_t size,
    int64_t deadline, struct err *err)
{
	struct memory *memory = memory_of_source(source);
	size_t left = memory->size - (size_t)source->taken;

	memory->source_deadline = deadline;
	if (memory_call(memory, "read", err) == -1)
		return -1;
	if (memory->source_due > deadline) {
		memory_now = deadline;
		return err_set(err, ERR_TIMEOUT, 0, "timed out");
	}
	if (memory->source_due > memory_now)
		memory_now = memory->source_due;
	if (size > left)
		size = left;
	if (size > memory->read_max)
		size = memory->read_max;
	memory_now += memory->read_time;
	memcpy(buffer, memory->bytes + source->taken, size);
	memory->source_due += memory->source_gap;
	return (ssize_t)size;
}

static inline bool memory_source_is_ready(struct source *source, struct pollfd *from)
{
	*from = (struct pollfd){.fd = MEMORY_FD, .events = POLLIN};
	return memory_now >= memory_of_source(source)->source_due;
}

static inline void memory_source_close(struct source *source)
{
	(void)source;
	CHECK_FAIL("the source is its owner's to close");
}

static const struct source_type memory_source = {
    .start = memory_source_start,
    .read = memory_source_read,
    .is_ready = memory_source_is_ready,
    .close = memory_source_close,
};

static inline struct memory *memory_of_sink(struct sink *sink)
{
	return (struct memory *)((char *)sink - offsetof(struct memory, sink));
}

static inline ssize_t memory_sink_read_part(struct sink *sink, void *buffer, size_t size,
    struct err *err)
{
	struct memory *memory = memory_of_sink(sink);
	size_t left = (size_t)sink->part - memory->part_read;

	CHECK(size > 0 && size <= left);
	memory_note(memory, "read:%zu", size);
	if (memory_call(memory, "read_part", err) == -1)
		return -1;
	memory_now += memory->read_time;
	memcpy(buffer, memory->part + memory->part_read, size);
	memory->part_read += size;
	return (ssize_t)size;
}

static inline int memory_sink_resume(struct sink *sink, struct err *err)
{
	struct memory *memory = memory_of_sink(sink);

	memory_note(memory, "resume");
	CHECK(memory->part_read == (size_t)sink->part);
	if (memory_call(memory, "resume", err) == -1)
		return -1;
	memory_append(memory->stored, &memory->stored_len, memory->part, memory->part_read);
	return 0;
}

static inline int memory_sink_begin(struct sink *sink, const struct ends *ends, struct err *err)
{
	struct memory *memory = memory_of_sink(sink);

	memory_note(memory, "begin");
	memory->ends = ends;
	return memory_call(memory, "begin", err);
}

static inline int memory_sink_write(struct sink *sink, const void *buffer, size_t size,
    int64_t deadline, struct err *err)
{
	struct memory *memory = memory_of_sink(sink);

	memory_note(memory, "write:%zu", size);
	memory->sink_deadline = deadline;
	if (memory_call(memory, "write", err) == -1)
		return -1;
	memory_append(memory->stored, &memory->stored_len, buffer, size);
	return 0;
}

static inline int memory_sink_commit(struct sink *sink, int64_t deadline, struct err *err)
{
	struct memory *memory = memory_of_sink(sink);

	memory_note(memory, "commit");
	memory->sink_deadline = deadline;
	memory_now += memory->commit_time;
	if (memory_call(memory, "commit", err) == -1)
		return -1;
	memory->has_committed = true;
	return 0;
}

static inline void memory_sink_close(struct sink *sink)
{
	(void)sink;
	CHECK_FAIL("the sink is its owner's to close");
}

static const struct sink_type memory_sink = {
    .read_part = memory_sink_read_part,
    .resume = memory_sink_resume,
    .begin = memory_sink_begin,
    .write = memory_sink_write,
    .commit = memory_sink_commit,
    .close = memory_sink_close,
};

/* Begins a case: a peer that takes, acknowledges and says nothing yet, at MEMORY_START. */
static inline void memory_init(struct memory *memory)
{
	memory_now = MEMORY_START;
	*memory = (struct memory){
	    .channel = {.type = &memory_channel},
	    .source = {.type = &memory_source, .name = "source", .size = SOURCE_SIZE_UNKNOWN},
	    .sink = {.type = &memory_sink, .name = "sink", .done = "stored"},
	    .room = MEMORY_MAX,
	    .send_max = MEMORY_MAX,
	    .recv_max = MEMORY_MAX,
	    .read_max = MEMORY_MAX,
	    .bytes = "",
	    .fault_kind = ERR_FAILED,
	};
}

/* What the source gives. */
static inline void memory_source_has(struct memory *memory, const char *bytes, size_t size)
{
	memory->bytes = bytes;
	memory->size = size;
	memory->source_due = MEMORY_START + memory->source_gap;
}

/* What the sink has of a transfer that broke off. */
static inline void memory_has_part(struct memory *memory, const char *part, size_t size)
{
	memory->part = part;
	memory->sink.part = (int64_t)size;
}

/* Bytes of every value, of which no two blocks are the same. */
static inline void memory_fill(char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 7 + i / 256);
}

static inline void memory_digest(const void *bytes, size_t size, char text[DIGEST_TEXT_MAX])
{
	struct digest digest = {.state = NULL};
	struct err err = {.kind = ERR_NONE};

	CHECK_INT(digest_open(&digest, &err), 0);
	digest_add(&digest, bytes, size);
	digest_text(&digest, text);
	digest_close(&digest);
}

#endif
