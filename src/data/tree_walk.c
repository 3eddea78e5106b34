#include "data/tree_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path_name.h"
#include "data/pax.h"
#include "data/temporary.h"
#include "sys/place.h"

/* How to open what others may swap meanwhile: a link is none of ours, a FIFO does not block. */
#define OPEN_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

/* How often the same name may turn out to be of another type than it was. */
#define LOOKS_MAX 8

/* How many entries are looked ahead for files that are going to be read, and how much of each. */
#define AHEAD_ENTRIES 64
#define AHEAD_BYTES ((off_t)256 * 1024)

/* A directory whose names are being walked through. */
struct level {
	int fd; /* -1: closed for a time, as there are so many */
	dev_t dev;
	ino_t ino;
	char *entries; /* one behind the other: a byte, the type of readdir(3), and the name */
	char **sorted;
	size_t count;
	size_t next;
	size_t ahead;    /* up to this one, they were read ahead */
	size_t path_len; /* of the directory, in walk->path */
	size_t name_len; /* in walk->name */
};

struct tree_walk {
	const struct tree_walk_options *options;
	size_t next_path;
	int first; /* the first path, open since the beginning; -1: it was handed out */
	struct level *levels;
	size_t depth;
	size_t left_out;
	size_t unreadable; /* of these */
	bool has_begun;
	bool reads_ahead;
	bool has_port_file;
	struct stat port_file;
	char path[PAX_PATH_MAX + 1];
	char name[PATH_MAX + PAX_PATH_MAX + 2];
	char target[PATH_MAX];
};

/* Says why what has the name of the walk now is left out. */
static void say(struct tree_walk *walk, const char *why)
{
	char text[sizeof(walk->name) + 100];

	walk->left_out++;
	snprintf(text, sizeof(text), "%s: %s", walk->name, why);
	walk->options->say(walk->options->context, text);
}

/* Leaves out what cannot be read, or fails because of it, with the reason in errno. */
static int leave_unreadable(struct tree_walk *walk, struct err *err)
{
	char why[200];
	int errnum = errno;
	bool is_ours = errnum == EMFILE || errnum == ENFILE || errnum == ENOMEM;

	if (errnum == ENOENT) {
		say(walk, "it is gone, and left out");
		return 0;
	}
	err_set(err, ERR_FAILED, errnum, "%s", walk->name);
	if (is_ours)
		return -1;
	if (!walk->options->skips_unreadable)
		return err_advise(err, "--skip-unreadable leaves out what cannot be read");
	snprintf(why, sizeof(why), "left out: %s", strerror(errnum));
	err_clear(err);
	say(walk, why);
	walk->unreadable++;
	return 0;
}

/* Sets the path and the name of an entry of the level. */
static int name_entry(struct tree_walk *walk, const struct level *level, const char *entry,
    struct err *err)
{
	size_t len = strlen(entry);
	const char *slash = level->path_len == 0 ? "" : "/";

	if (level->path_len + 1 + len > PAX_PATH_MAX) {
		walk->name[level->name_len] = '\0';
		return err_set(err, ERR_FAILED, ENAMETOOLONG, "%.200s...", walk->name);
	}
	snprintf(walk->path + level->path_len, sizeof(walk->path) - level->path_len, "%s%s", slash,
	    entry);
	snprintf(walk->name + level->name_len, sizeof(walk->name) - level->name_len, "/%s", entry);
	return 0;
}

static const char *entry_name(const char *entry)
{
	return entry + 1;
}

static int order_entries(const void *a, const void *b)
{
	return strcmp(entry_name(*(const char *const *)a), entry_name(*(const char *const *)b));
}

/* Adds an entry to those of the level, of which size bytes are used. Returns 0, or -1. */
static int add_entry(struct level *level, size_t *size, size_t *room, const struct dirent *dirent)
{
	size_t len = strlen(dirent->d_name) + 1;

	if (*size + 1 + len > *room) {
		size_t more = 2 * *room + 4096;
		char *entries = realloc(level->entries, more);
		if (entries == NULL)
			return -1;
		level->entries = entries;
		*room = more;
	}
	level->entries[*size] = (char)dirent->d_type;
	memcpy(level->entries + *size + 1, dirent->d_name, len);
	*size += 1 + len;
	level->count++;
	return 0;
}

/* Points at the entries in the order of their names. Returns 0, or -1. */
static int sort_entries(struct level *level)
{
	char *at = level->entries;

	level->sorted = calloc(level->count + 1, sizeof(*level->sorted));
	if (level->sorted == NULL)
		return -1;
	for (size_t i = 0; i < level->count; i++) {
		level->sorted[i] = at;
		at += 1 + strlen(entry_name(at)) + 1;
	}
	qsort(level->sorted, level->count, sizeof(*level->sorted), order_entries);
	return 0;
}

/* Reads the names of the directory. Returns 0, or -1 with errno set. */
static int read_entries(struct level *level)
{
	size_t size = 0;
	size_t room = 0;
	struct dirent *dirent;
	int copy = fcntl(level->fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy == -1 ? NULL : fdopendir(copy);

	if (dir == NULL) {
		if (copy != -1)
			close(copy);
		return -1;
	}
	int status = 0;
	for (errno = 0; status == 0 && (dirent = readdir(dir)) != NULL; errno = 0) {
		if (!path_name_is_dots(dirent->d_name, strlen(dirent->d_name)))
			status = add_entry(level, &size, &room, dirent);
	}
	int errnum = errno;
	closedir(dir);
	errno = errnum;
	return status == -1 || errnum != 0 ? -1 : sort_entries(level);
}

static void close_level(struct level *level)
{
	if (level->fd != -1)
		close(level->fd);
	free(level->entries);
	free(level->sorted);
}

/*
 * Enters the directory fd, which has the path and the name of the walk now, and which it takes
 * over. Returns 1, 0 if it was left out, or -1.
 */
static int enter_level(struct tree_walk *walk, int fd, const struct stat *st, size_t path_len,
    struct err *err)
{
	struct level level = {
	    .fd = fd,
	    .dev = st->st_dev,
	    .ino = st->st_ino,
	    .path_len = path_len,
	    .name_len = strlen(walk->name),
	};

	if (read_entries(&level) == -1) {
		int errnum = errno;
		close_level(&level);
		errno = errnum;
		return leave_unreadable(walk, err);
	}
	struct level *levels = reallocarray(walk->levels, walk->depth + 1, sizeof(*levels));
	if (levels == NULL) {
		close_level(&level);
		return err_sys(err, "%s", walk->name);
	}
	walk->levels = levels;
	levels[walk->depth++] = level;
	if (walk->depth > TREE_WALK_DESCRIPTORS) {
		struct level *far = &levels[walk->depth - TREE_WALK_DESCRIPTORS - 1];
		close(far->fd);
		far->fd = -1;
	}
	return 1;
}

/* Opens the directory above once more. Returns 0, or -1. */
static int reopen(struct tree_walk *walk, struct level *above, int below, struct err *err)
{
	struct stat st;

	walk->name[above->name_len] = '\0';
	above->fd = openat(below, "..", OPEN_FLAGS | O_DIRECTORY | O_CLOEXEC);
	if (above->fd == -1 || fstat(above->fd, &st) == -1)
		return err_sys(err, "%s", walk->name);
	if (st.st_dev != above->dev || st.st_ino != above->ino)
		return err_set(err, ERR_FAILED, 0,
		    "%s: a directory in it was moved while it was sent", walk->name);
	return 0;
}

static int leave_level(struct tree_walk *walk, struct err *err)
{
	struct level *level = &walk->levels[walk->depth - 1];
	int status = 0;

	if (walk->depth > 1 && level[-1].fd == -1)
		status = reopen(walk, level - 1, level->fd, err);
	close_level(level);
	walk->depth--;
	return status;
}

/* Makes the item of what was opened, and takes fd over. Returns 1, 0 if it is left out, or -1. */
static int take_item(struct tree_walk *walk, int fd, struct tree_walk_item *item, struct err *err)
{
	const char *kind = "a socket, FIFO or device, and left out";
	size_t len = strcmp(walk->path, ".") == 0 ? 0 : strlen(walk->path);

	*item = (struct tree_walk_item){.path = walk->path, .name = walk->name, .fd = -1};
	if (fstat(fd, &item->st) == -1) {
		err_sys(err, "%s", walk->name);
		close(fd);
		return -1;
	}
	if (S_ISDIR(item->st.st_mode))
		return enter_level(walk, fd, &item->st, len, err);
	if (S_ISREG(item->st.st_mode)) {
		if (!walk->has_port_file || item->st.st_dev != walk->port_file.st_dev ||
		    item->st.st_ino != walk->port_file.st_ino) {
			item->fd = fd;
			return 1;
		}
		kind = "our own port file, and left out";
	}
	close(fd);
	say(walk, kind);
	return 0;
}

/* Makes the item of a symbolic link. Returns 1, 0 if it is left out, or -1. */
static int take_link(struct tree_walk *walk, int dir, const char *entry,
    struct tree_walk_item *item, struct err *err)
{
	ssize_t len = readlinkat(dir, entry, walk->target, sizeof(walk->target) - 1);

	*item = (struct tree_walk_item){
	    .path = walk->path,
	    .name = walk->name,
	    .target = walk->target,
	    .fd = -1,
	};
	if (len == -1 || fstatat(dir, entry, &item->st, AT_SYMLINK_NOFOLLOW) == -1)
		return leave_unreadable(walk, err);
	walk->target[len] = '\0';
	return 1;
}

/* The type of the name now, as readdir(3) would tell it. Returns 0, or -1 with errno set. */
static int type_now(int dir, const char *entry, unsigned char *type)
{
	struct stat st;

	if (fstatat(dir, entry, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	*type = (unsigned char)IFTODT(st.st_mode);
	return 0;
}

/*
 * Opens what has the name of the entry, and makes the item of it. It may be swapped for something
 * else meanwhile; then it is looked at again. Returns 1, 0 if it is left out, or -1.
 */
static int visit(struct tree_walk *walk, int dir, const char *entry, struct tree_walk_item *item,
    struct err *err)
{
	const char *name = entry_name(entry);
	unsigned char type = (unsigned char)*entry;

	for (int looks = 0; looks < LOOKS_MAX; looks++) {
		if ((type == DT_UNKNOWN || looks > 0) && type_now(dir, name, &type) == -1)
			return leave_unreadable(walk, err);
		if (type == DT_LNK)
			return take_link(walk, dir, name, item, err);
		if (type != DT_REG && type != DT_DIR) {
			say(walk, "a socket, FIFO or device, and left out");
			return 0;
		}
		int only = type == DT_DIR ? O_DIRECTORY : 0;
		int fd = openat(dir, name, OPEN_FLAGS | only | O_CLOEXEC);
		if (fd != -1)
			return take_item(walk, fd, item, err);
		if (errno != ELOOP && errno != ENOTDIR && errno != ENXIO)
			return leave_unreadable(walk, err);
	}
	return err_set(err, ERR_FAILED, 0, "%s: it does not stay what it is", walk->name);
}

/* Sets path and name to those of a path of the options. */
static void enter_path(struct tree_walk *walk, const char *path)
{
	size_t len = 1;
	const char *last = walk->options->names ? path_name(path, &len) : ".";

	snprintf(walk->path, sizeof(walk->path), "%.*s", (int)len, last);
	snprintf(walk->name, sizeof(walk->name), "%.*s", (int)path_name_end(path), path);
}

/* Opens a path of the options. Returns its descriptor, or -1. */
static int open_operand(const char *path, struct err *err)
{
	int fd = place_open_path(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, err);
	struct stat st;

	if (fd == -1 || (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))))
		return fd;
	close(fd);
	return err_set(err, ERR_FAILED, 0, "%s: it is neither a file nor a directory", path);
}

/* Opens the next path. Returns 1, 0 if there is none, or -1. */
static int visit_path(struct tree_walk *walk, struct tree_walk_item *item, struct err *err)
{
	const char *path = walk->options->paths[walk->next_path];

	if (path == NULL)
		return 0;
	enter_path(walk, path);
	int fd = walk->first == -1 ? open_operand(path, err) : walk->first;
	walk->first = -1;
	walk->next_path++;
	return fd == -1 ? -1 : take_item(walk, fd, item, err);
}

/* Our port file has been made by now. */
static void begin(struct tree_walk *walk)
{
	const char *port_file = walk->options->port_file;

	walk->has_begun = true;
	walk->has_port_file = port_file != NULL && stat(port_file, &walk->port_file) == 0;
}

/* If it cannot be opened, that is found out when its turn comes. */
static void read_ahead(int dir, const char *name)
{
	int fd = openat(dir, name, OPEN_FLAGS | O_CLOEXEC);

	if (fd == -1)
		return;
	(void)posix_fadvise(fd, 0, AHEAD_BYTES, POSIX_FADV_WILLNEED);
	close(fd);
}

static void read_all_ahead(struct level *level)
{
	size_t left = level->count - level->next;
	size_t end = level->next + (left < AHEAD_ENTRIES ? left : AHEAD_ENTRIES);

	if (level->ahead < level->next)
		level->ahead = level->next;
	for (; level->ahead < end; level->ahead++) {
		const char *entry = level->sorted[level->ahead];
		if ((unsigned char)*entry == DT_REG)
			read_ahead(level->fd, entry_name(entry));
	}
}

/* Visits the next entry of the deepest directory. Returns 1, 0 if it is left out, or -1. */
static int visit_entry(struct tree_walk *walk, struct tree_walk_item *item, struct err *err)
{
	struct level *level = &walk->levels[walk->depth - 1];

	if (level->next == level->count)
		return leave_level(walk, err);
	if (walk->reads_ahead)
		read_all_ahead(level);
	const char *entry = level->sorted[level->next++];
	if (name_entry(walk, level, entry_name(entry), err) == -1)
		return -1;
	if (strncmp(entry_name(entry), TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX)) == 0) {
		say(walk, "a temporary file of a transfer, and left out");
		return 0;
	}
	return visit(walk, level->fd, entry, item, err);
}

int tree_walk_next(struct tree_walk *walk, struct tree_walk_item *item, struct err *err)
{
	int status = 0;

	if (!walk->has_begun)
		begin(walk);
	while (status == 0 && (walk->depth > 0 || walk->options->paths[walk->next_path] != NULL)) {
		status =
		    walk->depth > 0 ? visit_entry(walk, item, err) : visit_path(walk, item, err);
	}
	return status;
}

struct tree_walk *tree_walk_new(const struct tree_walk_options *options, int first, struct err *err)
{
	struct tree_walk *walk = calloc(1, sizeof(*walk));

	if (walk == NULL) {
		err_sys(err, "%s", options->paths[0]);
		return NULL;
	}
	walk->options = options;
	walk->first = first != -1 ? first : open_operand(options->paths[0], err);
	int status = walk->first == -1 ? -1 : 0;
	for (size_t i = 1; status == 0 && options->paths[i] != NULL; i++) {
		int fd = open_operand(options->paths[i], err);
		status = fd == -1 ? -1 : close(fd);
	}
	if (status == 0)
		return walk;
	tree_walk_free(walk);
	return NULL;
}

int tree_walk_leave_out(struct tree_walk *walk, struct err *err)
{
	if (err->kind != ERR_FAILED)
		return -1;
	errno = err->errnum;
	err_clear(err);
	return leave_unreadable(walk, err);
}

void tree_walk_read_ahead(struct tree_walk *walk)
{
	walk->reads_ahead = true;
}

size_t tree_walk_left_out(const struct tree_walk *walk)
{
	return walk->left_out;
}

size_t tree_walk_unreadable(const struct tree_walk *walk)
{
	return walk->unreadable;
}

void tree_walk_free(struct tree_walk *walk)
{
	if (walk == NULL)
		return;
	while (walk->depth > 0)
		close_level(&walk->levels[--walk->depth]);
	if (walk->first != -1)
		close(walk->first);
	free(walk->levels);
	free(walk);
}
