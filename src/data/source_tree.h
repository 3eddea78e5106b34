/* The source that is the pax archive of files and directories, made while it is read. */
#ifndef SOURCE_TREE_H
#define SOURCE_TREE_H

#include "base/err.h"
#include "data/source.h"
#include "data/tree_walk.h"

/*
 * Opens the archive of what the walk with these options finds; what they point to has to outlive
 * the source. first is as for tree_walk_new(), and name is for messages. A file has the size of
 * when it is opened: what is appended later is left out, and one of up to 1 MiB that has become
 * shorter is sent as it is. The source fails for a larger one that does, or that cannot be read to
 * its end, and for what the walk fails for. Returns the source, the caller's to close, or NULL with
 * ERR_FAILED.
 */
struct source *source_tree_open(const struct tree_walk_options *options, int first,
    const char *name, struct err *err);

/*
 * Adds to *bytes those of the next member, or of the archive's end, of a source that is measured
 * and not read: no content is. Returns 1, 0 behind the end, or -1 with ERR_FAILED. Does not block
 * for longer than the file system takes.
 */
int source_tree_measure(struct source *source, int64_t *bytes, struct err *err);

#endif
