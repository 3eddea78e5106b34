/*
 * A file as a sink, which appears under its name at the commit, when it is whole: under the name
 * given, or in an inbox under a name made of time and peer (inbox_name.h).
 */
#ifndef SINK_FILE_H
#define SINK_FILE_H

#include <stdbool.h>

#include "data/sink.h"
#include "sys/place.h"

/*
 * Makes a sink of the file at path, which leads to place; that becomes the sink's. Its object, if
 * there is one, is a file that is going to be replaced. A file that appears meanwhile is replaced
 * too, but makes the commit fail if no_clobber, or if it is a stranger's (place.h). sync says what
 * is waited for until it is on the device. Unless is_tried, as another
 * sink of that path has been opened before, what the commit needs is tried now. path has to outlive
 * the sink.
 * If the directory was moved, the commit sets sink->made to the path that the file has then.
 * Returns the sink, the caller's to close, or NULL with ERR_FAILED if there can be no such file.
 * Does not block.
 */
struct sink *sink_file_open(const char *path, struct place *place, bool no_clobber,
    enum sink_sync sync, bool is_tried, struct err *err);

/*
 * Makes sink, of sink_file_open(), one that leaves a part (part.h), once there is 1 MiB, if it is
 * closed without a commit; and opens the part that is there. A stream from the beginning is written
 * beside that, and takes its place if it breaks off later. The commit removes the part, and nothing
 * else does. Returns 0, or -1 with ERR_FAILED; the caller closes sink in both cases. Does not
 * block.
 */
int sink_file_take_part(struct sink *sink, struct err *err);

/*
 * As sink_file_open(), for a new file in the directory that is the object of place. The commit
 * finds a free name, and sets sink->made to the file's path, also if the sync of the directory
 * fails then.
 */
struct sink *sink_file_open_new(const char *path, struct place *place, enum sink_sync sync,
    bool is_tried, struct err *err);

#endif
