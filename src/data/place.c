#include "data/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* As many as Linux follows in one path, path_resolution(7). */
#define LINKS_MAX 40

/* Splits path at its last slash into directory ("." if there is none) and name. */
static int split(const char *path, char *dir, char *name)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash == NULL ? path : slash + 1;
	size_t len = slash == NULL ? 0 : (size_t)(slash - path) + 1;

	if (len >= PATH_MAX || strlen(last) > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(dir, path, len);
	strlcpy(dir + len, len == 0 ? "." : "", PATH_MAX - len);
	strlcpy(name, last, NAME_MAX + 1);
	if (*last == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
		errno = *path == '\0' ? ENOENT : EISDIR;
		return -1;
	}
	return 0;
}

/* Goes to where path leads from the directory at. Returns 0, or -1 with errno. */
static int step(struct place *place, int at, const char *path)
{
	char dir[PATH_MAX];

	if (split(path, dir, place->name) == -1)
		return -1;
	/* O_PATH, for a directory may be one that we must write to and must not read, as a drop box is. */
	place->dir = openat(at, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return place->dir == -1 ? -1 : 0;
}

/* Follows the link that the place holds. Returns 1 if it did, 0 if there is no link, -1. */
static int follow(struct place *place)
{
	char target[PATH_MAX];
	int at = place->dir;
	ssize_t len = readlinkat(at, place->name, target, sizeof(target) - 1);

	if (len == -1)
		return errno == EINVAL || errno == ENOENT ? 0 : -1;
	target[len] = '\0';
	int result = step(place, at, target);
	int errnum = errno;
	close(at);
	errno = errnum;
	return result == -1 ? -1 : 1;
}

int place_find(struct place *place, const char *path, struct err *err)
{
	int followed;

	place->dir = -1;
	if (step(place, AT_FDCWD, path) == -1)
		return err_sys(err, "%s", path);
	for (int links = 0; (followed = follow(place)) == 1; links++) {
		if (links == LINKS_MAX) {
			errno = ELOOP;
			followed = -1;
			break;
		}
	}
	if (followed == 0)
		return 0;
	err_sys(err, "%s", path);
	if (place->dir != -1)
		close(place->dir);
	return -1;
}
