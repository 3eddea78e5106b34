/* Whole lines, of several writers. */
#include "data/sink_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "base/deadline.h"
#include "check.h"
#include "data/sink_stream.h"
#include "sys/io.h"

/* A sink by lines over fd, which stays open. */
static struct sink *open_lines(int fd, struct shared_lock *lock)
{
	struct err err = {.kind = ERR_NONE};
	struct sink *stream = sink_stream_take(fd, "stream", false, &err);

	CHECK(stream != NULL);
	CHECK_STR(err.text, "");
	return sink_lines_open(stream, lock, &err);
}

static void write_text(struct sink *lines, const char *text)
{
	struct err err;

	CHECK_INT(sink_write(lines, text, strlen(text), DEADLINE_NEVER, &err), 0);
}

static void end(struct sink *lines)
{
	struct err err;

	CHECK_INT(sink_commit(lines, DEADLINE_NEVER, &err), 0);
	sink_close(lines);
}

static int new_file(void)
{
	return open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
}

static void holds(int fd, const char *expected)
{
	static char text[100];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	CHECK_STR(text, expected);
}

static void whole_lines_only(void)
{
	int fd = new_file();
	struct sink *lines = open_lines(fd, NULL);

	write_text(lines, "on");
	holds(fd, "");
	write_text(lines, "e");
	write_text(lines, "\ntwo\nth");
	holds(fd, "one\ntwo\n");
	write_text(lines, "ree\n");
	holds(fd, "one\ntwo\nthree\n");
	end(lines);
	holds(fd, "one\ntwo\nthree\n");
	close(fd);
}

static void last_line_is_ended(void)
{
	int fd = new_file();
	struct sink *lines = open_lines(fd, NULL);

	write_text(lines, "one\n\ntwo");
	end(lines);
	holds(fd, "one\n\ntwo\n");
	close(fd);
}

static void half_a_line_is_forgotten(void)
{
	int fd = new_file();
	struct sink *lines = open_lines(fd, NULL);

	write_text(lines, "one\ntwo");
	sink_close(lines);
	holds(fd, "one\n");
	close(fd);
}

static void two_do_not_mix(void)
{
	struct err err;
	struct shared_lock *lock = shared_lock_open(&err);
	int fd = new_file();
	struct sink *a = open_lines(fd, lock);
	struct sink *b = open_lines(fd, lock);

	write_text(a, "a1\na2 be");
	write_text(b, "b1 be");
	write_text(a, "gun\na3");
	write_text(b, "gun\n");
	end(a);
	end(b);
	holds(fd, "a1\na2 begun\nb1 begun\na3\n");
	shared_lock_close(lock);
	close(fd);
}

/* Whether the turn is to be had at once. */
static bool is_free(struct shared_lock *lock)
{
	struct err err;
	bool torn;
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		if (shared_lock_take(lock, DEADLINE_NOW, &torn, &err) == -1)
			_exit(err.kind == ERR_TIMEOUT ? 1 : 2);
		shared_lock_release(lock, torn);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) != 2);
	return WEXITSTATUS(status) == 0;
}

static void long_lines_keep_the_turn(void)
{
	struct err err;
	struct shared_lock *lock = shared_lock_open(&err);
	int fd = new_file();
	struct sink *lines = open_lines(fd, lock);
	size_t size = SINK_LINES_HELD_MAX + 2;
	char *line = malloc(size);

	memset(line, 'x', size);
	line[size - 1] = '\n';
	CHECK_INT(sink_write(lines, line, SINK_LINES_HELD_MAX, DEADLINE_NEVER, &err), 0);
	CHECK_INT(lseek(fd, 0, SEEK_END), 0);
	CHECK(is_free(lock));
	CHECK_INT(sink_write(lines, line, 1, DEADLINE_NEVER, &err), 0);
	CHECK_INT(lseek(fd, 0, SEEK_END), (intmax_t)size - 1);
	CHECK(!is_free(lock));
	write_text(lines, "\nrest");
	CHECK_INT(lseek(fd, 0, SEEK_END), (intmax_t)size);
	CHECK(is_free(lock));
	sink_close(lines);
	free(line);
	shared_lock_close(lock);
	close(fd);
}

/* Of a long line that breaks off. */
static void begun_lines_are_ended(void)
{
	struct err err;
	struct shared_lock *lock = shared_lock_open(&err);
	int fd = new_file();
	struct sink *a = open_lines(fd, lock);
	struct sink *b = open_lines(fd, lock);
	char *line = malloc(SINK_LINES_HELD_MAX + 1);

	memset(line, 'x', SINK_LINES_HELD_MAX + 1);
	CHECK_INT(sink_write(a, line, SINK_LINES_HELD_MAX + 1, DEADLINE_NEVER, &err), 0);
	sink_close(a);
	write_text(b, "b\n");
	end(b);
	CHECK_INT(lseek(fd, 0, SEEK_END), (intmax_t)SINK_LINES_HELD_MAX + 4);
	CHECK_INT(pread(fd, line, 4, (off_t)SINK_LINES_HELD_MAX), 4);
	CHECK(memcmp(line, "x\nb\n", 4) == 0);
	free(line);
	shared_lock_close(lock);
	close(fd);
}

static void dead_writers_are_no_obstacle(void)
{
	struct err err;
	struct shared_lock *lock = shared_lock_open(&err);
	int fd = new_file();
	struct sink *lines = open_lines(fd, lock);
	bool torn;
	pid_t pid = fork();

	if (pid == 0) {
		if (shared_lock_take(lock, DEADLINE_NOW, &torn, &err) == -1)
			_exit(1);
		shared_lock_begin(lock);
		if (write(fd, "half", 4) == 4)
			raise(SIGKILL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	write_text(lines, "next\n");
	end(lines);
	holds(fd, "half\nnext\n");
	CHECK(is_free(lock));
	shared_lock_close(lock);
	close(fd);
}

/* Who dies before he has begun leaves nothing to be ended. */
static void no_empty_lines(void)
{
	struct err err;
	struct shared_lock *lock = shared_lock_open(&err);
	int ends[2];
	static char much[200000];
	char last[2];
	bool torn;

	CHECK_INT(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (shared_lock_take(lock, DEADLINE_NOW, &torn, &err) == 0)
			raise(SIGKILL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	struct sink *lines = open_lines(ends[1], lock);
	memset(much, 'x', sizeof(much));
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	while (write(ends[1], much, sizeof(much)) > 0)
		;
	CHECK_INT(sink_write(lines, "a\n", 2, deadline_after(CLOCK_SECOND / 10), &err), -1);
	CHECK_INT(err.kind, ERR_TIMEOUT);
	while (read(ends[0], much, sizeof(much)) == (ssize_t)sizeof(much))
		;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	sink_close(lines);
	lines = open_lines(ends[1], lock);
	write_text(lines, "b\n");
	CHECK_INT(read(ends[0], last, sizeof(last)), 2);
	CHECK(memcmp(last, "b\n", 2) == 0);
	CHECK_INT(read(ends[0], last, 1), -1);
	sink_close(lines);
	shared_lock_close(lock);
	close(ends[0]);
	close(ends[1]);
}

static void full_disks_are_errors(void)
{
	struct err err;
	struct shared_lock *lock = shared_lock_open(&err);
	int fd = open("/dev/full", O_WRONLY);
	struct sink *lines = open_lines(fd, lock);

	CHECK_INT(sink_write(lines, "a\n", 2, DEADLINE_NEVER, &err), -1);
	CHECK_INT(err.errnum, ENOSPC);
	CHECK(is_free(lock));
	sink_close(lines);
	shared_lock_close(lock);
	close(fd);
}

/* Neither a slow reader nor another one's turn holds us beyond the deadline. */
static void waits_end(void)
{
	struct err err;
	struct shared_lock *lock = shared_lock_open(&err);
	int ends[2];
	char byte;
	static char much[2 << 20]; /* more than any pipe holds */

	CHECK_INT(pipe(ends), 0);
	struct sink *lines = open_lines(ends[1], lock);
	memset(much, '\n', sizeof(much));
	CHECK_INT(sink_write(lines, much, sizeof(much), deadline_after(CLOCK_SECOND / 10), &err),
	    -1);
	CHECK_INT(err.kind, ERR_TIMEOUT);
	sink_close(lines);
	int go[2];
	CHECK_INT(pipe(go), 0);
	pid_t pid = fork();
	if (pid == 0) {
		bool torn;
		close(go[1]);
		if (shared_lock_take(lock, DEADLINE_NEVER, &torn, &err) == -1 || !torn)
			_exit(1);
		close(ends[1]);
		_exit(read(go[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(go[0]);
	while (is_free(lock))
		;
	lines = open_lines(ends[1], lock);
	CHECK_INT(sink_write(lines, "a\n", 2, deadline_after(CLOCK_SECOND / 10), &err), -1);
	CHECK_INT(err.kind, ERR_TIMEOUT);
	sink_close(lines);
	close(go[1]);
	waitpid(pid, NULL, 0);
	close(ends[0]);
	close(ends[1]);
	shared_lock_close(lock);
}

int main(void)
{
	promise("a line is written when its end is there", whole_lines_only);
	promise("the last line gets the newline that it lacks", last_line_is_ended);
	promise("half a line of what has failed is not written", half_a_line_is_forgotten);
	promise("lines of two writers do not mix", two_do_not_mix);
	promise("who writes a long line has the turn until its end", long_lines_keep_the_turn);
	promise("a long line that breaks off is ended before the next", begun_lines_are_ended);
	promise("a writer that dies in its turn leaves it to the next",
	    dead_writers_are_no_obstacle);
	promise("nothing is ended where nothing was begun", no_empty_lines);
	promise("a failed write is an error, and gives the turn on", full_disks_are_errors);
	promise("no wait is longer than the deadline", waits_end);
	return check_end();
}
