/*
 * A first walk through a tree that is sent: how many bytes its archive has, found out beside the
 * transfer for those who watch it. What changes between the two walks makes it an estimate.
 */
#ifndef FIRST_WALK_H
#define FIRST_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "data/source.h"
#include "data/tree_walk.h"
#include "transfer/progress.h"

struct first_walk {
	struct tree_walk_options files;
	struct progress *progress;
	struct source *source; /* of these files, to be measured; NULL: it is not open */
	int64_t bytes;         /* so far */
};

/*
 * Returns a walk through these files that has not begun. What files points to, and progress, have
 * to outlive it. Does not block.
 */
struct first_walk first_walk_of(const struct tree_walk_options *files, struct progress *progress);

/*
 * As measure() of a meter (ui/progress_meter.h), of which the walk is the context: goes on by one
 * entry, and in the end notes the total, unless something was wrong with the tree. Blocks for no
 * longer than the file system takes.
 */
bool first_walk_go_on(void *context);

/* Ends the walk, wherever it is. A second call does nothing. */
void first_walk_close(struct first_walk *walk);

#endif
