#include "sys/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How often openat2(2) is tried again that fails because of a rename elsewhere (EAGAIN). */
#define TRIES_MAX 64

/* As openat2(2), which glibc has no function for. */
static int open_checked(int dir, const char *path, int flags, mode_t mode)
{
	const struct open_how how = {
	    .flags = (unsigned)flags,
	    .mode = (flags & O_CREAT) != 0 ? mode : 0,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	errno = EAGAIN;
	for (int tries = 0; fd == -1 && errno == EAGAIN && tries < TRIES_MAX; tries++)
		fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	return (int)fd;
}

/* As open_checked(), of one name, for which openat(2) is enough. */
static int open_name(int dir, const char *name, int flags, mode_t mode)
{
	if (strcmp(name, "..") == 0) {
		errno = EXDEV;
		return -1;
	}
	return openat(dir, name, flags, mode);
}

/*
 * Returns how many bytes of the path, of len bytes, are opened at once: as many whole names as the
 * kernel takes, or one if each directory is opened.
 */
static size_t piece_length(const struct beneath *beneath, const char *path, size_t len)
{
	if (beneath->descends) {
		const char *slash = memchr(path, '/', len);
		return slash == NULL ? len : (size_t)(slash - path);
	}
	if (len < PATH_MAX)
		return len;
	const char *slash = memrchr(path, '/', PATH_MAX - 1);
	return slash == NULL ? len : (size_t)(slash - path);
}

static int open_pieces(const struct beneath *beneath, int dir, const char *path, size_t len,
    int flags, mode_t mode)
{
	int (*open_piece)(int, const char *, int, mode_t) =
	    beneath->descends ? open_name : open_checked;
	char piece[PATH_MAX];
	int from = dir;

	for (;;) {
		size_t size = piece_length(beneath, path, len);
		bool is_last = size == len;
		int how = (is_last ? flags : O_PATH | O_DIRECTORY) | O_CLOEXEC | O_NOFOLLOW;
		int fd = -1;
		errno = ENAMETOOLONG;
		if (size < sizeof(piece)) {
			memcpy(piece, path, size);
			piece[size] = '\0';
			fd = open_piece(from, piece, how, mode);
		}
		int errnum = errno;
		if (from != dir)
			close(from);
		errno = errnum;
		if (is_last || fd == -1)
			return fd;
		from = fd;
		path += size + 1;
		len -= size + 1;
	}
}

int beneath_open(struct beneath *beneath, int dir, const char *path, size_t len, int flags,
    mode_t mode)
{
	int fd = open_pieces(beneath, dir, path, len, flags, mode);

	if (fd != -1 || beneath->descends || (errno != ENOSYS && errno != EPERM))
		return fd;
	beneath->descends = true; /* the kernel is older than 5.6, or a sandbox denies the call */
	return open_pieces(beneath, dir, path, len, flags, mode);
}
