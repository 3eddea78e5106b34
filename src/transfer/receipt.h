/*
 * A receipt: the lines by which a receiver tells the sender, on its own stream, what became of the
 * data (PROTOCOL in sockxfer(1)). It is written strictly and read strictly: if the receiver's
 * stream holds anything else, it is another program's, and nothing in it counts. No function here
 * blocks.
 */
#ifndef RECEIPT_H
#define RECEIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transfer/digest.h"
#include "transfer/resume_lines.h"

/* The longest line, its newline included. */
#define RECEIPT_LINE_MAX 256

enum receipt_state {
	RECEIPT_NONE,     /* no line of a receipt has come yet */
	RECEIPT_RECEIVED, /* the receiver has read to the end: bytes and digest */
	RECEIPT_STORED,   /* the receiver has also committed the data */
	RECEIPT_FAILED,   /* the receiver has failed, and says why: text */
	RECEIPT_FOREIGN,  /* the peer's stream is no receipt */
};

/* The receipt as a sender has heard it so far. Zeroed, it is empty. */
struct receipt {
	enum receipt_state state;
	int64_t bytes;                /* RECEIPT_RECEIVED, RECEIPT_STORED */
	char digest[DIGEST_TEXT_MAX]; /* RECEIPT_RECEIVED, RECEIPT_STORED */
	char text[RECEIPT_LINE_MAX];  /* RECEIPT_FAILED: the peer's text, not to be shown raw */
	/* Before all else one that resumes says, once, how much it has, and its token. */
	bool has_have;
	int64_t have;
	char token[RESUME_LINES_TOKEN_MAX];
	char line[RECEIPT_LINE_MAX]; /* the line that is being read */
	size_t line_len;
};

/*
 * Hears the next size bytes of the receiver's stream. data_ended says whether our stream has ended;
 * before that no receipt but a failure can be true; what a receiver that resumes says first
 * (resume_lines.h) is heard at any time, and is no receipt. Never keeps more than a line.
 */
void receipt_hear(struct receipt *receipt, const char *bytes, size_t size, bool data_ended);

/* Whether a line has begun, as all of ours do, and not ended: a receiver may say it in pieces. */
bool receipt_has_begun(const struct receipt *receipt);

/*
 * Write one of the receiver's lines into line, of RECEIPT_LINE_MAX bytes. Return its length without
 * the null byte. why is cut to fit, and its control characters become spaces.
 */
size_t receipt_write_received(char *line, int64_t bytes, const char *digest);
size_t receipt_write_stored(char *line);
size_t receipt_write_failed(char *line, const char *why);

#endif
