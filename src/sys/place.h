/*
 * Where a path leads: a directory, a name in it, and what has that name. The path is walked once,
 * link by link, and what was found is kept in descriptors. So what was checked is what is used,
 * even if the path leads elsewhere meanwhile, as other users can make it in a directory that they
 * may write to.
 *
 * A stranger's object is one in a sticky directory that others may write to, as /tmp, that belongs
 * neither to us nor to the owner of the directory: a trap, maybe. Its rules are those of Linux with
 * fs.protected_symlinks = 1, protected_fifos = 2 and protected_regular = 2 (proc(5)), whatever the
 * settings of this machine; for links they hold for every component of a path, and not only for
 * the last.
 *
 * No function here blocks for longer than the file system takes.
 */
#ifndef PLACE_H
#define PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"

struct place {
	int dir;                 /* the directory, O_PATH: for the *at() calls only; -1: closed */
	char name[NAME_MAX + 1]; /* the name in the directory, which may be "." or ".." */
	int object;              /* what has the name, O_PATH, no symbolic link; -1: nothing */
	struct stat st;          /* the status of the object */
	bool is_link;            /* the path ends in a symbolic link, which was followed */
	/* the name is a link of /proc to what may have no other name, or none that we can reach */
	bool is_magic;
	/* a directory on the way is a stranger's, who can put another, or a link, in its place */
	bool is_loose;
};

/*
 * Finds where path leads, through symbolic links as open(2) follows them, but not through a
 * stranger's. What the path names need not be there, unless the path ends in a slash. Returns 0,
 * place then being the caller's to close, or -1 with ERR_FAILED and the reason alone, without the
 * path, as the text; place is closed then, but is_link is valid.
 */
int place_find(struct place *place, const char *path, struct err *err);

/*
 * Opens the object that was found, and no other, with the flags of open(2), of which O_CLOEXEC is
 * added. Blocks as open(2) of the object. Returns the descriptor, or -1 with errno set: ENOENT if
 * nothing was found, ESTALE if /proc is missing and the object has lost its name.
 */
int place_open(const struct place *place, int flags);

/*
 * Opens what path leads to, as place_find() finds it and place_open() opens it. Returns the
 * descriptor, or -1 with ERR_FAILED and the path in the text.
 */
int place_open_path(const char *path, int flags, struct err *err);

/* Makes the object, which has to be a directory, the directory of place, where no name is yet. */
void place_enter(struct place *place);

/*
 * Closes the object; the place goes on to have its status. (Where the object of an open descriptor
 * is replaced, NFS keeps the old one under another name.)
 */
void place_drop_object(struct place *place);

/* Whether st, the status of what has the name of place at some time, is that of a stranger's. */
bool place_is_strangers(const struct place *place, const struct stat *st);

/*
 * Checks that st is not that of a stranger's object. Returns 0, or -1 with ERR_FAILED, EACCES,
 * advice, and a text without the path.
 */
int place_check(const struct place *place, const struct stat *st, struct err *err);

/*
 * Whether path leads to the same name in the same directory, a file need not exist there; or, if
 * the place was entered, to that directory.
 */
bool place_is_at(const struct place *place, const char *path);

/*
 * Finds out whether the directory of place was moved, so that path, by which it was found, does not
 * lead there any more. Then its present path, with the name of place, is written into now, of
 * PATH_MAX bytes. Returns whether it was and has one.
 */
bool place_has_moved(const struct place *place, const char *path, char *now);

/* Whether a and b lead to the same name in the same directory; the file need not exist. */
bool place_is_same(const char *a, const char *b);

/*
 * Whether the file is a mount point, as a container's bind mounts are: rename(2) would fail with
 * EBUSY. It is false where neither statx(2) nor /proc tells.
 */
bool place_is_mount_point(const struct place *place);

/* Closes what is open. A second call does nothing. */
void place_close(struct place *place);

#endif
