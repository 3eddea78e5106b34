/* A member, of its header and the extended headers before it. No function here blocks. */
#ifndef PAX_MEMBER_H
#define PAX_MEMBER_H

#include "base/err.h"
#include "data/pax.h"
#include "data/pax_extended.h"
#include "data/pax_header.h"

/* The strings of a member that its header has, with NULs at their ends. */
struct pax_member_room {
	char path[PAX_HEADER_PATH_MAX + 1];
	char target[PAX_HEADER_TARGET_MAX + 1];
};

/*
 * Makes *member of what is said of it. Its path and target are in room or extended. Returns 0, or
 * -1 with ERR_FAILED and why it is not taken; its path is NULL then if it is that which is wrong.
 * The strings of extended are changed.
 */
int pax_member_read(struct pax_member *member, struct pax_member_room *room,
    const struct pax_header *header, struct pax_extended *extended, struct err *err);

#endif
