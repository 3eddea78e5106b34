/*
 * Sizes, counts, rates and times as people read them: "4.2 MB", "88,064", "35 MB/s", "0.12 s",
 * "1:02:03". Prefixes are powers of 1000, as in file managers, in curl(1) and on the labels of
 * disks. Each function writes to a buffer of the caller, of HUMANIZE_TEXT_MAX bytes; none blocks
 * or fails.
 */
#ifndef HUMANIZE_H
#define HUMANIZE_H

#include <stdint.h>

/* The size of the buffer for each of the texts below. */
#define HUMANIZE_TEXT_MAX 32

/* Writes a size of at least 0 bytes as "999 B", "4.2 MB": at most 6 characters. */
void humanize_bytes(char *text, int64_t bytes);

/* Writes a count of at least 0 with a comma between groups of three digits: "88,064". */
void humanize_count(char *text, int64_t count);

/* Writes the mean rate of so many bytes in ns nanoseconds as "35 MB/s": at most 8 characters. */
void humanize_rate(char *text, int64_t bytes, int64_t ns);

/* Writes how long ns nanoseconds are, as "0.12 s", "12.3 s", "2 min 03 s", "1 h 02 min". */
void humanize_duration(char *text, int64_t ns);

/* Writes ns nanoseconds as a running clock shows them: "0:12", "1:02:03", "4d 03h". */
void humanize_clock(char *text, int64_t ns);

#endif
