/*
 * Temporary names, ".sockxfer.00.out" for "out", and the files and directories that have them. One
 * that has such a name is locked (flock(2)) as long as a process works on it; one that is not
 * locked has been left behind by processes that were killed, and is removed by the next that writes
 * to the same name.
 * The names are few, so that they can be looked for without reading the directory, which may be
 * large, or not be readable. No function here blocks for longer than the file system takes.
 */
#ifndef TEMPORARY_H
#define TEMPORARY_H

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

/* How each begins. */
#define TEMPORARY_PREFIX ".sockxfer."

/* Room for a temporary name. */
#define TEMPORARY_MAX (NAME_MAX + 1)

/* How many temporary names are tried, as one may be taken. */
#define TEMPORARY_TRIES 100

/* The mode of a directory with such a name: nobody's who made one for himself is taken for one. */
#define TEMPORARY_MODE (S_ISVTX | 0700)

/*
 * Writes into temp, of TEMPORARY_MAX bytes, the temporary name of that number for the name in the
 * directory dir; one of a high number is random, and never swept. It has the characters of name,
 * and is not longer if name is long, so that a file system that takes it takes name.
 */
void temporary_name(char *temp, int dir, const char *name, unsigned number);

/* Locks the file fd, before it has a temporary name, if the file system has locks. */
void temporary_lock(int fd);

/*
 * Makes a file of that mode, locked and open for writing, and writes its name into temp. Returns
 * its descriptor, or -1 with errno set.
 */
int temporary_open(char *temp, int dir, const char *name, mode_t mode);

/*
 * Makes a private directory, locked and open for reading, and writes its name into temp. Its mode
 * is TEMPORARY_MODE as long as it may be removed; whoever gives it another name changes that.
 * Returns its descriptor, or -1 with errno set.
 */
int temporary_open_directory(char *temp, int dir, const char *name);

/*
 * Removes what was left behind under temporary names of name in the directory dir: files that are
 * ours or belong to owner, the user whose file was to be replaced, and directories that are ours,
 * with all that they hold.
 */
void temporary_sweep(int dir, const char *name, uid_t owner);

/*
 * Removes the directories that were left behind under any temporary name in the directory dir, as
 * temporary_sweep() does. It reads the directory, if we may.
 */
void temporary_sweep_directories(int dir);

#endif
