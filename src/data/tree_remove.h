/* The removal of a directory with all that it holds. */
#ifndef TREE_REMOVE_H
#define TREE_REMOVE_H

/*
 * Removes the directory fd, which has that name in the directory dir, and all below it. Nothing
 * outside is touched: it follows no link, and looks at each name of a directory that it has open.
 * At any depth it has few descriptors open. Directories of ours that we may not write to become
 * writable first. fd stays open, and its offset may be anywhere then. A signal does not end it.
 * Blocks for no longer than the file system takes. Returns 0, or -1 with errno set, when some may
 * be left.
 */
int tree_remove(int fd, int dir, const char *name);

#endif
