#include "data/tree_dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads the umask, which cannot be had without a change of it. */
static mode_t present_umask(void)
{
	mode_t mask = umask(077);

	umask(mask);
	return mask;
}

void tree_dirs_open(struct tree_dirs *dirs, const struct staging *staging, int64_t max_entries)
{
	dirs->staging = staging;
	dirs->beneath = (struct beneath){.descends = false};
	dirs->umask = present_umask();
	dirs->entries = 0;
	dirs->max_entries = max_entries;
	dirs->made = (struct tree_seen){.slots = NULL};
	dirs->last = -1;
	dirs->last_len = 0;
}

int tree_dirs_fail(const char *path, struct err *err)
{
	switch (errno) {
	case EEXIST:
		return tree_path_refuse(path, 0, "refused, it comes twice", err);
	case ELOOP:
	case ENOTDIR:
		return tree_path_refuse(path, 0, "refused, it lies in what is no directory", err);
	default:
		return tree_path_refuse(path, errno, "cannot be made", err);
	}
}

int tree_dirs_make(struct tree_dirs *dirs, uint64_t bits, int dir, const char *name, mode_t mode)
{
	if (mkdirat(dir, name, mode) == -1 || tree_seen_add(&dirs->made, bits) == -1)
		return -1;
	if ((dirs->umask & 0700) == 0)
		return 0;
	return fchmodat(dir, name, (mode & ~dirs->umask) | 0700, 0);
}

static int count_entry(struct tree_dirs *dirs, struct err *err)
{
	if (dirs->entries == dirs->max_entries)
		return err_set(err, ERR_FAILED, 0,
		    "too many entries: more than %lld (--max-entries)",
		    (long long)dirs->max_entries);
	dirs->entries++;
	return 0;
}

/* Counts an entry, and checks that nothing has its name where those of the top have their place. */
static int admit_entry(struct tree_dirs *dirs, int dir, const char *name, struct err *err)
{
	if (dir == dirs->staging->root && staging_is_taken(dirs->staging, name))
		return tree_path_refuse(name, 0, "there is one already, and nothing is replaced",
		    err);
	return count_entry(dirs, err);
}

/*
 * Opens a directory that was made, or a file system that does not tell upper from lower case takes
 * for one of another name. Returns it, or -1 with errno set, to EEXIST for the latter.
 */
static int open_made(struct tree_dirs *dirs, uint64_t bits, int dir, const char *path, size_t len)
{
	int fd = beneath_open(&dirs->beneath, dir, path, len, O_PATH | O_DIRECTORY, 0);

	if (fd == -1 || tree_seen_has(&dirs->made, bits))
		return fd;
	close(fd);
	errno = EEXIST;
	return -1;
}

/*
 * Opens the directory name in dir, the path to which has these bits, on the way to path; makes it
 * if it is missing.
 */
static int enter_name(struct tree_dirs *dirs, uint64_t bits, int dir, const char *name,
    const char *path, struct err *err)
{
	int fd = open_made(dirs, bits, dir, name, strlen(name));

	if (fd == -1 && errno == ENOENT) {
		if (admit_entry(dirs, dir, name, err) == -1)
			return -1;
		if (tree_dirs_make(dirs, bits, dir, name, 0777) == 0)
			fd = open_made(dirs, bits, dir, name, strlen(name));
	}
	return fd == -1 ? tree_dirs_fail(path, err) : fd;
}

/* Opens the directory of that path, of len bytes, name by name, and makes what is missing. */
static int make_all(struct tree_dirs *dirs, const char *path, size_t len, struct err *err)
{
	char name[NAME_MAX + 1];
	int dir = dirs->staging->root;
	uint64_t bits = 0;

	for (size_t at = 0; at < len;) {
		size_t size = strcspn(path + at, "/");
		memcpy(name, path + at, size);
		name[size] = '\0';
		bits = at == 0 ? tree_seen_bits(0, path, size)
		               : tree_seen_bits(bits, path + at - 1, size + 1);
		int next = enter_name(dirs, bits, dir, name, path, err);
		if (dir != dirs->staging->root)
			close(dir);
		if (next == -1)
			return -1;
		dir = next;
		at += size + 1;
	}
	return dir;
}

int tree_dirs_enter(struct tree_dirs *dirs, const char *path, size_t len, int flags)
{
	if (len == 0)
		return beneath_open(&dirs->beneath, dirs->staging->root, ".", 1, flags, 0);
	return beneath_open(&dirs->beneath, dirs->staging->root, path, len, flags | O_DIRECTORY, 0);
}

static void close_last(struct tree_dirs *dirs)
{
	if (dirs->last != -1)
		close(dirs->last);
	dirs->last = -1;
}

static bool is_last(const struct tree_dirs *dirs, const char *path, size_t len)
{
	return dirs->last != -1 && dirs->last_len == len && memcmp(dirs->last_path, path, len) == 0;
}

int tree_dirs_find(struct tree_dirs *dirs, const char *path, bool makes, struct err *err)
{
	size_t len = (size_t)(tree_path_name(path) - path);

	if (len == 0)
		return dirs->staging->root;
	len--;
	if (is_last(dirs, path, len))
		return dirs->last;
	close_last(dirs);
	int fd = open_made(dirs, tree_seen_bits(0, path, len), dirs->staging->root, path, len);
	if (fd == -1 && errno == ENOENT && makes)
		fd = make_all(dirs, path, len, err);
	else if (fd == -1)
		tree_dirs_fail(path, err);
	if (fd == -1)
		return -1;
	dirs->last = fd;
	dirs->last_len = len;
	memcpy(dirs->last_path, path, len);
	return fd;
}

int tree_dirs_find_new(struct tree_dirs *dirs, const char *path, struct err *err)
{
	int dir = tree_dirs_find(dirs, path, true, err);

	if (dir == -1 || admit_entry(dirs, dir, tree_path_name(path), err) == -1)
		return -1;
	return dir;
}

void tree_dirs_close(struct tree_dirs *dirs)
{
	close_last(dirs);
	tree_seen_clear(&dirs->made);
}
