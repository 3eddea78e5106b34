/*
 * Reads, writes and waits that know deadlines and end when a signal asks the program to end. The
 * program polls nowhere else. A deadline limits the whole call, as a timeout of Python's does.
 *
 * Errors, unless a contract says otherwise: ERR_TIMEOUT "timed out" if the deadline passes while
 * there is something to wait for, ERR_INTERRUPTED, or ERR_FAILED with the errno. Their texts have
 * no operation and no object; the caller puts them in front.
 *
 * A function with a deadline blocks until the deadline at the latest; a function without one does
 * not block, but for the time that a regular file's device takes.
 */
#ifndef IO_H
#define IO_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* "Not yet": the deadline of a receive has passed, or a socket takes nothing now. No error. */
#define IO_LATER (-2)

/*
 * Waits until one of the count descriptors is ready, or until the deadline (ppoll(2)). Returns how
 * many are ready, 0 if the deadline has passed (which is no error here), or -1.
 */
int io_poll(struct pollfd *fds, size_t count, int64_t deadline, struct err *err);

/* Waits until fd is ready for one of events (POLLIN, POLLOUT). Returns its revents, or -1. */
int io_wait(int fd, short events, int64_t deadline, struct err *err);

/*
 * Whether fd has hung up; true also if that cannot be told. A unix socket has when the peer has
 * closed it, and not just ended its stream (on TCP the two look the same); a pipe for writing has
 * when its reader has gone.
 */
bool io_hung_up(int fd);

/* Waits until the deadline. Returns 0, or -1 with ERR_INTERRUPTED. */
int io_sleep(int64_t deadline, struct err *err);

/*
 * Reads from a descriptor of any kind: waits for the first byte, then takes what is there, at most
 * size bytes. Returns how many, 0 at the end, or -1.
 */
ssize_t io_read(int fd, void *buffer, size_t size, int64_t deadline, struct err *err);

/* As io_read(), from a regular file, which is always ready. */
ssize_t io_read_file(int fd, void *buffer, size_t size, struct err *err);

/*
 * Writes all of the size bytes to a regular file, which has no reader to wait for. A signal does
 * not interrupt a call of write(2), only the next one. Returns 0, or -1.
 */
int io_write_file(int fd, const void *buffer, size_t size, struct err *err);

/*
 * Writes all of the size bytes to a pipe, a FIFO, a socket, a terminal or another device. Returns
 * 0, or -1, when some may have been written.
 *
 * A blocking descriptor stays so, for others may share it. It gets pieces of PIPE_BUF bytes, each
 * after POLLOUT: on a pipe they do not block (pipe(7)), so write(2) delays neither a signal nor the
 * deadline.
 */
int io_write_stream(int fd, const void *buffer, size_t size, int64_t deadline, struct err *err);

/*
 * Writes as much as a non-blocking pipe takes at once, at most size bytes. Returns how many, 0 if
 * it takes nothing now, or -1.
 */
ssize_t io_write_some(int fd, const void *buffer, size_t size, struct err *err);

/*
 * Makes a pipe, close-on-exec and wide (io_widen_pipe()). The end ends[ours], ours being 0 or 1, is
 * non-blocking; the other end, which shares no flags with it, blocks. Returns 0, both ends being
 * the caller's to close, or -1 with ERR_FAILED.
 */
int io_open_pipe(int ends[2], int ours, struct err *err);

/*
 * Asks for room of 1 MiB in the pipe, the most that Linux gives without privileges, so that its two
 * ends take turns less often. The kernel may refuse, as each user has a limit (pipe(7)); that is no
 * error.
 */
void io_widen_pipe(int fd);

/*
 * Begins to write size bytes of the file, from offset on, to its device, and blocks until the size
 * bytes before offset are there; so a later fsync(2) has little left to do (sync_file_range(2)).
 * Returns 0, also where the system has no such call, or -1 if a write has failed, also one from
 * before: the kernel tells of it once, and a later fsync(2) would succeed.
 */
int io_write_back(int fd, int64_t offset, int64_t size, struct err *err);

/*
 * Receives from a non-blocking socket (recv(2)): waits for the first byte, then takes what is
 * there, at most size bytes. Returns how many, 0 if the peer has ended its stream, IO_LATER if the
 * deadline has passed, or -1.
 */
ssize_t io_recv(int sock, void *buffer, size_t size, int64_t deadline, struct err *err);

/*
 * Sends a short line of len bytes (send(2)), if the socket takes it at once, also when a signal has
 * asked the program to end: the peer is to know what became of its bytes. A line that cannot be
 * sent is lost.
 */
void io_tell(int sock, const char *line, size_t len);

/*
 * Sends as much as a non-blocking socket takes at once (send(2)), at most size bytes. Returns how
 * many, IO_LATER if it takes nothing now, or -1.
 */
ssize_t io_send(int sock, const void *buffer, size_t size, struct err *err);

/*
 * Sends all of the size bytes on a non-blocking socket before the deadline, as Python's sendall().
 * Returns 0, or -1, when some may have been sent.
 */
int io_sendall(int sock, const void *buffer, size_t size, int64_t deadline, struct err *err);

#endif
