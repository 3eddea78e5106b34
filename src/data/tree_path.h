/*
 * The paths of an archive's members, which its maker has chosen: which of them are names in a tree.
 * No function here blocks.
 */
#ifndef TREE_PATH_H
#define TREE_PATH_H

#include "base/err.h"
#include "data/pax.h"

/* Room for a path. */
#define TREE_PATH_MAX (PAX_PATH_MAX + 1)

/*
 * Writes the path of a member, or the target of a hard link, into clean, of TREE_PATH_MAX bytes,
 * without the names "." in it; so the directory "." itself becomes "". Returns 0, or -1 with
 * ERR_FAILED for a path that is absolute, has "..", an empty name, one of more than 255 bytes or a
 * temporary one (temporary.h), or is longer than PAX_PATH_MAX bytes.
 */
int tree_path_clean(char *clean, const char *path, struct err *err);

/*
 * Fills err: the member of that path is refused because of why, to which the reason of errnum is
 * added if that is not 0. Of a long path its two ends are shown. Returns -1.
 */
int tree_path_refuse(const char *path, int errnum, const char *why, struct err *err);

/* Returns the last name in the path. */
const char *tree_path_name(const char *path);

#endif
