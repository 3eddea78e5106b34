/* Memory that a process shares with those that it forks afterwards. No function here blocks. */
#ifndef SHARED_MEMORY_H
#define SHARED_MEMORY_H

#include <stddef.h>

#include "base/err.h"

/*
 * Returns size bytes, of NULs, the caller's to give back in each process, or NULL with ERR_FAILED
 * if memory is short.
 */
void *shared_memory_open(size_t size, struct err *err);

/* Gives the memory, of size bytes, back; it may be NULL. */
void shared_memory_close(void *memory, size_t size);

#endif
