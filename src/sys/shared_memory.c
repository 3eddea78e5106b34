#include "sys/shared_memory.h"

#include <sys/mman.h>

void *shared_memory_open(size_t size, struct err *err)
{
	const int flags = MAP_SHARED | MAP_ANONYMOUS;
	/* cppcheck-suppress invalidFunctionArg ; -1: there is no file (mmap(2)) */
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (memory != MAP_FAILED)
		return memory;
	err_sys(err, "shared memory");
	return NULL;
}

void shared_memory_close(void *memory, size_t size)
{
	if (memory != NULL)
		munmap(memory, size);
}
