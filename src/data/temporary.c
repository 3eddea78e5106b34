#include "data/temporary.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "data/tree_remove.h"
#include "sys/descriptor.h"

/* The names that are looked for; those of higher numbers are random, and taken when these are. */
#define SWEPT 16

/* The longest temporary name, if that for which it stands is not longer. */
#define LENGTH 128

/* Hexadecimal digits of a scope. */
#define SCOPE_LENGTH 8

/* Whether only this machine can write to the file system, so that all its writers see a lock. */
static bool is_local(int dir)
{
	struct statfs fs;

	if (fstatfs(dir, &fs) == -1)
		return false;
	switch ((unsigned long)fs.f_type) {
	case BTRFS_SUPER_MAGIC:
	case EXT4_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case OVERLAYFS_SUPER_MAGIC:
	case TMPFS_MAGIC:
	case XFS_SUPER_MAGIC:
		return true;
	default:
		return false;
	}
}

/*
 * Any number will do that others hardly take. Not by arc4random(3): libbsd's ends the process
 * without a word if memory is short.
 */
static unsigned any_number(void)
{
	unsigned number;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
		number = (unsigned)clock_now() ^ (unsigned)getpid() << 16;
	return number;
}

/*
 * Writes into scope what tells apart the names of processes that do not see each other's locks:
 * "" on a local file system, else the beginning of this machine's boot_id, or if that is not to be
 * had some random digits, and then nothing is ever swept.
 */
static void find_scope(char *scope, int dir)
{
	*scope = '\0';
	if (is_local(dir))
		return;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd == -1 ? -1 : read(fd, scope, SCOPE_LENGTH);
	if (fd != -1)
		close(fd);
	scope[SCOPE_LENGTH] = '\0';
	if (len != SCOPE_LENGTH)
		snprintf(scope, SCOPE_LENGTH + 1, "%08x", any_number());
}

static bool is_continued(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/*
 * Appends name to temp, which must not become longer than size bytes: it leaves out letters and
 * digits, which every file system takes, from the front, and if that is not enough whole characters
 * of UTF-8 from the end.
 */
static void append_name(char *temp, const char *name, size_t size)
{
	size_t at = strlen(temp);
	size_t len = strlen(name);
	size_t excess = at + len < size ? 0 : at + len + 1 - size;

	for (; *name != '\0'; name++) {
		if (excess > 0 && isalnum((unsigned char)*name))
			excess--;
		else if (at + 1 < size)
			temp[at++] = *name;
		else
			break;
	}
	while (is_continued(*name) && at > 0 && is_continued(temp[at - 1]))
		at--;
	if (is_continued(*name) && at > 0)
		at--; /* the first byte of the character that did not fit */
	temp[at] = '\0';
}

/* As temporary_name(), in a scope that find_scope() has found. */
static void write_name(char *temp, const char *scope, const char *name, unsigned number)
{
	size_t len = strlen(name);

	if (number < SWEPT)
		snprintf(temp, TEMPORARY_MAX, TEMPORARY_PREFIX "%s%02x.", scope, number);
	else
		snprintf(temp, TEMPORARY_MAX, TEMPORARY_PREFIX "%08x%08x.", any_number(),
		    any_number());
	append_name(temp, name, (len > LENGTH ? len : LENGTH) + 1);
}

void temporary_name(char *temp, int dir, const char *name, unsigned number)
{
	char scope[SCOPE_LENGTH + 1];

	find_scope(scope, dir);
	write_name(temp, scope, name, number);
}

void temporary_lock(int fd)
{
	(void)flock(fd, LOCK_EX | LOCK_NB);
}

/*
 * Locks what was just made under that name. Before, another process may have taken it for one left
 * behind. Returns whether it is ours.
 */
static bool claim(int fd, int dir, const char *temp)
{
	bool is_free = flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;

	return is_free && descriptor_is_named(fd, dir, temp);
}

int temporary_open(char *temp, int dir, const char *name, mode_t mode)
{
	for (unsigned number = 0; number < TEMPORARY_TRIES; number++) {
		temporary_name(temp, dir, name, number);
		int fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (fd == -1 && errno != EEXIST)
			return -1;
		if (fd == -1)
			continue;
		if (claim(fd, dir, temp))
			return fd;
		close(fd);
	}
	errno = EEXIST;
	return -1;
}

/* Removes a directory that cannot be used. Returns -1, and leaves errno. */
static int remove_new(int dir, const char *temp)
{
	int errnum = errno;

	unlinkat(dir, temp, AT_REMOVEDIR);
	errno = errnum;
	return -1;
}

int temporary_open_directory(char *temp, int dir, const char *name)
{
	for (unsigned number = 0; number < TEMPORARY_TRIES; number++) {
		temporary_name(temp, dir, name, number);
		mode_t mask = umask(077); /* a stricter one would keep us out */
		int status = mkdirat(dir, temp, TEMPORARY_MODE);
		umask(mask);
		if (status == -1 && errno != EEXIST)
			return -1;
		if (status == -1)
			continue;
		int fd = openat(dir, temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd == -1 && errno == ENOENT) /* it has been swept */
			continue;
		if (fd == -1)
			return remove_new(dir, temp);
		if (claim(fd, dir, temp))
			return fd;
		close(fd);
	}
	errno = EEXIST;
	return -1;
}

static bool may_sweep(const struct stat *st, uid_t owner)
{
	if (S_ISDIR(st->st_mode))
		return st->st_uid == geteuid() &&
		       (st->st_mode & (S_ISUID | S_ISVTX | 0777)) == TEMPORARY_MODE;
	return S_ISREG(st->st_mode) && (st->st_uid == geteuid() || st->st_uid == owner);
}

/* Opens what may be swept for its lock, which some network file systems give to writers only. */
static int open_for_lock(int dir, const char *temp, const struct stat *st)
{
	int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

	if (S_ISDIR(st->st_mode))
		return openat(dir, temp, O_RDONLY | O_DIRECTORY | flags);
	int fd = openat(dir, temp, O_WRONLY | flags);
	if (fd == -1)
		fd = openat(dir, temp, O_RDONLY | flags);
	return fd;
}

static void sweep(int dir, const char *temp, uid_t owner)
{
	struct stat st;

	/* Looked at before it is opened, which would do something to a device. */
	if (fstatat(dir, temp, &st, AT_SYMLINK_NOFOLLOW) == -1 || !may_sweep(&st, owner))
		return;
	int fd = open_for_lock(dir, temp, &st);
	if (fd == -1)
		return;
	if (fstat(fd, &st) == 0 && may_sweep(&st, owner) && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    descriptor_is_named(fd, dir, temp)) {
		if (S_ISDIR(st.st_mode))
			tree_remove(fd, dir, temp);
		else
			descriptor_remove(dir, temp);
	}
	close(fd);
}

void temporary_sweep(int dir, const char *name, uid_t owner)
{
	char scope[SCOPE_LENGTH + 1];
	char temp[TEMPORARY_MAX];

	find_scope(scope, dir);
	for (unsigned number = 0; number < SWEPT; number++) {
		write_name(temp, scope, name, number);
		sweep(dir, temp, owner);
	}
}

/* Returns how many bytes of name are hexadecimal digits. */
static size_t digits(const char *name)
{
	size_t count = 0;

	while (isxdigit((unsigned char)name[count]))
		count++;
	return count;
}

/*
 * Whether write_name() writes such a name in that scope. Elsewhere than on a local file system a
 * random one may be another machine's.
 */
static bool is_temporary_name(const char *name, const char *scope)
{
	size_t prefix = strlen(TEMPORARY_PREFIX);
	size_t len = strlen(scope);

	if (strncmp(name, TEMPORARY_PREFIX, prefix) != 0)
		return false;
	size_t count = digits(name + prefix);
	if (name[prefix + count] != '.')
		return false;
	if (len == 0 && count == (size_t)2 * SCOPE_LENGTH)
		return true;
	return count == len + 2 && strncmp(name + prefix, scope, len) == 0;
}

void temporary_sweep_directories(int dir)
{
	char scope[SCOPE_LENGTH + 1];
	const struct dirent *entry;

	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd == -1 ? NULL : fdopendir(fd);
	if (stream == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	find_scope(scope, dir);
	while ((entry = readdir(stream)) != NULL) {
		bool may_be_directory = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
		if (may_be_directory && is_temporary_name(entry->d_name, scope))
			sweep(dir, entry->d_name, geteuid());
	}
	closedir(stream);
}
