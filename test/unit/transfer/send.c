/* Success, for the sender: every end of a connection, every receipt, and when it is told. */
#include "transfer/send.h"

#include "check.h"
#include "memory.h"

#define DATA "0123456789"
#define SIZE 10
#define CHUNK 4
#define SECOND CLOCK_SECOND

#define FOREIGN_DIGEST "xxh128:00000000000000000000000000000000"
#define STORED "sockxfer/1 stored\n"
#define FAILED "sockxfer/1 failed No space left on device\n"
#define FAILED_TEXT "No space left on device"

static const struct ends ends = {.peer = "192.0.2.7:9009", .local = "192.0.2.1:40000"};

/* A transfer that a test prepares, runs, and looks at. */
struct trial {
	struct memory memory;
	struct send_policy policy;
	struct progress progress;
	struct transfer_result result;
	struct err err;
	char received[RECEIPT_LINE_MAX]; /* the first line of a receipt that matches DATA */
	int64_t took;                    /* ns */
};

static void write_received(char *line, size_t size, const char *digest)
{
	snprintf(line, RECEIPT_LINE_MAX, "sockxfer/1 received %zu %s\n", size, digest);
}

/* DATA, from a source that always has it, to a peer that does nothing yet. No limits. */
static void prepare(struct trial *trial)
{
	char digest[DIGEST_TEXT_MAX];

	memory_init(&trial->memory);
	memory_source_has(&trial->memory, DATA, SIZE);
	trial->policy = (struct send_policy){
	    .limits = {.idle = 0, .end = DEADLINE_NEVER},
	    .chunk = CHUNK,
	    .heeds_receipts = true,
	    .progress = &trial->progress,
	};
	trial->progress = (struct progress){.bytes = 0};
	trial->err = (struct err){.kind = ERR_NONE};
	memory_digest(DATA, SIZE, digest);
	write_received(trial->received, SIZE, digest);
}

static int run(struct trial *trial)
{
	struct memory *memory = &trial->memory;
	int status = transfer_send(&memory->source, &memory->channel, &ends, &trial->policy,
	    &trial->result, &trial->err);

	trial->took = memory_time();
	CHECK_INT(trial->result.bytes, (intmax_t)memory->sent_len);
	CHECK(memcmp(memory->sent, memory->bytes, memory->sent_len) == 0);
	return status;
}

/* Everything was sent, the stream was ended, the channel settled last, and err is as it was. */
static void succeeds(struct trial *trial, enum transfer_end end)
{
	CHECK_INT(run(trial), 0);
	CHECK_INT(trial->result.end, end);
	CHECK_INT(trial->result.bytes, (intmax_t)trial->memory.size);
	CHECK_STR(trial->result.peer_text, "");
	CHECK_STR(trial->memory.log, "start finish settle");
	CHECK_INT(trial->err.kind, ERR_NONE);
	CHECK_STR(trial->err.text, "");
}

/* The channel is as it was opened: closing it is an abort. */
static void fails(struct trial *trial, enum err_kind kind, const char *text)
{
	CHECK_INT(run(trial), -1);
	CHECK_INT(trial->result.end, TRANSFER_FAILED);
	CHECK_INT(trial->err.kind, kind);
	CHECK_HAS(trial->err.text, text);
	CHECK(!trial->memory.has_settled);
	CHECK(!trial->memory.is_stuck);
}

/* The receiver's text is told. */
static void fails_as_told(struct trial *trial)
{
	fails(trial, ERR_PEER, "the receiver failed: " FAILED_TEXT);
	CHECK_STR(trial->result.peer_text, FAILED_TEXT);
}

/* It waits without end for what does not come. */
static void never_ends(struct trial *trial)
{
	CHECK_INT(run(trial), -1);
	CHECK(trial->memory.is_stuck);
	CHECK(!trial->memory.has_settled);
}

/* The peer's words once our stream has ended: lines, after which its stream ends. */
static void answers(struct trial *trial, const char *lines)
{
	if (lines[0] != '\0')
		PEER(&trial->memory, SPEAKS, .at_end = true, .bytes = lines);
	PEER(&trial->memory, ENDS, .at_end = true);
}

/* The receipt that matches, and STORED. */
static void confirms(struct trial *trial)
{
	PEER(&trial->memory, SPEAKS, .at_end = true, .bytes = trial->received);
	answers(trial, STORED);
}

static void matching_receipt(void)
{
	struct trial trial;
	char digest[DIGEST_TEXT_MAX];

	prepare(&trial);
	confirms(&trial);
	succeeds(&trial, TRANSFER_STORED);
	memory_digest(DATA, SIZE, digest);
	CHECK_STR(trial.result.digest, digest);
	CHECK(trial.memory.ends == &ends);
}

static void receipt_is_enough(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.acks_by_script = true;
	PEER(&trial.memory, SPEAKS, .at_end = true, .bytes = trial.received);
	PEER(&trial.memory, SPEAKS, .at_end = true, .bytes = STORED);
	succeeds(&trial, TRANSFER_STORED);
	CHECK_INT(trial.took, 0);
}

static void single_bytes(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.recv_max = 1;
	confirms(&trial);
	succeeds(&trial, TRANSFER_STORED);
}

/* The first cut bytes of lines, and a second later the rest, after which the peer's stream ends. */
static void answers_in_two(struct trial *trial, const char *lines, size_t cut)
{
	struct memory *memory = &trial->memory;
	size_t len = strlen(lines);

	if (cut > 0)
		PEER(memory, SPEAKS, .at_end = true, .bytes = lines, .n = cut);
	if (cut < len)
		PEER(memory, SPEAKS, .at = SECOND, .at_end = true, .bytes = lines + cut);
	PEER(memory, ENDS, .at_end = true);
}

static void two_pieces(void)
{
	struct trial trial;
	char lines[2 * RECEIPT_LINE_MAX];
	size_t len;

	prepare(&trial);
	snprintf(lines, sizeof(lines), "%s" STORED, trial.received);
	len = strlen(lines);
	for (size_t cut = 0; cut <= len; cut++) {
		check_row("cut after %zu bytes", cut);
		prepare(&trial);
		answers_in_two(&trial, lines, cut);
		succeeds(&trial, TRANSFER_STORED);
		CHECK_INT(trial.took, cut < len ? SECOND : 0);
	}
}

static void cut_off(void)
{
	struct trial trial;
	char lines[2 * RECEIPT_LINE_MAX];
	size_t received;
	size_t len;

	prepare(&trial);
	snprintf(lines, sizeof(lines), "%s" STORED, trial.received);
	received = strlen(trial.received);
	len = strlen(lines);
	for (size_t cut = 0; cut < len; cut++) {
		check_row("cut off after %zu bytes", cut);
		prepare(&trial);
		trial.policy.must_confirm = true;
		if (cut > 0)
			PEER(&trial.memory, SPEAKS, .at_end = true, .bytes = lines, .n = cut);
		PEER(&trial.memory, ENDS, .at_end = true);
		if (cut < received)
			fails(&trial, ERR_UNCONFIRMED, "10 bytes were sent, but no receipt came");
		else
			fails(&trial, ERR_FAILED, "went away before it had stored the 10 bytes");
	}
}

static void after_stored(void)
{
	static const char *const texts[] = {STORED, FAILED, "x", "\n", "sockxfer/1 received 1 x\n"};
	struct trial trial;

	for (size_t i = 0; i < ROWS(texts); i++) {
		for (size_t together = 0; together < 2; together++) {
			check_row("%s%s", texts[i], together ? "in one" : "in two");
			prepare(&trial);
			trial.memory.recv_max = together ? MEMORY_MAX : 1;
			PEER(&trial.memory, SPEAKS, .at_end = true, .bytes = trial.received);
			PEER(&trial.memory, SPEAKS, .at_end = true, .bytes = STORED);
			answers(&trial, texts[i]);
			succeeds(&trial, TRANSFER_STORED);
		}
	}
}

static void reset_after_stored(void)
{
	struct trial trial;

	prepare(&trial);
	PEER(&trial.memory, SPEAKS, .at_end = true, .bytes = trial.received);
	PEER(&trial.memory, SPEAKS, .at_end = true, .bytes = STORED);
	PEER(&trial.memory, RESETS, .at_end = true, .n = ECONNRESET);
	succeeds(&trial, TRANSFER_STORED);
}

static void check_mismatch(size_t size, const char *digest, const char *then)
{
	struct trial trial;
	char line[RECEIPT_LINE_MAX];

	check_row("%zu %s %s", size, digest, then);
	prepare(&trial);
	write_received(line, size, digest);
	PEER(&trial.memory, SPEAKS, .at_end = true, .bytes = line);
	answers(&trial, then);
	fails(&trial, ERR_MISMATCH, "but 10 bytes with digest xxh128:");
	CHECK_HAS(trial.err.text, digest);
}

static void wrong_size(void)
{
	char digest[DIGEST_TEXT_MAX];

	memory_digest(DATA, SIZE, digest);
	for (size_t size = 0; size <= 2 * SIZE; size++) {
		if (size == SIZE)
			continue;
		check_mismatch(size, digest, STORED);
		check_mismatch(size, digest, "");
	}
}

static void wrong_digest(void)
{
	check_mismatch(SIZE, FOREIGN_DIGEST, STORED);
	check_mismatch(SIZE, FOREIGN_DIGEST, "");
}

static void received_only(void)
{
	struct trial trial;

	for (int must_confirm = 0; must_confirm < 2; must_confirm++) {
		prepare(&trial);
		trial.policy.must_confirm = must_confirm;
		answers(&trial, trial.received);
		fails(&trial, ERR_FAILED, "before it had stored the 10 bytes it received");
	}
}

static void reset_while_storing(void)
{
	struct trial trial;

	prepare(&trial);
	PEER(&trial.memory, SPEAKS, .at_end = true, .bytes = trial.received);
	PEER(&trial.memory, RESETS, .at = SECOND, .at_end = true, .n = ECONNRESET);
	fails(&trial, ERR_FAILED, "end of data: connection reset after 10 bytes");
	CHECK_INT(trial.took, SECOND);
}

static const char *const no_receipts[] = {
    STORED,
    STORED STORED,
    "x",
    "\n",
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    "sockxfer/1 \n",
    "sockxfer/1 failed \n",
    "sockxfer/1 failed no newline",
    "sockxfer/2 stored\n",
    "sockxfer/1 received 10\n" STORED,
    "sockxfer/1 received 10 " FOREIGN_DIGEST,
    "sockxfer/1 received 010 " FOREIGN_DIGEST "\n" STORED,
    "sockxfer/1 received -1 " FOREIGN_DIGEST "\n" STORED,
    "sockxfer/1 received 10 " FOREIGN_DIGEST "\nx\n" STORED,
    "sockxfer/1 received 10 " FOREIGN_DIGEST "\nsockxfer/1 received 10 " FOREIGN_DIGEST "\n" STORED,
};

static void garbage(void)
{
	struct trial trial;

	for (size_t i = 0; i < ROWS(no_receipts); i++) {
		for (size_t recv_max = 1; recv_max <= 64; recv_max += 63) {
			check_row("%s, %zu at a time", no_receipts[i], recv_max);
			prepare(&trial);
			trial.memory.recv_max = recv_max;
			answers(&trial, no_receipts[i]);
			succeeds(&trial, TRANSFER_CLOSED);
		}
	}
}

static void garbage_confirms_nothing(void)
{
	struct trial trial;

	for (size_t i = 0; i < ROWS(no_receipts); i++) {
		check_row("%s", no_receipts[i]);
		prepare(&trial);
		trial.policy.must_confirm = true;
		answers(&trial, no_receipts[i]);
		fails(&trial, ERR_UNCONFIRMED, "10 bytes were sent, but no receipt came");
	}
}

static void receipt_behind_garbage(void)
{
	static const char *const texts[] = {"x", "\n", "\r", "sockxfer/1 sto\n"};
	struct trial trial;

	for (size_t i = 0; i < ROWS(texts); i++) {
		check_row("%s", texts[i]);
		prepare(&trial);
		trial.policy.must_confirm = true;
		PEER(&trial.memory, SPEAKS, .after = 1, .bytes = texts[i]);
		confirms(&trial);
		fails(&trial, ERR_UNCONFIRMED, "no receipt came");
	}
}

static void null_byte(void)
{
	struct trial trial;

	prepare(&trial);
	PEER(&trial.memory, SPEAKS, .at_end = true, .bytes = trial.received);
	PEER(&trial.memory, SPEAKS, .at_end = true, .bytes = "sockxfer/1 stored\0x\n", .n = 20);
	PEER(&trial.memory, ENDS, .at_end = true);
	succeeds(&trial, TRANSFER_CLOSED);
}

/* The silence is counted from when the line is too long to be a receipt. */
static void endless_line(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.recv_time = SECOND / 10;
	PEER(&trial.memory, FLOODS, .at_end = true);
	succeeds(&trial, TRANSFER_SILENT);
	CHECK_INT(trial.took, 30 * SECOND + SECOND / 10);
	prepare(&trial);
	trial.memory.recv_time = SECOND / 10;
	trial.policy.must_confirm = true;
	trial.policy.limits.idle = 5 * SECOND;
	PEER(&trial.memory, FLOODS, .at_end = true);
	fails(&trial, ERR_UNCONFIRMED, "no receipt came");
	CHECK_INT(trial.took, 5 * SECOND + SECOND / 10);
}

static void receipt_before_our_end(void)
{
	struct trial trial;

	prepare(&trial);
	PEER(&trial.memory, SPEAKS, .after = 1, .bytes = trial.received);
	PEER(&trial.memory, SPEAKS, .after = 1, .bytes = STORED);
	answers(&trial, "");
	succeeds(&trial, TRANSFER_CLOSED);
}

/* Without heeding what is said there is nothing that is said too early, wrong or a failure. */
static void receipts_ignored(void)
{
	struct trial trial;
	char line[RECEIPT_LINE_MAX];

	write_received(line, SIZE + 1, FOREIGN_DIGEST);
	const char *const texts[] = {FAILED, STORED, line, "x"};
	for (size_t i = 0; i < ROWS(texts); i++) {
		check_row("%s", texts[i]);
		prepare(&trial);
		trial.policy.heeds_receipts = false;
		PEER(&trial.memory, SPEAKS, .after = 1, .bytes = texts[i]);
		answers(&trial, texts[i]);
		succeeds(&trial, TRANSFER_CLOSED);
		CHECK_STR(trial.result.digest, "");
	}
}

static void closes(void)
{
	struct trial trial;

	prepare(&trial);
	PEER(&trial.memory, ENDS, .at = SECOND, .at_end = true);
	succeeds(&trial, TRANSFER_CLOSED);
	CHECK_INT(trial.took, SECOND);
}

static void closes_unconfirmed(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.must_confirm = true;
	answers(&trial, "");
	fails(&trial, ERR_UNCONFIRMED, "10 bytes were sent, but no receipt came");
}

/* Failed while sending */

static void failed_at_each_byte(void)
{
	struct trial trial;

	for (size_t after = 0; after <= SIZE; after++) {
		for (size_t send_max = 1; send_max <= CHUNK; send_max++) {
			check_row("after %zu bytes, %zu at a time", after, send_max);
			prepare(&trial);
			trial.memory.send_max = send_max;
			PEER(&trial.memory, SPEAKS, .after = after, .bytes = FAILED);
			fails_as_told(&trial);
			CHECK(trial.memory.sent_len <= (after + CHUNK) / CHUNK * CHUNK);
			CHECK(!trial.memory.has_finished || after > SIZE - CHUNK);
			CHECK_INT(trial.took, 0);
		}
	}
}

static void failed_in_two(void)
{
	struct trial trial;
	size_t len = strlen(FAILED);

	for (size_t cut = 0; cut <= len; cut++) {
		check_row("cut after %zu bytes", cut);
		prepare(&trial);
		answers_in_two(&trial, FAILED, cut);
		fails_as_told(&trial);
		CHECK_INT(trial.took, cut < len ? SECOND : 0);
	}
}

static void failed_in_single_bytes(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.recv_max = 1;
	trial.memory.source_gap = SECOND;
	memory_source_has(&trial.memory, DATA, SIZE);
	PEER(&trial.memory, SPEAKS, .at = SECOND, .bytes = FAILED);
	fails_as_told(&trial);
	CHECK_INT(trial.took, SECOND);
}

static void failed_while_storing(void)
{
	struct trial trial;

	prepare(&trial);
	PEER(&trial.memory, SPEAKS, .at_end = true, .bytes = trial.received);
	PEER(&trial.memory, SPEAKS, .at = 3600 * SECOND, .at_end = true, .bytes = FAILED);
	fails_as_told(&trial);
	CHECK_INT(trial.took, 3600 * SECOND);
}

static void failed_while_source_is_slow(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.source_gap = 3600 * SECOND;
	memory_source_has(&trial.memory, DATA, SIZE);
	PEER(&trial.memory, SPEAKS, .at = SECOND, .bytes = FAILED);
	fails_as_told(&trial);
	CHECK_INT(trial.took, SECOND);
}

static void failed_while_full(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.room = 2;
	PEER(&trial.memory, SPEAKS, .at = SECOND, .bytes = FAILED);
	fails_as_told(&trial);
	CHECK_INT(trial.took, SECOND);
	CHECK_INT(trial.result.bytes, 2);
}

static void failed_while_keeping_rate(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.rate = 1;
	PEER(&trial.memory, SPEAKS, .at = SECOND / 2, .bytes = FAILED);
	fails_as_told(&trial);
	CHECK_INT(trial.took, SECOND / 2);
	CHECK_INT(trial.result.bytes, 1);
}

/* The bytes that the peer did not read make its close a reset, behind its last words. */
static void failed_and_reset(void)
{
	struct trial trial;

	for (size_t after = 0; after <= SIZE; after++) {
		for (size_t recv_max = 1; recv_max <= 64; recv_max += 63) {
			check_row("after %zu bytes, %zu at a time", after, recv_max);
			prepare(&trial);
			trial.memory.recv_max = recv_max;
			PEER(&trial.memory, SPEAKS, .after = after, .bytes = FAILED);
			PEER(&trial.memory, RESETS, .after = after, .n = ECONNRESET);
			fails_as_told(&trial);
		}
	}
}

static void failed_and_reset_ignored(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.heeds_receipts = false;
	PEER(&trial.memory, SPEAKS, .after = 4, .bytes = FAILED);
	PEER(&trial.memory, RESETS, .after = 4, .n = ECONNRESET);
	fails(&trial, ERR_FAILED, "send: connection reset after ");
}

static void last_words_are_bounded(void)
{
	struct trial trial;

	prepare(&trial);
	PEER(&trial.memory, FLOODS);
	PEER(&trial.memory, RESETS, .after = 4, .n = ECONNRESET);
	fails(&trial, ERR_FAILED, "send: connection reset after 4 bytes");
	CHECK(trial.memory.move_count < 100);
}

/* The end of the peer's stream before ours */

static void early_end(void)
{
	struct trial trial;

	for (size_t after = 0; after <= SIZE; after++) {
		check_row("after %zu bytes", after);
		prepare(&trial);
		trial.memory.acks_by_script = true;
		PEER(&trial.memory, ENDS, .after = after);
		PEER(&trial.memory, ACKS, .at = SECOND, .at_end = true);
		succeeds(&trial, TRANSFER_CLOSED);
		CHECK(trial.took >= SECOND && trial.took <= SECOND + SECOND / 10);
	}
}

static void early_end_unconfirmed(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.must_confirm = true;
	PEER(&trial.memory, ENDS);
	fails(&trial, ERR_UNCONFIRMED, "10 bytes were sent, but no receipt came");
	CHECK_INT(trial.result.bytes, SIZE);
}

static void early_end_then_gone(void)
{
	struct trial trial;

	for (int resets = 0; resets < 2; resets++) {
		check_row("%s", resets ? "a reset" : "a close");
		prepare(&trial);
		trial.memory.source_gap = 3600 * SECOND;
		memory_source_has(&trial.memory, DATA, SIZE);
		PEER(&trial.memory, ENDS);
		PEER(&trial.memory, resets ? RESETS : CLOSES, .at = SECOND, .n = ECONNRESET);
		fails(&trial, ERR_FAILED, "send: connection reset after 0 bytes");
		CHECK_INT(trial.took, SECOND);
	}
}

static void early_end_while_full(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.room = 2;
	PEER(&trial.memory, ENDS, .at = SECOND);
	PEER(&trial.memory, TAKES, .at = 2 * SECOND, .n = SIZE);
	succeeds(&trial, TRANSFER_CLOSED);
	CHECK_INT(trial.took, 2 * SECOND);
}

static void early_end_while_keeping_rate(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.rate = 1;
	PEER(&trial.memory, ENDS, .at = SECOND / 2);
	succeeds(&trial, TRANSFER_CLOSED);
	CHECK_INT(trial.took, SIZE * SECOND);
}

/* Death */

static void reset_at_each_byte(void)
{
	struct trial trial;
	char text[64];

	for (size_t after = 0; after < SIZE; after++) {
		for (size_t send_max = 1; send_max <= CHUNK; send_max++) {
			check_row("after %zu bytes, %zu at a time", after, send_max);
			prepare(&trial);
			trial.memory.send_max = send_max;
			PEER(&trial.memory, RESETS, .after = after, .n = ECONNRESET);
			fails(&trial, ERR_FAILED, ": connection reset after ");
			snprintf(text, sizeof(text), "after %zu bytes", trial.memory.sent_len);
			CHECK_HAS(trial.err.text, text);
			CHECK(!trial.memory.has_finished);
		}
	}
}

static void reset_at_the_end(void)
{
	static const int64_t times[] = {0, 1, CLOCK_SECOND, 3600 * CLOCK_SECOND};
	struct trial trial;

	for (size_t i = 0; i < ROWS(times); i++) {
		check_row("after %" PRId64 " ns", times[i]);
		prepare(&trial);
		trial.memory.acks_by_script = true;
		PEER(&trial.memory, RESETS, .at = times[i], .at_end = true, .n = ECONNRESET);
		fails(&trial, ERR_FAILED, "end of data: connection reset after 10 bytes");
		CHECK_INT(trial.took, times[i]);
	}
}

static void reset_before_the_end(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.rate = 1;
	PEER(&trial.memory, ENDS);
	PEER(&trial.memory, RESETS, .at = SIZE * SECOND - 1, .n = ECONNRESET);
	fails(&trial, ERR_FAILED, "end of data: connection reset after 10 bytes");
}

/* An error of the connection shows by check() only, and then nothing is in flight any more. */
static void reset_behind_their_end(void)
{
	static const int64_t times[] = {0, CLOCK_SECOND};
	struct trial trial;

	for (size_t i = 0; i < ROWS(times); i++) {
		check_row("%" PRId64 " ns behind", times[i]);
		prepare(&trial);
		trial.memory.acks_by_script = true;
		PEER(&trial.memory, ENDS, .after = 1);
		PEER(&trial.memory, RESETS, .at = times[i], .at_end = true, .n = ECONNRESET);
		fails(&trial, ERR_FAILED, "end of data: connection reset after 10 bytes");
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
	    {EPIPE, 0, ERR_FAILED, "send: connection reset after 4 bytes"},
	    {EHOSTUNREACH, 0, ERR_FAILED, "send: No route to host after 4 bytes"},
	    {ETIMEDOUT, 0, ERR_FAILED, "send: Connection timed out after 4 bytes"},
	    {ETIMEDOUT, CLOCK_SECOND, ERR_TIMEOUT, "send: timed out after 4 bytes"},
	};
	struct trial trial;

	for (size_t i = 0; i < ROWS(rows); i++) {
		check_row("%s", rows[i].text);
		prepare(&trial);
		trial.policy.limits.idle = rows[i].idle;
		PEER(&trial.memory, RESETS, .after = 4, .n = (size_t)rows[i].errnum);
		fails(&trial, rows[i].kind, rows[i].text);
	}
}

/* A peer that is of our kind */

static void ours_goes_without_a_word(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.peer = CHANNEL_PEER_OPEN;
	answers(&trial, "");
	fails(&trial, ERR_FAILED, "the receiver went away before it had stored the 10 bytes");
}

static void ours_goes_with_a_word(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.peer = CHANNEL_PEER_OPEN;
	PEER(&trial.memory, BECOMES, .at = SECOND, .at_end = true, .n = CHANNEL_PEER_DONE);
	answers(&trial, "");
	succeeds(&trial, TRANSFER_CLOSED);
}

static void ours_stores(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.peer = CHANNEL_PEER_OPEN;
	confirms(&trial);
	succeeds(&trial, TRANSFER_STORED);
}

/* Silence at the end */

static void silence(void)
{
	struct trial trial;

	prepare(&trial);
	succeeds(&trial, TRANSFER_SILENT);
	CHECK_INT(trial.took, 30 * SECOND);
}

static void silence_of_idle(void)
{
	static const int64_t limits[] = {1, CLOCK_SECOND, 100 * CLOCK_SECOND};
	struct trial trial;

	for (size_t i = 0; i < ROWS(limits); i++) {
		check_row("%" PRId64 " ns", limits[i]);
		prepare(&trial);
		trial.policy.limits.idle = limits[i];
		succeeds(&trial, TRANSFER_SILENT);
		CHECK_INT(trial.took, limits[i]);
	}
}

static void silence_counts_from_the_last_ack(void)
{
	struct trial trial;

	for (int64_t idle = 0; idle <= 60 * SECOND; idle += 60 * SECOND) {
		check_row("-w %" PRId64, idle);
		prepare(&trial);
		trial.policy.limits.idle = idle;
		trial.memory.acks_by_script = true;
		PEER(&trial.memory, ACKS, .at = 50 * SECOND, .n = 1);
		PEER(&trial.memory, ACKS, .at = 100 * SECOND);
		succeeds(&trial, TRANSFER_SILENT);
		int64_t least = 100 * SECOND + (idle == 0 ? 30 * SECOND : idle);
		CHECK(trial.took >= least - SECOND / 10);
		CHECK(trial.took <= least + SECOND / 10);
	}
}

static void acks_are_noticed_soon(void)
{
	static const int64_t times[] = {CLOCK_MILLISECOND, 10 * CLOCK_MILLISECOND, CLOCK_SECOND};
	struct trial trial;

	for (size_t i = 0; i < ROWS(times); i++) {
		check_row("after %" PRId64 " ns", times[i]);
		prepare(&trial);
		trial.memory.acks_by_script = true;
		PEER(&trial.memory, ENDS, .at_end = true);
		PEER(&trial.memory, ACKS, .at = times[i], .at_end = true);
		succeeds(&trial, TRANSFER_CLOSED);
		CHECK(trial.took >= times[i] && trial.took <= 2 * times[i]);
		CHECK(trial.took <= times[i] + SECOND / 10);
	}
}

static void silence_unacknowledged(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.limits.idle = 5 * SECOND;
	trial.memory.acks_by_script = true;
	PEER(&trial.memory, ACKS, .at = 3 * SECOND, .n = SIZE);
	fails(&trial, ERR_TIMEOUT, "end of data: timed out after 10 bytes");
	CHECK(trial.took >= 8 * SECOND && trial.took <= 8 * SECOND + SECOND / 10);
}

/* The system gives up in its time; then the connection breaks. */
static void slow_link(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.acks_by_script = true;
	PEER(&trial.memory, ENDS);
	PEER(&trial.memory, RESETS, .at = 900 * SECOND, .n = ETIMEDOUT);
	fails(&trial, ERR_FAILED, "end of data: Connection timed out after 10 bytes");
	CHECK(trial.took >= 900 * SECOND && trial.took <= 900 * SECOND + SECOND / 10);
}

static void no_answer_with_confirmation(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.must_confirm = true;
	never_ends(&trial);
	prepare(&trial);
	trial.policy.must_confirm = true;
	trial.policy.limits.idle = 5 * SECOND;
	fails(&trial, ERR_UNCONFIRMED, "no receipt came");
	CHECK_INT(trial.took, 5 * SECOND);
}

static void late_answer_with_confirmation(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.must_confirm = true;
	PEER(&trial.memory, SPEAKS, .at = 86400 * SECOND, .bytes = trial.received);
	PEER(&trial.memory, SPEAKS, .at = 86400 * SECOND, .bytes = STORED);
	succeeds(&trial, TRANSFER_STORED);
	CHECK_INT(trial.took, 86400 * SECOND);
}

static void storing_takes_its_time(void)
{
	struct trial trial;

	for (int64_t idle = 0; idle <= SECOND; idle += SECOND) {
		check_row("-w %" PRId64, idle);
		prepare(&trial);
		trial.policy.limits.idle = idle;
		PEER(&trial.memory, SPEAKS, .at = SECOND / 2, .at_end = true,
		    .bytes = trial.received);
		PEER(&trial.memory, SPEAKS, .at = 86400 * SECOND, .bytes = STORED);
		succeeds(&trial, TRANSFER_STORED);
		CHECK_INT(trial.took, 86400 * SECOND);
	}
}

/* A receiver in doubt takes its time for a line; 2 s are for the rest of it. */
static void line_in_pieces(void)
{
	struct trial trial;

	for (int64_t rest = -1; rest <= 1; rest += 2) {
		check_row("%" PRId64 " ns too late", rest);
		prepare(&trial);
		trial.policy.limits.idle = SECOND / 10;
		PEER(&trial.memory, SPEAKS, .at = SECOND / 20, .at_end = true,
		    .bytes = trial.received, .n = 5);
		PEER(&trial.memory, SPEAKS, .at = SECOND / 20 + 2 * SECOND + rest,
		    .bytes = trial.received + 5);
		PEER(&trial.memory, SPEAKS, .at = 3 * SECOND, .bytes = STORED);
		succeeds(&trial, rest < 0 ? TRANSFER_STORED : TRANSFER_SILENT);
	}
}

static void garbage_and_silence(void)
{
	struct trial trial;

	prepare(&trial);
	PEER(&trial.memory, SPEAKS, .at = 10 * SECOND, .at_end = true, .bytes = "hello\n");
	PEER(&trial.memory, SPEAKS, .at = 35 * SECOND, .at_end = true, .bytes = "hello\n");
	succeeds(&trial, TRANSFER_SILENT);
	CHECK_INT(trial.took, 40 * SECOND);
}

/* What cannot be told */

static void unknown_and_silent(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.is_unknown = true;
	fails(&trial, ERR_TIMEOUT, "end of data: timed out after 10 bytes");
	CHECK_INT(trial.took, 30 * SECOND);
}

static void unknown_and_closed(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.is_unknown = true;
	answers(&trial, "");
	fails(&trial, ERR_FAILED,
	    "the receiver closed, and it cannot be told whether it has everything");
}

static void unknown_and_full(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.is_unknown = true;
	trial.memory.room = 2;
	trial.policy.limits.idle = SECOND;
	fails(&trial, ERR_TIMEOUT, "send: timed out after 2 bytes");
	CHECK_INT(trial.took, SECOND);
}

static void unknown_and_confirmed(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.is_unknown = true;
	confirms(&trial);
	succeeds(&trial, TRANSFER_STORED);
}

/* The source */

static void source_does_not_start(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.fails = "start";
	trial.memory.fault_errnum = EACCES;
	fails(&trial, ERR_FAILED, "Permission denied");
	CHECK_INT((intmax_t)trial.memory.sent_len, 0);
	CHECK(!trial.memory.has_finished);
}

static void source_fails(void)
{
	struct trial trial;

	for (int after = 0; after <= 3; after++) {
		check_row("after %d reads", after);
		prepare(&trial);
		trial.memory.fails = "read";
		trial.memory.fails_after = after;
		fails(&trial, ERR_FAILED, "it fails");
		CHECK_STR(trial.err.text, "it fails");
		CHECK_STR(trial.memory.log, "start");
	}
}

static void source_is_empty(void)
{
	struct trial trial;
	char digest[DIGEST_TEXT_MAX];
	char line[RECEIPT_LINE_MAX];

	prepare(&trial);
	memory_source_has(&trial.memory, "", 0);
	memory_digest("", 0, digest);
	write_received(line, 0, digest);
	PEER(&trial.memory, SPEAKS, .at_end = true, .bytes = line);
	answers(&trial, STORED);
	succeeds(&trial, TRANSFER_STORED);
	CHECK_STR(trial.result.digest, digest);
}

static void source_is_slow(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.limits.idle = SECOND;
	trial.memory.source_gap = 60 * SECOND;
	trial.memory.read_max = 5;
	memory_source_has(&trial.memory, DATA, SIZE);
	trial.policy.chunk = 1024;
	confirms(&trial);
	succeeds(&trial, TRANSFER_STORED);
	CHECK_INT((intmax_t)trial.memory.move_count, 3); /* the receipt is the third */
	CHECK_INT(trial.memory.moves[0].at, 60 * SECOND);
	CHECK_INT(trial.memory.moves[1].at, 120 * SECOND);
	CHECK_INT(trial.took, 180 * SECOND);
}

static void heard_while_source_is_slow(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.source_gap = 60 * SECOND;
	memory_source_has(&trial.memory, DATA, SIZE);
	PEER(&trial.memory, SPEAKS, .at = SECOND, .bytes = "hello\n");
	PEER(&trial.memory, ENDS, .at = 2 * SECOND);
	succeeds(&trial, TRANSFER_CLOSED);
	CHECK_INT(trial.took, 240 * SECOND);
}

/* The way to the peer */

static void any_pieces(void)
{
	struct trial trial;

	for (size_t chunk = 1; chunk <= SIZE + 1; chunk++) {
		for (size_t send_max = 1; send_max <= SIZE; send_max++) {
			check_row("chunks of %zu, %zu at a time", chunk, send_max);
			prepare(&trial);
			trial.policy.chunk = chunk;
			trial.memory.send_max = send_max;
			confirms(&trial);
			succeeds(&trial, TRANSFER_STORED);
		}
	}
}

static void all_values(void)
{
	static char bytes[10000];
	struct trial trial;

	memory_fill(bytes, sizeof(bytes));
	prepare(&trial);
	memory_source_has(&trial.memory, bytes, sizeof(bytes));
	trial.policy.chunk = 4096;
	trial.memory.send_max = 1500;
	answers(&trial, "");
	succeeds(&trial, TRANSFER_CLOSED);
}

static void chunk_max(void)
{
	struct trial trial;

	for (size_t max = 0; max <= 5; max++) {
		check_row("at the most %zu", max);
		prepare(&trial);
		trial.memory.channel.chunk_max = max;
		answers(&trial, "");
		succeeds(&trial, TRANSFER_CLOSED);
		CHECK_INT((intmax_t)trial.memory.moves[0].n,
		    (intmax_t)(max == 0 || max > CHUNK ? CHUNK : max));
	}
}

static void full_then_room(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.room = 0;
	PEER(&trial.memory, TAKES, .at = 3600 * SECOND, .n = 5);
	PEER(&trial.memory, TAKES, .at = 7200 * SECOND, .n = 5);
	answers(&trial, "");
	succeeds(&trial, TRANSFER_CLOSED);
	CHECK_INT(trial.took, 7200 * SECOND);
}

static void heard_while_full(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.room = 0;
	PEER(&trial.memory, SPEAKS, .at = SECOND, .bytes = "hello\n");
	PEER(&trial.memory, TAKES, .at = 2 * SECOND, .n = SIZE);
	answers(&trial, "");
	succeeds(&trial, TRANSFER_CLOSED);
	CHECK_INT(trial.took, 2 * SECOND);
}

static void full_for_too_long(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.limits.idle = SECOND;
	trial.memory.acks_by_script = true;
	trial.memory.room = 3;
	fails(&trial, ERR_TIMEOUT, "send: timed out after 3 bytes");
	CHECK_INT(trial.took, SECOND);
}

static void full_with_progress(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.limits.idle = SECOND;
	trial.memory.acks_by_script = true;
	trial.memory.room = 3;
	PEER(&trial.memory, ACKS, .at = SECOND / 2, .n = 1);
	PEER(&trial.memory, ACKS, .at = SECOND + SECOND / 2, .n = 1);
	fails(&trial, ERR_TIMEOUT, "send: timed out after 3 bytes");
	CHECK_INT(trial.took, 3 * SECOND);
}

/* The rate */

static void rate(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.rate = 40; /* 2 bytes in a twentieth of a second */
	answers(&trial, "");
	succeeds(&trial, TRANSFER_CLOSED);
	CHECK_INT((intmax_t)trial.memory.move_count, 5);
	for (size_t i = 0; i < 5; i++) {
		CHECK_INT(trial.memory.moves[i].at, (int64_t)i * SECOND / 20);
		CHECK_INT((intmax_t)trial.memory.moves[i].n, 2);
	}
	CHECK_INT(trial.took, SECOND / 4);
}

static void rate_on_the_wire(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.rate = 1000;
	answers(&trial, "");
	succeeds(&trial, TRANSFER_CLOSED);
	CHECK_INT(trial.memory.paced, 1250);
	prepare(&trial);
	answers(&trial, "");
	succeeds(&trial, TRANSFER_CLOSED);
	CHECK_INT(trial.memory.paced, 0);
}

static void heard_while_keeping_rate(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.rate = 1;
	PEER(&trial.memory, SPEAKS, .at = SECOND / 4, .bytes = "hello\n");
	PEER(&trial.memory, SPEAKS, .at = SECOND / 2, .bytes = "hello\n");
	answers(&trial, "");
	succeeds(&trial, TRANSFER_CLOSED);
	CHECK_INT(trial.took, SIZE * SECOND);
}

/* The limit of the whole transfer */

/* A trial that may take so long, but for what the test adds. */
static void prepare_limited(struct trial *trial, int64_t limit)
{
	prepare(trial);
	trial->policy.limits.end = MEMORY_START + limit;
}

static void end_passed(void)
{
	struct trial trial;

	prepare_limited(&trial, 0);
	fails(&trial, ERR_TIMEOUT, "send: the time limit of -W has passed after 0 bytes");
}

static void end_while_source_is_slow(void)
{
	struct trial trial;

	prepare_limited(&trial, SECOND);
	trial.memory.source_gap = 60 * SECOND;
	memory_source_has(&trial.memory, DATA, SIZE);
	fails(&trial, ERR_TIMEOUT, "send: the time limit of -W has passed after 0 bytes");
	CHECK_INT(trial.took, SECOND);
}

static void end_while_full(void)
{
	struct trial trial;

	for (int64_t idle = 0; idle <= 3 * SECOND; idle += 3 * SECOND) {
		check_row("-w %" PRId64, idle);
		prepare_limited(&trial, 2 * SECOND);
		trial.policy.limits.idle = idle;
		trial.memory.acks_by_script = true;
		trial.memory.room = 3;
		PEER(&trial.memory, ACKS, .at = SECOND, .n = 1);
		fails(&trial, ERR_TIMEOUT, "send: the time limit of -W has passed after 3 bytes");
		CHECK_INT(trial.took, 2 * SECOND);
	}
}

static void end_while_keeping_rate(void)
{
	struct trial trial;

	prepare_limited(&trial, SECOND / 2);
	trial.policy.rate = 1;
	fails(&trial, ERR_TIMEOUT, "send: the time limit of -W has passed after 1 bytes");
	CHECK_INT(trial.took, SECOND / 2);
}

static void end_while_confirming(void)
{
	struct trial trial;

	prepare_limited(&trial, SECOND);
	fails(&trial, ERR_TIMEOUT, "end of data: the time limit of -W has passed after 10 bytes");
	CHECK_INT(trial.took, SECOND);
}

static void end_while_storing(void)
{
	struct trial trial;

	prepare_limited(&trial, SECOND);
	PEER(&trial.memory, SPEAKS, .at_end = true, .bytes = trial.received);
	PEER(&trial.memory, SPEAKS, .at = 2 * SECOND, .at_end = true, .bytes = STORED);
	fails(&trial, ERR_TIMEOUT, "end of data: the time limit of -W has passed after 10 bytes");
	CHECK_INT(trial.took, SECOND);
}

static void end_not_reached(void)
{
	struct trial trial;

	prepare_limited(&trial, 2 * SECOND);
	PEER(&trial.memory, SPEAKS, .at = SECOND, .at_end = true, .bytes = trial.received);
	answers(&trial, STORED);
	succeeds(&trial, TRANSFER_STORED);
	CHECK_INT(trial.memory.source_deadline, MEMORY_START + 2 * SECOND);
}

/* Faults of any call */

/* All that can fail: a slow source, a channel that is full, a limit on the rate, a receipt. */
static void prepare_eventful(struct trial *trial)
{
	prepare(trial);
	trial->policy.limits.idle = 60 * SECOND;
	trial->policy.rate = 10;
	trial->memory.source_gap = SECOND;
	trial->memory.read_max = 3;
	trial->memory.room = 5;
	memory_source_has(&trial->memory, DATA, SIZE);
	PEER(&trial->memory, TAKES, .at = 10 * SECOND, .n = SIZE);
	PEER(&trial->memory, SPEAKS, .at_end = true, .bytes = trial->received);
	answers(trial, STORED);
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
		CHECK_INT(trial.err.kind, kind);
		CHECK_INT(trial.result.end, TRANSFER_FAILED);
		CHECK(!trial.memory.has_settled);
	}
	CHECK(trial.memory.has_settled);
	CHECK(call >= least);
}

/* The peer ends its stream first, and what has become of the connection is asked for. */
static void prepare_early_end(struct trial *trial)
{
	prepare(trial);
	trial->memory.acks_by_script = true;
	PEER(&trial->memory, ENDS, .after = 1);
	PEER(&trial->memory, ACKS, .at = SECOND, .at_end = true);
}

static void interrupted(void)
{
	fail_each_call(prepare_eventful, ERR_INTERRUPTED, 20);
	fail_each_call(prepare_early_end, ERR_INTERRUPTED, 10);
}

static void any_fault(void)
{
	fail_each_call(prepare_eventful, ERR_FAILED, 20);
	fail_each_call(prepare_early_end, ERR_FAILED, 10);
}

static void no_memory(void)
{
#ifdef __SANITIZE_ADDRESS__
	check_skip(); /* it ends the program instead */
#endif
	struct trial trial;

	prepare(&trial);
	trial.policy.chunk = SIZE_MAX / 4;
	fails(&trial, ERR_FAILED, "chunk: Cannot allocate memory");
	CHECK_STR(trial.memory.log, "");
}

/* A peer that talks without a pause */

static void flood_while_full(void)
{
	struct trial trial;

	prepare_limited(&trial, 2 * SECOND);
	trial.memory.room = 2;
	trial.memory.recv_time = SECOND / 10;
	PEER(&trial.memory, FLOODS);
	fails(&trial, ERR_TIMEOUT, "send: the time limit of -W has passed after 2 bytes");
	CHECK_INT(trial.took, 2 * SECOND);
}

static void idle_flood_while_full(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.limits.idle = 2 * SECOND;
	trial.memory.acks_by_script = true;
	trial.memory.room = 2;
	trial.memory.recv_time = SECOND / 10;
	PEER(&trial.memory, FLOODS);
	fails(&trial, ERR_TIMEOUT, "send: timed out after 2 bytes");
}

static void flood_while_source_is_slow(void)
{
	struct trial trial;

	prepare_limited(&trial, 2 * SECOND);
	trial.memory.source_gap = 3600 * SECOND;
	memory_source_has(&trial.memory, DATA, SIZE);
	trial.memory.recv_time = SECOND / 10;
	PEER(&trial.memory, FLOODS);
	fails(&trial, ERR_TIMEOUT, "send: the time limit of -W has passed after 0 bytes");
	CHECK_INT(trial.took, 2 * SECOND);
}

/* Nothing more can come, and nothing shows that all was received. */
static void unknown_and_closed_with_confirmation(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.is_unknown = true;
	trial.policy.must_confirm = true;
	answers(&trial, "");
	CHECK_INT(run(&trial), -1);
	CHECK(!trial.memory.is_stuck);
}

static void unknown_and_received_only(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.is_unknown = true;
	answers(&trial, trial.received);
	CHECK_INT(run(&trial), -1);
	CHECK(!trial.memory.is_stuck);
}

static void becoming_unknown_is_no_progress(void)
{
	struct trial trial;

	prepare(&trial);
	trial.policy.limits.idle = SECOND;
	trial.memory.acks_by_script = true;
	trial.memory.room = 2;
	PEER(&trial.memory, HIDES, .at = SECOND / 2);
	fails(&trial, ERR_TIMEOUT, "send: timed out after 2 bytes");
	CHECK_INT(trial.took, SECOND);
	prepare(&trial);
	trial.policy.limits.idle = SECOND;
	trial.memory.acks_by_script = true;
	PEER(&trial.memory, HIDES, .at = SECOND / 2, .at_end = true);
	fails(&trial, ERR_TIMEOUT, "end of data: timed out after 10 bytes");
	CHECK_INT(trial.took, SECOND);
}

/* What is told on the way */

static void progress(void)
{
	struct trial trial;

	prepare(&trial);
	confirms(&trial);
	succeeds(&trial, TRANSFER_STORED);
	CHECK_INT(trial.progress.bytes, SIZE);
	CHECK_INT(trial.progress.total, PROGRESS_UNKNOWN);
	CHECK_INT(trial.progress.entries, PROGRESS_UNKNOWN);
	CHECK_INT(trial.progress.began, MEMORY_START);
	prepare(&trial);
	trial.memory.source.size = SIZE;
	confirms(&trial);
	succeeds(&trial, TRANSFER_STORED);
	CHECK_INT(trial.progress.total, SIZE);
	prepare(&trial);
	trial.memory.source.is_tree = true;
	trial.memory.source.entries = 3;
	confirms(&trial);
	succeeds(&trial, TRANSFER_STORED);
	CHECK_INT(trial.progress.entries, 3);
}

static void phases(void)
{
	struct trial trial;

	prepare(&trial);
	trial.memory.room = 3;
	never_ends(&trial);
	CHECK_INT(trial.progress.phase, PROGRESS_MOVING);
	CHECK_INT(trial.progress.bytes, 3);
	prepare(&trial);
	succeeds(&trial, TRANSFER_SILENT);
	CHECK_INT(trial.progress.phase, PROGRESS_CONFIRMING);
	CHECK_INT(trial.progress.since, MEMORY_START);
	prepare(&trial);
	PEER(&trial.memory, SPEAKS, .at = SECOND, .at_end = true, .bytes = trial.received);
	never_ends(&trial);
	CHECK_INT(trial.progress.phase, PROGRESS_STORING);
	CHECK_INT(trial.progress.since, MEMORY_START + SECOND);
}

static void receipts(void)
{
	promise("a receipt that matches is a success, and leaves err clean", matching_receipt);
	promise("a receipt is enough: then nothing else is waited for", receipt_is_enough);
	promise("a receipt is heard in single bytes", single_bytes);
	promise("a receipt is heard in two pieces, wherever it is cut", two_pieces);
	promise("a receipt that is cut off anywhere confirms nothing", cut_off);
	promise("what follows \"stored\" changes nothing", after_stored);
	promise("a reset behind \"stored\" changes nothing", reset_after_stored);
	promise("a receipt of another size is a mismatch", wrong_size);
	promise("a receipt with another digest is a mismatch", wrong_digest);
	promise("a peer that has received and goes has failed", received_only);
	promise("a reset behind \"received\" is a failure", reset_while_storing);
	promise("what is no receipt means nothing", garbage);
	promise("with -V, what is no receipt confirms nothing", garbage_confirms_nothing);
	promise("a receipt behind other words is none", receipt_behind_garbage);
	promise("a null byte in a line hides nothing", null_byte);
	promise("a line without end is no receipt, and takes no longer than silence", endless_line);
	promise("a receipt that comes before our end is none", receipt_before_our_end);
	promise("what the peer says is ignored if it is not to be heeded", receipts_ignored);
	promise("a peer that closes without a receipt is a success of its own kind", closes);
	promise("with -V, a peer that closes without a receipt is none", closes_unconfirmed);
}

static void failures(void)
{
	promise("\"failed\" ends the transfer at once, at each byte", failed_at_each_byte);
	promise("\"failed\" is heard in two pieces, wherever it is cut", failed_in_two);
	promise("\"failed\" is heard in single bytes", failed_in_single_bytes);
	promise("\"failed\" is heard while the peer stores", failed_while_storing);
	promise("\"failed\" is heard while the source is slow", failed_while_source_is_slow);
	promise("\"failed\" is heard while the channel is full", failed_while_full);
	promise("\"failed\" is heard while the rate is kept", failed_while_keeping_rate);
	promise("\"failed\" is told rather than the reset behind it", failed_and_reset);
	promise("where \"failed\" is not heeded, the reset is told", failed_and_reset_ignored);
	promise("a peer that says very much before a reset is not heard out",
	    last_words_are_bounded);
}

static void ends_of_the_peer(void)
{
	promise("the end of the peer's stream before ours is neither failure nor completion",
	    early_end);
	promise("with -V, that end is no confirmation", early_end_unconfirmed);
	promise("a peer that goes after that early end is noticed while the source is slow",
	    early_end_then_gone);
	promise("that early end may come while the channel is full", early_end_while_full);
	promise("that early end may come while the rate is kept", early_end_while_keeping_rate);
	promise("a reset is a failure, at each byte", reset_at_each_byte);
	promise("a reset is a failure after our end, whenever it comes", reset_at_the_end);
	promise("a reset that comes before our end can be sent is a failure", reset_before_the_end);
	promise("a reset behind the end of the peer's stream is a failure", reset_behind_their_end);
	promise("other errors of the connection are told, too", other_errors);
	promise("a peer of our kind that goes without its word has failed",
	    ours_goes_without_a_word);
	promise("a peer of our kind that gives its word has closed", ours_goes_with_a_word);
	promise("a peer of our kind may give a receipt and no word", ours_stores);
}

static void silences(void)
{
	promise("a peer that neither speaks nor closes is waited for 30 s", silence);
	promise("with -w, it is waited for as long as that says", silence_of_idle);
	promise("that silence begins when the peer has everything",
	    silence_counts_from_the_last_ack);
	promise("that the peer has everything is noticed soon", acks_are_noticed_soon);
	promise("with -w, a peer that does not get everything is a timeout",
	    silence_unacknowledged);
	promise("without -w it is the system that gives up", slow_link);
	promise("with -V a receipt is waited for without end, or as long as -w says",
	    no_answer_with_confirmation);
	promise("with -V a receipt may come a day later", late_answer_with_confirmation);
	promise("after \"received\" the peer may take a day, whatever -w says",
	    storing_takes_its_time);
	promise("for the rest of a line that has begun there are 2 s, whatever -w says",
	    line_in_pieces);
	promise("words that are no receipt prolong the wait once only", garbage_and_silence);
	promise("not knowing what is in flight, a silence is no success", unknown_and_silent);
	promise("not knowing what is in flight, a close is no success", unknown_and_closed);
	promise("not knowing what is in flight is no progress", unknown_and_full);
	promise("not knowing what is in flight, a receipt is a success", unknown_and_confirmed);
}

static void ways(void)
{
	promise("a source that does not start sends nothing", source_does_not_start);
	promise("a source that fails is told as it says, and the stream not ended", source_fails);
	promise("a source may be empty", source_is_empty);
	promise("a source may be slow, whatever -w says", source_is_slow);
	promise("the peer is heard while the source is slow", heard_while_source_is_slow);
	promise("it makes no difference in what pieces the bytes go", any_pieces);
	promise("bytes of all values are sent", all_values);
	promise("no more is handed over at once than the channel wants", chunk_max);
	promise("a channel that is full is waited for", full_then_room);
	promise("the peer is heard while the channel is full", heard_while_full);
	promise("with -w, a channel that stays full is a timeout", full_for_too_long);
	promise("less in flight is progress", full_with_progress);
	promise("with a limit on the rate the bytes go evenly, and all in their time", rate);
	promise("the channel is asked for a quarter more than that rate", rate_on_the_wire);
	promise("what the peer says while the rate is kept does not hasten it",
	    heard_while_keeping_rate);
}

static void limits(void)
{
	promise("-W that has passed lets nothing be sent", end_passed);
	promise("-W holds while the source is slow", end_while_source_is_slow);
	promise("-W holds while the channel is full", end_while_full);
	promise("-W holds while the rate is kept", end_while_keeping_rate);
	promise("-W holds while a receipt is waited for", end_while_confirming);
	promise("-W holds while the peer stores", end_while_storing);
	promise("a transfer within -W is a success, and its source knows the limit",
	    end_not_reached);
}

int main(void)
{
	receipts();
	failures();
	ends_of_the_peer();
	silences();
	ways();
	limits();
	promise("an interruption of any call is one of the transfer", interrupted);
	promise("a fault of any call is a failure", any_fault);
	promise("a chunk for which there is no memory is a failure", no_memory);
	promise("-W holds while a peer talks without a pause and takes nothing", flood_while_full);
	promise("-w holds while a peer talks without a pause and takes nothing",
	    idle_flood_while_full);
	promise("-W holds while a peer talks without a pause and the source is slow",
	    flood_while_source_is_slow);
	promise("not knowing what is in flight, a close without a receipt ends the wait of -V",
	    unknown_and_closed_with_confirmation);
	promise("not knowing what is in flight, a close behind \"received\" ends the wait",
	    unknown_and_received_only);
	promise("no longer knowing what is in flight is no progress",
	    becoming_unknown_is_no_progress);
	promise("how far it is can be read", progress);
	promise("what it waits for can be read", phases);
	return check_end();
}
