#include "data/tree_remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path_name.h"
#include "sys/descriptor.h"

/* How many directories are open at once; what lies deeper is moved up first. */
#define LEVELS 16

/* How often the top is read: each time it holds what was moved there, which is less deep by LEVELS.
 */
#define PASSES_MAX 100000

/* How many names are tried for what is moved up. */
#define NAMES_MAX 100000

struct removal {
	int top; /* the directory to be removed */
	DIR *open[LEVELS];
	char name[LEVELS][NAME_MAX + 1]; /* of each, in the one before it */
	int depth;                       /* how many are open */
	bool has_moved;                  /* something was moved to the top */
	unsigned number;                 /* of the name of the next that is */
	int errnum;                      /* why something could not be removed; 0: all could */
};

static void note_failure(struct removal *removal)
{
	removal->errnum = errno;
}

/* Makes it ours to read and write; it may have got its final mode already. */
static void unlock(int fd)
{
	char path[DESCRIPTOR_PATH_MAX];
	struct stat st;

	if (fstat(fd, &st) == -1 || (st.st_mode & 0700) == 0700 || fchmod(fd, 0700) == 0)
		return;
	descriptor_proc_path(fd, path);
	(void)chmod(path, 0700); /* of one that is open by O_PATH */
}

static int open_directory(int dir, const char *name)
{
	int how = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir, name, O_RDONLY | how);

	if (fd == -1 && errno == EACCES) {
		int path = openat(dir, name, O_PATH | how);
		if (path == -1)
			return -1;
		unlock(path);
		close(path);
		fd = openat(dir, name, O_RDONLY | how);
	}
	if (fd != -1)
		unlock(fd);
	return fd;
}

/* Goes on with a directory, whose descriptor is fd. Returns 0, or -1 with errno set. */
static int descend(struct removal *removal, int fd, const char *name)
{
	DIR *stream = fdopendir(fd);

	if (stream == NULL) {
		close(fd);
		return -1;
	}
	strlcpy(removal->name[removal->depth], name, sizeof(removal->name[0]));
	removal->open[removal->depth++] = stream;
	return 0;
}

/* Moves a directory that lies too deep to the top, under a free name. */
static int move_up(struct removal *removal, int dir, const char *name)
{
	char to[16];
	int status = -1;

	errno = ENOTEMPTY;
	for (unsigned tries = 0; status == -1 && tries < NAMES_MAX; tries++) {
		if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
			return -1;
		snprintf(to, sizeof(to), "%u", removal->number++);
		status = renameat(dir, name, removal->top, to);
	}
	removal->has_moved = removal->has_moved || status == 0;
	return status;
}

static int remove_directory(struct removal *removal, int dir, const char *name)
{
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES)
		return -1;
	int fd = open_directory(dir, name);
	if (fd == -1)
		return -1;
	if (removal->depth < LEVELS)
		return descend(removal, fd, name);
	close(fd);
	return move_up(removal, dir, name);
}

static int remove_entry(struct removal *removal, int dir, const struct dirent *entry)
{
	if (entry->d_type != DT_DIR) {
		if (descriptor_remove(dir, entry->d_name) == 0)
			return 0;
		if (errno != EISDIR && errno != EPERM)
			return -1;
	}
	return remove_directory(removal, dir, entry->d_name);
}

/* Goes back from a directory that has been read to its end. */
static void ascend(struct removal *removal)
{
	closedir(removal->open[--removal->depth]);
	if (removal->depth > 0 && unlinkat(dirfd(removal->open[removal->depth - 1]),
				      removal->name[removal->depth], AT_REMOVEDIR) == -1)
		note_failure(removal);
}

/* Removes what the top holds, but for what is moved there meanwhile. */
static void empty_once(struct removal *removal)
{
	int fd = openat(removal->top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1 || descend(removal, fd, ".") == -1)
		note_failure(removal);
	while (removal->depth > 0) {
		DIR *stream = removal->open[removal->depth - 1];
		const struct dirent *entry = readdir(stream);
		if (entry == NULL)
			ascend(removal);
		else if (!path_name_is_dots(entry->d_name, strlen(entry->d_name)) &&
			 remove_entry(removal, dirfd(stream), entry) == -1)
			note_failure(removal);
	}
}

int tree_remove(int fd, int dir, const char *name)
{
	struct removal removal = {.top = fd, .has_moved = true};

	unlock(fd);
	for (int pass = 0; removal.has_moved && removal.errnum == 0 && pass < PASSES_MAX; pass++) {
		removal.has_moved = false;
		empty_once(&removal);
	}
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return 0;
	if (removal.errnum != 0)
		errno = removal.errnum;
	return -1;
}
