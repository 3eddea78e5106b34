/*
 * One member of a pax archive (POSIX.1-2008, pax, "pax Interchange Format"): what we send of it and
 * take from it. Of other attributes than these nothing travels.
 */
#ifndef PAX_H
#define PAX_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define PAX_BLOCK 512

/* The longest path, and the longest target of a link, in bytes. */
#define PAX_PATH_MAX 65536

enum pax_type {
	PAX_FILE,
	PAX_DIRECTORY,
	PAX_SYMLINK,
	PAX_HARD_LINK, /* another name of a file that was a member before it */
};

struct pax_member {
	enum pax_type type;
	const char *path;      /* any bytes but NUL; of a directory also with a slash at its end */
	const char *target;    /* of a link: what it leads to; else NULL */
	int64_t size;          /* bytes of content; 0 but for a file */
	mode_t mode;           /* the permission bits, 0777 at most */
	struct timespec mtime; /* tv_nsec is 0 to 999,999,999, also before 1970 */
};

#endif
