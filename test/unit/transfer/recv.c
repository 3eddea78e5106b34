/* Success, for the receiver: every end of a stream, what is committed, and what is said when. */
#include "transfer/recv.h"

#include "check.h"
#include "memory.h"

#define DATA "0123456789"
#define SIZE 10
#define CHUNK 4
#define SECOND CLOCK_SECOND
#define FOREIGN_DIGEST "xxh128:00000000000000000000000000000000"

static const struct ends ends = {.peer = "192.0.2.7:40000", .local = "192.0.2.1:9009"};

/* A transfer that a test prepares, runs, and looks at. */
struct trial {
	struct memory memory;
	struct recv_policy policy;
	struct progress progress;
	struct transfer_result result;
	struct err err;
	char digest[DIGEST_TEXT_MAX]; /* of DATA */
	int64_t took;                 /* ns */
};

static void note_claim(void *context)
{
	memory_note(context, "claim");
}

/* A peer that does nothing yet, and gets receipts. No limits. */
static void prepare(struct trial *trial)
{
	memory_init(&trial->memory);
	trial->policy = (struct recv_policy){
	    .limits = {.idle = 0, .end = DEADLINE_NEVER},
	    .chunk = CHUNK,
	    .gives_receipts = true,
	    .progress = &trial->progress,
	    .on_claim = note_claim,
	    .context = &trial->memory,
	};
	trial->progress = (struct progress){.bytes = 0};
	trial->err = (struct err){.kind = ERR_NONE};
	memory_digest(DATA, SIZE, trial->digest);
}

/* The peer sends the first size bytes of DATA. */
static void sends(struct trial *trial, size_t size)
{
	if (size > 0)
		PEER(&trial->memory, SPEAKS, .bytes = DATA, .n = size);
}

/* The peer sends all of DATA, and ends its stream. */
static void sends_all(struct trial *trial)
{
	sends(trial, SIZE);
	PEER(&trial->memory, ENDS);
}

static int run(struct trial *trial)
{
	struct memory *memory = &trial->memory;
	int status = transfer_recv(&memory->channel, &memory->sink, &ends, &trial->policy,
	    &trial->result, &trial->err);

	trial->took = memory_time();
	CHECK(!memory->has_finished);
	return status;
}

/* DATA is committed, in the order of log; the channel is settled, and err is as it was. */
static void succeeds(struct trial *trial, enum transfer_end end, const char *log)
{
	struct memory *memory = &trial->memory;

	CHECK_INT(run(trial), 0);
	CHECK_INT(trial->result.end, end);
	CHECK_INT(trial->result.bytes, (intmax_t)memory->stored_len);
	CHECK(memcmp(memory->stored, DATA, memory->stored_len) == 0);
	CHECK_STR(memory->log, log);
	CHECK(memory->has_committed && memory->has_settled);
	CHECK_INT(trial->err.kind, ERR_NONE);
	CHECK_STR(trial->err.text, "");
}

/* The channel is as it was: closing it is an abort. The peer has been told said; "" is nothing. */
static void fails(struct trial *trial, enum err_kind kind, const char *text, const char *said)
{
	struct memory *memory = &trial->memory;

	CHECK_INT(run(trial), -1);
	CHECK_INT(trial->result.end, TRANSFER_FAILED);
	CHECK_INT(trial->err.kind, kind);
	CHECK_HAS(trial->err.text, text);
	CHECK_STR(memory->said, said);
	CHECK(!memory->has_committed && !memory->has_settled);
	CHECK(!memory->is_stuck);
}

/* It waits without end for what does not come. */
static void never_ends(struct trial *trial)
{
	CHECK_INT(run(trial), -1);
	CHECK(trial->memory.is_stuck);
	CHECK(!trial->memory.has_committed && !trial->memory.has_settled);
}

/* The whole stream */

static void order(void)
{
	struct trial trial;

	prepare(&trial);
	sends_all(&trial);
	succeeds(&trial, TRANSFER_STORED,
	    "claim begin write:4 write:4 write:2 say:received commit say:stored settle");
	CHECK_STR(trial.result.digest, trial.digest);
	CHECK(trial.memory.ends == &ends);
	CHECK_INT(trial.took, 0);
}

static void receipts(void)
{
	struct trial trial;
	char said[512];

	prepare(&trial);
	sends_all(&trial);
	CHECK_INT(run(&trial), 0);
	snprintf(said, sizeof(said), "sockxfer/1 received 10 %s\nsockxfer/1 stored\n",
	    trial.digest);
	CHECK_STR(trial.memory.said, said);
}

static void no_receipts(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.gives_receipts = false;
	sends_all(&trial);
	succeeds(&trial, TRANSFER_STORED, "claim begin write:4 write:4 write:2 commit settle");
	CHECK_STR(trial.result.digest, "");
}

static void any_pieces(void)
{
	struct trial trial;

	for (size_t chunk = 1; chunk <= SIZE + 1; chunk++) {
		for (size_t recv_max = 1; recv_max <= SIZE; recv_max++) {
			check_row("chunks of %zu, %zu at a time", chunk, recv_max);
			prepare(&trial);
			trial.policy.chunk = chunk;
			trial.memory.recv_max = recv_max;
			sends_all(&trial);
			CHECK_INT(run(&trial), 0);
			CHECK_INT((intmax_t)trial.memory.stored_len, SIZE);
			CHECK(memcmp(trial.memory.stored, DATA, SIZE) == 0);
			CHECK_STR(trial.result.digest, trial.digest);
		}
	}
}

static void all_values(void)
{
	static char bytes[10000];
	struct trial trial;
	char digest[DIGEST_TEXT_MAX];

	memory_fill(bytes, sizeof(bytes));
	memory_digest(bytes, sizeof(bytes), digest);
	prepare(&trial);
	trial.policy.chunk = 4096;
	trial.memory.recv_max = 1500;
	PEER(&trial.memory, SPEAKS, .bytes = bytes, .n = sizeof(bytes));
	PEER(&trial.memory, ENDS);
	CHECK_INT(run(&trial), 0);
	CHECK_INT(trial.result.bytes, sizeof(bytes));
	CHECK_STR(trial.result.digest, digest);
	CHECK(memcmp(trial.memory.stored, bytes, sizeof(bytes)) == 0);
}

static void slow_peer(void)
{
	struct trial trial;

	prepare(&trial);
	PEER(&trial.memory, SPEAKS, .at = 86400 * SECOND, .bytes = DATA);
	PEER(&trial.memory, ENDS, .at = 2 * 86400 * SECOND);
	succeeds(&trial, TRANSFER_STORED,
	    "claim begin write:4 write:4 write:2 say:received commit say:stored settle");
	CHECK_INT(trial.took, 2 * 86400 * SECOND);
}

static void no_claim(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.on_claim = NULL;
	sends_all(&trial);
	succeeds(&trial, TRANSFER_STORED,
	    "begin write:4 write:4 write:2 say:received commit say:stored settle");
}

/* The commit takes an hour, in which the peer closes. */
static void peer_goes_while_storing(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.commit_time = 3600 * SECOND;
	sends_all(&trial);
	PEER(&trial.memory, CLOSES, .at = SECOND);
	succeeds(&trial, TRANSFER_STORED,
	    "claim begin write:4 write:4 write:2 say:received commit say:stored settle");
}

/* Death */

static void reset_at_each_byte(void)
{
	struct trial trial;
	char text[64];

	for (size_t size = 0; size <= SIZE; size++) {
		for (size_t recv_max = 1; recv_max <= CHUNK; recv_max++) {
			check_row("after %zu bytes, %zu at a time", size, recv_max);
			prepare(&trial);
			trial.memory.recv_max = recv_max;
			sends(&trial, size);
			PEER(&trial.memory, RESETS, .n = ECONNRESET);
			snprintf(text, sizeof(text), "receive: connection reset after %zu bytes",
			    size);
			fails(&trial, ERR_FAILED, text, "");
			CHECK_INT(trial.result.bytes, (intmax_t)size);
		}
	}
}

static void other_errors(void)
{
	static const struct {
		int errnum;
		int64_t idle;
		enum err_kind kind;
		const char *text;
	} rows[] = {
	    {EHOSTUNREACH, 0, ERR_FAILED, "receive: No route to host after 4 bytes"},
	    {ETIMEDOUT, 0, ERR_FAILED, "receive: Connection timed out after 4 bytes"},
	    {ETIMEDOUT, CLOCK_SECOND, ERR_TIMEOUT, "receive: timed out after 4 bytes"},
	};
	struct trial trial;

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("%s", rows[i].text);
		prepare(&trial);
		trial.policy.limits.idle = rows[i].idle;
		sends(&trial, 4);
		PEER(&trial.memory, RESETS, .n = (size_t)rows[i].errnum);
		fails(&trial, rows[i].kind, rows[i].text, "");
	}
}

static void ours_ends_without_a_word(void)
{
	struct trial trial;

	for (size_t size = 0; size <= SIZE; size++) {
		check_row("after %zu bytes", size);
		prepare(&trial);
		trial.memory.peer = CHANNEL_PEER_OPEN;
		sends(&trial, size);
		PEER(&trial.memory, CLOSES);
		fails(&trial, ERR_FAILED, "receive: the peer is gone after ", "");
		CHECK_INT(trial.result.bytes, (intmax_t)size);
	}
}

static void ours_ends_with_a_word(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.peer = CHANNEL_PEER_OPEN;
	sends(&trial, SIZE);
	PEER(&trial.memory, BECOMES, .at = SECOND, .n = CHANNEL_PEER_DONE);
	PEER(&trial.memory, ENDS);
	succeeds(&trial, TRANSFER_STORED,
	    "claim begin write:4 write:4 write:2 say:received commit say:stored settle");
}

/* Silence */

static void silence(void)
{
	struct trial trial;

	for (size_t size = 0; size <= SIZE; size += SIZE) {
		check_row("after %zu bytes", size);
		prepare(&trial);
		sends(&trial, size);
		never_ends(&trial);
		CHECK_STR(trial.memory.said, "");
	}
}

static void silence_of_idle(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.limits.idle = SECOND;
	PEER(&trial.memory, SPEAKS, .at = SECOND - 1, .bytes = DATA);
	PEER(&trial.memory, ENDS, .at = 3 * SECOND);
	fails(&trial, ERR_TIMEOUT, "receive: timed out after 10 bytes",
	    "sockxfer/1 failed receive: timed out after 10 bytes\n");
	CHECK_INT(trial.took, 2 * SECOND - 1);
	CHECK_HAS(trial.err.advice, "--idle-eof");
}

static void silence_from_the_beginning(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.limits.idle = SECOND;
	fails(&trial, ERR_TIMEOUT, "receive: timed out after 0 bytes",
	    "sockxfer/1 failed receive: timed out after 0 bytes\n");
	CHECK_INT(trial.took, SECOND);
	CHECK(trial.err.advice == NULL);
}

static void silence_of_ours(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.limits.idle = SECOND;
	trial.memory.peer = CHANNEL_PEER_OPEN;
	sends(&trial, SIZE);
	fails(&trial, ERR_TIMEOUT, "receive: timed out after 10 bytes",
	    "sockxfer/1 failed receive: timed out after 10 bytes\n");
	CHECK(trial.err.advice == NULL);
}

/* Silence that ends a stream */

static void idle_eof(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.idle_eof = 5 * SECOND;
	PEER(&trial.memory, SPEAKS, .at = 100 * SECOND, .bytes = DATA);
	PEER(&trial.memory, RESETS, .at = 105 * SECOND + 1, .n = ECONNRESET);
	succeeds(&trial, TRANSFER_ASSUMED, "claim begin write:4 write:4 write:2 commit settle");
	CHECK_STR(trial.memory.said, "");
	CHECK_INT(trial.took, 105 * SECOND);
}

static void idle_eof_after_each_byte(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.idle_eof = 5 * SECOND;
	for (int i = 0; i < SIZE; i++)
		PEER(&trial.memory, SPEAKS, .at = i * (5 * SECOND - 1), .bytes = &DATA[i], .n = 1);
	CHECK_INT(run(&trial), 0);
	CHECK_INT(trial.result.end, TRANSFER_ASSUMED);
	CHECK_INT(trial.result.bytes, SIZE);
}

static void idle_eof_is_not_needed(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.idle_eof = 5 * SECOND;
	sends_all(&trial);
	succeeds(&trial, TRANSFER_STORED,
	    "claim begin write:4 write:4 write:2 say:received commit say:stored settle");
}

static void idle_eof_without_a_byte(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.idle_eof = 5 * SECOND;
	never_ends(&trial);
	prepare(&trial);
	trial.policy.idle_eof = 5 * SECOND;
	trial.policy.limits.idle = 60 * SECOND;
	fails(&trial, ERR_TIMEOUT, "receive: timed out after 0 bytes",
	    "sockxfer/1 failed receive: timed out after 0 bytes\n");
	CHECK_INT(trial.took, 60 * SECOND);
}

static void idle_eof_of_ours(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.idle_eof = 5 * SECOND;
	trial.memory.peer = CHANNEL_PEER_OPEN;
	sends(&trial, SIZE);
	never_ends(&trial);
	prepare(&trial);
	trial.policy.idle_eof = 5 * SECOND;
	trial.policy.limits.idle = 60 * SECOND;
	trial.memory.peer = CHANNEL_PEER_OPEN;
	sends(&trial, SIZE);
	fails(&trial, ERR_TIMEOUT, "receive: timed out after 10 bytes",
	    "sockxfer/1 failed receive: timed out after 10 bytes\n");
	CHECK(trial.err.advice == NULL);
}

static void idle_eof_and_idle(void)
{
	struct trial trial;

	for (int64_t idle = 4 * SECOND; idle <= 6 * SECOND; idle += SECOND) {
		check_row("-w %" PRId64, idle);
		prepare(&trial);
		trial.policy.idle_eof = 5 * SECOND;
		trial.policy.limits.idle = idle;
		sends(&trial, SIZE);
		if (idle > 5 * SECOND)
			succeeds(&trial, TRANSFER_ASSUMED,
			    "claim begin write:4 write:4 write:2 commit settle");
		else
			fails(&trial, ERR_TIMEOUT, "receive: timed out after 10 bytes",
			    "sockxfer/1 failed receive: timed out after 10 bytes\n");
		CHECK(trial.err.advice == NULL);
	}
}

static void idle_eof_and_expected(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.idle_eof = 5 * SECOND;
	trial.policy.expect = trial.digest;
	sends(&trial, SIZE);
	succeeds(&trial, TRANSFER_STORED, "claim begin write:4 write:4 write:2 commit settle");
	prepare(&trial);
	trial.policy.idle_eof = 5 * SECOND;
	trial.policy.expect = trial.digest;
	sends(&trial, SIZE - 1);
	PEER(&trial.memory, ENDS, .at = 6 * SECOND);
	CHECK_INT(run(&trial), -1);
	CHECK_INT(trial.err.kind, ERR_MISMATCH);
	CHECK(!trial.memory.has_committed);
}

/* The size */

static void max_size_reached(void)
{
	struct trial trial;

	for (size_t chunk = 1; chunk <= SIZE + 1; chunk++) {
		check_row("chunks of %zu", chunk);
		prepare(&trial);
		trial.policy.chunk = chunk;
		trial.policy.max_size = SIZE;
		sends_all(&trial);
		CHECK_INT(run(&trial), 0);
		CHECK_INT(trial.result.end, TRANSFER_STORED);
		CHECK_INT((intmax_t)trial.memory.stored_len, SIZE);
	}
}

static void max_size_passed(void)
{
	struct trial trial;

	for (int64_t max = 1; max < SIZE; max++) {
		for (size_t chunk = 1; chunk <= SIZE; chunk++) {
			check_row("%" PRId64 " bytes, chunks of %zu", max, chunk);
			prepare(&trial);
			trial.policy.chunk = chunk;
			trial.policy.max_size = max;
			sends_all(&trial);
			CHECK_INT(run(&trial), -1);
			CHECK_INT(trial.err.kind, ERR_FAILED);
			CHECK_HAS(trial.err.text, "too large: more than ");
			CHECK_HAS(trial.memory.said, "sockxfer/1 failed too large: more than ");
			CHECK_INT((intmax_t)trial.memory.stored_len, max);
			CHECK_INT(trial.result.bytes, max);
			CHECK(!trial.memory.has_committed && !trial.memory.has_settled);
		}
	}
}

static void max_size_passed_at_once(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.max_size = 4;
	PEER(&trial.memory, SPEAKS, .bytes = DATA, .n = 4);
	PEER(&trial.memory, SPEAKS, .at = SECOND, .bytes = "x");
	PEER(&trial.memory, ENDS, .at = SECOND);
	fails(&trial, ERR_FAILED, "too large: more than 4 bytes",
	    "sockxfer/1 failed too large: more than 4 bytes\n");
	CHECK_STR(trial.memory.log, "claim begin write:4 say:failed");
	CHECK_INT(trial.took, SECOND);
}

/* The digest */

static void expected(void)
{
	struct trial trial;

	for (int gives_receipts = 0; gives_receipts < 2; gives_receipts++) {
		prepare(&trial);
		trial.policy.gives_receipts = gives_receipts;
		trial.policy.expect = trial.digest;
		sends_all(&trial);
		CHECK_INT(run(&trial), 0);
		CHECK_INT(trial.result.end, TRANSFER_STORED);
		CHECK_STR(trial.result.digest, trial.digest);
	}
}

static void not_expected(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.expect = FOREIGN_DIGEST;
	sends_all(&trial);
	CHECK_INT(run(&trial), -1);
	CHECK_INT(trial.err.kind, ERR_MISMATCH);
	CHECK_HAS(trial.err.text, "the digest of the 10 bytes received is xxh128:");
	CHECK_HAS(trial.err.text, ", not " FOREIGN_DIGEST);
	CHECK_HAS(trial.memory.said, "sockxfer/1 failed the digest of the 10 bytes received is ");
	CHECK_STR(trial.memory.log, "claim begin write:4 write:4 write:2 say:failed");
	CHECK(!trial.memory.has_settled);
}

static void empty_not_expected(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.expect = trial.digest;
	PEER(&trial.memory, ENDS);
	CHECK_INT(run(&trial), -1);
	CHECK_INT(trial.err.kind, ERR_MISMATCH);
	CHECK_STR(trial.memory.log, "say:failed");
}

/* A stream without a byte */

/* A line to a peer that may be gone is said in five pieces, which takes so long. */
#define IN_PIECES "say:received say:rest say:rest say:rest say:rest"
#define PIECES_TIME (600 * CLOCK_MILLISECOND)

#define EMPTY_STORED IN_PIECES " begin commit say:stored settle"

/* The peer ends its stream, and acknowledges what is said to it from that time on. */
static void prepare_empty(struct trial *trial, bool may_be_stray, int64_t acks_at)
{
	prepare(trial);
	trial->policy.may_be_stray = may_be_stray;
	trial->memory.acks_by_script = true;
	PEER(&trial->memory, ENDS);
	PEER(&trial->memory, HEARS, .at = acks_at, .at_words = true);
}

static void empty_and_there(void)
{
	static const int64_t times[] = {0, CLOCK_SECOND, 5 * CLOCK_SECOND - CLOCK_MILLISECOND};
	struct trial trial;

	for (int may_be_stray = 0; may_be_stray < 2; may_be_stray++) {
		for (size_t i = 0; i < ROWS(times); i++) {
			check_row("after %" PRId64 " ns", times[i]);
			prepare_empty(&trial, may_be_stray, times[i]);
			succeeds(&trial, TRANSFER_STORED, EMPTY_STORED);
			CHECK_INT(trial.result.bytes, 0);
			CHECK_INT(trial.took, times[i] + PIECES_TIME);
			CHECK(trial.memory.ends == &ends);
			CHECK_HAS(trial.memory.said, "sockxfer/1 received 0 xxh128:");
			CHECK_HAS(trial.memory.said, "\nsockxfer/1 stored\n");
		}
	}
}

/* The same of an empty stream, whose peer was told "received" in vain. */
static void fails_empty(struct trial *trial, bool may_be_stray)
{
	CHECK_INT(run(trial), -1);
	CHECK_INT(trial->err.kind, may_be_stray ? ERR_STRAY : ERR_FAILED);
	CHECK_HAS(trial->err.text,
	    may_be_stray ? "gone without a byte" : "receive: the peer is gone after 0 bytes");
	CHECK_STR(trial->memory.log, "say:received");
	CHECK(!trial->memory.has_settled);
	CHECK(!trial->memory.is_stuck);
}

static void empty_and_unanswered(void)
{
	struct trial trial;

	for (int may_be_stray = 0; may_be_stray < 2; may_be_stray++) {
		prepare_empty(&trial, may_be_stray, 6 * SECOND);
		fails_empty(&trial, may_be_stray);
		CHECK_INT(trial.took, 5 * SECOND);
	}
}

static void empty_and_reset(void)
{
	struct trial trial;

	for (int may_be_stray = 0; may_be_stray < 2; may_be_stray++) {
		prepare_empty(&trial, may_be_stray, 6 * SECOND);
		trial.memory.step_count--;
		PEER(&trial.memory, RESETS, .at = SECOND, .n = ECONNRESET);
		fails_empty(&trial, may_be_stray);
		CHECK_INT(trial.took, SECOND);
	}
}

/* A proxy that closes when it has handed on one piece, or some of them, in vain. */
static void empty_behind_a_proxy(void)
{
	struct trial trial;

	for (int64_t pieces = 1; pieces <= 4; pieces++) {
		for (int may_be_stray = 0; may_be_stray < 2; may_be_stray++) {
			check_row("%" PRId64 " pieces", pieces);
			prepare_empty(&trial, may_be_stray, 0);
			PEER(&trial.memory, CLOSES,
			    .at = pieces * PIECES_TIME / 4 - CLOCK_MILLISECOND);
			CHECK_INT(run(&trial), -1);
			CHECK_INT(trial.err.kind, may_be_stray ? ERR_STRAY : ERR_FAILED);
			CHECK(!trial.memory.has_committed && !trial.memory.has_settled);
			CHECK_HAS(trial.memory.log, "say:received");
			CHECK(strstr(trial.memory.log, "begin") == NULL);
			CHECK(strstr(trial.memory.log, "failed") == NULL);
			CHECK(trial.took <= pieces * PIECES_TIME / 4);
		}
	}
}

/* One of our kind is behind no proxy. */
static void empty_of_ours(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.channel.shows_death = true;
	trial.memory.peer = CHANNEL_PEER_DONE;
	PEER(&trial.memory, ENDS);
	succeeds(&trial, TRANSFER_STORED, "say:received begin commit say:stored settle");
	CHECK_INT(trial.took, 0);
}

static void empty_and_unknown(void)
{
	struct trial trial;

	for (int may_be_stray = 0; may_be_stray < 2; may_be_stray++) {
		prepare_empty(&trial, may_be_stray, 0);
		trial.memory.is_unknown = true;
		fails_empty(&trial, may_be_stray);
		CHECK_INT(trial.took, 5 * SECOND);
	}
}

static void empty_within_the_limit(void)
{
	struct trial trial;

	prepare_empty(&trial, false, 6 * SECOND);
	trial.policy.limits.end = MEMORY_START + SECOND;
	fails_empty(&trial, false);
	CHECK_INT(trial.took, SECOND);
}

/* The line that has begun is ended before the next one is said. */
static void empty_between_two_pieces(void)
{
	struct trial trial;

	prepare_empty(&trial, true, 0);
	trial.policy.limits.end = MEMORY_START + PIECES_TIME / 2;
	CHECK_INT(run(&trial), -1);
	CHECK_INT(trial.err.kind, ERR_TIMEOUT);
	CHECK_HAS(trial.err.text, "receive: the time limit of -W has passed after 0 bytes");
	CHECK_STR(trial.memory.log, "say:received say:rest say:rest say:failed");
	CHECK_HAS(trial.memory.said, "\nsockxfer/1 failed receive: the time limit");
	CHECK_INT(trial.took, PIECES_TIME / 2);
	CHECK(!trial.memory.has_committed && !trial.memory.has_settled);
}

static void empty_of_a_kind_that_shows(void)
{
	struct trial trial;

	for (int gives_receipts = 0; gives_receipts < 2; gives_receipts++) {
		prepare_empty(&trial, true, 0);
		trial.memory.step_count--;
		trial.memory.channel.shows_death = true;
		trial.policy.gives_receipts = gives_receipts;
		succeeds(&trial, TRANSFER_STORED,
		    gives_receipts ? EMPTY_STORED : "begin commit settle");
		CHECK_INT(trial.took, gives_receipts ? PIECES_TIME : 0);
		prepare(&trial);
		trial.memory.channel.shows_death = true;
		trial.policy.gives_receipts = gives_receipts;
		trial.policy.may_be_stray = true;
		PEER(&trial.memory, CLOSES);
		CHECK_INT(run(&trial), -1);
		CHECK_INT(trial.err.kind, ERR_STRAY);
		CHECK(!trial.memory.has_committed && !trial.memory.has_settled);
	}
}

static void empty_and_blind(void)
{
	struct trial trial;

	prepare_empty(&trial, false, 6 * SECOND);
	trial.policy.gives_receipts = false;
	succeeds(&trial, TRANSFER_STORED, "begin commit settle");
	prepare_empty(&trial, true, 6 * SECOND);
	trial.policy.gives_receipts = false;
	fails(&trial, ERR_STRAY, "gone without a byte", "");
	CHECK_STR(trial.memory.log, "");
	CHECK_INT(trial.took, 0);
}

static void reset_without_a_byte(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.may_be_stray = true;
	PEER(&trial.memory, RESETS, .n = ECONNRESET);
	fails(&trial, ERR_STRAY, "reset without a byte", "");
	CHECK_STR(trial.memory.log, "");
}

static void ours_gone_without_a_byte(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.may_be_stray = true;
	trial.memory.peer = CHANNEL_PEER_OPEN;
	PEER(&trial.memory, CLOSES);
	fails(&trial, ERR_STRAY, "reset without a byte", "");
	CHECK_STR(trial.memory.log, "");
}

static void silent_without_a_byte(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.may_be_stray = true;
	trial.policy.limits.idle = SECOND;
	fails(&trial, ERR_TIMEOUT, "receive: timed out after 0 bytes",
	    "sockxfer/1 failed receive: timed out after 0 bytes\n");
}

static void reset_behind_a_byte(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.may_be_stray = true;
	sends(&trial, 1);
	PEER(&trial.memory, RESETS, .n = ECONNRESET);
	fails(&trial, ERR_FAILED, "receive: connection reset after 1 bytes", "");
	CHECK_STR(trial.memory.log, "claim begin write:1");
}

/* A stream that begins like what a stray says */

#define REQUEST "GET / HTTP/1.1\r\n\r\n"
#define REQUEST_WRITTEN "claim begin write:4 write:4 write:4 write:4 write:2"
#define LOOKS "receive: looks like an HTTP request, from a sender that is gone after 18 bytes"

/* The peer sends a request and ends its stream. What it acknowledges is for the script to say. */
static void prepare_request(struct trial *trial)
{
	prepare(trial);
	trial->memory.acks_by_script = true;
	PEER(&trial->memory, SPEAKS, .bytes = REQUEST);
	PEER(&trial->memory, ENDS);
}

static void stores_request(struct trial *trial, const char *log)
{
	CHECK_INT(run(trial), 0);
	CHECK_STR(trial->memory.log, log);
	CHECK_INT((intmax_t)trial->memory.stored_len, (intmax_t)strlen(REQUEST));
	CHECK_INT(trial->err.kind, ERR_NONE);
}

static void refuses_request(struct trial *trial)
{
	CHECK_INT(run(trial), -1);
	CHECK_INT(trial->err.kind, ERR_FAILED);
	CHECK_STR(trial->err.text, LOOKS);
	CHECK_INT(trial->result.end, TRANSFER_FAILED);
	CHECK(!trial->memory.has_committed && !trial->memory.has_settled);
	CHECK(strstr(trial->memory.log, "failed") == NULL);
}

static void request_and_gone(void)
{
	struct trial trial;

	for (size_t chunk = 1; chunk <= 20; chunk++) {
		for (int may_be_stray = 0; may_be_stray < 2; may_be_stray++) {
			check_row("chunks of %zu", chunk);
			prepare_request(&trial);
			trial.policy.chunk = chunk;
			trial.policy.may_be_stray = may_be_stray;
			PEER(&trial.memory, RESETS, .at_words = true, .at = SECOND,
			    .n = ECONNRESET);
			refuses_request(&trial);
			CHECK_INT(trial.took, SECOND);
		}
	}
}

static void request_behind_a_proxy(void)
{
	struct trial trial;

	prepare_request(&trial);
	PEER(&trial.memory, HEARS);
	PEER(&trial.memory, CLOSES, .at = PIECES_TIME - CLOCK_MILLISECOND);
	refuses_request(&trial);
}

static void request_and_there(void)
{
	struct trial trial;

	prepare_request(&trial);
	PEER(&trial.memory, HEARS, .at_words = true);
	stores_request(&trial, REQUEST_WRITTEN " " IN_PIECES " commit say:stored settle");
	CHECK_INT(trial.took, PIECES_TIME);
}

static void request_of_ours(void)
{
	struct trial trial;

	prepare_request(&trial);
	trial.memory.peer = CHANNEL_PEER_DONE;
	PEER(&trial.memory, RESETS, .at_words = true, .at = SECOND, .n = ECONNRESET);
	stores_request(&trial, REQUEST_WRITTEN " say:received commit say:stored settle");
}

static void request_expected(void)
{
	struct trial trial;
	char digest[DIGEST_TEXT_MAX];

	memory_digest(REQUEST, strlen(REQUEST), digest);
	prepare_request(&trial);
	trial.policy.expect = digest;
	PEER(&trial.memory, CLOSES);
	stores_request(&trial, REQUEST_WRITTEN " say:received commit say:stored settle");
}

static void request_and_silence(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.idle_eof = SECOND;
	PEER(&trial.memory, SPEAKS, .bytes = REQUEST);
	stores_request(&trial, REQUEST_WRITTEN " commit settle");
	CHECK_INT(trial.result.end, TRANSFER_ASSUMED);
}

static void request_and_blind(void)
{
	struct trial trial;

	prepare_request(&trial);
	trial.policy.gives_receipts = false;
	stores_request(&trial, REQUEST_WRITTEN " commit settle");
	prepare_request(&trial);
	trial.policy.gives_receipts = false;
	trial.policy.may_be_stray = true;
	refuses_request(&trial);
}

static void request_of_a_kind_that_shows(void)
{
	struct trial trial;

	for (int gives_receipts = 0; gives_receipts < 2; gives_receipts++) {
		prepare_request(&trial);
		trial.memory.channel.shows_death = true;
		trial.policy.gives_receipts = gives_receipts;
		PEER(&trial.memory, CLOSES);
		refuses_request(&trial);
		CHECK_INT(trial.took, 0);
	}
}

/* The sink */

/* DATA to a sink whose call fails when so many have gone well. The peer is there until it hears. */
static void prepare_fault(struct trial *trial, const char *call, int after, enum err_kind kind,
    int errnum)
{
	prepare(trial);
	trial->memory.fails = call;
	trial->memory.fails_after = after;
	trial->memory.fault_kind = kind;
	trial->memory.fault_errnum = errnum;
	sends_all(trial);
}

static void sink_does_not_begin(void)
{
	struct trial trial;

	prepare_fault(&trial, "begin", 0, ERR_FAILED, EACCES);
	fails(&trial, ERR_FAILED, "Permission denied", "sockxfer/1 failed Permission denied\n");
	CHECK_STR(trial.memory.log, "claim begin say:failed");
}

static void sink_of_empty_does_not_begin(void)
{
	struct trial trial;

	prepare_empty(&trial, false, 0);
	trial.memory.fails = "begin";
	CHECK_INT(run(&trial), -1);
	CHECK_INT(trial.err.kind, ERR_FAILED);
	CHECK_STR(trial.memory.log, IN_PIECES " begin say:failed");
	CHECK(!trial.memory.has_settled);
}

static void sink_does_not_write(void)
{
	static const char *const logs[] = {
	    "claim begin write:4 say:failed",
	    "claim begin write:4 write:4 say:failed",
	    "claim begin write:4 write:4 write:2 say:failed",
	};
	struct trial trial;

	for (int after = 0; after < 3; after++) {
		check_row("after %d", after);
		prepare_fault(&trial, "write", after, ERR_FAILED, ENOSPC);
		fails(&trial, ERR_FAILED, "No space left on device",
		    "sockxfer/1 failed No space left on device\n");
		CHECK_STR(trial.memory.log, logs[after]);
	}
}

static void sink_does_not_commit(void)
{
	struct trial trial;
	char said[512];

	prepare_fault(&trial, "commit", 0, ERR_FAILED, EIO);
	snprintf(said, sizeof(said),
	    "sockxfer/1 received 10 %s\nsockxfer/1 failed Input/output error\n", trial.digest);
	fails(&trial, ERR_FAILED, "Input/output error", said);
	CHECK_STR(trial.memory.log,
	    "claim begin write:4 write:4 write:2 say:received commit say:failed");
}

static void sink_of_assumed_does_not_commit(void)
{
	struct trial trial;

	prepare_fault(&trial, "commit", 0, ERR_FAILED, EIO);
	trial.memory.step_count = 1; /* and no end */
	trial.policy.idle_eof = 5 * SECOND;
	fails(&trial, ERR_FAILED, "Input/output error", "sockxfer/1 failed Input/output error\n");
}

static void sink_fails_in_words(void)
{
	struct trial trial;

	prepare_fault(&trial, "write", 0, ERR_FAILED, 0);
	fails(&trial, ERR_FAILED, "it fails", "sockxfer/1 failed it fails\n");
}

static void sink_fails_in_silence(void)
{
	static const char *const calls[] = {"begin", "write", "commit"};
	struct trial trial;

	for (size_t i = 0; i < ROWS(calls); i++) {
		check_row("%s", calls[i]);
		prepare_fault(&trial, calls[i], 0, ERR_FAILED, EIO);
		trial.policy.gives_receipts = false;
		trial.memory.step_count =
		    1; /* the peer is there, and would have to be waited for */
		PEER(&trial.memory, ENDS, .at = SECOND);
		fails(&trial, ERR_FAILED, "Input/output error", "");
		CHECK_INT(trial.took, i < 2 ? 0 : SECOND);
	}
}

static void sink_knows_the_limit(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.limits = (struct time_limits){.idle = 1, .end = MEMORY_START + SECOND};
	sends(&trial, 1);
	PEER(&trial.memory, RESETS, .n = ECONNRESET);
	CHECK_INT(run(&trial), -1);
	CHECK_INT(trial.memory.sink_deadline, MEMORY_START + SECOND);
	prepare(&trial);
	trial.policy.limits = (struct time_limits){.idle = 1, .end = MEMORY_START + SECOND};
	sends_all(&trial);
	CHECK_INT(run(&trial), 0);
	CHECK_INT(trial.memory.sink_deadline, MEMORY_START + SECOND);
}

/* Reading on, once it has failed */

static void reads_on(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.fails = "write";
	trial.memory.recv_time = SECOND / 10;
	PEER(&trial.memory, FLOODS);
	fails(&trial, ERR_FAILED, "it fails", "sockxfer/1 failed it fails\n");
	CHECK_INT(trial.took, SECOND / 10 + 2 * SECOND);
	CHECK_INT((intmax_t)trial.memory.move_count, 21);
}

static void reads_on_until_the_end(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.fails = "write";
	trial.memory.recv_max = 1;
	sends(&trial, SIZE);
	PEER(&trial.memory, ENDS, .at = SECOND);
	fails(&trial, ERR_FAILED, "it fails", "sockxfer/1 failed it fails\n");
	CHECK_INT(trial.took, SECOND);
	CHECK_INT((intmax_t)trial.memory.move_count, SIZE);
	CHECK_INT(trial.result.bytes, 1);
}

static void reads_on_in_vain(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.fails = "write";
	sends(&trial, SIZE);
	fails(&trial, ERR_FAILED, "it fails", "sockxfer/1 failed it fails\n");
	CHECK_INT(trial.took, 2 * SECOND);
}

static void reads_on_until_reset(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.fails = "write";
	sends(&trial, SIZE);
	PEER(&trial.memory, RESETS, .at = SECOND, .n = ECONNRESET);
	fails(&trial, ERR_FAILED, "it fails", "sockxfer/1 failed it fails\n");
	CHECK_INT(trial.took, SECOND);
}

static void waits_until_it_is_known(void)
{
	struct trial trial;

	for (int64_t acks_at = SECOND; acks_at <= 3 * SECOND; acks_at += 2 * SECOND) {
		check_row("after %" PRId64 " ns", acks_at);
		prepare(&trial);
		trial.memory.fails = "write";
		trial.memory.acks_by_script = true;
		sends_all(&trial);
		PEER(&trial.memory, ACKS, .at = acks_at, .at_words = true);
		fails(&trial, ERR_FAILED, "it fails", "sockxfer/1 failed it fails\n");
		CHECK_INT(trial.took, acks_at < 2 * SECOND ? acks_at : 2 * SECOND);
	}
}

static void interrupted_while_reading_on(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.max_size = 1;
	trial.memory.fails = "recv";
	trial.memory.fails_after = 2;
	trial.memory.fault_kind = ERR_INTERRUPTED;
	sends_all(&trial);
	fails(&trial, ERR_FAILED, "too large: more than 1 bytes",
	    "sockxfer/1 failed too large: more than 1 bytes\n");
	CHECK(trial.memory.has_failed);
}

static void no_time_to_read_on(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.fails = "write";
	trial.memory.fault_kind = ERR_TIMEOUT;
	PEER(&trial.memory, FLOODS);
	fails(&trial, ERR_TIMEOUT, "it fails", "sockxfer/1 failed it fails\n");
	CHECK_INT((intmax_t)trial.memory.move_count, 1);
}

/* The rate */

static void rate(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.rate = 40; /* 2 bytes in a twentieth of a second */
	sends_all(&trial);
	succeeds(&trial, TRANSFER_STORED,
	    "claim begin write:2 write:2 write:2 write:2 write:2 "
	    "say:received commit say:stored settle");
	for (size_t i = 0; i < 5; i++) {
		CHECK_INT(trial.memory.moves[i].at, (int64_t)i * SECOND / 20);
		CHECK_INT((intmax_t)trial.memory.moves[i].n, 2);
	}
	CHECK_INT(trial.took, SECOND / 4);
}

/* The limit of the whole transfer */

/* A trial that may take so long, but for what the test adds. */
static void prepare_limited(struct trial *trial, int64_t limit)
{
	prepare(trial);
	trial->policy.limits.end = MEMORY_START + limit;
}

#define PASSED "receive: the time limit of -W has passed after "

static void end_while_waiting(void)
{
	struct trial trial;

	prepare_limited(&trial, SECOND);
	fails(&trial, ERR_TIMEOUT, PASSED "0 bytes", "sockxfer/1 failed " PASSED "0 bytes\n");
	CHECK_INT(trial.took, SECOND);
	prepare_limited(&trial, SECOND);
	sends(&trial, SIZE);
	fails(&trial, ERR_TIMEOUT, PASSED "10 bytes", "sockxfer/1 failed " PASSED "10 bytes\n");
	CHECK_INT(trial.took, SECOND);
	CHECK(trial.err.advice == NULL);
}

static void end_while_receiving(void)
{
	struct trial trial;

	prepare_limited(&trial, SECOND);
	trial.memory.recv_time = SECOND / 4;
	PEER(&trial.memory, FLOODS);
	fails(&trial, ERR_TIMEOUT, PASSED "12 bytes", "sockxfer/1 failed " PASSED "12 bytes\n");
	CHECK_INT(trial.took, SECOND);
}

static void end_while_keeping_rate(void)
{
	struct trial trial;

	prepare_limited(&trial, SECOND / 2);
	trial.policy.rate = 1;
	sends_all(&trial);
	fails(&trial, ERR_TIMEOUT, PASSED "1 bytes", "sockxfer/1 failed " PASSED "1 bytes\n");
	CHECK_INT(trial.took, SECOND / 2);
}

static void end_while_storing(void)
{
	struct trial trial;
	char said[512];

	prepare_limited(&trial, SECOND);
	trial.memory.fails = "commit";
	trial.memory.fault_kind = ERR_TIMEOUT;
	trial.memory.commit_time = SECOND;
	sends_all(&trial);
	snprintf(said, sizeof(said), "sockxfer/1 received 10 %s\nsockxfer/1 failed it fails\n",
	    trial.digest);
	fails(&trial, ERR_TIMEOUT, "it fails", said);
}

static void end_not_reached(void)
{
	struct trial trial;

	prepare_limited(&trial, SECOND + 1);
	sends(&trial, SIZE);
	PEER(&trial.memory, ENDS, .at = SECOND);
	succeeds(&trial, TRANSFER_STORED,
	    "claim begin write:4 write:4 write:2 say:received commit say:stored settle");
}

/* Faults of any call */

static void prepare_eventful(struct trial *trial)
{
	prepare(trial);
	trial->policy.rate = 10;
	sends_all(trial);
}

static void prepare_empty_for_each(struct trial *trial)
{
	prepare_empty(trial, true, SECOND / 100);
}

/* Lets each call of a transfer fail in its turn, until all have. */
static void fail_each_call(void (*prepare_for)(struct trial *), enum err_kind kind, int least)
{
	struct trial trial;
	int call = 0;

	for (;; call++) {
		check_row("call %d", call);
		prepare_for(&trial);
		trial.memory.fails = "";
		trial.memory.fails_after = call;
		trial.memory.fault_kind = kind;
		int status = run(&trial);
		CHECK_INT(status, trial.memory.has_failed ? -1 : 0);
		if (!trial.memory.has_failed)
			break;
		CHECK(!trial.memory.has_committed && !trial.memory.has_settled);
		CHECK_INT(trial.result.end, TRANSFER_FAILED);
		CHECK(strstr(trial.memory.log, "say:stored") == NULL);
		if (kind != ERR_INTERRUPTED)
			continue;
		CHECK_INT(trial.err.kind, ERR_INTERRUPTED);
		CHECK(strstr(trial.memory.log, "say:failed") == NULL);
	}
	CHECK(trial.memory.has_committed && trial.memory.has_settled);
	CHECK(call >= least);
}

static void interrupted(void)
{
	fail_each_call(prepare_eventful, ERR_INTERRUPTED, 20);
	fail_each_call(prepare_empty_for_each, ERR_INTERRUPTED, 10);
}

static void any_fault(void)
{
	fail_each_call(prepare_eventful, ERR_FAILED, 20);
	fail_each_call(prepare_empty_for_each, ERR_FAILED, 10);
}

static void no_memory(void)
{
#ifdef __SANITIZE_ADDRESS__
	check_skip(); /* it ends the program instead */
#endif
	struct trial trial;

	prepare(&trial);
	trial.policy.chunk = SIZE_MAX / 4;
	fails(&trial, ERR_FAILED, "chunk: Cannot allocate memory", "");
	CHECK_STR(trial.memory.log, "");
}

/* A refusal before the transfer */

static void refuses(void)
{
	struct trial trial;
	struct err why = {.kind = ERR_FAILED, .errnum = EACCES};

	prepare(&trial);
	trial.memory.recv_time = SECOND / 10;
	PEER(&trial.memory, FLOODS);
	transfer_refuse(&trial.memory.channel, &trial.policy, &why);
	CHECK_STR(trial.memory.said, "sockxfer/1 failed Permission denied\n");
	CHECK_INT(memory_time(), 2 * SECOND);
	CHECK(!trial.memory.has_settled);
}

static void refuses_in_silence(void)
{
	struct trial trial;
	struct err why = {.kind = ERR_FAILED, .errnum = EACCES};

	prepare(&trial);
	trial.policy.gives_receipts = false;
	transfer_refuse(&trial.memory.channel, &trial.policy, &why);
	CHECK_STR(trial.memory.said, "");
	CHECK_INT(memory_time(), 0);
	prepare(&trial);
	why.kind = ERR_INTERRUPTED;
	transfer_refuse(&trial.memory.channel, &trial.policy, &why);
	CHECK_STR(trial.memory.said, "");
	CHECK_INT(memory_time(), 0);
}

/* What is told on the way */

static void progress(void)
{
	struct trial trial;

	prepare(&trial);
	sends(&trial, 5);
	never_ends(&trial);
	CHECK_INT(trial.progress.phase, PROGRESS_MOVING);
	CHECK_INT(trial.progress.bytes, 5);
	CHECK_INT(trial.progress.total, PROGRESS_UNKNOWN);
	CHECK_INT(trial.progress.began, MEMORY_START);
	prepare(&trial);
	trial.memory.commit_time = SECOND;
	sends(&trial, SIZE);
	PEER(&trial.memory, ENDS, .at = SECOND);
	CHECK_INT(run(&trial), 0);
	CHECK_INT(trial.progress.phase, PROGRESS_STORING);
	CHECK_INT(trial.progress.since, MEMORY_START + SECOND);
	CHECK_INT(trial.progress.bytes, SIZE);
	CHECK_INT(trial.progress.entries, PROGRESS_UNKNOWN);
	prepare(&trial);
	trial.memory.sink.is_tree = true;
	trial.memory.sink.entries = 3;
	sends(&trial, 5);
	never_ends(&trial);
	CHECK_INT(trial.progress.entries, 3);
}

static void streams(void)
{
	promise("\"received\" is said before the commit, \"stored\" after it, then it is settled",
	    order);
	promise("a receipt has the size and the digest", receipts);
	promise("without receipts nothing is said", no_receipts);
	promise("it makes no difference in what pieces the bytes come", any_pieces);
	promise("bytes of all values are stored", all_values);
	promise("a peer may take days", slow_peer);
	promise("a transfer need not be claimed", no_claim);
	promise("a peer that goes while its stream is stored takes nothing back",
	    peer_goes_while_storing);
	promise("a reset is no end: nothing is committed or said, at each byte",
	    reset_at_each_byte);
	promise("other errors of the connection are told, too", other_errors);
	promise("a peer of our kind that ends without its word has died, at each byte",
	    ours_ends_without_a_word);
	promise("a peer of our kind that gives its word has ended", ours_ends_with_a_word);
}

static void silences(void)
{
	promise("a silence is no end", silence);
	promise("with -w a silence is a timeout, and there is advice", silence_of_idle);
	promise("before the first byte it is a timeout without advice", silence_from_the_beginning);
	promise("nor is there advice about a peer of our kind, which always ends its stream",
	    silence_of_ours);
	promise("with --idle-eof a silence is an end, of which nothing is said", idle_eof);
	promise("the silence of --idle-eof begins anew with each byte", idle_eof_after_each_byte);
	promise("with --idle-eof an end is still one", idle_eof_is_not_needed);
	promise("--idle-eof does not count before the first byte", idle_eof_without_a_byte);
	promise("--idle-eof does not count for a peer of our kind", idle_eof_of_ours);
	promise("a -w that passes first, or with it, is a timeout", idle_eof_and_idle);
	promise("with the digest expected, a stream that ends in silence is whole",
	    idle_eof_and_expected);
}

static void demands(void)
{
	promise("a stream may have as many bytes as are allowed", max_size_reached);
	promise("one byte more than allowed is a failure, and is not written", max_size_passed);
	promise("a stream that is too long has failed as soon as that byte is there",
	    max_size_passed_at_once);
	promise("a stream with the digest expected is stored", expected);
	promise("a stream with another digest is a mismatch, and \"received\" is not said",
	    not_expected);
	promise("an empty stream with another digest is a mismatch, too", empty_not_expected);
}

static void empty_streams(void)
{
	promise("an empty stream is stored if the peer acknowledges the receipt", empty_and_there);
	promise("an empty stream is not stored if nothing has come back in 5 s",
	    empty_and_unanswered);
	promise("an empty stream is not stored if a reset comes back", empty_and_reset);
	promise("an empty stream is not stored if that cannot be told", empty_and_unknown);
	promise("an empty stream is not stored if a proxy closes, that has taken some of the line",
	    empty_behind_a_proxy);
	promise("an empty stream of our kind is stored at once", empty_of_ours);
	promise("-W holds while an empty stream is looked into", empty_within_the_limit);
	promise("-W holds between two pieces of a line, which is ended", empty_between_two_pieces);
	promise("where a death shows at once, an empty stream is judged at once",
	    empty_of_a_kind_that_shows);
	promise("without receipts an empty stream is stored, unless others may come instead",
	    empty_and_blind);
	promise("a reset without a byte is no transfer, where others may come instead",
	    reset_without_a_byte);
	promise("a peer of our kind that is gone without a byte is no transfer there, either",
	    ours_gone_without_a_byte);
	promise("a silence without a byte is a timeout all the same", silent_without_a_byte);
	promise("a reset behind one byte is a failure", reset_behind_a_byte);
}

static void requests(void)
{
	promise("what looks like a request is not stored if a reset comes back", request_and_gone);
	promise("it is not stored if a proxy closes, that has taken some of the line",
	    request_behind_a_proxy);
	promise("it is stored if the peer acknowledges the receipt", request_and_there);
	promise("it is stored if the peer is of our kind", request_of_ours);
	promise("it is stored if it has the digest that was expected", request_expected);
	promise("it is stored if the peer stays, silent, until that is the end",
	    request_and_silence);
	promise("without receipts it is stored, unless others may come instead", request_and_blind);
	promise("where a death shows at once, it is not stored if that shows",
	    request_of_a_kind_that_shows);
}

static void sinks(void)
{
	promise("a sink that does not begin is told", sink_does_not_begin);
	promise("a sink that does not begin is told after an empty stream, too",
	    sink_of_empty_does_not_begin);
	promise("a sink that does not write is told, at each write", sink_does_not_write);
	promise("a sink that does not commit is told, behind \"received\"", sink_does_not_commit);
	promise("after a silence that was an end, only \"failed\" is said of it",
	    sink_of_assumed_does_not_commit);
	promise("a fault without an errno is told in its words", sink_fails_in_words);
	promise("without receipts no fault is told, and the peer not waited for",
	    sink_fails_in_silence);
	promise("a sink knows the limit of the whole transfer", sink_knows_the_limit);
	promise("after \"failed\" we read on for 2 s at the most", reads_on);
	promise("after \"failed\" we read on until the peer ends, and write nothing of it",
	    reads_on_until_the_end);
	promise("after \"failed\" a peer that does nothing is waited for 2 s", reads_on_in_vain);
	promise("after \"failed\" a reset ends the wait", reads_on_until_reset);
	promise("\"failed\" is waited for until it is acknowledged, in these 2 s",
	    waits_until_it_is_known);
	promise("an interruption after \"failed\" changes nothing of what is told",
	    interrupted_while_reading_on);
	promise("after a timeout we do not read on", no_time_to_read_on);
}

/* The note that tells others of a wait: none while the sink has the bytes. */
static _Atomic int64_t waits_since;

static void check_no_wait(void *context)
{
	(void)context;
	CHECK_INT(waits_since, DEADLINE_NEVER);
}

static void waits(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.waits_since = &waits_since;
	trial.policy.on_claim = check_no_wait;
	waits_since = 0;
	PEER(&trial.memory, SPEAKS, .at = SECOND, .bytes = DATA);
	PEER(&trial.memory, ENDS, .at = 3 * SECOND);
	CHECK_INT(run(&trial), 0);
	CHECK_INT(waits_since, DEADLINE_NEVER);
}

int main(void)
{
	streams();
	silences();
	demands();
	empty_streams();
	requests();
	sinks();
	promise("with a limit on the rate the bytes are taken evenly", rate);
	promise("-W holds while the peer is waited for", end_while_waiting);
	promise("-W holds while bytes come without a pause", end_while_receiving);
	promise("-W holds while the rate is kept", end_while_keeping_rate);
	promise("a commit that takes longer than -W is a timeout", end_while_storing);
	promise("a transfer within -W is a success", end_not_reached);
	promise("an interruption of any call is one of the transfer, and says nothing",
	    interrupted);
	promise("a fault of any call is a failure", any_fault);
	promise("a chunk for which there is no memory is a failure", no_memory);
	promise("a refusal is told, and reads on for 2 s at the most", refuses);
	promise("a refusal is not told without receipts, nor when interrupted", refuses_in_silence);
	promise("how far it is can be read", progress);
	promise("while the sink has bytes, and at the end, none are waited for", waits);
	return check_end();
}
