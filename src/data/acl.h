/*
 * The POSIX ACL of a file (acl(5)) as a value: who may do what with it beside its owner. A mode is
 * one, too, of three entries. No function here blocks for longer than the file system takes.
 */
#ifndef ACL_H
#define ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The most entries; ext4 holds about as many, and nobody writes so many. */
#define ACL_MAX 500

/* The tags of entries, as the kernel has them. */
enum acl_tag {
	ACL_OWNER = 0x01,
	ACL_USER = 0x02,
	ACL_OWNING_GROUP = 0x04,
	ACL_GROUP = 0x08,
	ACL_MASK = 0x10,
	ACL_OTHERS = 0x20,
};

struct acl_entry {
	uint16_t tag;
	uint16_t rights; /* of read 4, write 2 and execute 1 */
	uint32_t id;     /* of ACL_USER and ACL_GROUP */
};

struct acl {
	size_t count; /* of entries */
	struct acl_entry entry[ACL_MAX];
};

/* Makes acl the three entries that a mode is. */
void acl_from_mode(struct acl *acl, mode_t mode);

/* Returns the mode that a file with this ACL shows: its group bits are the mask, if it has one. */
mode_t acl_mode(const struct acl *acl);

/* Whether a mode says all of it. */
bool acl_is_mode(const struct acl *acl);

/* Returns the rights that entry gives in the end, of those that the mask allows. */
unsigned acl_effective(const struct acl *acl, const struct acl_entry *entry);

/*
 * Leaves each entry with a right of the owning group, and of others, only if everybody but the
 * owner has it: whoever was in the old group may be one of the others now.
 */
void acl_forget_group(struct acl *acl);

/* Leaves nobody a right that the owner has not: the old owner may be anybody now. */
void acl_forget_owner(struct acl *acl);

/* Makes acl one that a mode says, and that gives nobody but the owner more than it did. */
void acl_reduce(struct acl *acl);

/*
 * Reads the ACL of the file that path leads to, or, if path is NULL, of the file fd; of one without
 * an ACL, what its mode says. Returns 0, or -1 with errno set, also for one that is too long.
 */
int acl_read(const char *path, int fd, mode_t mode, struct acl *acl);

/*
 * Gives the file fd the ACL, and with it the mode; it is not one that a mode says. Returns 0, or -1
 * with errno set.
 */
int acl_write(int fd, const struct acl *acl);

/* Takes the ACL of the file fd away, and leaves its mode. Returns whether there is none then. */
bool acl_remove(int fd);

#endif
