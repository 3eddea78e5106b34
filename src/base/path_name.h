/* The last component of a path, as text. */
#ifndef PATH_NAME_H
#define PATH_NAME_H

#include <stddef.h>

/*
 * Returns where the last component of path begins; *len becomes its length, without the slashes at
 * its end. Of "/" it is empty. Does not block.
 */
const char *path_name(const char *path, size_t *len);

#endif
