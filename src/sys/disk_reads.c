#include "sys/disk_reads.h"

#include <sys/resource.h>

int64_t disk_reads_blocks(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_inblock : 0;
}
