#include "data/rename_new.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/descriptor.h"

/* Whether the file system or what confines us does not know the call that failed. */
static bool is_unsupported(int errnum)
{
	return errnum == EINVAL || errnum == ENOSYS || errnum == EOPNOTSUPP || errnum == EPERM ||
	       errnum == EMLINK;
}

/*
 * Makes an empty file of the final name, which only a free name lets us, and renames over it. For
 * that moment others may see the empty file.
 */
static int rename_over_own(int from_dir, const char *from, int to_dir, const char *to)
{
	int fd = openat(to_dir, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd == -1)
		return -1;
	int status = renameat(from_dir, from, to_dir, to);
	int errnum = errno;
	if (status == -1 && descriptor_is_named(fd, to_dir, to))
		descriptor_remove(to_dir, to);
	close(fd);
	errno = errnum;
	return status;
}

/* The same for a directory: rename(2) replaces an empty one, and no other. */
static int rename_over_empty(int from_dir, const char *from, int to_dir, const char *to)
{
	if (mkdirat(to_dir, to, 0700) == -1)
		return -1;
	int status = renameat(from_dir, from, to_dir, to);
	int errnum = errno;
	if (status == -1)
		unlinkat(to_dir, to, AT_REMOVEDIR);
	errno = errnum;
	return status;
}

int rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
	struct stat st;

	if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (!is_unsupported(errno))
		return -1;
	if (linkat(from_dir, from, to_dir, to, 0) == 0) {
		/* Even if that fails, the file has its name. */
		descriptor_remove(from_dir, from);
		return 0;
	}
	if (!is_unsupported(errno))
		return -1;
	bool is_directory =
	    fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
	return is_directory ? rename_over_empty(from_dir, from, to_dir, to)
	                    : rename_over_own(from_dir, from, to_dir, to);
}
