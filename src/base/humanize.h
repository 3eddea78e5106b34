/*
 * Sizes, rates and times as people read them: "4.2 MB", "35 MB/s", "0.12 s", "1:02:03". In powers of 1000, as
 * file managers, curl(1) and the makers of disks count. Nothing here blocks.
 */
#ifndef HUMANIZE_H
#define HUMANIZE_H

#include <stdint.h>

/* Room for each of the texts below. */
#define HUMANIZE_TEXT_MAX 24

/* bytes, at least 0, as "999 B", "4.2 MB": at most 6 characters (humanize_number(3)). */
void humanize_bytes(char *text, int64_t bytes);

/* The mean rate of bytes in ns, as "35 MB/s": at most 8 characters. */
void humanize_rate(char *text, int64_t bytes, int64_t ns);

/* How long something took, as "0.12 s", "12.3 s", "2 min 03 s", "1 h 02 min". */
void humanize_duration(char *text, int64_t ns);

/* A time that runs, as "0:12", "1:02:03", "4d 03h". */
void amount_clock(char *text, int64_t ns);

#endif
