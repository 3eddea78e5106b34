#include "data/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "sys/descriptor.h"

/* What is behind the name of the file. */
#define SUFFIX ".part"

/* How often a part is opened that is not there any more when it is locked. */
#define TRIES 16

/* Puts what the user calls the part in front of err. Returns -1. */
static int name_part(const struct part *part, const struct place *place, const char *path,
    struct err *err)
{
	/* Behind a link the file has another name. */
	return place->is_link ? err_prefix(err, "%s: %s", path, part->name)
	                      : err_prefix(err, "%s" SUFFIX, path);
}

/* Checks that it is one of ours. Returns 0, or -1 with the reason alone. */
static int check_kind(const struct stat *st, struct err *err)
{
	if (S_ISREG(st->st_mode) && st->st_uid == geteuid() && st->st_nlink == 1)
		return 0;
	if (!S_ISREG(st->st_mode))
		err_set(err, ERR_FAILED, 0, "is not a regular file");
	else if (st->st_uid != geteuid())
		err_set(err, ERR_FAILED, 0, "is another user's file");
	else
		err_set(err, ERR_FAILED, 0, "has more names than this one");
	return err_advise(err, "remove it, or receive into another file");
}

/*
 * Opens what has the name of the part. Returns 1, or 0 if nothing has it, or -1 with the reason
 * alone.
 */
static int open_named(struct part *part, struct stat *st, struct err *err)
{
	int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

	/* Looked at before it is opened, which would do something to a device. */
	if (fstatat(part->dir, part->name, st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : err_sys(err, "%s", "");
	if (check_kind(st, err) == -1)
		return -1;
	part->fd = openat(part->dir, part->name, flags);
	if (part->fd == -1)
		return errno == ENOENT ? 0 : err_sys(err, "%s", "");
	if (fstat(part->fd, st) == -1)
		return err_sys(err, "%s", "");
	return check_kind(st, err) == -1 ? -1 : 1;
}

/*
 * Locks it. Returns 1, or 0 if it has lost its name, as another receiver has made it the file, or
 * -1 with the reason alone.
 */
static int lock_opened(const struct part *part, struct err *err)
{
	/* Some file systems have no locks. */
	if (flock(part->fd, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK)
		return err_set(err, ERR_FAILED, 0, "another receiver is writing to it");
	return descriptor_is_named(part->fd, part->dir, part->name);
}

/* Returns 1 if the part is open, 0 if there is none, or -1 with the reason alone. */
static int open_and_lock(struct part *part, struct err *err)
{
	struct stat st;

	for (int tries = 0; tries < TRIES; tries++) {
		int status = open_named(part, &st, err);
		if (status == 1)
			status = lock_opened(part, err);
		if (status == -1 || part->fd == -1)
			return status;
		if (status == 1) {
			/* What it was before the lock may have been changed by who had that. */
			if (fstat(part->fd, &st) == -1)
				return err_sys(err, "%s", "");
			(void)fchmod(part->fd, 0600);
			part->size = st.st_size;
			return 1;
		}
		part_close(part);
	}
	return err_set(err, ERR_FAILED, 0, "another program changes it all the time");
}

/* Makes part that of the file at place, not opened. Returns 0, or -1 if it has too long a name. */
static int find_part(struct part *part, const struct place *place)
{
	*part = (struct part){.fd = -1, .dir = place->dir};
	int len = snprintf(part->name, sizeof(part->name), "%s" SUFFIX, place->name);
	return len < (int)sizeof(part->name) ? 0 : -1;
}

bool part_is_there(const struct place *place)
{
	struct part part;

	return find_part(&part, place) == 0 && faccessat(part.dir, part.name, F_OK, 0) == 0;
}

int part_open(struct part *part, const struct place *place, const char *path, struct err *err)
{
	if (find_part(part, place) == -1) {
		err_set(err, ERR_FAILED, ENAMETOOLONG, "%s", "");
		return name_part(part, place, path, err);
	}
	return open_and_lock(part, err) == -1 ? name_part(part, place, path, err) : 0;
}

int part_check(const struct part *part, int fd, int64_t size, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size == size &&
	    descriptor_is_named(fd, part->dir, part->name))
		return 0;
	return part_changed(part, err);
}

int part_changed(const struct part *part, struct err *err)
{
	return err_set(err, ERR_FAILED, 0, "%s: the part was changed by another program",
	    part->name);
}

void part_remove(const struct part *part)
{
	if (descriptor_is_named(part->fd, part->dir, part->name))
		descriptor_remove(part->dir, part->name);
}

void part_close(struct part *part)
{
	if (part->fd != -1)
		close(part->fd);
	part->fd = -1;
}
