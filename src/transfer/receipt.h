/*
 * Receipts: the lines by which a receiver tells the sender, on the back channel, what became of the
 * data (PROTOCOL in sockxfer(1)). Written strictly and read strictly: a back channel that holds anything
 * else, from its first byte on, is a stranger's, and nothing in it counts. Nothing here blocks.
 */
#ifndef RECEIPT_H
#define RECEIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transfer/digest.h"

/* The longest line, its newline included. */
#define RECEIPT_LINE_MAX 256

enum receipt_state {
	RECEIPT_NONE,     /* nothing came yet */
	RECEIPT_RECEIVED, /* the receiver has read to the end: bytes and digest */
	RECEIPT_STORED,   /* and has committed it */
	RECEIPT_FAILED,   /* it could not, and says why: text */
	RECEIPT_FOREIGN,  /* what came is no receipt */
};

/* What a sender has heard so far. Zeroed, it has heard nothing. */
struct receipt {
	enum receipt_state state;
	int64_t bytes;                /* RECEIPT_RECEIVED, RECEIPT_STORED */
	char digest[DIGEST_TEXT_MAX]; /* the same */
	char text[RECEIPT_LINE_MAX];  /* RECEIPT_FAILED: the peer's words, not to be shown raw */
	char line[RECEIPT_LINE_MAX];  /* the line that is being read */
	size_t line_len;
};

/*
 * Hears the next size bytes of the back channel. data_ended: our stream has ended, before which no
 * receipt but a failure can be true. Never keeps more than a line.
 */
void receipt_hear(struct receipt *receipt, const char *bytes, size_t size, bool data_ended);

/*
 * Write the receiver's lines into line, of RECEIPT_LINE_MAX bytes, and return their length without the
 * null byte. why is cut to what fits, and its control characters become spaces.
 */
size_t receipt_write_received(char *line, int64_t bytes, const char *digest);
size_t receipt_write_stored(char *line);
size_t receipt_write_failed(char *line, const char *why);

#endif
