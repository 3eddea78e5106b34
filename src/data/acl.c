#include "data/acl.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#define ATTRIBUTE "system.posix_acl_access"
#define ACL_VERSION 2

/* The value of the attribute; all of it is little-endian. */
struct value {
	uint32_t version;
	struct acl_entry entry[ACL_MAX];
};

void acl_from_mode(struct acl *acl, mode_t mode)
{
	acl->count = 3;
	acl->entry[0] = (struct acl_entry){ACL_OWNER, mode >> 6 & 7, 0};
	acl->entry[1] = (struct acl_entry){ACL_OWNING_GROUP, mode >> 3 & 7, 0};
	acl->entry[2] = (struct acl_entry){ACL_OTHERS, mode & 7, 0};
}

/* Returns the rights of the first entry of that tag, or those given if there is none. */
static unsigned rights_of(const struct acl *acl, enum acl_tag tag, unsigned without)
{
	for (size_t i = 0; i < acl->count; i++) {
		if (acl->entry[i].tag == tag)
			return acl->entry[i].rights;
	}
	return without;
}

mode_t acl_mode(const struct acl *acl)
{
	unsigned group = rights_of(acl, ACL_OWNING_GROUP, 0);

	return (mode_t)(rights_of(acl, ACL_OWNER, 0) << 6 | rights_of(acl, ACL_MASK, group) << 3 |
			rights_of(acl, ACL_OTHERS, 0));
}

bool acl_is_mode(const struct acl *acl)
{
	return acl->count <= 3;
}

unsigned acl_effective(const struct acl *acl, const struct acl_entry *entry)
{
	bool is_masked =
	    entry->tag == ACL_USER || entry->tag == ACL_GROUP || entry->tag == ACL_OWNING_GROUP;

	return entry->rights & (is_masked ? rights_of(acl, ACL_MASK, 7) : 7);
}

/* Returns the rights that everybody has, but perhaps the owner and, if only_groups, named users. */
static unsigned common_rights(const struct acl *acl, bool only_groups)
{
	unsigned rights = 7;

	for (size_t i = 0; i < acl->count; i++) {
		const struct acl_entry *entry = &acl->entry[i];
		if (entry->tag != ACL_OWNER && entry->tag != ACL_MASK &&
		    !(only_groups && entry->tag == ACL_USER))
			rights &= acl_effective(acl, entry);
	}
	return rights;
}

void acl_forget_group(struct acl *acl)
{
	unsigned rights = common_rights(acl, true);

	for (size_t i = 0; i < acl->count; i++) {
		if (acl->entry[i].tag == ACL_OWNING_GROUP || acl->entry[i].tag == ACL_OTHERS)
			acl->entry[i].rights = (uint16_t)rights;
	}
}

void acl_forget_owner(struct acl *acl)
{
	unsigned owner = rights_of(acl, ACL_OWNER, 0);

	for (size_t i = 0; i < acl->count; i++)
		acl->entry[i].rights &= (uint16_t)owner;
}

void acl_reduce(struct acl *acl)
{
	unsigned owner = rights_of(acl, ACL_OWNER, 0);
	unsigned rights = common_rights(acl, false);

	acl_from_mode(acl, (mode_t)(owner << 6 | rights << 3 | rights));
}

/* Takes over size bytes of the value. Returns 0, or -1 with errno set if they are no such value. */
static int take_value(const struct value *value, size_t size, struct acl *acl)
{
	if (size < sizeof(value->version) || le32toh(value->version) != ACL_VERSION ||
	    (size - sizeof(value->version)) % sizeof(value->entry[0]) != 0) {
		errno = EINVAL;
		return -1;
	}
	acl->count = (size - sizeof(value->version)) / sizeof(value->entry[0]);
	for (size_t i = 0; i < acl->count; i++) {
		const struct acl_entry *entry = &value->entry[i];
		acl->entry[i] = (struct acl_entry){le16toh(entry->tag), le16toh(entry->rights) & 7,
		    le32toh(entry->id)};
	}
	return 0;
}

int acl_read(const char *path, int fd, mode_t mode, struct acl *acl)
{
	struct value value;
	ssize_t size = path == NULL ? fgetxattr(fd, ATTRIBUTE, &value, sizeof(value))
	                            : getxattr(path, ATTRIBUTE, &value, sizeof(value));

	if (size > 0)
		return take_value(&value, (size_t)size, acl);
	/* The file, or the file system, has no ACLs. */
	if (size == -1 && errno != ENODATA && errno != EOPNOTSUPP)
		return -1;
	acl_from_mode(acl, mode);
	return 0;
}

int acl_write(int fd, const struct acl *acl)
{
	struct value value = {.version = htole32(ACL_VERSION)};

	for (size_t i = 0; i < acl->count; i++) {
		const struct acl_entry *entry = &acl->entry[i];
		value.entry[i] = (struct acl_entry){htole16(entry->tag), htole16(entry->rights),
		    htole32(entry->id)};
	}
	return fsetxattr(fd, ATTRIBUTE, &value,
	    sizeof(value.version) + acl->count * sizeof(value.entry[0]), 0);
}

bool acl_remove(int fd)
{
	return fremovexattr(fd, ATTRIBUTE) == 0 || errno == ENODATA || errno == EOPNOTSUPP;
}
