#include "data/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The most links that Linux follows in one path (path_resolution(7)). */
#define LINKS_MAX 40

static const struct place closed = {.dir = -1};

/*
 * Splits path at its last slash into dir ("." if there is no slash), of PATH_MAX bytes, and name,
 * of NAME_MAX + 1 bytes. Returns 0, or -1 with errno set.
 */
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

/*
 * Opens the directory of path, which is relative to the directory at, and notes the name. Returns
 * 0, or -1 with errno set.
 */
static int step(struct place *place, int at, const char *path)
{
	char dir[PATH_MAX];

	place->dir = -1;
	if (split(path, dir, place->name) == -1)
		return -1;
	/*
	 * O_PATH, as we may have no permission to read a directory that we may write to, such as a
	 * drop box.
	 */
	place->dir = openat(at, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return place->dir == -1 ? -1 : 0;
}

/*
 * Follows the symbolic link of that name. Returns 1, or 0 if it is no link, or -1 with errno set.
 */
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

	*place = closed;
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
	place_close(place);
	return -1;
}

int place_find_directory(struct place *place, const char *path, struct err *err)
{
	*place = closed;
	place->dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return place->dir == -1 ? err_sys(err, "%s", path) : 0;
}

static bool is_same_place(const struct place *a, const struct place *b)
{
	struct stat first;
	struct stat second;

	return strcmp(a->name, b->name) == 0 && fstat(a->dir, &first) == 0 &&
	       fstat(b->dir, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

bool place_is_at(const struct place *place, const char *path)
{
	struct place found;
	struct err ignored;

	if (place_find(&found, path, &ignored) == -1)
		return false;
	bool is_same = is_same_place(&found, place);
	place_close(&found);
	return is_same;
}

bool place_is_same(const char *a, const char *b)
{
	struct place first;
	struct err ignored;

	if (place_find(&first, a, &ignored) == -1)
		return false;
	bool is_same = place_is_at(&first, b);
	place_close(&first);
	return is_same;
}

void place_close(struct place *place)
{
	if (place->dir != -1)
		close(place->dir);
	*place = closed;
}
