#include "data/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/descriptor.h"

void publish_temp_name(char *name)
{
	snprintf(name, PUBLISH_TEMP_MAX, ".sockxfer.%08x%08x", arc4random(), arc4random());
}

static int link_as(int fd, const struct place *place, const char *name)
{
	char path[DESCRIPTOR_PATH_MAX];

	descriptor_proc_path(fd, path);
	return linkat(AT_FDCWD, path, place->dir, name, AT_SYMLINK_FOLLOW);
}

/* rename(2) that fails with EEXIST, also where the file system has no RENAME_NOREPLACE. */
static int rename_new(const struct place *place, const char *temp)
{
	if (renameat2(place->dir, temp, place->dir, place->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(place->dir, temp, place->dir, place->name, 0) == -1)
		return -1;
	unlinkat(place->dir, temp, 0); /* whether or not: the file has its name */
	return 0;
}

int publish_named(const struct place *place, const char *temp, bool no_clobber)
{
	if (no_clobber)
		return rename_new(place, temp);
	return renameat(place->dir, temp, place->dir, place->name);
}

/* Links the nameless file as temp and renames that. Leaves no temp behind. Returns 0 or an errno. */
static int link_and_rename(int fd, const struct place *place, const char *temp)
{
	if (link_as(fd, place, temp) == -1)
		return errno;
	if (publish_named(place, temp, false) == 0)
		return 0;
	int errnum = errno;
	unlinkat(place->dir, temp, 0);
	return errnum;
}

/*
 * Does so in a child, so that one SIGKILL leaves no temporary name: if we are killed, the child goes on to
 * its end; if the child is, *killed tells that temp may be there. Returns 0 or an errno.
 */
static int replace_in_child(int fd, const struct place *place, const char *temp, bool *killed)
{
	int status;
	pid_t pid = fork();

	if (pid == -1) /* so many processes, and no more, are allowed: rather so than not at all */
		return link_and_rename(fd, place, temp);
	if (pid == 0)
		_exit(link_and_rename(fd, place, temp));
	while (waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			return errno;
	}
	*killed = !WIFEXITED(status);
	return *killed ? ECANCELED : WEXITSTATUS(status);
}

static int replace(int fd, const struct place *place, char *temp)
{
	bool killed = false;
	int errnum = EEXIST;

	for (int tries = 0; tries < PUBLISH_TRIES && errnum == EEXIST; tries++) {
		publish_temp_name(temp);
		errnum = replace_in_child(fd, place, temp, &killed);
	}
	if (!killed)
		temp[0] = '\0';
	errno = errnum;
	return errnum == 0 ? 0 : -1;
}

int publish_nameless(int fd, const struct place *place, bool no_clobber, char *temp)
{
	temp[0] = '\0';
	if (link_as(fd, place, place->name) == 0)
		return 0;
	if (errno != EEXIST || no_clobber)
		return -1;
	return replace(fd, place, temp);
}
