/*
 * The monotonic clock, in nanoseconds. Nothing else in the program asks for the time that passes,
 * and the function is alone in its file: a test that defines it itself moves the time as it likes.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_MILLISECOND INT64_C(1000000)

/* The time now (clock_gettime(2), CLOCK_MONOTONIC) in ns; never 0. Does not block or fail. */
int64_t clock_now(void);

#endif
