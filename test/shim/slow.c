/*
 * Preloaded (LD_PRELOAD), this makes one file as slow to read as one on a disk that has much else to do: who
 * reads it sleeps, and no signal ends that.
 *
 *	SLOW_NAME   the file's name, without its directory
 *	SLOW_RATE   bytes per second
 *	SLOW_BEGUN  a file that is made before the first of them is read
 *
 * Only the program itself is treated so, not the commands that it starts.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "next.h"

static const char *slow_name;
static long long rate;

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("SLOW_RATE");

	slow_name = getenv("SLOW_NAME");
	rate = text == NULL ? 0 : strtoll(text, NULL, 10);
	unsetenv("LD_PRELOAD");
}

static bool is_slow(int fd)
{
	char link[32];
	char path[PATH_MAX];

	if (slow_name == NULL || rate <= 0)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, path, sizeof(path) - 1);
	if (len == -1)
		return false;
	path[len] = '\0';
	const char *slash = strrchr(path, '/');
	return slash != NULL && strcmp(slash + 1, slow_name) == 0;
}

static void note_begin(void)
{
	const char *path = getenv("SLOW_BEGUN");
	int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd != -1)
		close(fd);
}

/* As long as that many bytes take; returns them. */
static ssize_t spend(ssize_t n)
{
	int saved = errno;

	if (n > 0) {
		struct timespec left = {
		    .tv_sec = n / rate,
		    .tv_nsec = (long)(n % rate * 1000000000LL / rate),
		};
		while (nanosleep(&left, &left) == -1 && errno == EINTR)
			;
	}
	errno = saved;
	return n;
}

ssize_t read(int fd, void *buffer, size_t size)
{
	NEXT(read);
	if (!is_slow(fd))
		return next.function(fd, buffer, size);
	note_begin();
	return spend(next.function(fd, buffer, size));
}

ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
	NEXT(pread);
	if (!is_slow(fd))
		return next.function(fd, buffer, size, offset);
	note_begin();
	return spend(next.function(fd, buffer, size, offset));
}

/*
 * What a fortified build calls in their place. The check of the buffer's size is left out: it has
 * its own build.
 */
ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room);
ssize_t __pread64_chk(int fd, void *buffer, size_t size, off_t offset, size_t room);

ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room)
{
	(void)room;
	return read(fd, buffer, size);
}

ssize_t __pread64_chk(int fd, void *buffer, size_t size, off_t offset, size_t room)
{
	(void)room;
	return pread(fd, buffer, size, offset);
}
