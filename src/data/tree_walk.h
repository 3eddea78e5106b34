/*
 * The files below some paths, one after the other, to be sent: a directory before what is in it,
 * the names in it sorted, at any depth. No link below a path is followed, and nothing is looked at
 * by name that was not opened: what is handed out is what was found. At most
 * TREE_WALK_DESCRIPTORS directories are open at a time; there may be two walks in one process. No
 * function here blocks for longer than the file system takes.
 */
#ifndef TREE_WALK_H
#define TREE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"

#define TREE_WALK_DESCRIPTORS 16

struct tree_walk_options {
	const char *const
	    *paths; /* files and directories, ended by NULL; each may be a symbolic link */
	/*
	 * The names of the files, and the last components of paths, travel; else there is one path,
	 * a directory, whose content travels.
	 */
	bool names;
	bool skips_unreadable; /* what cannot be read is left out; else it is an error */
	const char *port_file; /* our own, which is left out; or NULL */
	/* is told in a sentence what is left out; text lasts for the call */
	void (*say)(void *context, const char *text);
	void *context;
};

struct tree_walk_item {
	const char *path;   /* in the archive, "." for the content's own directory */
	const char *name;   /* for messages: the path on this machine */
	const char *target; /* of a symbolic link; else NULL */
	int fd;             /* a file, open for reading, the caller's to close; else -1 */
	struct stat st;     /* of a file, a directory or a symbolic link */
};

struct tree_walk;

/*
 * Begins a walk, and opens each path once, to see that it can. first is the first path, if that was
 * opened already, or -1; the walk takes it over. The options have to outlive the walk. Returns it,
 * the caller's to free, or NULL with ERR_FAILED, first still being the caller's: for a path that is
 * not there, cannot be read, or is neither file nor directory.
 */
struct tree_walk *tree_walk_new(const struct tree_walk_options *options, int first,
    struct err *err);

/*
 * Finds the next item, whose strings last until the next call. Left out are sockets, FIFOs and
 * devices, our own temporary files and port file, and what vanishes while the walk goes on. Returns
 * 1, 0 at the end, or -1 with ERR_FAILED.
 */
int tree_walk_next(struct tree_walk *walk, struct tree_walk_item *item, struct err *err);

/*
 * Leaves the item that was handed out last out, for it could not be read, as err says; err is clear
 * then. Returns 0; or -1 with err where what cannot be read is an error, or err is no such failure.
 */
int tree_walk_leave_out(struct tree_walk *walk, struct err *err);

/*
 * From now on has the kernel read the beginnings of the files that come next in a directory, while
 * the one before them is handed out (posix_fadvise(2), POSIX_FADV_WILLNEED): for a disk that many
 * requests at once cost no more than one. Calling it again does nothing.
 */
void tree_walk_read_ahead(struct tree_walk *walk);

/* How many entries have been left out, whatever the reason. */
size_t tree_walk_left_out(const struct tree_walk *walk);

/* How many of them because they could not be read. */
size_t tree_walk_unreadable(const struct tree_walk *walk);

/* Frees the walk, which may be NULL. */
void tree_walk_free(struct tree_walk *walk);

#endif
