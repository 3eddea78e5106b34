/*
 * Numbers as people type them, read strictly: no sign, no space, nothing behind them. The C library's
 * own readers take " 80", "+80" and "80x", and 65536 as port 0. Nothing here blocks.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Whether text is made of one or more decimal digits and nothing else. */
bool number_is_decimal(const char *text);

/*
 * A whole number from min to max (strtonum(3)). Returns it, or -1 with ERR_USAGE saying what was
 * wrong with text; what is not negative is valid.
 */
long long number_integer(const char *text, long long min, long long max, struct err *err);

/*
 * A count of bytes from 1 to max with an optional suffix K, M, G or T for powers of 1024
 * (expand_number(3)). Returns it, or -1 with ERR_USAGE.
 */
int64_t number_size(const char *text, int64_t max, struct err *err);

/* A time in seconds, fractions allowed, above 0. Returns nanoseconds, or -1 with ERR_USAGE. */
int64_t number_seconds(const char *text, struct err *err);

#endif
