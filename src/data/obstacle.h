/*
 * What would keep a new file from taking its name in the end, told before any data are received.
 * No function here blocks for longer than the file system takes.
 */
#ifndef OBSTACLE_H
#define OBSTACLE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"
#include "sys/place.h"

/*
 * Checks that place can get a new file and, if old is not NULL, that this file, which has the name,
 * can be replaced. path is for messages. *is_append_only becomes whether names can be made in the
 * directory, but neither changed nor removed. Returns 0, or -1 with ERR_FAILED.
 */
int obstacle_check(const struct place *place, const char *path, const struct stat *old,
    bool *is_append_only, struct err *err);

#endif
