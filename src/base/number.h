/*
 * Numbers as people type them, and as programs write them, read strictly: without a sign or a
 * space. The C library's readers accept " 80", "+80" and "80x", and read 65536 as port 0. No
 * function here blocks.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Whether text consists of decimal digits only, at least one. */
bool number_is_decimal(const char *text);

/*
 * Reads the number at the beginning of text as printf(3) writes one that is not negative: decimal
 * digits, without a leading zero. Returns the text behind it, or NULL if there is no such number,
 * or it is larger than *number can be.
 */
const char *number_written(const char *text, int64_t *number);

/*
 * Reads a whole number from min, at least 0, to max (strtonum(3)). Returns it, or -1 with
 * ERR_USAGE and what is wrong with text.
 */
long long number_integer(const char *text, long long min, long long max, struct err *err);

/*
 * Reads a count of bytes from 1 to max with an optional suffix K, M, G or T for powers of 1024
 * (expand_number(3)). Returns it, or -1 with ERR_USAGE.
 */
int64_t number_size(const char *text, int64_t max, struct err *err);

/* Reads seconds above 0, maybe with a fraction. Returns nanoseconds, or -1 with ERR_USAGE. */
int64_t number_seconds(const char *text, struct err *err);

#endif
