/* A rename that replaces nothing. */
#ifndef RENAME_NEW_H
#define RENAME_NEW_H

/*
 * Gives what is called from in the directory from_dir the name to in the directory to_dir, and
 * fails with EEXIST if that is taken, on any file system. Where renameat2(2) cannot do so, others
 * may see for a moment an empty file, or an empty directory, of the final name. Returns 0, or -1
 * with errno set. Blocks for no longer than the file system takes.
 */
int rename_new(int from_dir, const char *from, int to_dir, const char *to);

#endif
