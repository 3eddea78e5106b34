#include "sys/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/number.h"

/* How often a removal that is interrupted is tried. */
#define REMOVALS_MAX 16

int descriptor_from_path(const char *path)
{
	static const char *const names[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
	static const char *const directories[] = {"/dev/fd/", "/proc/self/fd/"};
	struct err ignored;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (strcmp(path, names[fd]) == 0)
			return fd;
	}
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		size_t len = strlen(directories[i]);
		if (strncmp(path, directories[i], len) == 0)
			return (int)number_integer(path + len, 0, INT_MAX, &ignored);
	}
	return -1;
}

void descriptor_proc_path(int fd, char *path)
{
	snprintf(path, DESCRIPTOR_PATH_MAX, "/proc/self/fd/%d", fd);
}

void descriptor_proc_info_path(int fd, char *path)
{
	snprintf(path, DESCRIPTOR_PATH_MAX, "/proc/self/fdinfo/%d", fd);
}

int descriptor_access(int dir, const char *name, int mode)
{
	if (faccessat(dir, name, mode, AT_EACCESS) == 0)
		return 0;
	if (errno != EPERM && errno != ENOSYS)
		return -1;
	/* Maybe a sandbox that does not know faccessat2(2): ask as before Linux 5.8. */
	return (int)syscall(SYS_faccessat, dir, name, mode);
}

bool descriptor_is_named(int fd, int dir, const char *name)
{
	struct stat st;
	struct stat named;

	return fstat(fd, &st) == 0 && fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev == named.st_dev && st.st_ino == named.st_ino;
}

int descriptor_remove(int dir, const char *name)
{
	int status = -1;

	errno = EINTR;
	for (int tries = 0; status == -1 && errno == EINTR && tries < REMOVALS_MAX; tries++)
		status = unlinkat(dir, name, 0);
	return status;
}

int descriptor_reopen(int fd)
{
	char path[DESCRIPTOR_PATH_MAX];

	descriptor_proc_path(fd, path);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Whether fd is of a kind that has no device to be written to, or may have none. */
static bool has_no_device(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode);
}

int descriptor_sync(int fd)
{
	if (fsync(fd) == 0)
		return 0;
	int errnum = errno;
	if (errnum == EINVAL && has_no_device(fd))
		return 0;
	errno = errnum;
	return -1;
}

int descriptor_finish(int fd, bool sync, struct err *err)
{
	if (sync && descriptor_sync(fd) == -1)
		return err_sys(err, "fsync");
	/* Some file systems report a lost write only at close(2), so close a duplicate in time. */
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy == -1 || close(copy) == -1)
		return err_sys(err, "close");
	return 0;
}
