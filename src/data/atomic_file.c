#include "data/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/obstacle.h"
#include "data/rename_new.h"
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

static int link_nameless(const struct atomic_file *file, const char *name)
{
	char path[DESCRIPTOR_PATH_MAX];

	descriptor_proc_path(file->fd, path);
	return linkat(AT_FDCWD, path, file->place.dir, name, AT_SYMLINK_FOLLOW);
}

/* Gives a nameless file a temporary name. Returns 0, or -1 with errno set. */
static int link_temporary(struct atomic_file *file)
{
	int status = -1;

	errno = EEXIST;
	for (unsigned number = 0; status == -1 && errno == EEXIST && number < TEMPORARY_TRIES;
	     number++) {
		temporary_name(file->temp, file->place.dir, stands_for(file), number);
		status = link_nameless(file, file->temp);
	}
	if (status == -1)
		file->temp[0] = '\0';
	else
		file->is_nameless = false;
	return status;
}

/*
 * Tries, with another file, whether a nameless file can get a name here that is like the final one.
 */
static bool can_link(const struct atomic_file *file)
{
	struct atomic_file other = {.place = file->place, .example = file->example};

	if (open_nameless(&other, 0600) == -1)
		return false;
	temporary_lock(other.fd);
	int status = link_temporary(&other);
	if (status == 0)
		status = descriptor_remove(file->place.dir, other.temp);
	close(other.fd);
	return status == 0;
}

/* Tries, with another file, to rename an open one here. Returns 0, or -1 with errno set. */
static int try_rename(const struct atomic_file *file)
{
	char temp[TEMPORARY_MAX];
	char other[TEMPORARY_MAX];
	int dir = file->place.dir;
	int fd = temporary_open(temp, dir, stands_for(file), 0600);

	if (fd == -1)
		return -1;
	temporary_name(other, dir, stands_for(file), TEMPORARY_TRIES);
	int status = renameat(dir, temp, dir, other);
	int errnum = errno;
	descriptor_remove(dir, status == 0 ? other : temp);
	close(fd);
	errno = errnum;
	return status;
}

static int open_temporary(struct atomic_file *file, const char *path, mode_t mode, struct err *err)
{
	if (file->is_append_only)
		return err_set(err, ERR_FAILED, EPERM,
		    "%s: the directory is append-only (chattr +a), and its file system cannot make "
		    "a file without a name",
		    path);
	file->fd = temporary_open(file->temp, file->place.dir, stands_for(file), mode);
	if (file->fd == -1)
		file->temp[0] = '\0';
	/* Each has another errno for it. */
	if (file->fd == -1 && (errno == EINVAL || errno == ENOENT || errno == EILSEQ))
		return err_sys(err, "%s: the file system takes no such name", path);
	if (file->fd == -1 || (!file->is_tried && try_rename(file) == -1))
		return err_sys(err, "%s", path);
	return 0;
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
		ours = file->fresh;
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
	int has_old = attributes_read(dir, file->place.name, &st, &now);
	if (has_old == -1)
		return -1;
	/* The name may have been given to another file since the look. */
	if (has_old == 1 && place_is_strangers(&file->place, &st)) {
		errno = EACCES;
		return -1;
	}
	if (has_old == 1)
		distrust(file, &now);
	if (has_old == 1 && !(file->has_old && attributes_equal(&now, &file->old))) {
		file->has_old = true;
		file->old = now;
		file->is_like_old = false;
	}
	if (file->is_like_old || (!file->has_old && !file->is_private))
		return 0;
	if (attributes_give(file->fd, file->has_old ? &file->old : &file->fresh) == -1)
		return -1;
	file->is_like_old = true;
	return 0;
}

/* Sweeps what was left behind here, and reads the attributes of the old file, if there is one. */
static int look_around(struct atomic_file *file, const char *path, const struct stat *old,
    struct err *err)
{
	int dir = file->place.dir;
	struct stat st;

	if (obstacle_check(&file->place, path, old, &file->is_append_only, err) == -1)
		return -1;
	temporary_sweep(dir, stands_for(file), old == NULL ? geteuid() : old->st_uid);
	if (old == NULL)
		return 0;
	int has_old = attributes_read(dir, file->place.name, &st, &file->old);
	if (has_old == -1)
		return err_sys(err, "%s", path);
	/* The name may have been given to another file since the place was checked. */
	if (has_old == 1 && place_check(&file->place, &st, err) == -1)
		return err_prefix(err, "%s", path);
	file->has_old = has_old == 1;
	return 0;
}

int atomic_file_open(struct atomic_file *file, const char *path, const struct stat *old,
    struct err *err)
{
	mode_t mode = old == NULL ? 0666 : 0600;

	if (look_around(file, path, old, err) == -1)
		return -1;
	file->is_nameless = open_nameless(file, mode) == 0;
	if (!file->is_nameless && errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL &&
	    errno != ENOENT)
		return err_sys(err, "%s", path);
	/* In an append-only directory the name of the trial could not be removed. */
	if (file->is_nameless && !file->is_tried && !file->is_append_only && !can_link(file)) {
		close(file->fd);
		file->fd = -1;
		file->is_nameless = false;
	}
	if (file->is_nameless)
		temporary_lock(file->fd);
	else if (open_temporary(file, path, mode, err) == -1)
		return -1;
	if (!file->has_old)
		attributes_of(file->fd, &file->fresh);
	else if (attributes_try(file->fd, &file->old) == -1)
		return err_sys(err, "%s: its mode", path);
	return 0;
}

/* Gives the file that name in the directory. Returns 0, or -1 with errno set. */
static int name_part_of(struct atomic_file *file, const char *name, bool replaces)
{
	int dir = file->place.dir;

	if (file->is_nameless && !replaces)
		return link_nameless(file, name);
	if (file->is_nameless && link_temporary(file) == -1)
		return -1;
	return replaces ? renameat(dir, file->temp, dir, name)
	                : rename_new(dir, file->temp, dir, name);
}

/*
 * Notes that the file has the name of a part, where other programs can reach it. From now on it is
 * appended to: what they cut off is not filled with null bytes, but shows in its size.
 */
static void become_part(struct atomic_file *file, const char *name)
{
	int flags = fcntl(file->fd, F_GETFL);

	if (flags != -1)
		(void)fcntl(file->fd, F_SETFL, flags | O_APPEND);
	strlcpy(file->temp, name, sizeof(file->temp));
	file->is_nameless = false;
	file->is_part = true;
	file->is_private = true;
}

int atomic_file_keep(struct atomic_file *file, const char *name, bool replaces)
{
	/* Where there are no modes, there is nothing to be done about it. */
	(void)fchmod(file->fd, 0600);
	file->is_private = true;
	file->is_like_old = false;
	if (name_part_of(file, name, replaces) == -1)
		return -1;
	become_part(file, name);
	return 0;
}

/* Closes the new file, and removes the name that it has if that is a temporary one. */
static void drop_file(struct atomic_file *file)
{
	if (file->temp[0] != '\0' && !file->is_part)
		descriptor_remove(file->place.dir, file->temp);
	if (file->fd != -1)
		close(file->fd);
}

void atomic_file_go_on(struct atomic_file *file, int fd, const char *name)
{
	drop_file(file);
	file->fd = fd;
	become_part(file, name);
	file->is_like_old = false;
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
	/* And another one may have got the name of the part. */
	if (file->is_part && !descriptor_is_named(file->fd, file->place.dir, file->temp)) {
		errno = ESTALE;
		return -1;
	}
	return renameat(file->place.dir, file->temp, file->place.dir, file->place.name);
}

/*
 * Renames the file from its temporary name, which one without a name gets first, to the final one.
 * Returns 0 or an errno: EAGAIN if the temporary name was taken, and EEXIST if the final one is,
 * with which the file keeps the temporary one, as it can be linked only once. After any other a
 * nameless file has no name.
 */
static int give_name(struct atomic_file *file, bool no_clobber)
{
	if (file->is_nameless && link_nameless(file, file->temp) == -1)
		return errno == EEXIST ? EAGAIN : errno;
	int dir = file->place.dir;
	int status =
	    no_clobber ? rename_new(dir, file->temp, dir, file->place.name) : rename_over(file);
	if (status == 0)
		return 0;
	int errnum = errno;
	if (file->is_nameless && errnum != EEXIST)
		descriptor_remove(file->place.dir, file->temp);
	return errnum;
}

/*
 * Reads what give_name() returned in the child, which is 0 or an errno. *killed becomes true
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
 * Calls give_name() in a child, so that one SIGKILL leaves no temporary name: if this process is
 * killed, the child goes on to its end; if the child is killed, *killed becomes true, as temp may
 * be left. The child answers through a pipe, so a failing wait hides nothing. Returns 0 or an
 * errno.
 */
static int give_name_in_child(struct atomic_file *file, bool no_clobber, bool *killed)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return give_name(file, no_clobber);
	pid_t pid = fork();
	if (pid == 0) {
		int answer = give_name(file, no_clobber);
		_exit(write(ends[1], &answer, sizeof(answer)) == -1 ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	close(ends[1]);
	/* If no more processes are allowed, it is better without a child than not at all. */
	int errnum = pid == -1 ? give_name(file, no_clobber) : read_answer(ends[0], killed);
	close(ends[0]);
	while (pid != -1 && waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	return errnum;
}

/*
 * Gives the nameless file its name by way of a temporary one. If that may be left, file->temp has
 * it, for atomic_file_close(). Returns 0, or -1 with errno set.
 */
static int publish_by_rename(struct atomic_file *file, bool no_clobber)
{
	bool killed = false;
	int errnum = EAGAIN;

	for (unsigned number = 0; number < TEMPORARY_TRIES && errnum == EAGAIN; number++) {
		temporary_name(file->temp, file->place.dir, stands_for(file), number);
		errnum = give_name_in_child(file, no_clobber, &killed);
	}
	if (errnum == EEXIST)
		file->is_nameless = false;
	else if (!killed)
		file->temp[0] = '\0';
	errno = errnum;
	return errnum == 0 ? 0 : -1;
}

static int publish_nameless(struct atomic_file *file, bool no_clobber)
{
	struct stat st;

	/* A name that is taken already costs nothing. */
	if (no_clobber &&
	    fstatat(file->place.dir, file->place.name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	if (file->example != NULL && !file->is_append_only)
		return publish_by_rename(file, no_clobber);
	if (link_nameless(file, file->place.name) == 0)
		return 0;
	if (errno != EEXIST || no_clobber)
		return -1;
	return publish_by_rename(file, no_clobber);
}

static int publish_temporary(struct atomic_file *file, bool no_clobber)
{
	bool killed = false;
	/* To replace is one step by itself; not to replace may take several. */
	int errnum =
	    no_clobber ? give_name_in_child(file, no_clobber, &killed) : give_name(file, false);

	if (errnum == 0)
		file->temp[0] = '\0';
	errno = errnum;
	return errnum == 0 ? 0 : -1;
}

int atomic_file_publish(struct atomic_file *file, bool no_clobber)
{
	int status = file->is_nameless ? publish_nameless(file, no_clobber)
	                               : publish_temporary(file, no_clobber);
	int errnum = errno;

	if (status == 0 || descriptor_is_named(file->fd, file->place.dir, file->place.name))
		return 0;
	errno = errnum;
	return -1;
}

void atomic_file_close(struct atomic_file *file)
{
	/* The rights and the owner of the file that it did not become are not the part's. */
	if (file->is_part && file->temp[0] != '\0' && file->is_like_old &&
	    fchmod(file->fd, 0600) == 0 && fchown(file->fd, geteuid(), (gid_t)-1) == 0)
		file->is_like_old = false;
	drop_file(file);
	place_close(&file->place);
	*file = closed;
}
