#include "data/tree_build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/tree_dirs.h"
#include "data/tree_later.h"
#include "data/tree_path.h"
#include "sys/io.h"

struct tree_build {
	struct tree_dirs dirs;
	bool is_inside;       /* the entries of the top are going to be moved */
	int64_t max_bytes;    /* the most of all files; 0: no limit */
	int64_t bytes;        /* of the files so far */
	int file;             /* the present file, or -1 */
	bool lost_attributes; /* the file system has refused some */
	bool has_root;        /* the archive has the tree's own directory: root */
	struct pax_member root;
	struct pax_member member;   /* the present one, under its clean path */
	char path[TREE_PATH_MAX];   /* that */
	char target[TREE_PATH_MAX]; /* of a hard link, clean */
	struct tree_later links;
	struct tree_later directories;
	struct tree_seen said; /* the paths of these */
};

struct tree_build *tree_build_new(const struct staging *staging,
    const struct tree_build_limits *limits, struct err *err)
{
	struct tree_build *build = calloc(1, sizeof(*build));

	if (build == NULL) {
		err_sys(err, "tree");
		return NULL;
	}
	tree_dirs_open(&build->dirs, staging, limits->entries);
	build->is_inside = staging->is_inside;
	build->max_bytes = limits->bytes;
	build->file = -1;
	return build;
}

/* Whether a file system refuses what it does not have: modes, as FAT does, or some times. */
static bool is_refusal(int errnum)
{
	return errnum == EPERM || errnum == EOPNOTSUPP || errnum == ENOSYS;
}

static mode_t final_mode(const struct tree_build *build, const struct pax_member *member)
{
	return member->mode & 0777 & ~build->dirs.umask;
}

/* Gives the open file the mode, and the member's time. Returns 0, or -1 with errno set. */
static int give_attributes(struct tree_build *build, int fd, mode_t mode,
    const struct pax_member *member)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, member->mtime};

	if (fchmod(fd, mode) == -1) {
		if (!is_refusal(errno))
			return -1;
		build->lost_attributes = true;
	}
	if (futimens(fd, times) == -1) {
		if (!is_refusal(errno))
			return -1;
		build->lost_attributes = true;
	}
	return 0;
}

static int begin_file(struct tree_build *build, int dir, struct err *err)
{
	const struct pax_member *member = &build->member;
	const char *name = tree_path_name(build->path);

	if (build->max_bytes != 0 && member->size > build->max_bytes - build->bytes)
		return err_set(err, ERR_FAILED, 0, "too large: more than %lld bytes of content",
		    (long long)build->max_bytes);
	build->bytes += member->size;
	build->file = beneath_open(&build->dirs.beneath, dir, name, strlen(name),
	    O_WRONLY | O_CREAT | O_EXCL, 0600);
	return build->file == -1 ? tree_dirs_fail(build->path, err) : 0;
}

static int begin_directory(struct tree_build *build, int dir, struct err *err)
{
	uint64_t bits = tree_seen_bits(0, build->path, strlen(build->path));

	if (tree_dirs_make(&build->dirs, bits, dir, tree_path_name(build->path), 0700) == -1) {
		/* One that was made because of what is in it may come once. */
		if (errno != EEXIST || !tree_seen_has(&build->dirs.made, bits))
			return tree_dirs_fail(build->path, err);
		build->dirs.entries--; /* it was counted when it was made */
	}
	int has_come = tree_seen_add(&build->said, bits);
	if (has_come == 1)
		errno = EEXIST;
	if (has_come != 0)
		return tree_dirs_fail(build->path, err);
	return tree_later_add(&build->directories, &build->member, build->path, err);
}

/* Gives the file that a hard link leads to its new name. Returns 0, or -1 with errno set. */
static int link_file(struct tree_build *build, const char *target, int dir, const char *name)
{
	const char *target_name = tree_path_name(target);
	size_t len = (size_t)(target_name - target);
	int from = tree_dirs_enter(&build->dirs, target, len == 0 ? 0 : len - 1, O_PATH);

	if (from == -1)
		return -1;
	int status = linkat(from, target_name, dir, name, 0);
	int errnum = errno;
	close(from);
	errno = errnum;
	return status;
}

/*
 * Keeps the present member, a link, for the end. Then symbolic links are made, and hard links to
 * them; whatever lies there already makes them fail now.
 */
static int keep_link(struct tree_build *build, int dir, struct err *err)
{
	struct stat st;

	if (fstatat(dir, tree_path_name(build->path), &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return tree_dirs_fail(build->path, err);
	}
	return tree_later_add(&build->links, &build->member, build->path, err);
}

/* Fills err: the hard link of that path could not be made, as errno says. Returns -1. */
static int fail_link(const char *path, struct err *err)
{
	if (errno == ENOENT)
		return tree_path_refuse(path, 0,
		    "refused, it is a hard link to what is not in the archive", err);
	if (errno == ELOOP || errno == ENOTDIR)
		return tree_path_refuse(path, 0, "refused, it is a hard link through another link",
		    err);
	return tree_dirs_fail(path, err);
}

static int begin_link(struct tree_build *build, int dir, struct err *err)
{
	struct pax_member *member = &build->member;

	if (member->type == PAX_SYMLINK) {
		if (strlen(member->target) >= PATH_MAX)
			return tree_path_refuse(build->path, ENAMETOOLONG, "cannot be made", err);
		return keep_link(build, dir, err);
	}
	if (tree_path_clean(build->target, member->target, err) == -1)
		return err_prefix(err, "a hard link");
	member->target = build->target;
	if (link_file(build, member->target, dir, tree_path_name(build->path)) == 0)
		return 0;
	return errno == ENOENT ? keep_link(build, dir, err) : fail_link(build->path, err);
}

static int make_member(void *context, const struct pax_member *member, struct err *err)
{
	struct tree_build *build = context;

	build->member = *member;
	if (tree_path_clean(build->path, member->path, err) == -1)
		return -1;
	build->member.path = build->path;
	if (*build->path == '\0') {
		if (member->type != PAX_DIRECTORY)
			return tree_path_refuse(member->path, 0,
			    "refused, it would be the tree itself", err);
		build->has_root = true;
		build->root = build->member;
		return 0;
	}
	int dir = tree_dirs_find_new(&build->dirs, build->path, err);
	if (dir == -1)
		return -1;
	switch (member->type) {
	case PAX_FILE:
		return begin_file(build, dir, err);
	case PAX_DIRECTORY:
		return begin_directory(build, dir, err);
	default:
		return begin_link(build, dir, err);
	}
}

static int write_content(void *context, const void *bytes, size_t size, struct err *err)
{
	const struct tree_build *build = context;

	if (io_write_file(build->file, bytes, size, err) == 0)
		return 0;
	return err_prefix(err, "%s: write", build->path);
}

static int finish_file(void *context, struct err *err)
{
	struct tree_build *build = context;

	if (build->file == -1)
		return 0;
	int status =
	    give_attributes(build, build->file, final_mode(build, &build->member), &build->member);
	int errnum = errno;
	if (close(build->file) == -1 && status == 0) {
		status = -1;
		errnum = errno;
	}
	build->file = -1;
	return status == 0 ? 0 : tree_path_refuse(build->path, errnum, "cannot be made", err);
}

struct pax_listener tree_build_listener(struct tree_build *build)
{
	return (struct pax_listener){
	    .member = make_member,
	    .content = write_content,
	    .ended = finish_file,
	    .context = build,
	};
}

static int make_link(struct tree_build *build, const struct pax_member *link, struct err *err)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, link->mtime};
	const char *name = tree_path_name(link->path);
	int dir = tree_dirs_find(&build->dirs, link->path, false, err);

	if (dir == -1)
		return -1;
	if (link->type == PAX_HARD_LINK)
		return link_file(build, link->target, dir, name) == 0 ? 0
		                                                      : fail_link(link->path, err);
	if (symlinkat(link->target, dir, name) == -1)
		return tree_dirs_fail(link->path, err);
	if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (!is_refusal(errno))
		return tree_dirs_fail(link->path, err);
	build->lost_attributes = true;
	return 0;
}

/* Whether the directory is itself going to be moved, which asks for our right to write to it. */
static bool is_moved(const struct tree_build *build, const struct pax_member *directory)
{
	return build->is_inside && strchr(directory->path, '/') == NULL;
}

static int finish_directory(struct tree_build *build, const struct pax_member *directory,
    struct err *err)
{
	mode_t mode = final_mode(build, directory);
	int fd = tree_dirs_enter(&build->dirs, directory->path, strlen(directory->path), O_RDONLY);

	if (fd == -1)
		return tree_dirs_fail(directory->path, err);
	if (is_moved(build, directory))
		mode |= 0700;
	int status = give_attributes(build, fd, mode, directory);
	if (status == -1)
		tree_dirs_fail(directory->path, err);
	close(fd);
	return status;
}

int tree_build_finish(struct tree_build *build, struct err *err)
{
	struct pax_member member;
	int status = 0;

	for (size_t i = 0; i < build->links.count && status == 0; i++) {
		tree_later_get(&build->links, i, &member);
		status = make_link(build, &member, err);
	}
	/* What is in a directory comes first: with its own mode, nothing may be found in it. */
	tree_later_sort(&build->directories);
	for (size_t i = 0; i < build->directories.count && status == 0; i++) {
		tree_later_get(&build->directories, i, &member);
		status = finish_directory(build, &member, err);
	}
	return status;
}

static void settle_directory(const struct tree_build *build, int dir,
    const struct pax_member *directory)
{
	mode_t mode = final_mode(build, directory);

	if (!is_moved(build, directory) || (mode & 0700) == 0700)
		return;
	int fd = openat(dir, directory->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return;
	(void)fchmod(fd, mode);
	close(fd);
}

void tree_build_settle(void *context, int dir)
{
	const struct pax_member plain = {.mode = 0777};
	struct tree_build *build = context;
	struct pax_member member;

	for (size_t i = 0; i < build->directories.count; i++) {
		tree_later_get(&build->directories, i, &member);
		settle_directory(build, dir, &member);
	}
	if (build->is_inside)
		return;
	if (build->has_root)
		(void)give_attributes(build, dir, final_mode(build, &build->root), &build->root);
	else
		(void)fchmod(dir, final_mode(build, &plain));
}

int64_t tree_build_entries(const struct tree_build *build)
{
	return build->dirs.entries;
}

bool tree_build_lost_attributes(const struct tree_build *build)
{
	return build->lost_attributes;
}

void tree_build_free(struct tree_build *build)
{
	if (build == NULL)
		return;
	if (build->file != -1)
		close(build->file);
	tree_dirs_close(&build->dirs);
	tree_later_clear(&build->links);
	tree_later_clear(&build->directories);
	tree_seen_clear(&build->said);
	free(build);
}
