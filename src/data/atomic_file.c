#include "data/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/obstacle.h"
#include "sys/descriptor.h"

static const struct atomic_file closed = {.fd = -1, .place = {.dir = -1, .object = -1}};

/* Returns the name for which the temporary names stand. */
static const char *stands_for(const struct atomic_file *file)
{
	return file->example != NULL ? file->example : file->place.name;
}

/*
 * Opens a file without a name (O_TMPFILE). Fails with EOPNOTSUPP if /proc is missing, for then the
 * file could get no name in the end. Returns 0, or -1 with errno set.
 */
static int open_nameless(struct atomic_file *file, mode_t mode)
{
	char path[DESCRIPTOR_PATH_MAX];

	file->fd = openat(file->place.dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
	if (file->fd == -1)
		return -1;
	descriptor_proc_path(file->fd, path);
	if (access(path, F_OK) == 0)
		return 0;
	close(file->fd);
	file->fd = -1;
	errno = EOPNOTSUPP;
	return -1;
}

static int open_temporary(struct atomic_file *file, mode_t mode)
{
	file->fd = temporary_open(file->temp, file->place.dir, stands_for(file), mode);
	if (file->fd == -1)
		file->temp[0] = '\0';
	return file->fd == -1 ? -1 : 0;
}

/*
 * Takes from now, the attributes of a file that may have come during the transfer, what would give
 * the new file away: where others may write, a user could put a file there to become the owner of
 * ours.
 */
static void distrust(const struct atomic_file *file, struct attributes *now)
{
	struct attributes ours = file->old;
	struct stat dir;

	if (now->uid == geteuid() || (file->has_old && now->uid == file->old.uid))
		return;
	if (fstat(file->place.dir, &dir) == 0 && (dir.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
	    (dir.st_uid == geteuid() || dir.st_uid == 0))
		return;
	if (!file->has_old)
		attributes_of(file->fd, &ours);
	attributes_restrict(&ours, now);
	*now = ours;
}

int atomic_file_match(struct atomic_file *file)
{
	struct attributes now;
	struct stat st;
	int dir = file->place.dir;

	if (fstatat(dir, file->place.name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    place_is_strangers(&file->place, &st)) {
		errno = EACCES;
		return -1;
	}
	int has_old = attributes_read(dir, file->place.name, &now);
	if (has_old == -1)
		return -1;
	if (has_old == 1)
		distrust(file, &now);
	if (has_old == 1 && !(file->has_old && attributes_equal(&now, &file->old))) {
		file->has_old = true;
		file->old = now;
		file->is_like_old = false;
	}
	if (!file->has_old || file->is_like_old)
		return 0;
	if (attributes_give(file->fd, &file->old) == -1)
		return -1;
	file->is_like_old = true;
	return 0;
}

/*
 * Renames the temporary name to the final one, and so replaces what has that. As rename(2). The
 * sync is made when the file has a name: else its count of links would be 0 on the disk, where a
 * file system without a journal may write the final name first, and a check of the disk takes such
 * a file for a deleted one.
 */
static int rename_over(struct atomic_file *file)
{
	if (atomic_file_match(file) == -1)
		return -1;
	/* The disk can take long, and in that time another file may come. */
	if (file->syncs && (descriptor_sync(file->fd) == -1 || atomic_file_match(file) == -1))
		return -1;
	return renameat(file->place.dir, file->temp, file->place.dir, file->place.name);
}

int atomic_file_open(struct atomic_file *file, const char *path, const struct stat *old,
    struct err *err)
{
	mode_t mode = old == NULL ? 0666 : 0600;
	bool is_append_only;

	if (obstacle_check(&file->place, path, old, &is_append_only, err) == -1)
		return -1;
	temporary_sweep(file->place.dir, stands_for(file), old == NULL ? geteuid() : old->st_uid);
	if (open_nameless(file, mode) == 0) {
		temporary_lock(file->fd);
	} else {
		if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT)
			return err_sys(err, "%s", path);
		if (is_append_only)
			return err_set(err, ERR_FAILED, EPERM,
			    "%s: the directory is append-only (chattr +a), and its file system "
			    "cannot make a file without a name",
			    path);
		if (open_temporary(file, mode) == -1)
			return err_sys(err, "%s", path);
	}
	if (old == NULL)
		return 0;
	int has_old = attributes_read(file->place.dir, file->place.name, &file->old);
	if (has_old == -1)
		return err_sys(err, "%s", path);
	file->has_old = has_old == 1;
	if (file->has_old && attributes_try(file->fd, &file->old) == -1)
		return err_sys(err, "%s: its mode", path);
	return 0;
}

/* Renames as rename(2), but fails with EEXIST, also on a file system without RENAME_NOREPLACE. */
static int rename_new(const struct atomic_file *file)
{
	int dir = file->place.dir;

	if (renameat2(dir, file->temp, dir, file->place.name, RENAME_NOREPLACE) == 0)
		return 0;
	/* EPERM, too: a sandbox may not know the call. linkat(2) says it again if it is meant. */
	if (errno != EINVAL && errno != ENOSYS && errno != EPERM)
		return -1;
	if (linkat(dir, file->temp, dir, file->place.name, 0) == -1)
		return -1;
	unlinkat(dir, file->temp, 0); /* even if that fails, the file has its name */
	return 0;
}

static int link_nameless(const struct atomic_file *file, const char *name)
{
	char path[DESCRIPTOR_PATH_MAX];

	descriptor_proc_path(file->fd, path);
	return linkat(AT_FDCWD, path, file->place.dir, name, AT_SYMLINK_FOLLOW);
}

/*
 * Links the nameless file as temp and renames temp to the name; removes temp if that fails. Returns
 * 0 or an errno.
 */
static int link_and_rename(struct atomic_file *file)
{
	if (link_nameless(file, file->temp) == -1)
		return errno;
	if (rename_over(file) == 0)
		return 0;
	int errnum = errno;
	unlinkat(file->place.dir, file->temp, 0);
	return errnum;
}

/*
 * Reads what link_and_rename() returned in the child, which is 0 or an errno. *killed becomes true
 * if the child ended without a word.
 */
static int read_answer(int fd, bool *killed)
{
	int answer;
	ssize_t n;

	do {
		n = read(fd, &answer, sizeof(answer));
	} while (n == -1 && errno == EINTR);
	*killed = n != (ssize_t)sizeof(answer);
	return *killed ? ECANCELED : answer;
}

/*
 * Calls link_and_rename() in a child, so that one SIGKILL leaves no temporary name: if this process
 * is killed, the child goes on to its end; if the child is killed, *killed becomes true, as temp
 * may be left. The child answers through a pipe, so a failing wait hides nothing. Returns 0 or an
 * errno.
 */
static int replace_in_child(struct atomic_file *file, bool *killed)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return link_and_rename(file);
	pid_t pid = fork();
	if (pid == 0) {
		int answer = link_and_rename(file);
		_exit(write(ends[1], &answer, sizeof(answer)) == -1 ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	close(ends[1]);
	/* If no more processes are allowed, it is better without a child than not at all. */
	int errnum = pid == -1 ? link_and_rename(file) : read_answer(ends[0], killed);
	close(ends[0]);
	while (pid != -1 && waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	return errnum;
}

/*
 * Puts the nameless file in the place of the old one, which takes two system calls and a temporary
 * name between them. If that name may be left, file->temp has it, for atomic_file_close(). Returns
 * 0, or -1 with errno set.
 */
static int replace(struct atomic_file *file)
{
	bool killed = false;
	int errnum = EEXIST;

	for (unsigned number = 0; number < TEMPORARY_TRIES && errnum == EEXIST; number++) {
		temporary_name(file->temp, file->place.dir, stands_for(file), number);
		errnum = replace_in_child(file, &killed);
	}
	if (!killed)
		file->temp[0] = '\0';
	errno = errnum;
	return errnum == 0 ? 0 : -1;
}

static int publish_nameless(struct atomic_file *file, bool no_clobber)
{
	if (link_nameless(file, file->place.name) == 0)
		return 0;
	if (errno != EEXIST || no_clobber)
		return -1;
	return replace(file);
}

static int publish_temporary(struct atomic_file *file, bool no_clobber)
{
	int status = no_clobber ? rename_new(file) : rename_over(file);

	if (status == 0)
		file->temp[0] = '\0';
	return status;
}

int atomic_file_publish(struct atomic_file *file, bool no_clobber)
{
	int status = file->temp[0] == '\0' ? publish_nameless(file, no_clobber)
	                                   : publish_temporary(file, no_clobber);
	int errnum = errno;

	/* A server may lose the answer to a call that it has carried out. */
	if (status == 0 || descriptor_is_named(file->fd, file->place.dir, file->place.name))
		return 0;
	errno = errnum;
	return -1;
}

void atomic_file_close(struct atomic_file *file)
{
	if (file->temp[0] != '\0')
		unlinkat(file->place.dir, file->temp, 0);
	if (file->fd != -1)
		close(file->fd);
	place_close(&file->place);
	*file = closed;
}
