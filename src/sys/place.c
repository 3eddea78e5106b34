#include "sys/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "sys/descriptor.h"

/* The most links that Linux follows in one path (path_resolution(7)). */
#define LINKS_MAX 40

static const struct place closed = {.dir = -1, .object = -1};

/* A walk along a path. */
struct walk {
	struct place *place;        /* where it is */
	int links;                  /* how many were followed */
	char refused[NAME_MAX + 1]; /* the stranger's link at which it ended, or "" */
};

static int walk_along(struct walk *walk, const char *path);

/* Fails with errnum. Returns -1. */
static int fail(int errnum)
{
	errno = errnum;
	return -1;
}

/*
 * Whether st belongs neither to us nor to the owner of the directory, which is sticky and may be
 * written to by others as the bits writable say: may_follow_link() and may_create_in_sticky() of
 * Linux (fs/namei.c).
 */
static bool is_planted(const struct stat *dir, mode_t writable, const struct stat *st)
{
	return (dir->st_mode & S_ISVTX) != 0 && (dir->st_mode & writable) != 0 &&
	       st->st_uid != geteuid() && st->st_uid != dir->st_uid;
}

/* Makes fd the directory of place. Returns 0, or -1 if fd is -1, with the errno of that. */
static int enter(struct place *place, int fd)
{
	if (fd == -1)
		return -1;
	if (place->dir != -1)
		close(place->dir);
	place->dir = fd;
	return 0;
}

/*
 * Opens what has the name of place, if anything: a symbolic link itself. Returns 0, or -1 with
 * errno set.
 */
static int find_object(struct place *place)
{
	place->is_magic = false;
	/* O_DIRECTORY first: with it, and not without, O_PATH mounts what autofs(5) has there. */
	place->object =
	    openat(place->dir, place->name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	if (place->object == -1 && errno == ENOTDIR)
		place->object = openat(place->dir, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (place->object == -1)
		return errno == ENOENT ? 0 : -1;
	return fstat(place->object, &place->st);
}

/* Follows the link of /proc that place has found, which only the kernel can. */
static int jump(struct place *place)
{
	int fd = openat(place->dir, place->name, O_PATH | O_CLOEXEC);

	if (fd == -1)
		return -1;
	close(place->object);
	place->object = fd;
	place->is_magic = true;
	if (fstat(fd, &place->st) == -1)
		return -1;
	return S_ISLNK(place->st.st_mode) ? fail(ELOOP) : 0;
}

/* Follows the symbolic link that the walk has found. Returns 0, or -1 with errno set. */
static int follow(struct walk *walk)
{
	struct place *place = walk->place;
	struct stat dir;
	struct statfs fs;
	char target[PATH_MAX];

	if (walk->links++ == LINKS_MAX)
		return fail(ELOOP);
	if (fstat(place->dir, &dir) == -1 || fstatfs(place->dir, &fs) == -1)
		return -1;
	if (fs.f_type == PROC_SUPER_MAGIC)
		return jump(place);
	/* As Linux, which leaves links alone where not all but only a group may write. */
	if (is_planted(&dir, S_IWOTH, &place->st)) {
		strlcpy(walk->refused, place->name, sizeof(walk->refused));
		return fail(EACCES);
	}
	ssize_t len = readlinkat(place->object, "", target, sizeof(target));
	if (len == -1)
		return -1;
	if (len == (ssize_t)sizeof(target))
		return fail(ENAMETOOLONG);
	target[len] = '\0';
	place_drop_object(place);
	return walk_along(walk, target);
}

/*
 * Takes the next component off *path, up to the slash behind it, as the name of place; "." if there
 * is none. Returns 0, or -1 with errno set.
 */
static int take_name(struct place *place, const char **path)
{
	const char *begin = *path + strspn(*path, "/");
	size_t len = strcspn(begin, "/");

	if (len > NAME_MAX)
		return fail(ENAMETOOLONG);
	memcpy(place->name, len == 0 ? "." : begin, len == 0 ? 1 : len);
	place->name[len == 0 ? 1 : len] = '\0';
	*path = begin + len;
	return 0;
}

/*
 * Opens the directory where path begins, unless that is where place is. O_PATH, as we may have no
 * permission to read a directory that we may write to. Returns 0, or -1 with errno set.
 */
static int open_start(struct place *place, const char *path)
{
	if (*path == '\0')
		return fail(ENOENT);
	if (strlen(path) >= PATH_MAX)
		return fail(ENAMETOOLONG);
	if (*path == '/')
		return enter(place, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
	if (place->dir == -1)
		return enter(place, open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
	return 0;
}

/* Finds what has the name, and goes on if that is a link, the end of the path if is_end. */
static int reach_object(struct walk *walk, bool is_end)
{
	struct place *place = walk->place;

	if (find_object(place) == -1)
		return -1;
	bool is_link = place->object != -1 && S_ISLNK(place->st.st_mode);
	int status = is_link ? follow(walk) : 0;
	place->is_link = is_link && is_end;
	return status;
}

/*
 * Goes where path leads, which begins in the directory of the walk, or in the working directory if
 * that is closed. Returns 0, or -1 with errno set.
 */
static int walk_along(struct walk *walk, const char *path)
{
	struct place *place = walk->place;

	if (open_start(place, path) == -1)
		return -1;
	for (;;) {
		if (take_name(place, &path) == -1 || reach_object(walk, *path == '\0') == -1)
			return -1;
		if (*path == '\0')
			return 0;
		if (place->object == -1 || !S_ISDIR(place->st.st_mode))
			return fail(place->object == -1 ? ENOENT : ENOTDIR);
		if (path[strspn(path, "/")] == '\0')
			return 0;
		place->is_loose = place->is_loose || place_is_strangers(place, &place->st);
		place_enter(place);
	}
}

/*
 * Goes from a link of /proc, as to an open descriptor, to the name that its regular file has, for
 * that is what can be replaced. The place stays as it is if there is no such name.
 */
static void find_name(struct place *place)
{
	char path[PATH_MAX];
	struct place named = closed;
	struct walk walk = {.place = &named};
	ssize_t len = readlinkat(place->dir, place->name, path, sizeof(path) - 1);

	if (len <= 0)
		return;
	path[len] = '\0';
	if (walk_along(&walk, path) == 0 && named.object != -1 && !named.is_magic &&
	    named.st.st_dev == place->st.st_dev && named.st.st_ino == place->st.st_ino) {
		named.is_link = place->is_link;
		place_close(place);
		*place = named;
	} else {
		place_close(&named);
	}
}

int place_find(struct place *place, const char *path, struct err *err)
{
	struct walk walk = {.place = place};

	*place = closed;
	if (walk_along(&walk, path) == 0) {
		if (place->is_magic && S_ISREG(place->st.st_mode))
			find_name(place);
		return 0;
	}
	if (walk.refused[0] == '\0') {
		err_sys(err, "%s", "");
	} else {
		err_set(err, ERR_FAILED, EACCES,
		    "the symbolic link %s belongs to another user, in a sticky directory",
		    walk.refused);
		err_advise(err,
		    "others may write to that directory: name the file itself, or one in a directory of your own");
	}
	bool is_link = place->is_link;
	place_close(place);
	place->is_link = is_link;
	return -1;
}

/*
 * As place_open(), by the name, for want of /proc. Another object that has the name now is opened
 * for a moment, and left as it was.
 */
static int open_by_name(const struct place *place, int flags)
{
	struct stat st;
	int fd =
	    openat(place->dir, place->name, flags | O_CLOEXEC | (place->is_magic ? 0 : O_NOFOLLOW));

	if (fd == -1)
		return errno == ENOENT || errno == ELOOP ? fail(ESTALE) : -1;
	if (fstat(fd, &st) == 0 && st.st_dev == place->st.st_dev && st.st_ino == place->st.st_ino)
		return fd;
	close(fd);
	return fail(ESTALE);
}

int place_open(const struct place *place, int flags)
{
	char path[DESCRIPTOR_PATH_MAX];
	struct stat st;

	if (place->object == -1)
		return fail(ENOENT);
	descriptor_proc_path(place->object, path);
	int fd = open(path, flags | O_CLOEXEC);
	int errnum = errno;
	if (fd != -1)
		return fd;
	if (lstat(path, &st) == 0)
		return fail(errnum);
	return open_by_name(place, flags);
}

int place_open_path(const char *path, int flags, struct err *err)
{
	struct place place;

	if (place_find(&place, path, err) == -1)
		return err_prefix(err, "%s", path);
	int fd = place_open(&place, flags);
	if (fd == -1)
		err_sys(err, "%s", path);
	place_close(&place);
	return fd;
}

void place_enter(struct place *place)
{
	(void)enter(place, place->object);
	place->object = -1;
	place->name[0] = '\0';
}

void place_drop_object(struct place *place)
{
	if (place->object != -1)
		close(place->object);
	place->object = -1;
}

bool place_is_strangers(const struct place *place, const struct stat *st)
{
	struct stat dir;

	/* The directory is not where these come from. */
	if (strcmp(place->name, ".") == 0 || strcmp(place->name, "..") == 0)
		return false;
	return fstat(place->dir, &dir) == -1 || is_planted(&dir, S_IWOTH | S_IWGRP, st);
}

int place_check(const struct place *place, const struct stat *st, struct err *err)
{
	if (!place_is_strangers(place, st))
		return 0;
	err_set(err, ERR_FAILED, EACCES, "%s", "it belongs to another user, in a sticky directory");
	return err_advise(err,
	    "others may write to that directory: choose another name, or a directory of your own");
}

static bool is_same_file(int a, int b)
{
	struct stat first;
	struct stat second;

	return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

static bool is_same_place(const struct place *a, const struct place *b)
{
	return strcmp(a->name, b->name) == 0 && is_same_file(a->dir, b->dir);
}

bool place_is_at(const struct place *place, const char *path)
{
	struct place found;
	struct err ignored;

	if (place_find(&found, path, &ignored) == -1)
		return false;
	bool is_same = place->name[0] == '\0' ? is_same_file(found.object, place->dir)
	                                      : is_same_place(&found, place);
	place_close(&found);
	return is_same;
}

bool place_has_moved(const struct place *place, const char *path, char *now)
{
	char link[DESCRIPTOR_PATH_MAX];

	if (place_is_at(place, path))
		return false;
	descriptor_proc_path(place->dir, link);
	ssize_t len = readlink(link, now, PATH_MAX - 1);
	if (len <= 0)
		return false;
	now[len] = '\0';
	if (place->name[0] == '\0')
		return true;
	const char *slash = now[len - 1] == '/' ? "" : "/";
	size_t room = PATH_MAX - (size_t)len;
	return snprintf(now + len, room, "%s%s", slash, place->name) < (int)room;
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

/* Returns the number of the mount that fd is on, or -1. Before Linux 5.8 only /proc tells. */
static long long mount_of(int fd)
{
	char path[DESCRIPTOR_PATH_MAX];
	char line[100];
	long long mount = -1;
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) == 0 &&
	    (st.stx_mask & STATX_MNT_ID) != 0)
		return (long long)st.stx_mnt_id;
	descriptor_proc_info_path(fd, path);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return -1;
	while (mount == -1 && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "mnt_id:", strlen("mnt_id:")) == 0)
			mount = strtoll(line + strlen("mnt_id:"), NULL, 10);
	}
	fclose(file);
	return mount;
}

bool place_is_mount_point(const struct place *place)
{
	int fd = openat(place->dir, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		return false;
	long long ours = mount_of(fd);
	close(fd);
	long long dir = mount_of(place->dir);
	return ours != -1 && dir != -1 && ours != dir;
}

void place_close(struct place *place)
{
	if (place->dir != -1) {
		close(place->dir);
		place_drop_object(place);
	}
	*place = closed;
}
