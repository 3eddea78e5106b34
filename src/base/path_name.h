/* A path and its last component, as text. No function here blocks. */
#ifndef PATH_NAME_H
#define PATH_NAME_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Returns where the last component of path begins; *len becomes its length, without the slashes at
 * its end. Of "/" it is empty.
 */
const char *path_name(const char *path, size_t *len);

/* Returns the length of path without the slashes at its end, of which the first byte is none. */
size_t path_name_end(const char *path);

/* Whether a name of len bytes is "." or "..". */
bool path_name_is_dots(const char *name, size_t len);

#endif
