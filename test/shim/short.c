/*
 * Preloaded (LD_PRELOAD), this makes input and output as unhelpful as POSIX allows: what reads, writes,
 * sends or receives moves less than it was asked to, often one byte, or fails with EINTR, and waits end
 * with EINTR. Which call gets what follows from a number, so that a failure can be repeated.
 *
 *	SHORT_SEED  the number
 *	SHORT_LOG   a file that gets one line at exit: "1234 calls, 567 short, 89 interrupted"
 *
 * Only the program itself is treated so, not the commands that it starts. Calls that the C library
 * makes for its own purposes (stdio, getaddrinfo) do not come by here.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "next.h"

/* So many EINTR in a row at the most: a storm, but one that passes. */
#define STORM_MAX 3

#define FEW 64

static uint64_t seed;
static atomic_uint_fast64_t calls;
static atomic_uint_fast64_t shortened;
static atomic_uint_fast64_t interrupted;
static _Thread_local int storm;

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("SHORT_SEED");

	seed = text == NULL ? 0 : strtoull(text, NULL, 10);
	unsetenv("LD_PRELOAD");
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("SHORT_LOG");
	FILE *log = path == NULL ? NULL : fopen(path, "we");

	if (log == NULL)
		return;
	fprintf(log, "%llu calls, %llu short, %llu interrupted\n", (unsigned long long)calls,
	    (unsigned long long)shortened, (unsigned long long)interrupted);
	fclose(log);
}

/* splitmix64: the number of the call, well mixed; any thread may ask. */
static uint64_t random_bits(void)
{
	uint64_t bits = seed * 1000003 + atomic_fetch_add(&calls, 1);

	bits += 0x9e3779b97f4a7c15;
	bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
	bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
	return bits ^ (bits >> 31);
}

static bool interrupt(uint64_t bits)
{
	if (bits % 4 != 0 || storm == STORM_MAX) {
		storm = 0;
		return false;
	}
	storm++;
	atomic_fetch_add(&interrupted, 1);
	errno = EINTR;
	return true;
}

/* Half of the calls move one byte, most others a few, and one in eight any number up to all. */
static size_t cut(uint64_t bits, size_t size)
{
	size_t most = size;

	if (size <= 1)
		return size;
	bits >>= 8;
	if (bits % 2 == 0)
		most = 1;
	else if (bits % 8 != 1 && size > FEW)
		most = FEW;
	return 1 + (size_t)(bits >> 8) % most;
}

/* What is to become of a call that would move up to *size bytes: false if it is to fail. */
static bool spoil(size_t *size)
{
	uint64_t bits = random_bits();
	size_t less = cut(bits, *size);

	if (interrupt(bits))
		return false;
	if (less < *size)
		atomic_fetch_add(&shortened, 1);
	*size = less;
	return true;
}

ssize_t read(int fd, void *buffer, size_t size)
{
	NEXT(read);
	return spoil(&size) ? next.function(fd, buffer, size) : -1;
}

ssize_t write(int fd, const void *buffer, size_t size)
{
	NEXT(write);
	return spoil(&size) ? next.function(fd, buffer, size) : -1;
}

ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
	NEXT(pread);
	return spoil(&size) ? next.function(fd, buffer, size, offset) : -1;
}

ssize_t pwrite(int fd, const void *buffer, size_t size, off_t offset)
{
	NEXT(pwrite);
	return spoil(&size) ? next.function(fd, buffer, size, offset) : -1;
}

ssize_t send(int fd, const void *buffer, size_t size, int flags)
{
	NEXT(send);
	return spoil(&size) ? next.function(fd, buffer, size, flags) : -1;
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
	NEXT(recv);
	return spoil(&size) ? next.function(fd, buffer, size, flags) : -1;
}

/* A message, or a vector, is cut to a part of its first piece. */
static bool spoil_vector(struct iovec *first, const struct iovec *vector, size_t count)
{
	*first = count == 0 ? (struct iovec){.iov_len = 0} : vector[0];
	return spoil(&first->iov_len);
}

ssize_t readv(int fd, const struct iovec *vector, int count)
{
	struct iovec first;

	NEXT(readv);
	return spoil_vector(&first, vector, (size_t)count) ? next.function(fd, &first, 1) : -1;
}

ssize_t writev(int fd, const struct iovec *vector, int count)
{
	struct iovec first;

	NEXT(writev);
	return spoil_vector(&first, vector, (size_t)count) ? next.function(fd, &first, 1) : -1;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct iovec first;
	struct msghdr less = *message;

	NEXT(sendmsg);
	if (!spoil_vector(&first, message->msg_iov, message->msg_iovlen))
		return -1;
	less.msg_iov = &first;
	less.msg_iovlen = 1;
	return next.function(fd, &less, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	struct iovec first;
	struct iovec *vector = message->msg_iov;
	__typeof__(message->msg_iovlen) count = message->msg_iovlen;

	NEXT(recvmsg);
	if (!spoil_vector(&first, vector, count))
		return -1;
	message->msg_iov = &first;
	message->msg_iovlen = 1;
	ssize_t n = next.function(fd, message, flags);
	message->msg_iov = vector;
	message->msg_iovlen = count;
	return n;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	NEXT(poll);
	return interrupt(random_bits()) ? -1 : next.function(fds, count, timeout);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	NEXT(ppoll);
	return interrupt(random_bits()) ? -1 : next.function(fds, count, timeout, mask);
}

/*
 * What a fortified build calls in their place. The check of the buffer's size is left out: it has
 * its own build.
 */
ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room);
ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t room, int flags);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
    const sigset_t *mask, size_t room);

ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room)
{
	(void)room;
	return read(fd, buffer, size);
}

ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t room, int flags)
{
	(void)room;
	return recv(fd, buffer, size, flags);
}

int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
    const sigset_t *mask, size_t room)
{
	(void)room;
	return ppoll(fds, count, timeout, mask);
}
