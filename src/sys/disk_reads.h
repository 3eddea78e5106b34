/*
 * How much was read from disks. The function is alone in its file: for a test that defines it
 * itself the disk has been read as it likes.
 */
#ifndef DISK_READS_H
#define DISK_READS_H

#include <stdint.h>

/*
 * Returns how many blocks of 512 bytes the calling thread has had read from disks so far, of files,
 * directories or inodes (getrusage(2), ru_inblock): what was in memory does not count. 0 where the
 * kernel does not count them. Does not block or fail.
 */
int64_t disk_reads_blocks(void);

#endif
