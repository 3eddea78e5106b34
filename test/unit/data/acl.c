/* ACLs: nobody gets a right by what is left out. */
#include "data/acl.h"

#include "check.h"

/* Returns the rights of one who is in the groups of that set: bit 0 is the owning group. */
static unsigned rights_by(const struct acl *acl, unsigned user, unsigned groups)
{
	unsigned rights = 0;
	unsigned others = 0;
	bool is_member = false;

	for (size_t i = 0; i < acl->count; i++) {
		const struct acl_entry *entry = &acl->entry[i];
		unsigned group = entry->tag == ACL_OWNING_GROUP ? 0 : entry->id;
		if (entry->tag == ACL_USER && entry->id == user)
			return acl_effective(acl, entry);
		if (entry->tag == ACL_OTHERS)
			others = entry->rights;
		if ((entry->tag == ACL_OWNING_GROUP || entry->tag == ACL_GROUP) &&
		    (groups >> group & 1) != 0) {
			is_member = true;
			rights |= acl_effective(acl, entry);
		}
	}
	return is_member ? rights : others;
}

/* Sets acl to one of many: a user 1, the groups 0 (the owning one) and 1, others, and a mask. */
static void make(struct acl *acl, unsigned bits)
{
	*acl = (struct acl){
	    .count = 6,
	    .entry =
		{
		    {ACL_OWNER, 6, 0},
		    {ACL_USER, (uint16_t)(bits & 6), 1},
		    {ACL_OWNING_GROUP, (uint16_t)(bits >> 2 & 6), 0},
		    {ACL_GROUP, (uint16_t)(bits >> 4 & 6), 1},
		    {ACL_MASK, (uint16_t)(bits >> 6 & 6), 0},
		    {ACL_OTHERS, (uint16_t)(bits >> 8 & 6), 0},
		},
	};
}

/*
 * Whoever it is, and whatever the new owning group is: of its members and those of the old one, any
 * may be in the other, too.
 */
static void narrows(void)
{
	struct acl old;
	struct acl forgotten;
	struct acl reduced;

	for (unsigned bits = 0; bits < 1 << 11; bits++) {
		make(&old, bits);
		forgotten = old;
		acl_forget_group(&forgotten);
		reduced = old;
		acl_reduce(&reduced);
		CHECK(acl_is_mode(&reduced));
		for (unsigned who = 0; who < 16; who++) {
			unsigned user = who & 1;
			unsigned before = rights_by(&old, user, who >> 1 & 3);
			/* Bit 3: whether one is in the new owning group. */
			unsigned groups = (who >> 1 & 2) | who >> 3;
			CHECK_INT(rights_by(&forgotten, user, groups) & ~before, 0);
			CHECK_INT(rights_by(&reduced, user, groups) & ~before, 0);
		}
	}
}

static void modes(void)
{
	struct acl acl;

	for (mode_t mode = 0; mode <= 0777; mode++) {
		acl_from_mode(&acl, mode);
		CHECK(acl_is_mode(&acl));
		CHECK_INT(acl_mode(&acl), mode);
		acl_forget_group(&acl);
		CHECK_INT(acl_mode(&acl) >> 3 & 7, mode >> 3 & mode & 7);
		CHECK_INT(acl_mode(&acl) & 7, mode >> 3 & mode & 7);
	}
	make(&acl, 0x7ff & ~(2U << 6));
	CHECK_INT(acl_mode(&acl), 0646);
}

int main(void)
{
	promise("whatever is left out of an ACL, nobody has more rights than before", narrows);
	promise("a mode is an ACL of three entries, and what of an ACL is the mode", modes);
	return check_end();
}
