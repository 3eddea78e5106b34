#include "base/path_name.h"

#include <string.h>

const char *path_name(const char *path, size_t *len)
{
	size_t end = strlen(path);

	while (end > 0 && path[end - 1] == '/')
		end--;
	size_t begin = end;
	while (begin > 0 && path[begin - 1] != '/')
		begin--;
	*len = end - begin;
	return path + begin;
}
