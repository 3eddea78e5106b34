/* Resuming, for the sender: what receivers say first, what is left out, and what has no limit. */
#include "transfer/resume_send.h"

#include "check.h"
#include "memory.h"
#include "transfer/send.h"

#define DATA "0123456789"
#define SIZE 10
#define PART 4 /* bytes */
#define CHUNK 3
#define SECOND CLOCK_SECOND
#define HOUR (3600 * SECOND)
#define TOKEN "0123456789abcdef"
#define STORED "sockxfer/1 stored\n"
#define DIFFERS "sockxfer/1 failed the first 4 bytes differ\n"

static const struct ends ends = {.peer = "192.0.2.7:9009", .local = "192.0.2.1:40000"};

struct trial {
	struct memory memory;
	struct send_policy policy;
	struct progress progress;
	struct transfer_result result;
	struct err err;
	char have[RESUME_LINES_MAX];
	char from[RESUME_LINES_MAX];     /* the line that it is answered by */
	char received[RECEIPT_LINE_MAX]; /* of DATA */
};

/* DATA, a sender that resumes, and a receiver that has so many bytes, and has not said so yet. */
static void prepare(struct trial *trial, size_t part)
{
	struct resume_from from = {.size = SIZE, .token = TOKEN};
	char digest[DIGEST_TEXT_MAX];

	memory_init(&trial->memory);
	memory_source_has(&trial->memory, DATA, SIZE);
	trial->memory.source.size = SIZE;
	trial->policy = (struct send_policy){
	    .limits = {.idle = 0, .end = DEADLINE_NEVER},
	    .chunk = CHUNK,
	    .heeds_receipts = true,
	    .resumes = true,
	    .progress = &trial->progress,
	};
	trial->progress = (struct progress){.bytes = 0};
	trial->err = (struct err){.kind = ERR_NONE};
	resume_lines_write_have(trial->have, (int64_t)part, TOKEN);
	from.from = part <= SIZE ? (int64_t)part : 0;
	memory_digest(DATA, (size_t)from.from, from.digest);
	resume_lines_write_from(trial->from, &from);
	memory_digest(DATA, SIZE, digest);
	receipt_write_received(trial->received, SIZE, digest);
}

static int run(struct trial *trial)
{
	struct memory *memory = &trial->memory;

	return transfer_send(&memory->source, &memory->channel, &ends, &trial->policy,
	    &trial->result, &trial->err);
}

static void says_have(struct trial *trial)
{
	PEER(&trial->memory, SPEAKS, .bytes = trial->have);
}

/* The receipt, so late. */
static void confirms(struct trial *trial, int64_t at)
{
	PEER(&trial->memory, SPEAKS, .at = at, .at_end = true, .bytes = trial->received);
	PEER(&trial->memory, SPEAKS, .at_end = true, .bytes = STORED);
	PEER(&trial->memory, ENDS, .at_end = true);
}

/* The bytes that were sent: the line, or "" for none, and DATA from an offset on. */
static void check_sent(struct trial *trial, const char *line, size_t from)
{
	struct memory *memory = &trial->memory;
	size_t len = strlen(line);

	CHECK_INT((intmax_t)memory->sent_len, (intmax_t)(len + SIZE - from));
	CHECK(memcmp(memory->sent, line, len) == 0);
	CHECK(memcmp(memory->sent + len, &DATA[from], SIZE - from) == 0);
}

static void succeeds(struct trial *trial, const char *line, size_t from)
{
	char digest[DIGEST_TEXT_MAX];

	if (!CHECK_INT(run(trial), 0))
		CHECK_STR(trial->err.text, "");
	CHECK(!trial->memory.is_stuck);
	check_sent(trial, line, from);
	CHECK_INT(trial->result.end, TRANSFER_STORED);
	CHECK_INT(trial->result.bytes, SIZE);
	CHECK_INT(trial->result.resumed_at, (intmax_t)from);
	CHECK(trial->result.both_resume == (*line != '\0'));
	CHECK(!trial->result.is_broken);
	memory_digest(DATA, SIZE, digest);
	CHECK_STR(trial->result.digest, digest);
	CHECK_INT(trial->progress.bytes, SIZE);
	CHECK_INT(trial->progress.total, SIZE);
	CHECK_INT(trial->progress.from, (intmax_t)from);
}

static void fails(struct trial *trial, enum err_kind kind, bool is_broken, const char *text)
{
	CHECK_INT(run(trial), -1);
	CHECK(!trial->memory.is_stuck);
	CHECK(!trial->memory.has_settled);
	CHECK_INT(trial->err.kind, kind);
	CHECK_HAS(trial->err.text, text);
	CHECK(trial->result.is_broken == is_broken);
}

static void at_each_offset(void)
{
	struct trial trial;

	for (size_t part = 0; part <= SIZE; part++) {
		check_row("%zu", part);
		prepare(&trial, part);
		says_have(&trial);
		confirms(&trial, 0);
		succeeds(&trial, trial.from, part);
		CHECK_INT(memory_time(), 0);
	}
}

static void shorter_source(void)
{
	struct trial trial;

	prepare(&trial, SIZE + 1);
	says_have(&trial);
	confirms(&trial, 0);
	succeeds(&trial, trial.from, 0);

	prepare(&trial, (size_t)INT64_MAX);
	says_have(&trial);
	confirms(&trial, 0);
	succeeds(&trial, trial.from, 0);
}

static void any_pieces(void)
{
	struct trial trial;

	for (size_t piece = 1; piece <= 120; piece++) {
		check_row("%zu", piece);
		prepare(&trial, PART);
		trial.memory.recv_max = piece;
		trial.memory.send_max = piece;
		trial.memory.read_max = piece;
		says_have(&trial);
		confirms(&trial, 0);
		succeeds(&trial, trial.from, PART);
	}
}

/* The line takes as long as the receiver's, and that comes by and by. */
static void slow_receiver(void)
{
	struct trial trial;

	prepare(&trial, PART);
	for (size_t i = 0; i < 9; i++)
		PEER(&trial.memory, SPEAKS, .at = (int64_t)i * SECOND, .bytes = trial.have + i,
		    .n = 1);
	PEER(&trial.memory, SPEAKS, .at = 10 * SECOND - 1, .bytes = trial.have + 9);
	confirms(&trial, 0);
	succeeds(&trial, trial.from, PART);
}

/* A file without a size: it is one of /proc. */
static void unknown_size(void)
{
	struct trial trial;

	prepare(&trial, PART);
	trial.memory.source.size = SOURCE_SIZE_UNKNOWN;
	says_have(&trial);
	confirms(&trial, 0);
	CHECK_INT(run(&trial), 0);
	CHECK_INT(trial.result.resumed_at, 0);
	CHECK_HAS(trial.memory.sent, "sockxfer/1 from 0 0 " TOKEN " xxh128:");
	CHECK_HAS(trial.memory.sent, "\n" DATA);
}

/* Receivers that do not resume */

static void silent_receiver(void)
{
	struct trial trial;

	prepare(&trial, PART);
	confirms(&trial, 0);
	succeeds(&trial, "", 0);
	CHECK_INT(memory_time(), 10 * SECOND);

	/* -w is for what has to come. */
	prepare(&trial, PART);
	trial.policy.limits.idle = SECOND;
	confirms(&trial, 0);
	succeeds(&trial, "", 0);
	CHECK_INT(memory_time(), 10 * SECOND);
}

/* The line comes when the data are on their way: it is too late, and does no harm. */
static void late_receiver(void)
{
	struct trial trial;

	prepare(&trial, PART);
	PEER(&trial.memory, SPEAKS, .at = 11 * SECOND, .at_end = true, .bytes = trial.have);
	confirms(&trial, 0);
	succeeds(&trial, "", 0);
}

/* A stranger's words are no reason to wait any longer. */
static void stranger(void)
{
	static const char *const words[] = {
	    "220 ftp.example.org",
	    "s\n",
	    "sockxfer/1 have 4\n",
	    "sockxfer/1 have +4 " TOKEN "\n",
	    "sockxfer/2 have 4 " TOKEN "\n",
	    "\n",
	};
	struct trial trial;

	for (size_t i = 0; i < ROWS(words); i++) {
		check_row("%s", words[i]);
		prepare(&trial, PART);
		PEER(&trial.memory, SPEAKS, .bytes = words[i]);
		PEER(&trial.memory, ENDS, .at_end = true);
		CHECK_INT(run(&trial), 0);
		CHECK_INT(trial.result.end, TRANSFER_CLOSED);
		check_sent(&trial, "", 0);
		CHECK_INT(memory_time(), 0);
	}
	prepare(&trial, PART);
	PEER(&trial.memory, ENDS);
	CHECK_INT(run(&trial), 0);
	check_sent(&trial, "", 0);
	CHECK_INT(memory_time(), 0);
}

static void no_resumption_here(void)
{
	struct trial trial;

	for (size_t piece = 1; piece <= 60; piece++) {
		check_row("%zu", piece);
		prepare(&trial, PART);
		trial.policy.resumes = false;
		trial.memory.recv_max = piece;
		says_have(&trial);
		confirms(&trial, 0);
		succeeds(&trial, "", 0);
	}
}

/* After an interruption nothing is sent to one that does not resume any more. */
static void must_resume(void)
{
	struct trial trial;

	prepare(&trial, PART);
	trial.policy.must_resume = true;
	says_have(&trial);
	confirms(&trial, 0);
	succeeds(&trial, trial.from, PART);

	prepare(&trial, PART);
	trial.policy.must_resume = true;
	PEER(&trial.memory, ENDS);
	fails(&trial, ERR_FAILED, true, "the receiver does not resume, but has done so before");
	CHECK_INT((intmax_t)trial.memory.sent_len, 0);
}

/* Failures */

static void other_part(void)
{
	struct trial trial;

	prepare(&trial, PART);
	says_have(&trial);
	PEER(&trial.memory, SPEAKS, .after = 1, .bytes = DIFFERS);
	fails(&trial, ERR_PEER, false, "the receiver failed: the first 4 bytes differ");
	CHECK_STR(trial.result.peer_text, "the first 4 bytes differ");
	CHECK_HAS(trial.err.advice, "send once without -R");

	/* Others fail otherwise, also of a part of which we know nothing. */
	prepare(&trial, PART);
	says_have(&trial);
	PEER(&trial.memory, SPEAKS, .after = 1, .bytes = "sockxfer/1 failed full\n");
	fails(&trial, ERR_PEER, false, "the receiver failed: full");
	CHECK(trial.err.advice == NULL);
	prepare(&trial, PART);
	PEER(&trial.memory, SPEAKS, .bytes = DIFFERS);
	fails(&trial, ERR_PEER, false, "the receiver failed: the first 4 bytes differ");
	CHECK(trial.err.advice == NULL);
}

static void resets(void)
{
	struct trial trial;

	/* before it has said anything; while we read; in our line; in the data */
	prepare(&trial, PART);
	PEER(&trial.memory, RESETS, .at = SECOND, .n = ECONNRESET);
	fails(&trial, ERR_FAILED, true, "send: connection reset after 0 bytes");

	prepare(&trial, PART);
	trial.memory.read_time = SECOND;
	says_have(&trial);
	PEER(&trial.memory, RESETS, .at = SECOND, .n = ECONNRESET);
	fails(&trial, ERR_FAILED, true, "send: connection reset after 0 bytes");
	CHECK(trial.result.both_resume);
	CHECK_INT(memory_time(), SECOND);

	prepare(&trial, PART);
	trial.memory.room = 20;
	says_have(&trial);
	PEER(&trial.memory, RESETS, .after = 20, .n = ECONNRESET);
	fails(&trial, ERR_FAILED, true, "send: connection reset after 4 bytes");

	prepare(&trial, PART);
	trial.memory.room = strlen(trial.from) + 2;
	says_have(&trial);
	PEER(&trial.memory, RESETS, .at = SECOND, .n = ECONNRESET);
	fails(&trial, ERR_FAILED, true, "send: connection reset after 6 bytes");
}

/* The receiver has received everything, but not said that it is stored. */
static void dies_while_it_stores(void)
{
	struct trial trial;

	prepare(&trial, PART);
	says_have(&trial);
	PEER(&trial.memory, SPEAKS, .at_end = true, .bytes = trial.received);
	PEER(&trial.memory, ENDS, .at_end = true);
	fails(&trial, ERR_FAILED, true, "the receiver went away before it had stored");
}

static void source_fails(void)
{
	struct trial trial;

	for (int after = 0; after <= 2; after++) {
		check_row("after %d", after);
		prepare(&trial, PART);
		trial.memory.fails = "read";
		trial.memory.fails_after = after;
		says_have(&trial);
		fails(&trial, ERR_FAILED, false, "it fails");
	}
}

/* Another receipt than that of our bytes is no reason to try again. */
static void mismatch(void)
{
	struct trial trial;

	prepare(&trial, PART);
	says_have(&trial);
	memset(strstr(trial.received, "xxh128:") + 7, '0', 32);
	confirms(&trial, 0);
	fails(&trial, ERR_MISMATCH, false, "the receiver got 10 bytes");
}

/* Time */

/* -w: the receiver compares its part for an hour, before it takes what it has no room for, ... */
static void no_idle_limit_for_the_check(void)
{
	struct trial trial;

	for (size_t room = 1; room <= 100; room += 33) {
		check_row("room for %zu", room);
		prepare(&trial, PART);
		trial.policy.limits.idle = SECOND;
		trial.memory.room = room;
		trial.memory.acks_by_script = true;
		says_have(&trial);
		PEER(&trial.memory, TAKES, .at = HOUR, .n = 1000);
		PEER(&trial.memory, HEARS, .at = HOUR);
		confirms(&trial, HOUR);
		succeeds(&trial, trial.from, PART);
	}
}

/* ... and also if it has room for all, with -w and without. */
static void no_limit_for_the_receipt(void)
{
	struct trial trial;

	for (int64_t idle = 0; idle <= SECOND; idle += SECOND) {
		prepare(&trial, PART);
		trial.policy.limits.idle = idle;
		says_have(&trial);
		confirms(&trial, HOUR);
		succeeds(&trial, trial.from, PART);
	}
}

/* We read our source for an hour. */
static void slow_source(void)
{
	struct trial trial;

	prepare(&trial, PART);
	trial.policy.limits.idle = SECOND;
	trial.memory.read_time = HOUR;
	says_have(&trial);
	confirms(&trial, 0);
	succeeds(&trial, trial.from, PART);
}

static void idle_limit(void)
{
	struct trial trial;

	/* The receiver has nothing to compare. */
	prepare(&trial, 0);
	trial.policy.limits.idle = SECOND;
	trial.memory.room = 40;
	trial.memory.acks_by_script = true;
	says_have(&trial);
	fails(&trial, ERR_TIMEOUT, true, "send: timed out after 0 bytes");
	CHECK_INT(memory_time(), SECOND);
	CHECK_INT((intmax_t)trial.memory.sent_len, 40);
}

static void total_limit(void)
{
	struct trial trial;

	prepare(&trial, PART);
	trial.policy.limits.end = MEMORY_START + 3 * SECOND;
	fails(&trial, ERR_TIMEOUT, false, "the time limit of -W has passed");
	CHECK_INT(memory_time(), 3 * SECOND);

	prepare(&trial, PART);
	trial.policy.limits.end = MEMORY_START + 3 * SECOND;
	trial.memory.read_time = 4 * SECOND;
	says_have(&trial);
	fails(&trial, ERR_TIMEOUT, false, "the time limit of -W has passed");

	prepare(&trial, PART);
	trial.policy.limits.end = MEMORY_START + 3 * SECOND;
	says_have(&trial);
	fails(&trial, ERR_TIMEOUT, false, "the time limit of -W has passed");
	CHECK_INT(memory_time(), 3 * SECOND);
}

int main(void)
{
	promise("what the receiver has is left out, and in the digest", at_each_offset);
	promise("a source that is shorter is sent whole", shorter_source);
	promise("it makes no difference how lines and bytes are cut up", any_pieces);
	promise("a receiver's line may come by and by", slow_receiver);
	promise("a source without a size is sent whole", unknown_size);
	promise("a receiver that says nothing for 10 s gets everything", silent_receiver);
	promise("a receiver's line that comes later does no harm", late_receiver);
	promise("a stranger gets everything, as soon as it shows that it is one", stranger);
	promise("a sender that does not resume skips the receiver's line", no_resumption_here);
	promise("nothing is sent to a receiver that has to resume, and does not", must_resume);
	promise("a receiver that has another part is told of, with what can be done", other_part);
	promise("a receiver that resets is a reason to try again", resets);
	promise("so is one that dies while it stores", dies_while_it_stores);
	promise("a source that fails is not", source_fails);
	promise("a receipt of other bytes is not", mismatch);
	promise("while the receiver may compare its part, -w does not run",
	    no_idle_limit_for_the_check);
	promise("nor is there any limit for its receipt", no_limit_for_the_receipt);
	promise("while the sender reads its source, -w does not run", slow_source);
	promise("otherwise it does", idle_limit);
	promise("-W always runs", total_limit);
	return check_end();
}
