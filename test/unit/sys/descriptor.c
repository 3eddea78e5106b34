/* Descriptors by name: which words name one, and what opening one again leaves alone. */
#include "sys/descriptor.h"

#include <limits.h>

#include "check.h"

static void names(void)
{
	CHECK_INT(descriptor_from_path("/dev/stdin"), 0);
	CHECK_INT(descriptor_from_path("/dev/stdout"), 1);
	CHECK_INT(descriptor_from_path("/dev/stderr"), 2);
	CHECK_INT(descriptor_from_path("/dev/fd/0"), 0);
	CHECK_INT(descriptor_from_path("/dev/fd/17"), 17);
	CHECK_INT(descriptor_from_path("/proc/self/fd/3"), 3);
	CHECK_INT(descriptor_from_path("/dev/fd/2147483647"), INT_MAX);
}

static void no_names(void)
{
	static const char *const paths[] = {"", "-", "0", "stdin", "/dev/null", "/dev/stdinx",
	    "/dev/fd", "/dev/fd/", "/dev/fd/x", "/dev/fd/1x", "/dev/fd/-1", "/dev/fd/2147483648",
	    "dev/fd/1", "/proc/1/fd/1", "/proc/self/fd/", "/proc/self/fd/1/"};

	for (size_t i = 0; i < ROWS(paths); i++) {
		check_row("%s", paths[i]);
		CHECK_INT(descriptor_from_path(paths[i]), -1);
	}
}

static void proc_path(void)
{
	char path[DESCRIPTOR_PATH_MAX];

	descriptor_proc_path(INT_MAX, path);
	CHECK_STR(path, "/proc/self/fd/2147483647");
	descriptor_proc_path(7, path);
	CHECK_STR(path, "/proc/self/fd/7");
}

static void reopened(void)
{
	int fds[2];
	char byte = 0;

	CHECK_INT(pipe(fds), 0);
	int again = descriptor_reopen(fds[1]);
	if (!CHECK(again != -1))
		return;
	CHECK(again != fds[1]);
	CHECK((fcntl(again, F_GETFL) & O_NONBLOCK) != 0);
	CHECK((fcntl(again, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK_INT(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	close(fds[1]);
	CHECK_INT(write(again, "x", 1), 1);
	CHECK_INT(read(fds[0], &byte, 1), 1);
	CHECK_INT(byte, 'x');
	close(again);
	CHECK_INT(descriptor_reopen(again), -1);
	close(fds[0]);
}

int main(void)
{
	promise("a path that names a descriptor is that descriptor", names);
	promise("other paths are none", no_names);
	promise("the path in /proc is that of the number", proc_path);
	promise("a pipe opened again does not block, and the first descriptor stays as it was",
	    reopened);
	return check_end();
}
