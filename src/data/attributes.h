/*
 * What a new file takes over from the old one that it replaces: its mode, its ACL, its owner and
 * group. What cannot be taken over is left out so that nobody may read the new file who could not
 * read the old one, its new owner excepted. Extended attributes beyond the ACL, as capabilities,
 * and labels are not taken over: they were given to the old contents, and the system labels a new
 * file itself. No function here blocks for longer than the file system takes, but
 * attributes_lost().
 */
#ifndef ATTRIBUTES_H
#define ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "data/acl.h"

struct attributes {
	uid_t uid;
	gid_t gid;
	struct acl acl; /* or what the mode says, if there is none */
};

/*
 * Reads those of the regular file of that name in the directory dir. *st becomes the status of the
 * very file whose they are, for the name may have been given to another one since it was looked at.
 * Of an ACL that cannot be read only the owner's rights are known, and taken. Returns 1, or 0 if
 * there is no such file, or -1 with errno set.
 */
int attributes_read(int dir, const char *name, struct stat *st, struct attributes *attributes);

/*
 * Reads those of the open file fd; of one that cannot be read, as if it was ours and private.
 */
void attributes_of(int fd, struct attributes *attributes);

/* Makes of both, and of what both give, rights that a mode says, and leaves them in attributes. */
void attributes_restrict(struct attributes *attributes, const struct attributes *by);

/* Whether the two are the same. */
bool attributes_equal(const struct attributes *a, const struct attributes *b);

/*
 * Checks, before the file fd has its data, that attributes_give() is going to succeed, and widens
 * no rights yet. Returns 0, or -1 with errno set: the file shows more rights, and they cannot be
 * taken away.
 */
int attributes_try(int fd, const struct attributes *old);

/*
 * Gives them to the file fd, as far as permitted. Returns 0, or -1 with errno set: the file has
 * more rights than old, and they cannot be taken away.
 */
int attributes_give(int fd, const struct attributes *old);

/*
 * Writes into text, of size bytes, who could read the old file, or else who could write to it, and
 * cannot do so with the new file fd: "group www-data (33) can no longer read it", or "" if nobody
 * is known. Blocks as long as the system takes to look up the names of users and groups.
 */
void attributes_lost(const struct attributes *old, int fd, char *text, size_t size);

#endif
