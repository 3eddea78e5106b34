#include "data/attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/descriptor.h"

#define RIGHT_TO_READ 4U
#define RIGHT_TO_WRITE 2U

/* Takes what fstat(2) tells, with the ACL of acl_read(path, fd). */
static void take(int fd, const char *path, const struct stat *st, struct attributes *attributes)
{
	*attributes = (struct attributes){.uid = st->st_uid, .gid = st->st_gid};
	if (acl_read(path, fd, st->st_mode, &attributes->acl) == -1)
		acl_from_mode(&attributes->acl, st->st_mode & 0700);
}

int attributes_read(int dir, const char *name, struct stat *st, struct attributes *attributes)
{
	char path[DESCRIPTOR_PATH_MAX];
	/* O_PATH, as we may have no permission to read it. The ACL is then to be had by /proc. */
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	descriptor_proc_path(fd, path);
	bool has_path = access(path, F_OK) == 0;
	bool is_file = fstat(fd, st) == 0 && S_ISREG(st->st_mode);
	if (is_file && !has_path) {
		int other =
		    openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (other != -1) {
			close(fd);
			fd = other;
			is_file = fstat(fd, st) == 0 && S_ISREG(st->st_mode);
		}
	}
	if (is_file)
		take(fd, has_path ? path : NULL, st, attributes);
	close(fd);
	return is_file ? 1 : 0;
}

void attributes_of(int fd, struct attributes *attributes)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		st = (struct stat){.st_uid = geteuid(), .st_gid = getegid(), .st_mode = 0600};
	take(fd, NULL, &st, attributes);
}

void attributes_restrict(struct attributes *attributes, const struct attributes *by)
{
	struct acl acl = by->acl;

	acl_reduce(&acl);
	acl_reduce(&attributes->acl);
	acl_from_mode(&attributes->acl, acl_mode(&attributes->acl) & acl_mode(&acl));
}

bool attributes_equal(const struct attributes *a, const struct attributes *b)
{
	return a->uid == b->uid && a->gid == b->gid && a->acl.count == b->acl.count &&
	       memcmp(a->acl.entry, b->acl.entry, a->acl.count * sizeof(a->acl.entry[0])) == 0;
}

/*
 * Makes the mode of the file fd that one, or as near to it as can be, and no wider than widest.
 * Returns 0, or -1 with errno set.
 */
static int set_mode(int fd, mode_t mode, mode_t widest)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if ((st.st_mode & 0777) == mode)
		return 0;
	int status = fchmod(fd, mode);
	int errnum = status == 0 ? EPERM : errno;
	/* Some file systems have one mode for all files, and refuse another or ignore it. */
	if (fstat(fd, &st) == -1)
		return -1;
	if ((st.st_mode & 0777 & ~widest) == 0)
		return 0;
	errno = errnum;
	return -1;
}

int attributes_try(int fd, const struct attributes *old)
{
	mode_t mode = acl_mode(&old->acl);

	return set_mode(fd, mode & 0700, mode);
}

/* Gives the file fd the rights, by an ACL if need be. Returns as attributes_give(). */
static int give_rights(int fd, struct acl *acl)
{
	if (!acl_is_mode(acl)) {
		if (acl_write(fd, acl) == 0)
			return 0;
		acl_reduce(acl);
	}
	mode_t mode = acl_mode(acl);
	/* One that the directory gave; if it stays, its mask makes it powerless. */
	if (!acl_remove(fd))
		mode &= ~(mode_t)070;
	return set_mode(fd, mode, mode);
}

/*
 * While the file changes hands, it is private. Rights come before the owner, as afterwards they
 * might not be ours to give.
 */
int attributes_give(int fd, const struct attributes *old)
{
	struct acl acl = old->acl;
	struct stat st;

	(void)set_mode(fd, acl_mode(&acl) & 0700, 0);
	if (fstat(fd, &st) == -1)
		return -1;
	if (st.st_gid != old->gid && fchown(fd, (uid_t)-1, old->gid) == -1)
		acl_forget_group(&acl);
	if (give_rights(fd, &acl) == -1)
		return -1;
	if (st.st_uid == old->uid || fchown(fd, old->uid, (gid_t)-1) == 0)
		return 0;
	acl_forget_owner(&acl);
	return give_rights(fd, &acl);
}

/* Returns the rights by which one of that tag and id, of another file, may use this one. */
static unsigned rights_in(const struct attributes *file, enum acl_tag tag, uint32_t id)
{
	unsigned by_groups = 0;
	unsigned others = 0;

	if (tag == ACL_USER && file->uid == id)
		return 7;
	for (size_t i = 0; i < file->acl.count; i++) {
		const struct acl_entry *entry = &file->acl.entry[i];
		unsigned rights = acl_effective(&file->acl, entry);
		bool is_owning = entry->tag == ACL_OWNING_GROUP;
		if (entry->tag == ACL_OTHERS)
			others = rights;
		else if ((entry->tag == tag && entry->id == id) ||
			 (is_owning && tag == ACL_GROUP && file->gid == id))
			return rights;
		else if (is_owning || entry->tag == ACL_GROUP)
			by_groups |= rights;
	}
	/* Which groups a user is in is not known, so it may be any. */
	return tag == ACL_USER ? others | by_groups : others;
}

/* Adds the name of somebody to text: "group www-data (33)". */
static void add_name(char *text, size_t size, enum acl_tag tag, uint32_t id)
{
	size_t len = strlen(text);
	const char *separator = len == 0 ? "" : ", ";
	const char *name = NULL;
	char buffer[4096]; /* a longer entry goes without its name */
	struct passwd user;
	struct passwd *found_user = NULL;
	struct group group;
	struct group *found_group = NULL;

	if (tag == ACL_OTHERS) {
		snprintf(text + len, size - len, "%sall others", separator);
		return;
	}
	if (tag == ACL_USER) {
		if (getpwuid_r(id, &user, buffer, sizeof(buffer), &found_user) == 0 &&
		    found_user != NULL)
			name = found_user->pw_name;
	} else if (getgrgid_r(id, &group, buffer, sizeof(buffer), &found_group) == 0 &&
		   found_group != NULL) {
		name = found_group->gr_name;
	}
	snprintf(text + len, size - len, "%s%s %s%s%u%s", separator,
	    tag == ACL_USER ? "user" : "group", name == NULL ? "" : name, name == NULL ? "" : " (",
	    id, name == NULL ? "" : ")");
}

/* Writes into text the names of those who had the right, and have it no longer. */
static void list_losers(const struct attributes *old, const struct attributes *new, unsigned right,
    char *text, size_t size)
{
	*text = '\0';
	for (size_t i = 0; i < old->acl.count; i++) {
		const struct acl_entry *entry = &old->acl.entry[i];
		enum acl_tag tag = entry->tag;
		uint32_t id = entry->id;
		if (tag == ACL_OWNER) {
			tag = ACL_USER;
			id = old->uid;
		} else if (tag == ACL_OWNING_GROUP) {
			tag = ACL_GROUP;
			id = old->gid;
		}
		if (tag != ACL_MASK && (acl_effective(&old->acl, entry) & right) != 0 &&
		    (rights_in(new, tag, id) & right) == 0)
			add_name(text, size, tag, id);
	}
}

void attributes_lost(const struct attributes *old, int fd, char *text, size_t size)
{
	struct attributes new;
	const char *what = " can no longer read it";

	attributes_of(fd, &new);
	size_t room = size - sizeof(" can no longer write to it");
	list_losers(old, &new, RIGHT_TO_READ, text, room);
	if (*text == '\0') {
		list_losers(old, &new, RIGHT_TO_WRITE, text, room);
		what = " can no longer write to it";
	}
	if (*text != '\0')
		strlcat(text, what, size);
}
