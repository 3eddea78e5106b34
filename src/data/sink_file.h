/*
 * A file as a sink, which appears under its name at the commit, when it is whole: a file that is
 * named, or a new one in a directory, which gets a name of time and peer (inbox_name.h).
 */
#ifndef SINK_FILE_H
#define SINK_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "data/sink.h"

/*
 * Makes a sink of the file path. old is the file that is there, which it is going to replace, or
 * NULL; a file that comes meanwhile is replaced too, or with no_clobber makes the commit fail.
 * sync: the commit waits until file and directory are on the device. path has to outlive the sink.
 * Does not block. Returns the sink, the caller's to close, or NULL with ERR_FAILED if there can be
 * no such file.
 */
struct sink *sink_file_open(const char *path, const struct stat *old, bool no_clobber, bool sync,
    struct err *err);

/*
 * The same for a new file in the directory path. The commit finds a name that no file has, and
 * sink->made is its path then, also if it is the sync of the directory that fails.
 */
struct sink *sink_file_open_new(const char *path, bool sync, struct err *err);

#endif
