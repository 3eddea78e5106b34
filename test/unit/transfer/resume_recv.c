/* Resuming, for the receiver: every answer of a sender, and what becomes of the part. */
#include "transfer/resume_recv.h"

#include <sys/random.h>

#include "check.h"
#include "memory.h"
#include "transfer/recv.h"

#define DATA "0123456789"
#define SIZE 10
#define PART 4 /* bytes */
#define CHUNK 3
#define SECOND CLOCK_SECOND
#define DAY (86400 * SECOND)
#define TOKEN "0123456789abcdef"
#define OTHER_TOKEN "0123456789abcdee"
#define OTHER_DIGEST "xxh128:00000000000000000000000000000000"

static const struct ends ends = {.peer = "192.0.2.7:40000", .local = "192.0.2.1:9009"};

/* That of the program under test: so the token is known. */
ssize_t getrandom(void *buffer, size_t size, unsigned flags)
{
	uint64_t bits = 0x0123456789abcdef;

	(void)flags;
	memcpy(buffer, &bits, size);
	return (ssize_t)size;
}

struct trial {
	struct memory memory;
	struct recv_policy policy;
	struct progress progress;
	struct transfer_result result;
	struct err err;
};

static void note_claim(void *context)
{
	memory_note(context, "claim");
}

/* A receiver that resumes, and has the first bytes of DATA. */
static void prepare(struct trial *trial, size_t part)
{
	memory_init(&trial->memory);
	memory_has_part(&trial->memory, DATA, part);
	trial->policy = (struct recv_policy){
	    .limits = {.idle = 0, .end = DEADLINE_NEVER},
	    .chunk = CHUNK,
	    .may_be_stray = true,
	    .gives_receipts = true,
	    .resumes = true,
	    .progress = &trial->progress,
	    .on_claim = note_claim,
	    .context = &trial->memory,
	};
	trial->progress = (struct progress){.bytes = 0};
	trial->err = (struct err){.kind = ERR_NONE};
}

static int run(struct trial *trial)
{
	struct memory *memory = &trial->memory;
	int status = transfer_recv(&memory->channel, &memory->sink, &ends, &trial->policy,
	    &trial->result, &trial->err);

	CHECK(!memory->is_stuck);
	return status;
}

/* The line of a sender that has DATA, or so many bytes of it, and leaves out the first. */
static const char *line(size_t from, size_t size)
{
	static char text[RESUME_LINES_MAX];
	struct resume_from says = {.from = (int64_t)from, .size = (int64_t)size, .token = TOKEN};

	memory_digest(DATA, from, says.digest);
	resume_lines_write_from(text, &says);
	return text;
}

/* It answers so, and sends what follows of DATA. */
static void answers(struct trial *trial, size_t from, size_t size)
{
	PEER(&trial->memory, SPEAKS, .at_words = true, .bytes = line(from, size));
	if (size > from)
		PEER(&trial->memory, SPEAKS, .bytes = &DATA[from], .n = size - from);
}

/* The first bytes of DATA are committed. Of these, resumed ones did not come. */
static void stores(struct trial *trial, size_t resumed, size_t size)
{
	struct memory *memory = &trial->memory;
	char digest[DIGEST_TEXT_MAX];
	char said[512];

	if (!CHECK_INT(run(trial), 0))
		CHECK_STR(trial->err.text, "");
	CHECK(memory->has_committed && memory->has_settled);
	CHECK_INT((intmax_t)memory->stored_len, (intmax_t)size);
	CHECK(memcmp(memory->stored, DATA, size) == 0);
	CHECK_INT(trial->result.end, TRANSFER_STORED);
	CHECK_INT(trial->result.bytes, (intmax_t)size);
	CHECK_INT(trial->result.resumed_at, (intmax_t)resumed);
	CHECK(!trial->result.is_broken);
	memory_digest(DATA, size, digest);
	CHECK_STR(trial->result.digest, digest);
	snprintf(said, sizeof(said),
	    "sockxfer/1 have %lld " TOKEN "\nsockxfer/1 received %zu %s\nsockxfer/1 stored\n",
	    (long long)memory->sink.part, size, digest);
	CHECK_STR(memory->said, said);
}

/* Nothing is committed, and the peer has been told why: behind "failed ", or "" for nothing. */
static void fails(struct trial *trial, enum err_kind kind, bool is_broken, const char *text,
    const char *why)
{
	struct memory *memory = &trial->memory;
	char said[512];

	CHECK_INT(run(trial), -1);
	CHECK(!memory->has_committed && !memory->has_settled);
	CHECK_INT(trial->err.kind, kind);
	CHECK_HAS(trial->err.text, text);
	CHECK(trial->result.is_broken == is_broken);
	snprintf(said, sizeof(said), "sockxfer/1 have %lld " TOKEN "\n%s%s%s",
	    (long long)memory->sink.part, *why == '\0' ? "" : "sockxfer/1 failed ", why,
	    *why == '\0' ? "" : "\n");
	CHECK_STR(memory->said, said);
}

/* And the part is as it was. */
static void fails_at_once(struct trial *trial, enum err_kind kind, bool is_broken, const char *text,
    const char *why)
{
	fails(trial, kind, is_broken, text, why);
	CHECK_INT((intmax_t)trial->memory.stored_len, 0);
}

/* Both ends resume */

static void fresh(void)
{
	struct trial trial;

	prepare(&trial, 0);
	answers(&trial, 0, SIZE);
	PEER(&trial.memory, ENDS);
	stores(&trial, 0, SIZE);
	CHECK(trial.result.both_resume);
	CHECK_INT(trial.progress.total, SIZE);
	CHECK_INT(trial.progress.from, 0);
	CHECK_STR(trial.memory.log,
	    "say:have claim begin write:10 say:received commit say:stored settle");
}

static void at_part(void)
{
	struct trial trial;

	prepare(&trial, PART);
	answers(&trial, PART, SIZE);
	PEER(&trial.memory, ENDS);
	stores(&trial, PART, SIZE);
	CHECK(trial.result.both_resume);
	CHECK_INT(trial.progress.total, SIZE);
	CHECK_INT(trial.progress.from, PART);
	CHECK_INT(trial.progress.bytes, SIZE);
	CHECK_STR(trial.memory.log,
	    "say:have claim read:3 read:1 resume begin write:6 say:received commit say:stored settle");
}

static void complete(void)
{
	struct trial trial;

	prepare(&trial, SIZE);
	answers(&trial, SIZE, SIZE);
	PEER(&trial.memory, ENDS);
	stores(&trial, SIZE, SIZE);
	CHECK_STR(trial.memory.log, "say:have claim read:3 read:3 read:3 read:1 resume "
				    "say:received begin commit say:stored settle");
}

static void shorter(void)
{
	struct trial trial;

	prepare(&trial, SIZE);
	answers(&trial, 0, PART);
	PEER(&trial.memory, ENDS);
	stores(&trial, 0, PART);
	CHECK_INT((intmax_t)trial.memory.part_read, 0);
}

/* An empty one has been announced, so nobody doubts it, and it takes no time. */
static void empty(void)
{
	struct trial trial;

	prepare(&trial, 0);
	answers(&trial, 0, 0);
	PEER(&trial.memory, ENDS);
	stores(&trial, 0, 0);
	CHECK_INT(memory_time(), 0);
}

static void any_pieces(void)
{
	struct trial trial;

	for (size_t chunk = 1; chunk <= SIZE + 1; chunk++) {
		for (size_t recv_max = 1; recv_max <= RESUME_LINES_MAX; recv_max++) {
			for (size_t part = 0; part <= SIZE; part += PART) {
				check_row("%zu, chunks of %zu, %zu at a time", part, chunk,
				    recv_max);
				prepare(&trial, part);
				trial.policy.chunk = chunk;
				trial.memory.recv_max = recv_max;
				answers(&trial, part, SIZE);
				PEER(&trial.memory, ENDS);
				stores(&trial, part, SIZE);
			}
		}
	}
}

/* The line, and each of its pieces, may come by itself. */
static void split_line(void)
{
	struct trial trial;
	const char *text = line(PART, SIZE);

	for (size_t cut = 1; cut < strlen(text); cut++) {
		check_row("after %zu", cut);
		prepare(&trial, PART);
		PEER(&trial.memory, SPEAKS, .bytes = text, .n = cut);
		PEER(&trial.memory, SPEAKS, .at = SECOND, .bytes = text + cut);
		PEER(&trial.memory, SPEAKS, .bytes = &DATA[PART]);
		PEER(&trial.memory, ENDS);
		stores(&trial, PART, SIZE);
	}
}

static void larger_than_said(void)
{
	struct trial trial;

	prepare(&trial, PART);
	answers(&trial, PART, SIZE - 1);
	PEER(&trial.memory, SPEAKS, .bytes = &DATA[SIZE - 1]);
	PEER(&trial.memory, ENDS);
	stores(&trial, PART, SIZE);
}

/* A proxy makes an end of a reset. Another try may get further, so nobody says that it failed. */
static void smaller_than_said(void)
{
	struct trial trial;

	prepare(&trial, PART);
	PEER(&trial.memory, SPEAKS, .bytes = line(PART, SIZE));
	PEER(&trial.memory, SPEAKS, .bytes = &DATA[PART], .n = 2);
	PEER(&trial.memory, ENDS);
	fails(&trial, ERR_FAILED, true, "receive: the stream ended after 6 of 10 bytes", "");
	CHECK_INT((intmax_t)trial.memory.stored_len, 6);
	CHECK_INT(trial.result.bytes, 6);
}

static void expected(void)
{
	struct trial trial;
	char digest[DIGEST_TEXT_MAX];

	memory_digest(DATA, SIZE, digest);
	prepare(&trial, PART);
	trial.policy.expect = digest;
	answers(&trial, PART, SIZE);
	PEER(&trial.memory, ENDS);
	stores(&trial, PART, SIZE);

	prepare(&trial, PART);
	trial.policy.expect = OTHER_DIGEST;
	answers(&trial, PART, SIZE);
	PEER(&trial.memory, ENDS);
	CHECK_INT(run(&trial), -1);
	CHECK_INT(trial.err.kind, ERR_MISMATCH);
	CHECK(!trial.memory.has_committed && !trial.result.is_broken);
}

/* The part is of another file, or the line is not right */

static void differs(void)
{
	struct trial trial;

	prepare(&trial, PART);
	memory_has_part(&trial.memory, "0x23", PART);
	answers(&trial, PART, SIZE);
	PEER(&trial.memory, ENDS);
	fails_at_once(&trial, ERR_MISMATCH, false, "the first 4 bytes differ",
	    "the first 4 bytes differ");
	CHECK_HAS(trial.err.advice, "send once without -R");
	CHECK_STR(trial.memory.log, "say:have claim read:3 read:1 say:failed");
}

static void wrong_lines(void)
{
	static const char *const lines[] = {
	    "sockxfer/1 from +4 10 " TOKEN " " OTHER_DIGEST "\n",
	    "sockxfer/1 from 04 10 " TOKEN " " OTHER_DIGEST "\n",
	    "sockxfer/1 from 4 3 " TOKEN " " OTHER_DIGEST "\n",
	    "sockxfer/1 from 4 10 " TOKEN "\n",
	    "sockxfer/1 from 4 10 " TOKEN " " OTHER_DIGEST " \n",
	    "sockxfer/1 from " TOKEN " " OTHER_DIGEST "\n",
	};
	struct trial trial;

	for (size_t i = 0; i < ROWS(lines); i++) {
		check_row("%s", lines[i]);
		prepare(&trial, PART);
		PEER(&trial.memory, SPEAKS, .bytes = lines[i]);
		PEER(&trial.memory, SPEAKS, .bytes = DATA);
		PEER(&trial.memory, ENDS);
		fails_at_once(&trial, ERR_FAILED, false, "the sender says wrongly where it goes on",
		    "the sender says wrongly where it goes on");
		CHECK_INT((intmax_t)trial.memory.part_read, 0);
	}
}

static void wrong_number(void)
{
	struct trial trial;

	prepare(&trial, PART);
	answers(&trial, PART - 1, SIZE);
	PEER(&trial.memory, ENDS);
	fails_at_once(&trial, ERR_FAILED, false, "the sender goes on after 3 bytes, but 4 are here",
	    "the sender goes on after 3 bytes, but 4 are here");

	prepare(&trial, PART);
	PEER(&trial.memory, SPEAKS,
	    .bytes = "sockxfer/1 from 0 10 " TOKEN " " OTHER_DIGEST "\n" DATA);
	PEER(&trial.memory, ENDS);
	fails_at_once(&trial, ERR_FAILED, false, "the sender has a digest of no bytes",
	    "the sender has a digest of no bytes");
}

static void too_large(void)
{
	struct trial trial;

	prepare(&trial, PART);
	trial.policy.max_size = SIZE - 1;
	PEER(&trial.memory, SPEAKS, .bytes = line(PART, SIZE));
	fails_at_once(&trial, ERR_FAILED, false, "too large: more than 9 bytes",
	    "too large: more than 9 bytes");
	CHECK_INT((intmax_t)trial.memory.part_read, 0);

	prepare(&trial, PART);
	trial.policy.max_size = SIZE;
	answers(&trial, PART, SIZE);
	PEER(&trial.memory, ENDS);
	stores(&trial, PART, SIZE);

	/* The size is what the sender says: the bytes count, those of the part, too. */
	prepare(&trial, PART);
	trial.policy.max_size = SIZE - 1;
	answers(&trial, PART, SIZE - 1);
	PEER(&trial.memory, SPEAKS, .bytes = "9");
	PEER(&trial.memory, ENDS);
	fails(&trial, ERR_FAILED, false, "too large: more than 9 bytes",
	    "too large: more than 9 bytes");
}

/* The sender does not resume, or is another program */

static void plain(void)
{
	struct trial trial;

	for (size_t recv_max = 1; recv_max <= SIZE; recv_max++) {
		check_row("%zu at a time", recv_max);
		prepare(&trial, PART);
		trial.memory.recv_max = recv_max;
		PEER(&trial.memory, SPEAKS, .bytes = DATA);
		PEER(&trial.memory, ENDS);
		stores(&trial, 0, SIZE);
		CHECK(!trial.result.both_resume);
		CHECK_INT((intmax_t)trial.memory.part_read, 0);
	}
}

/* What begins as the line does, and has not the token, is data: all of it, in any pieces. */
static void like_a_line(void)
{
	static const char *const texts[] = {
	    "sockxfer/1 from 4 10 " OTHER_TOKEN " " OTHER_DIGEST "\nmore",
	    "sockxfer/1 from\n",
	    "sockxfer/1 from here\n",
	    "sockxfer/1 have 4 " TOKEN "\n",
	    "\n",
	    "sockxfer/2 from 4 10 " TOKEN " " OTHER_DIGEST "\n",
	};
	struct trial trial;

	for (size_t i = 0; i < ROWS(texts); i++) {
		for (size_t recv_max = 1; recv_max <= 80; recv_max++) {
			check_row("%s, %zu at a time", texts[i], recv_max);
			prepare(&trial, PART);
			trial.memory.recv_max = recv_max;
			PEER(&trial.memory, SPEAKS, .bytes = texts[i]);
			PEER(&trial.memory, ENDS);
			CHECK_INT(run(&trial), 0);
			CHECK_INT((intmax_t)trial.memory.stored_len, (intmax_t)strlen(texts[i]));
			CHECK(memcmp(trial.memory.stored, texts[i], strlen(texts[i])) == 0);
			CHECK(!trial.result.both_resume);
		}
	}
}

/* A line without an end is data once it is too long for one. */
static void endless(void)
{
	static char text[1000];
	struct trial trial;

	memset(text, 'x', sizeof(text));
	memcpy(text, "sockxfer/1 from ", 16);
	for (size_t size = RESUME_LINES_MAX; size <= sizeof(text); size += 124) {
		check_row("%zu", size);
		prepare(&trial, PART);
		PEER(&trial.memory, SPEAKS, .bytes = text, .n = size);
		PEER(&trial.memory, ENDS);
		CHECK_INT(run(&trial), 0);
		CHECK_INT((intmax_t)trial.memory.stored_len, (intmax_t)size);
		CHECK(memcmp(trial.memory.stored, text, size) == 0);
	}
}

/* A stranger that closes with our line unread resets the connection. */
static void stranger_closes(void)
{
	struct trial trial;

	prepare(&trial, PART);
	PEER(&trial.memory, SPEAKS, .bytes = DATA);
	PEER(&trial.memory, RESETS, .n = ECONNRESET);
	fails(&trial, ERR_FAILED, true, "receive: connection reset after 10 bytes", "");
	CHECK_HAS(trial.err.advice, "leave out -R");
}

static void nobody(void)
{
	struct trial trial;

	prepare(&trial, PART);
	PEER(&trial.memory, RESETS, .n = ECONNRESET);
	CHECK_INT(run(&trial), -1);
	CHECK_INT(trial.err.kind, ERR_STRAY);
	CHECK_STR(trial.memory.log, "say:have");
}

/* Death */

static void dies_in_its_line(void)
{
	struct trial trial;
	const char *text = line(PART, SIZE);

	for (size_t cut = 1; cut < strlen(text); cut++) {
		check_row("after %zu", cut);
		prepare(&trial, PART);
		PEER(&trial.memory, SPEAKS, .bytes = text, .n = cut);
		PEER(&trial.memory, RESETS, .n = ECONNRESET);
		fails_at_once(&trial, ERR_FAILED, true, "receive: connection reset after 0 bytes",
		    "");
		CHECK_STR(trial.memory.log, "say:have claim");
		/* The same behind a proxy, which makes an end of it. */
		prepare(&trial, PART);
		PEER(&trial.memory, SPEAKS, .bytes = text, .n = cut);
		PEER(&trial.memory, ENDS);
		fails_at_once(&trial, ERR_FAILED, true,
		    "receive: the stream ended within the line of a sender that resumes", "");
	}
}

/* An end that is certain is one of a file that begins so. */
static void ends_like_a_line(void)
{
	struct trial trial;

	prepare(&trial, PART);
	trial.memory.peer = CHANNEL_PEER_DONE;
	PEER(&trial.memory, SPEAKS, .bytes = "sock");
	PEER(&trial.memory, ENDS);
	CHECK_INT(run(&trial), 0);
	CHECK_INT((intmax_t)trial.memory.stored_len, 4);
}

static void resets_later(void)
{
	struct trial trial;

	for (size_t part = 0; part <= SIZE; part += PART) {
		for (size_t size = part; size <= SIZE; size++) {
			char text[64];
			check_row("%zu of %zu", part, size);
			prepare(&trial, part);
			answers(&trial, part, size);
			PEER(&trial.memory, RESETS, .at = SECOND, .n = ECONNRESET);
			snprintf(text, sizeof(text), "connection reset after %zu bytes", size);
			fails(&trial, ERR_FAILED, true, text, "");
			CHECK_INT((intmax_t)trial.memory.stored_len, (intmax_t)size);
			CHECK_INT(trial.result.bytes, (intmax_t)size);
			CHECK_INT(trial.result.resumed_at, (intmax_t)part);
		}
	}
}

static void goes_while_compared(void)
{
	struct trial trial;

	prepare(&trial, PART);
	trial.memory.read_time = SECOND;
	answers(&trial, PART, SIZE);
	PEER(&trial.memory, RESETS, .at = SECOND, .n = ECONNRESET);
	fails_at_once(&trial, ERR_FAILED, true, "receive: connection reset after 0 bytes", "");
	CHECK_STR(trial.memory.log, "say:have claim read:3");
}

/* What is wrong here is said, and no other try would do better. */
static void local_failures(void)
{
	static const char *const calls[] = {"read_part", "resume", "begin", "write", "commit"};
	struct trial trial;

	for (size_t i = 0; i < ROWS(calls); i++) {
		check_row("%s", calls[i]);
		prepare(&trial, PART);
		trial.memory.fails = calls[i];
		trial.memory.fault_errnum = EIO;
		answers(&trial, PART, SIZE);
		PEER(&trial.memory, ENDS);
		CHECK_INT(run(&trial), -1);
		CHECK(trial.memory.has_failed && !trial.memory.has_committed);
		CHECK(!trial.result.is_broken);
		CHECK_HAS(trial.memory.said, "sockxfer/1 failed Input/output error\n");
	}
}

/* Time */

/* -w: a sender may read what we have before it says anything, and we may compare it. */
static void no_idle_limit_for_the_check(void)
{
	struct trial trial;

	prepare(&trial, PART);
	trial.policy.limits.idle = SECOND;
	trial.memory.read_time = DAY;
	PEER(&trial.memory, SPEAKS, .at = DAY, .bytes = line(PART, SIZE));
	PEER(&trial.memory, SPEAKS, .bytes = &DATA[PART]);
	PEER(&trial.memory, ENDS);
	stores(&trial, PART, SIZE);
}

static void idle_limit(void)
{
	struct trial trial;

	/* There is nothing to read. */
	prepare(&trial, 0);
	trial.policy.limits.idle = SECOND;
	fails_at_once(&trial, ERR_TIMEOUT, true, "receive: timed out after 0 bytes", "");
	CHECK_INT(memory_time(), SECOND);

	/* The line has begun. */
	prepare(&trial, PART);
	trial.policy.limits.idle = SECOND;
	PEER(&trial.memory, SPEAKS, .at = DAY, .bytes = "sockxfer/1 f");
	fails_at_once(&trial, ERR_TIMEOUT, true, "receive: timed out after 0 bytes", "");
	CHECK_INT(memory_time(), DAY + SECOND);

	/* The rest: the sender may have slept, and try again. */
	prepare(&trial, PART);
	trial.policy.limits.idle = SECOND;
	answers(&trial, PART, SIZE - 1);
	fails(&trial, ERR_TIMEOUT, true, "receive: timed out after 9 bytes", "");
}

static void total_limit(void)
{
	struct trial trial;

	for (int64_t read_time = 0; read_time <= 3 * SECOND; read_time += 3 * SECOND) {
		prepare(&trial, PART);
		trial.policy.limits.end = MEMORY_START + 2 * SECOND;
		trial.memory.read_time = read_time;
		if (read_time > 0)
			answers(&trial, PART, SIZE);
		CHECK_INT(run(&trial), -1);
		CHECK_INT(trial.err.kind, ERR_TIMEOUT);
		CHECK_HAS(trial.err.text, "the time limit of -W has passed");
		CHECK(!trial.result.is_broken);
		CHECK_INT((intmax_t)trial.memory.stored_len, 0);
	}
}

int main(void)
{
	promise("without a part the stream begins at 0, and its size is known", fresh);
	promise("a part is compared, and gone on with", at_part);
	promise("nothing has to come for a part that is complete", complete);
	promise("a source that is shorter than the part is a whole stream", shorter);
	promise("an empty stream that was announced is stored at once", empty);
	promise("it makes no difference how line and bytes are cut up", any_pieces);
	promise("the line may come in two pieces, cut anywhere", split_line);
	promise("a stream that is longer than its sender said is stored", larger_than_said);
	promise("one that is shorter was cut, and is not", smaller_than_said);
	promise("the expected digest is that of the whole", expected);
	promise("a part of another file is told of, and as it was", differs);
	promise("a line that is not quite one is neither followed nor stored", wrong_lines);
	promise("a line that says what cannot be is not followed", wrong_number);
	promise("a stream that will be too large fails at once", too_large);
	promise("a sender that does not resume sends a whole stream", plain);
	promise("data that look like the line are data", like_a_line);
	promise("a line that does not end is data", endless);
	promise("a stranger that closes without having read is one not to resume with",
	    stranger_closes);
	promise("who goes without a byte is a stray", nobody);
	promise("a sender that dies in its line changes nothing", dies_in_its_line);
	promise("an end that is certain makes the beginning of a line a file", ends_like_a_line);
	promise("a sender that dies later leaves what has come", resets_later);
	promise("a sender that goes while the part is compared is noticed", goes_while_compared);
	promise("a failure of ours is said, and no reason to try again", local_failures);
	promise("while either end reads what is there, -w does not run",
	    no_idle_limit_for_the_check);
	promise("otherwise it does", idle_limit);
	promise("-W always runs", total_limit);
	return check_end();
}
