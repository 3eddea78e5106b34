/*
 * Reads, writes and waits that know deadlines and end when a signal asks the program to. The only
 * polls of the program are here. As Python's, the limit of a call is one for the whole call.
 *
 * Errors, unless a contract says otherwise: ERR_TIMEOUT "timed out" when the deadline passes while there
 * is something to wait for, ERR_INTERRUPTED, or ERR_FAILED with the errno; all without operation or
 * object, which the caller puts in front.
 */
#ifndef IO_H
#define IO_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* "Not yet": the deadline of a receive has passed, or a socket takes nothing now. It is no error. */
#define IO_LATER (-2)

/*
 * ppoll(2) until one of the count descriptors is ready or the deadline passes. Returns how many are
 * ready, 0 when the deadline has passed (which is no error here), or -1.
 */
int io_poll(struct pollfd *fds, size_t count, int64_t deadline, struct err *err);

/* Waits until fd is ready for one of events (POLLIN, POLLOUT). Returns its revents, or -1. */
int io_wait(int fd, short events, int64_t deadline, struct err *err);

/*
 * Whether fd has hung up: on a unix socket, whether the peer has closed it, and not just ended its stream
 * (which on TCP cannot be seen); on a pipe for writing, whether its reader has gone. Does not block.
 */
bool io_hung_up(int fd);

/* Lets the time pass until deadline. Returns 0, or -1 when interrupted. */
int io_sleep(int64_t deadline, struct err *err);

/*
 * Reads what is there, at the most size bytes, from a descriptor of any kind, waiting for the first
 * byte. Returns how many, 0 at the end, or -1.
 */
ssize_t io_read(int fd, void *buffer, size_t size, int64_t deadline, struct err *err);

/* The same from a regular file, which never keeps its reader waiting. */
ssize_t io_read_file(int fd, void *buffer, size_t size, struct err *err);

/*
 * Writes all of the size bytes to a descriptor that never keeps its writer waiting for a reader: a
 * regular file. Not interrupted within a call of write(2). Returns 0, or -1.
 */
int io_write_file(int fd, const void *buffer, size_t size, struct err *err);

/*
 * Writes all of the size bytes to a pipe, a FIFO, a socket, a terminal or other device. If it is a blocking one,
 * which others may share, then in pieces of PIPE_BUF bytes after POLLOUT: on a pipe these do not block
 * (pipe(7)), so that neither signals nor the deadline can be missed inside write(2). Returns 0, or -1.
 */
int io_write_stream(int fd, const void *buffer, size_t size, int64_t deadline, struct err *err);

/*
 * Writes as much as a non-blocking pipe takes at once, at the most size bytes. Returns how many, 0 when it takes
 * nothing now, or -1.
 */
ssize_t io_write_some(int fd, const void *buffer, size_t size, struct err *err);

/*
 * Makes a close-on-exec pipe, wide (io_widen_pipe()), whose end ends[ours] does not block; the other one does, for the
 * two share no flags. Returns 0, both being the caller's to close, or -1 with ERR_FAILED.
 */
int io_open_pipe(int ends[2], int ours, struct err *err);

/*
 * Asks for a pipe of 1 MiB, the most that Linux gives without privileges, for fewer switches between its two
 * ends. A wish: there is a limit for each user (pipe(7)).
 */
void io_widen_pipe(int fd);

/*
 * Begins to write the file's bytes from offset on, size of them, to its device, and waits for those of the
 * size bytes before, so that a later fsync(2) has little left to do (sync_file_range(2)). Only
 * a hint: it reports no errors, fsync does.
 */
void io_write_back(int fd, int64_t offset, int64_t size);

/*
 * recv(2): what is there, at the most size bytes, waiting for the first. sock is non-blocking.
 * Returns how many, 0 when the peer has ended its stream, IO_LATER when the deadline has passed, or -1.
 */
ssize_t io_recv(int sock, void *buffer, size_t size, int64_t deadline, struct err *err);

/*
 * send(2) of a short line, if the socket takes it at once, also when a signal has asked us to end: what
 * has been done has been done, and the peer is to know. What cannot be said is not.
 */
void io_tell(int sock, const char *line, size_t len);

/*
 * send(2) as much as the socket takes at once, at the most size bytes, without waiting. Returns how
 * many, IO_LATER when it takes nothing now, or -1. sock is non-blocking.
 */
ssize_t io_send(int sock, const void *buffer, size_t size, struct err *err);

/*
 * Python's sendall(): sends all of the size bytes before the deadline, which is one limit for the
 * whole call. Returns 0, or -1, when some may have been sent. sock is non-blocking.
 */
int io_sendall(int sock, const void *buffer, size_t size, int64_t deadline, struct err *err);

#endif
