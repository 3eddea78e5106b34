#include "sys/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/deadline.h"
#include "sys/signals.h"

#define PIPE_WIDE (1024 * 1024)

static int fail_by_errno(struct err *err)
{
	return err_sys(err, "%s", ""); /* the caller adds the operation */
}

/* Whether errno says that the call is to be tried again, and not that it failed. */
static bool try_again(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static int poll_once(struct pollfd *fds, size_t count, int64_t deadline, const sigset_t *mask)
{
	struct timespec left;
	const struct timespec *timeout = NULL;

	if (deadline != DEADLINE_NEVER) {
		left = deadline_timespec(deadline, clock_now());
		timeout = &left;
	}
	return ppoll(fds, (nfds_t)count, timeout, mask);
}

int io_poll(struct pollfd *fds, size_t count, int64_t deadline, struct err *err)
{
	sigset_t mask;
	int ready;

	signals_block(&mask);
	for (;;) {
		ready = signals_check(err);
		if (ready == -1)
			break;
		ready = poll_once(fds, count, deadline, &mask);
		if (ready >= 0)
			break;
		if (errno != EINTR) {
			fail_by_errno(err);
			break;
		}
	}
	signals_restore(&mask);
	return ready;
}

int io_wait(int fd, short events, int64_t deadline, struct err *err)
{
	struct pollfd pfd = {.fd = fd, .events = events};
	int ready = io_poll(&pfd, 1, deadline, err);

	if (ready == 0)
		return err_set(err, ERR_TIMEOUT, 0, "timed out");
	return ready == -1 ? -1 : pfd.revents;
}

bool io_hung_up(int fd)
{
	struct pollfd pfd = {.fd = fd};
	int ready;

	do {
		ready = poll(&pfd, 1, 0);
	} while (ready == -1 && errno == EINTR);
	return ready != 0 && (ready == -1 || (pfd.revents & (POLLHUP | POLLERR)) != 0);
}

int io_sleep(int64_t deadline, struct err *err)
{
	return io_poll(NULL, 0, deadline, err);
}

ssize_t io_read(int fd, void *buffer, size_t size, int64_t deadline, struct err *err)
{
	for (;;) {
		if (io_wait(fd, POLLIN, deadline, err) == -1)
			return -1;
		ssize_t n = read(fd, buffer, size);
		if (n >= 0)
			return n;
		if (!try_again())
			return fail_by_errno(err);
	}
}

ssize_t io_read_file(int fd, void *buffer, size_t size, struct err *err)
{
	for (;;) {
		if (signals_check(err) == -1)
			return -1;
		ssize_t n = read(fd, buffer, size);
		if (n >= 0)
			return n;
		if (errno != EINTR)
			return fail_by_errno(err);
	}
}

int io_write_file(int fd, const void *buffer, size_t size, struct err *err)
{
	const char *next = buffer;

	while (size > 0) {
		ssize_t n = write(fd, next, size);
		if (n == -1 && errno != EINTR)
			return fail_by_errno(err);
		if (signals_check(err) == -1)
			return -1;
		if (n > 0) {
			next += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

int io_write_stream(int fd, const void *buffer, size_t size, int64_t deadline, struct err *err)
{
	const char *next = buffer;
	int flags = fcntl(fd, F_GETFL);
	bool blocks = flags == -1 || (flags & O_NONBLOCK) == 0;
	size_t piece = blocks ? PIPE_BUF : size;
	bool may_be_full = blocks;

	while (size > 0) {
		if (may_be_full && io_wait(fd, POLLOUT, deadline, err) == -1)
			return -1;
		if (signals_check(err) == -1)
			return -1;
		ssize_t n = write(fd, next, size < piece ? size : piece);
		if (n == -1 && !try_again())
			return fail_by_errno(err);
		may_be_full = blocks || n <= 0;
		if (n > 0) {
			next += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

ssize_t io_write_some(int fd, const void *buffer, size_t size, struct err *err)
{
	if (signals_check(err) == -1)
		return -1;
	ssize_t n = write(fd, buffer, size);
	if (n >= 0)
		return n;
	return try_again() ? 0 : fail_by_errno(err);
}

int io_open_pipe(int ends[2], int ours, struct err *err)
{
	if (pipe2(ends, O_CLOEXEC) == -1)
		return fail_by_errno(err);
	io_widen_pipe(ends[ours]);
	int flags = fcntl(ends[ours], F_GETFL);
	if (flags != -1 && fcntl(ends[ours], F_SETFL, flags | O_NONBLOCK) == 0)
		return 0;
	fail_by_errno(err);
	close(ends[0]);
	close(ends[1]);
	return -1;
}

void io_widen_pipe(int fd)
{
	if (fcntl(fd, F_GETPIPE_SZ) < PIPE_WIDE)
		(void)fcntl(fd, F_SETPIPE_SZ, PIPE_WIDE);
}

int io_write_back(int fd, int64_t offset, int64_t size, struct err *err)
{
	unsigned int wait =
	    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

	/* A call that does not wait takes no error away from fsync(2), so it may be refused. */
	if (sync_file_range(fd, offset, size, SYNC_FILE_RANGE_WRITE) == -1) {
		bool is_refused =
		    errno == EINVAL || errno == ENOSYS || errno == ESPIPE || errno == EPERM;
		return is_refused ? 0 : fail_by_errno(err);
	}
	if (offset >= size && sync_file_range(fd, offset - size, size, wait) == -1)
		return fail_by_errno(err);
	return 0;
}

ssize_t io_recv(int sock, void *buffer, size_t size, int64_t deadline, struct err *err)
{
	for (;;) {
		/* The poll below would see a signal, but data that is there is taken without it. */
		if (signals_check(err) == -1)
			return -1;
		ssize_t n = recv(sock, buffer, size, 0);
		if (n >= 0)
			return n;
		if (!try_again())
			return fail_by_errno(err);
		if (errno == EINTR)
			continue;
		if (clock_now() >= deadline) /* callers ask between two chunks: spare the poll */
			return IO_LATER;
		struct pollfd pfd = {.fd = sock, .events = POLLIN};
		int ready = io_poll(&pfd, 1, deadline, err);
		if (ready <= 0)
			return ready == 0 ? IO_LATER : -1;
	}
}

void io_tell(int sock, const char *line, size_t len)
{
	while (len > 0) {
		ssize_t n = send(sock, line, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno != EINTR)
			return;
		if (n > 0) {
			line += n;
			len -= (size_t)n;
		}
	}
}

ssize_t io_send(int sock, const void *buffer, size_t size, struct err *err)
{
	if (signals_check(err) == -1)
		return -1;
	ssize_t n = send(sock, buffer, size, MSG_NOSIGNAL);
	if (n >= 0)
		return n;
	return try_again() ? IO_LATER : fail_by_errno(err);
}

int io_sendall(int sock, const void *buffer, size_t size, int64_t deadline, struct err *err)
{
	const char *next = buffer;

	while (size > 0) {
		ssize_t n = io_send(sock, next, size, err);
		if (n == -1 || (n == IO_LATER && io_wait(sock, POLLOUT, deadline, err) == -1))
			return -1;
		if (n > 0) {
			next += n;
			size -= (size_t)n;
		}
	}
	return 0;
}
