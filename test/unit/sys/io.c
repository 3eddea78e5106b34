/* Reads, writes and waits: their deadlines, their ends, and the signals that stop them. */
#include "sys/io.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#include "base/deadline.h"
#include "check.h"
#include "sys/signals.h"

#define SHORT (20 * CLOCK_MILLISECOND)
#define LONG (30 * CLOCK_SECOND) /* what is said to be at once must take less */
#define MEGABYTE ((size_t)1 << 20)

static char big[16 * MEGABYTE];

/* Two ends that are connected. */
struct pair {
	int our;
	int peer;
};

static struct pair sockets(void)
{
	int fds[2] = {-1, -1};

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	return (struct pair){.our = fds[0], .peer = fds[1]};
}

/* A blocking pipe, which the peer writes or reads. */
static struct pair pipe_from_peer(void)
{
	int fds[2] = {-1, -1};

	CHECK_INT(pipe(fds), 0);
	return (struct pair){.our = fds[0], .peer = fds[1]};
}

static struct pair pipe_to_peer(void)
{
	struct pair pair = pipe_from_peer();

	return (struct pair){.our = pair.peer, .peer = pair.our};
}

static void close_pair(struct pair pair)
{
	close(pair.our);
	close(pair.peer);
}

static void nap(int64_t ns)
{
	struct timespec ts = deadline_timespec(ns, 0);

	nanosleep(&ts, NULL);
}

static void check_timeout(const struct err *err)
{
	CHECK_INT(err->kind, ERR_TIMEOUT);
	CHECK_INT(err->errnum, 0);
	CHECK_STR(err->text, "timed out");
}

/* Each way to wait for a byte, so that all can be held to the same promises. */
static ssize_t by_wait(int fd, int64_t deadline, struct err *err)
{
	return io_wait(fd, POLLIN, deadline, err);
}

static ssize_t by_read(int fd, int64_t deadline, struct err *err)
{
	char byte;

	return io_read(fd, &byte, 1, deadline, err);
}

static ssize_t by_recv(int fd, int64_t deadline, struct err *err)
{
	char byte;
	ssize_t n = io_recv(fd, &byte, 1, deadline, err);

	/* Where the others fail, it says "later"; so one table serves all. */
	return n == IO_LATER ? err_set(err, ERR_TIMEOUT, 0, "timed out") : n;
}

static ssize_t by_sendall(int fd, int64_t deadline, struct err *err)
{
	return io_sendall(fd, big, sizeof(big), deadline, err);
}

static ssize_t by_write_stream(int fd, int64_t deadline, struct err *err)
{
	return io_write_stream(fd, big, sizeof(big), deadline, err);
}

static const struct {
	const char *name;
	ssize_t (*wait)(int fd, int64_t deadline, struct err *err);
} ways[] = {
    {"io_wait", by_wait},
    {"io_read", by_read},
    {"io_recv", by_recv},
    {"io_sendall", by_sendall},
    {"io_write_stream", by_write_stream},
};

static void now(void)
{
	for (size_t i = 0; i < ROWS(ways); i++) {
		struct pair pair = sockets();
		struct err err;
		int64_t start = clock_now();
		check_row("%s", ways[i].name);
		CHECK_INT(ways[i].wait(pair.our, DEADLINE_NOW, &err), -1);
		CHECK(clock_now() - start < LONG);
		check_timeout(&err);
		close_pair(pair);
	}
}

static void now_takes_what_is_there(void)
{
	struct pair pair = sockets();
	struct err err;
	char buffer[8];

	CHECK_INT(io_send(pair.peer, "abcdef", 6, &err), 6);
	CHECK_INT(io_wait(pair.our, POLLIN | POLLOUT, DEADLINE_NOW, &err), POLLIN | POLLOUT);
	CHECK_INT(io_recv(pair.our, buffer, 2, DEADLINE_NOW, &err), 2);
	CHECK_INT(io_read(pair.our, buffer + 2, 2, DEADLINE_NOW, &err), 2);
	CHECK_INT(io_recv(pair.our, buffer + 4, 4, DEADLINE_NOW, &err), 2);
	CHECK(memcmp(buffer, "abcdef", 6) == 0);
	CHECK_INT(io_recv(pair.our, buffer, 1, DEADLINE_NOW, &err), IO_LATER);
	close_pair(pair);
}

static void at_the_deadline(void)
{
	for (size_t i = 0; i < ROWS(ways); i++) {
		struct pair pair = sockets();
		struct err err;
		int64_t deadline = deadline_after(SHORT);
		check_row("%s", ways[i].name);
		CHECK_INT(ways[i].wait(pair.our, deadline, &err), -1);
		CHECK(clock_now() >= deadline);
		CHECK(clock_now() < deadline + LONG);
		check_timeout(&err);
		close_pair(pair);
	}
}

static void poll_and_sleep(void)
{
	struct err err = {.kind = ERR_NONE};
	int64_t deadline = deadline_after(SHORT);

	CHECK_INT(io_sleep(deadline, &err), 0);
	CHECK(clock_now() >= deadline);
	CHECK_INT(io_poll(NULL, 0, clock_now(), &err), 0);
	CHECK_INT(io_sleep(clock_now() - CLOCK_SECOND, &err), 0);
	CHECK_INT(err.kind, ERR_NONE);
}

static void *speak_later(void *argument)
{
	const struct pair *pair = argument;

	nap(SHORT);
	CHECK_INT(write(pair->peer, "x", 1), 1);
	return NULL;
}

static void never_waits(void)
{
	struct pair pair = sockets();
	struct err err;
	pthread_t thread;
	char byte = 0;

	CHECK_INT(pthread_create(&thread, NULL, speak_later, &pair), 0);
	CHECK_INT(io_recv(pair.our, &byte, 1, DEADLINE_NEVER, &err), 1);
	CHECK_INT(byte, 'x');
	pthread_join(thread, NULL);
	close_pair(pair);
}

/* What a slow peer reads, and how fast. */
struct reader {
	pthread_t thread;
	int fd;
	size_t piece;
	int64_t pause;
	size_t total;
	bool same; /* as big[] */
};

static void *read_slowly(void *argument)
{
	struct reader *reader = argument;
	char piece[4096];
	ssize_t n;
	struct err err;

	while ((n = io_read(reader->fd, piece, reader->piece, DEADLINE_NEVER, &err)) > 0) {
		reader->same = reader->same && memcmp(piece, big + reader->total, (size_t)n) == 0;
		reader->total += (size_t)n;
		nap(reader->pause);
	}
	return NULL;
}

static void start_reader(struct reader *reader, int fd, size_t piece, int64_t pause)
{
	*reader = (struct reader){.fd = fd, .piece = piece, .pause = pause, .same = true};
	CHECK_INT(pthread_create(&reader->thread, NULL, read_slowly, reader), 0);
}

static void end_reader(struct reader *reader, struct pair pair)
{
	close(pair.our);
	pthread_join(reader->thread, NULL);
	close(pair.peer);
}

static void whole_call(void)
{
	static const struct {
		const char *name;
		ssize_t (*send)(int fd, int64_t deadline, struct err *err);
		struct pair (*make)(void);
	} rows[] = {
	    {"io_sendall", by_sendall, sockets},
	    {"io_write_stream", by_write_stream, pipe_to_peer},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct pair pair = rows[i].make();
		struct reader reader;
		struct err err;
		check_row("%s", rows[i].name);
		start_reader(&reader, pair.peer, 1024, CLOCK_MILLISECOND);
		int64_t deadline = deadline_after(2 * SHORT);
		CHECK_INT(rows[i].send(pair.our, deadline, &err), -1);
		CHECK(clock_now() >= deadline);
		CHECK(clock_now() < deadline + LONG / 10); /* the rest would have taken longer */
		check_timeout(&err);
		end_reader(&reader, pair);
		CHECK(reader.total > 0); /* there was progress all the time */
		CHECK(reader.same);
	}
}

static void fill_big(void)
{
	uint32_t random = 1;

	for (size_t i = 0; i < sizeof(big); i++) {
		random = random * 1664525 + 1013904223;
		big[i] = (char)(random >> 24);
	}
}

static void sends_everything(void)
{
	struct pair pair = sockets();
	struct pair pipe_pair = pipe_to_peer();
	struct reader reader;
	struct err err;

	fill_big();
	start_reader(&reader, pair.peer, 4096, 0);
	CHECK_INT(io_sendall(pair.our, big, 2 * MEGABYTE + 1, DEADLINE_NEVER, &err), 0);
	end_reader(&reader, pair);
	CHECK_INT((int)reader.total, 2 * MEGABYTE + 1);
	CHECK(reader.same);

	check_row("io_write_stream");
	start_reader(&reader, pipe_pair.peer, 4096, 0);
	CHECK_INT(io_write_stream(pipe_pair.our, big, 2 * MEGABYTE + 1, DEADLINE_NEVER, &err), 0);
	end_reader(&reader, pipe_pair);
	CHECK_INT((int)reader.total, 2 * MEGABYTE + 1);
	CHECK(reader.same);
}

static void nothing_to_send(void)
{
	struct pair pair = sockets();
	struct err err = {.kind = ERR_NONE};

	while (io_send(pair.our, big, sizeof(big), &err) > 0)
		;
	CHECK_INT(io_send(pair.our, big, 1, &err), IO_LATER);
	CHECK_INT(io_sendall(pair.our, big, 0, DEADLINE_NOW, &err), 0);
	CHECK_INT(io_write_stream(pair.our, big, 0, DEADLINE_NOW, &err), 0);
	CHECK_INT(io_write_file(pair.our, big, 0, &err), 0);
	CHECK_INT(err.kind, ERR_NONE);
	close_pair(pair);
}

static void end_of_file(void)
{
	struct pair pair = sockets();
	struct pair pipe_pair = pipe_from_peer();
	struct err err = {.kind = ERR_NONE};
	char buffer[8];

	CHECK_INT(io_sendall(pair.peer, "last", 4, DEADLINE_NOW, &err), 0);
	CHECK_INT(write(pipe_pair.peer, "last", 4), 4);
	shutdown(pair.peer, SHUT_WR);
	close(pipe_pair.peer);
	CHECK_INT(io_recv(pair.our, buffer, sizeof(buffer), DEADLINE_NEVER, &err), 4);
	CHECK_INT(io_read(pipe_pair.our, buffer, sizeof(buffer), DEADLINE_NEVER, &err), 4);
	for (int i = 0; i < 3; i++) { /* and it stays the end */
		CHECK_INT(io_recv(pair.our, buffer, sizeof(buffer), DEADLINE_NEVER, &err), 0);
		CHECK_INT(io_read(pair.our, buffer, sizeof(buffer), DEADLINE_NEVER, &err), 0);
		CHECK_INT(io_read(pipe_pair.our, buffer, sizeof(buffer), DEADLINE_NEVER, &err), 0);
	}
	CHECK_INT(io_sendall(pair.our, "back", 4, DEADLINE_NOW, &err), 0); /* half-closed only */
	CHECK_INT(err.kind, ERR_NONE);
	close_pair(pair);
	close(pipe_pair.our);
}

static void peer_is_gone(void)
{
	struct pair pair = sockets();
	struct pair pipe_pair = pipe_to_peer();
	struct err err;

	close(pair.peer);
	close(pipe_pair.peer);
	/* io_send() needs no ignored SIGPIPE, a pipe does: signals_install() is the program's way */
	CHECK_INT(io_send(pair.our, "x", 1, &err), -1);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_INT(err.errnum, EPIPE);
	CHECK_INT(io_sendall(pair.our, "x", 1, DEADLINE_NEVER, &err), -1);
	CHECK_INT(err.errnum, EPIPE);
	CHECK_STR(err.text, "Broken pipe");
	signals_install();
	CHECK_INT(io_write_stream(pipe_pair.our, big, MEGABYTE, DEADLINE_NEVER, &err), -1);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_INT(err.errnum, EPIPE);
	CHECK((io_wait(pair.our, POLLIN, DEADLINE_NEVER, &err) & POLLHUP) != 0);
	close(pair.our);
	close(pipe_pair.our);
}

static void bad_descriptor(void)
{
	struct err err;
	char byte = 0;

	CHECK_INT(io_recv(-1, &byte, 1, DEADLINE_NOW, &err), -1);
	CHECK_INT(err.errnum, EBADF);
	CHECK_INT(io_send(-1, &byte, 1, &err), -1);
	CHECK_INT(err.errnum, EBADF);
	CHECK_INT(io_read_file(-1, &byte, 1, &err), -1);
	CHECK_INT(err.errnum, EBADF);
	CHECK_INT(io_write_file(-1, &byte, 1, &err), -1);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_INT(err.errnum, EBADF);
	CHECK_STR(err.text, "Bad file descriptor");
}

static void files(void)
{
	struct err err = {.kind = ERR_NONE};
	static char copy[2 * MEGABYTE];
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	ssize_t total = 0;
	ssize_t n;

	fill_big();
	CHECK_INT(io_write_file(fd, big, MEGABYTE, &err), 0);
	CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
	while ((n = io_read_file(fd, copy + total, 100000, &err)) > 0)
		total += n;
	CHECK_INT(n, 0);
	CHECK_INT(total, MEGABYTE);
	CHECK(memcmp(copy, big, MEGABYTE) == 0);
	CHECK_INT(err.kind, ERR_NONE);
	close(fd);
}

static void full_disk(void)
{
	struct err err;
	int fd = open("/dev/full", O_WRONLY);

	CHECK_INT(io_write_file(fd, "x", 1, &err), -1);
	CHECK_INT(err.errnum, ENOSPC);
	CHECK_INT(io_write_stream(fd, "x", 1, DEADLINE_NEVER, &err), -1);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_INT(err.errnum, ENOSPC);
	CHECK_STR(err.text, "No space left on device");
	close(fd);
}

/* A thread that sends one signal, or many, to the thread that waits. */
struct sender {
	pthread_t thread;
	pthread_t target;
	int sig;
	int times;
	int64_t pause;
};

static void *send_signals(void *argument)
{
	const struct sender *sender = argument;

	for (int i = 0; i < sender->times; i++) {
		nap(sender->pause);
		pthread_kill(sender->target, sender->sig);
	}
	return NULL;
}

static void start_sender(struct sender *sender, int sig, int times, int64_t pause)
{
	*sender = (struct sender){
	    .target = pthread_self(),
	    .sig = sig,
	    .times = times,
	    .pause = pause,
	};
	CHECK_INT(pthread_create(&sender->thread, NULL, send_signals, sender), 0);
}

static void check_interrupted(const struct err *err, const char *name)
{
	CHECK_INT(err->kind, ERR_INTERRUPTED);
	CHECK_HAS(err->text, name);
}

/* Each way has a process of its own, because the flag of a signal cannot be cleared. */
static void stop_while_waiting(size_t way, int sig, const char *name)
{
	struct pair pair = sockets();
	struct sender sender;
	struct err err;

	check_row("%s, %s", ways[way].name, name);
	signals_install();
	int64_t start = clock_now();
	start_sender(&sender, sig, 1, SHORT);
	CHECK_INT(ways[way].wait(pair.our, DEADLINE_NEVER, &err), -1);
	CHECK(clock_now() >= start + SHORT);
	check_interrupted(&err, name);
	pthread_join(sender.thread, NULL);
	close_pair(pair);
}

static void stop_wait(void)
{
	stop_while_waiting(0, SIGINT, "Interrupt");
}

static void stop_read(void)
{
	stop_while_waiting(1, SIGTERM, "Terminated");
}

static void stop_recv(void)
{
	stop_while_waiting(2, SIGHUP, "Hangup");
}

static void stop_sendall(void)
{
	stop_while_waiting(3, SIGINT, "Interrupt");
}

static void stop_write_stream(void)
{
	stop_while_waiting(4, SIGTERM, "Terminated");
}

static void stop_before(void)
{
	struct pair pair = sockets();
	struct err err;
	char byte = 'x';
	int fd = open("file", O_RDWR | O_CREAT, 0600);

	CHECK_INT(io_send(pair.peer, "data", 4, &err), 4);
	CHECK_INT(io_write_file(fd, "data", 4, &err), 0);
	signals_install();
	raise(SIGTERM);
	for (size_t i = 0; i < ROWS(ways); i++) {
		check_row("%s", ways[i].name);
		CHECK_INT(ways[i].wait(pair.our, DEADLINE_NEVER, &err), -1);
		check_interrupted(&err, "Terminated");
	}
	check_row("%s", "those that do not wait");
	CHECK_INT(io_send(pair.our, &byte, 1, &err), -1);
	check_interrupted(&err, "Terminated");
	CHECK_INT(io_read_file(fd, &byte, 1, &err), -1);
	check_interrupted(&err, "Terminated");
	CHECK_INT(io_write_file(fd, &byte, 1, &err), -1);
	check_interrupted(&err, "Terminated");
	CHECK_INT(io_sleep(DEADLINE_NEVER, &err), -1);
	check_interrupted(&err, "Terminated");
	close_pair(pair);
	close(fd);
}

static void mask_is_restored(void)
{
	struct err err;
	sigset_t before, after;

	signals_install();
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	CHECK_INT(io_sleep(DEADLINE_NOW, &err), 0);
	raise(SIGINT);
	CHECK_INT(io_sleep(DEADLINE_NEVER, &err), -1);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int sig = 1; sig < 32; sig++)
		CHECK_INT(sigismember(&after, sig), sigismember(&before, sig));
}

static void on_other_signal(int sig)
{
	(void)sig;
}

static void other_signals(void)
{
	struct sigaction action = {.sa_handler = on_other_signal};

	sigaction(SIGUSR1, &action, NULL);
	for (size_t i = 0; i < ROWS(ways); i++) {
		struct pair pair = sockets();
		struct sender sender;
		struct err err;
		check_row("%s", ways[i].name);
		start_sender(&sender, SIGUSR1, 10, 2 * CLOCK_MILLISECOND);
		int64_t deadline = deadline_after(2 * SHORT);
		CHECK_INT(ways[i].wait(pair.our, deadline, &err), -1);
		CHECK(clock_now() >= deadline);
		CHECK(clock_now() < deadline + LONG);
		check_timeout(&err);
		pthread_join(sender.thread, NULL);
		close_pair(pair);
	}
}

int main(void)
{
	promise("with DEADLINE_NOW nothing waits", now);
	promise("with DEADLINE_NOW what is there is taken", now_takes_what_is_there);
	promise("a wait ends when its deadline passes, and says so", at_the_deadline);
	promise("a pause and a poll end at their deadline without an error", poll_and_sleep);
	promise("with DEADLINE_NEVER a late peer is waited for", never_waits);
	promise("the limit of sendall and write is one for the whole call, whatever the progress",
	    whole_call);
	promise("everything is sent, in order, however slowly it is taken", sends_everything);
	promise("nothing to send is sent at once", nothing_to_send);
	promise("the end of the peer's stream is 0 bytes, after all of its data", end_of_file);
	promise("a peer that is gone is an error, not a signal", peer_is_gone);
	promise("a failed call is told with its errno", bad_descriptor);
	promise("a file is written and read whole", files);
	promise("a full disk is an error", full_disk);
	promise("a signal to stop ends io_wait", stop_wait);
	promise("a signal to stop ends io_read", stop_read);
	promise("a signal to stop ends io_recv", stop_recv);
	promise("a signal to stop ends io_sendall", stop_sendall);
	promise("a signal to stop ends io_write_stream", stop_write_stream);
	promise("a signal that came before is seen, even where there are data", stop_before);
	promise("the signal mask is as it was after a wait", mask_is_restored);
	promise("another signal neither ends a wait nor stretches it", other_signals);
	return check_end();
}
