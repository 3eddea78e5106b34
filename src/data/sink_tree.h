/*
 * A tree as a sink: the stream is a tar archive, whose members become files at the commit, all of
 * them or none, in a new directory or in one that is there (staging.h).
 */
#ifndef SINK_TREE_H
#define SINK_TREE_H

#include <stdbool.h>

#include "base/err.h"
#include "data/sink.h"
#include "data/tree_build.h"
#include "sys/place.h"

/*
 * Makes a sink of path, which leads to place; that becomes the sink's. Its object, if there is one,
 * is a directory that gets the entries of the tree; else the tree becomes a directory of that name.
 * What is there already is neither replaced nor merged with, but makes the sink fail. sync says
 * whether all is on the device before the commit is done. Unless is_tried, as another sink of that
 * path has been opened before, it looks for all that was left there by receivers that were killed.
 *
 * The commit sets sink->made_list, and sink->entries. Returns the sink, the caller's to close, or
 * NULL with ERR_FAILED if there can be no tree. Blocks for no longer than the file system takes.
 */
struct sink *sink_tree_open(const char *path, struct place *place,
    const struct tree_build_limits *limits, enum sink_sync sync, bool is_tried, struct err *err);

#endif
