#include "net/unix_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/descriptor.h"
#include "sys/place.h"

int unix_path_find(const char *path, struct sock_addr *addr, struct err *err)
{
	struct place place;
	char found[DESCRIPTOR_PATH_MAX];

	if (place_find(&place, path, err) == -1)
		return -1;
	int fd = place.object;
	place.object = -1;
	place_close(&place);
	if (fd == -1)
		return err_set(err, ERR_FAILED, ENOENT, "%s", "");
	descriptor_proc_path(fd, found);
	*addr = sock_unix_addr(access(found, F_OK) == 0 ? found : path);
	return fd;
}

/*
 * Whether the file at path is a socket that no process has open, as a killed process leaves it. A
 * connect with the wrong type of socket tells, without making a connection: it fails with
 * EPROTOTYPE if a process has the socket open, and with ECONNREFUSED if none has.
 */
static bool is_stale(const char *path)
{
	struct sock_addr addr = sock_unix_addr(path);
	struct stat st;
	bool stale;

	if (lstat(path, &st) == -1 || !S_ISSOCK(st.st_mode))
		return false;
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock == -1)
		return false;
	stale = connect(sock, sock_sockaddr(&addr), addr.len) == -1 && errno == ECONNREFUSED;
	close(sock);
	return stale;
}

int unix_path_clear(const char *path, struct err *err)
{
	struct place place;

	if (place_find(&place, path, err) == -1)
		return -1;
	bool is_loose = place.is_loose;
	/* bind(2) does not follow a link at the end, but fails. */
	if (!is_loose && !place.is_link && place.object != -1 &&
	    !place_is_strangers(&place, &place.st) && is_stale(path))
		descriptor_remove(AT_FDCWD, path);
	place_close(&place);
	if (!is_loose)
		return 0;
	err_set(err, ERR_FAILED, EACCES, "%s",
	    "a directory on the way belongs to another user, in a sticky directory");
	return err_advise(err, "others may write to that directory: choose one of your own");
}
