#include "data/obstacle.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/descriptor.h"

/* Returns the STATX_ATTR_ flags of the file of that name, or of the directory if it is "". */
static uint64_t flags_of(const struct place *place, const char *name)
{
	struct statx st;

	if (statx(place->dir, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, 0, &st) == -1)
		return 0;
	return st.stx_attributes & st.stx_attributes_mask;
}

/* Whether we may do with the files of others what their owners may. */
static bool has_capability(unsigned capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return syscall(SYS_capget, &header, data) == 0 &&
	       (data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)) != 0;
}

/*
 * Checks that we may write to the old file and may replace it, which in a sticky directory only
 * some users may (unlink(2), EPERM).
 */
static int check_old(const struct place *place, const char *path, const struct stat *old,
    struct err *err)
{
	uint64_t flags = flags_of(place, place->name);
	struct stat dir;

	/* The checks that can say more come first. */
	if ((flags & STATX_ATTR_IMMUTABLE) != 0)
		return err_set(err, ERR_FAILED, EPERM,
		    "%s: is immutable (chattr +i), and cannot be replaced", path);
	if ((flags & STATX_ATTR_APPEND) != 0)
		return err_set(err, ERR_FAILED, EPERM,
		    "%s: is append-only (chattr +a), and cannot be replaced", path);
	if (place_is_mount_point(place))
		return err_set(err, ERR_FAILED, 0,
		    "%s: is a mount point, and cannot be replaced: name a file in a directory that "
		    "is mounted",
		    path);
	if (descriptor_access(place->dir, place->name, W_OK) == -1 || fstat(place->dir, &dir) == -1)
		return err_sys(err, "%s", path);
	if ((dir.st_mode & S_ISVTX) != 0 && geteuid() != old->st_uid && geteuid() != dir.st_uid &&
	    !has_capability(CAP_FOWNER))
		return err_set(err, ERR_FAILED, EPERM,
		    "%s: in a sticky directory only its owner may replace it", path);
	return 0;
}

int obstacle_check(const struct place *place, const char *path, const struct stat *old,
    bool *is_append_only, struct err *err)
{
	uint64_t flags = flags_of(place, "");

	*is_append_only = (flags & STATX_ATTR_APPEND) != 0;
	if ((flags & STATX_ATTR_IMMUTABLE) != 0)
		return err_set(err, ERR_FAILED, EPERM, "%s: the directory is immutable (chattr +i)",
		    path);
	if (*is_append_only && old != NULL)
		return err_set(err, ERR_FAILED, EPERM,
		    "%s: the directory is append-only (chattr +a), and no file in it can be "
		    "replaced",
		    path);
	return old == NULL ? 0 : check_old(place, path, old, err);
}
