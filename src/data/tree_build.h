/*
 * The members of an archive as files below a private directory, in which nobody else makes any.
 * What a member asks for is done as far as that touches nothing outside, and nothing that another
 * member has made; else it is refused. Each open(2) is one of beneath.h; no symbolic link is there
 * before all else is. No function here blocks for longer than the file system takes.
 */
#ifndef TREE_BUILD_H
#define TREE_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "data/pax_read.h"
#include "data/staging.h"

struct tree_build;

struct tree_build_limits {
	int64_t entries; /* the most files, directories and links */
	int64_t bytes;   /* the most bytes of all files; 0: no limit */
};

/*
 * Begins a tree in the private directory of staging, which has to outlive it. Returns it, the
 * caller's to free, or NULL with ERR_FAILED if memory is short.
 */
struct tree_build *tree_build_new(const struct staging *staging,
    const struct tree_build_limits *limits, struct err *err);

/*
 * Returns the listener that makes the members (pax_read.h). Its functions fail with ERR_FAILED, or
 * ERR_INTERRUPTED, and a text that names the member; nothing more can be made then.
 */
struct pax_listener tree_build_listener(struct tree_build *build);

/*
 * When there are no more members, makes the links, and gives all directories their modes and times;
 * but those that are going to be moved stay ours to write to. Returns 0, or -1 with ERR_FAILED.
 */
int tree_build_finish(struct tree_build *build, struct err *err);

/*
 * As the settle() of staging_publish(), of which the build is the context: gives the directories
 * that were moved, which are in dir or are dir itself, their final modes.
 */
void tree_build_settle(void *context, int dir);

/* Returns how many files, directories and links were made. */
int64_t tree_build_entries(const struct tree_build *build);

/* Whether the file system has refused to give files their modes or times. */
bool tree_build_lost_attributes(const struct tree_build *build);

/* Frees it, which may be NULL, and closes its files. */
void tree_build_free(struct tree_build *build);

#endif
