/*
 * The two lines by which both ends agree that a transfer goes on where it broke off (-R; PROTOCOL
 * in sockxfer(1)). The receiver says how much it has, and the sender answers in front of its bytes
 * with what those begin at. They are written strictly and read strictly; a line of the sender's
 * that has not the receiver's token is data like any other. No function here blocks.
 */
#ifndef RESUME_LINES_H
#define RESUME_LINES_H

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>

#include "transfer/digest.h"

/* The longest line, its newline included. */
#define RESUME_LINES_MAX 256

/* What the receiver says, for printf(3), if the bytes that it has are not the sender's. */
#define RESUME_LINES_DIFFER "the first %" PRId64 " bytes differ"

/* 16 hexadecimal digits and the final null byte. */
#define RESUME_LINES_TOKEN_MAX 17

/* What the sender says: "sockxfer/1 from 1000 3000 0123456789abcdef xxh128:HEX". */
struct resume_from {
	int64_t from;                       /* the bytes that it leaves out */
	int64_t size;                       /* of its whole source */
	char token[RESUME_LINES_TOKEN_MAX]; /* the one that the receiver has said */
	char digest[DIGEST_TEXT_MAX];       /* of the bytes that it leaves out */
};

/* What the beginning of a sender's stream is. */
enum resume_begin {
	RESUME_UNKNOWN, /* so far it may be our line: more bytes have to come */
	RESUME_DATA,    /* the beginning of the data */
	RESUME_LINE,    /* a line with our token, and maybe bytes behind it */
	RESUME_WRONG,   /* it has our token, and is no such line: neither may be believed */
};

/*
 * Write a line into line, of RESUME_LINES_MAX bytes: that the receiver has so many bytes, or where
 * the sender begins. Return its length without the null byte.
 */
size_t resume_lines_write_have(char *line, int64_t have, const char *token);
size_t resume_lines_write_from(char *line, const struct resume_from *from);

/*
 * Reads the receiver's line, which has no newline. token gets RESUME_LINES_TOKEN_MAX bytes. Returns
 * 0, or -1 if it is no such line.
 */
int resume_lines_read_have(const char *line, int64_t *have, char *token);

/*
 * Reads the first size bytes of a sender's stream, to a receiver that has said token. Fills from,
 * and *len with the length of the line, its newline included, if it is RESUME_LINE.
 */
enum resume_begin resume_lines_read_from(const char *bytes, size_t size, const char *token,
    struct resume_from *from, size_t *len);

#endif
