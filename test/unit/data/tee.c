/* One source for several readers: equal bytes for all, the pace of the slowest, and who is left out. */
#include "data/tee.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/deadline.h"
#include "check.h"
#include "open_word.h"
#include "sys/io.h"
#include "sys/signals.h"

#define READERS 3
#define CHUNK 65536
#define BIG (4 * 1024 * 1024)
#define SHORT (50 * CLOCK_MILLISECOND)
#define LONG (30 * CLOCK_SECOND)

/* A tee with its source and its readers' ends; tee_move() is given watch, readable if it is to end. */
struct set {
	struct source *source;
	size_t taken; /* by all readers */
	struct tee tee;
	int reader[READERS];
	int watch[2];
};

static void count_taken(void *context, size_t bytes)
{
	struct set *set = context;

	set->taken += bytes;
}

/* Of path, or of a command. */
static bool open_set(struct set *set, const char *path, char *const *argv, size_t chunk)
{
	struct err err = {.kind = ERR_NONE};

	*set = (struct set){.taken = 0};
	signals_install();
	set->source = open_word(path, argv, &err);
	if (!CHECK(set->source != NULL) ||
	    !CHECK_INT(tee_open(&set->tee, set->source, chunk, count_taken, set, &err), 0) ||
	    !CHECK_INT(pipe2(set->watch, O_CLOEXEC), 0))
		return false;
	for (size_t i = 0; i < READERS; i++) {
		set->reader[i] = tee_add(&set->tee, &err);
		CHECK(set->reader[i] != -1);
	}
	return CHECK_INT(source_start(set->source, &ends_unknown, &err), 0);
}

static void leave(struct set *set, size_t reader)
{
	close(set->reader[reader]);
	set->reader[reader] = -1;
}

static void close_set(struct set *set)
{
	tee_close(&set->tee);
	tee_close(&set->tee);
	source_close(set->source);
	for (size_t i = 0; i < READERS; i++) {
		if (set->reader[i] != -1)
			leave(set, i);
	}
	close(set->watch[0]);
	close(set->watch[1]);
}

/* The byte at that place of the stream. */
static char pattern(int64_t at)
{
	return (char)(at * 31 + at / 4093);
}

static void make_file(const char *path, int64_t size)
{
	FILE *file = fopen(path, "w");

	for (int64_t i = 0; i < size; i++)
		putc(pattern(i), file);
	CHECK_INT(fclose(file), 0);
}

/* A thread that reads to the end, and says how much it was, or -1 if it was not the pattern. */
struct reading {
	pthread_t thread;
	int fd;
	int64_t slowness; /* ns of pause after each read */
	int64_t bytes;
};

static void *read_all(void *context)
{
	struct reading *reading = context;
	struct timespec pause = {.tv_nsec = reading->slowness};
	static __thread char buffer[CHUNK];
	struct err err;
	ssize_t n;

	while ((n = io_read(reading->fd, buffer, sizeof(buffer), deadline_after(LONG), &err)) > 0) {
		for (ssize_t i = 0; i < n && reading->bytes != -1; i++) {
			if (buffer[i] != pattern(reading->bytes + i))
				reading->bytes = -1;
		}
		if (reading->bytes == -1)
			break;
		reading->bytes += n;
		if (reading->slowness != 0)
			nanosleep(&pause, NULL);
	}
	return NULL;
}

static void start_reading(struct set *set, struct reading *reading, int64_t slowness_of_last)
{
	for (size_t i = 0; i < READERS; i++) {
		reading[i] = (struct reading){.fd = set->reader[i]};
		if (i == READERS - 1)
			reading[i].slowness = slowness_of_last;
		CHECK_INT(pthread_create(&reading[i].thread, NULL, read_all, &reading[i]), 0);
	}
}

static void all_have(struct reading *reading, int64_t bytes)
{
	for (size_t i = 0; i < READERS; i++) {
		pthread_join(reading[i].thread, NULL);
		CHECK_INT(reading[i].bytes, bytes);
	}
}

static void equal_bytes(void)
{
	struct reading reading[READERS];
	struct set set;
	struct err err = {.kind = ERR_NONE};

	make_file("file", BIG + 7);
	for (int64_t slowness = 0; slowness <= CLOCK_MILLISECOND; slowness += CLOCK_MILLISECOND) {
		if (!open_set(&set, "file", NULL, CHUNK))
			return;
		start_reading(&set, reading, slowness);
		CHECK_INT(tee_move(&set.tee, set.watch[0], &err), TEE_ENDED);
		tee_close(&set.tee);
		all_have(reading, BIG + 7);
		CHECK_INT((intmax_t)set.taken, BIG + 7);
		close_set(&set);
	}
}

static void empty(void)
{
	struct set set;
	struct err err = {.kind = ERR_NONE};
	char byte;

	make_file("file", 0);
	if (!open_set(&set, "file", NULL, CHUNK))
		return;
	CHECK_INT(tee_move(&set.tee, set.watch[0], &err), TEE_ENDED);
	tee_close(&set.tee);
	CHECK_INT(read(set.reader[0], &byte, 1), 0);
	close_set(&set);
}

/* What the reader can have without waiting. */
static int64_t drain(int fd)
{
	static char buffer[CHUNK];
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	int64_t bytes = 0;
	ssize_t n = 1;

	while (n > 0 && poll(&pfd, 1, 0) == 1) {
		n = read(fd, buffer, sizeof(buffer));
		bytes += n > 0 ? n : 0;
	}
	return bytes;
}

/* Makes the watched descriptor readable after SHORT. */
static void *tell_later(void *context)
{
	const struct set *set = context;
	struct timespec pause = {.tv_nsec = SHORT};

	nanosleep(&pause, NULL);
	CHECK_INT(write(set->watch[1], "x", 1), 1);
	return NULL;
}

/* tee_move() that has nothing to do in the end but to wait. */
static void moves_until_told(struct set *set)
{
	struct err err = {.kind = ERR_NONE};
	pthread_t thread;
	char byte;

	CHECK_INT(pthread_create(&thread, NULL, tell_later, set), 0);
	CHECK_INT(tee_move(&set->tee, set->watch[0], &err), TEE_WATCHED);
	pthread_join(thread, NULL);
	CHECK_INT(read(set->watch[0], &byte, 1), 1);
}

static void slowest(void)
{
	struct set set;
	int64_t ahead = 0;

	make_file("file", BIG);
	if (!open_set(&set, "file", NULL, CHUNK))
		return;
	int64_t bound = fcntl(set.reader[2], F_GETPIPE_SZ) + CHUNK;
	for (int i = 0; i < 4; i++) { /* the third one does not read */
		moves_until_told(&set);
		ahead += drain(set.reader[0]);
		CHECK_INT(drain(set.reader[1]) > 0, i < 2);
		if (i == 1)
			leave(&set, 1);
	}
	CHECK(ahead > 0);
	CHECK(ahead <= bound);
	CHECK(set.source->taken <= bound);
	leave(&set, 2);
	close_set(&set);
}

static void goes_on_without(void)
{
	struct set set;
	struct err err = {.kind = ERR_NONE};
	struct reading reading = {.bytes = 0};

	make_file("file", BIG);
	if (!open_set(&set, "file", NULL, CHUNK))
		return;
	leave(&set, 0);
	tee_drop(&set.tee, 2);
	tee_drop(&set.tee, 2);
	reading.fd = set.reader[1];
	CHECK_INT(pthread_create(&reading.thread, NULL, read_all, &reading), 0);
	CHECK_INT(tee_move(&set.tee, set.watch[0], &err), TEE_ENDED);
	CHECK(!tee_has(&set.tee, 0) && !tee_has(&set.tee, 2));
	CHECK(tee_has(&set.tee, 1));
	tee_close(&set.tee);
	pthread_join(reading.thread, NULL);
	CHECK_INT(reading.bytes, BIG);
	close_set(&set);
}

static void nobody_left(void)
{
	struct set set;
	struct err err = {.kind = ERR_NONE};

	make_file("file", BIG);
	if (!open_set(&set, "file", NULL, CHUNK))
		return;
	for (size_t i = 0; i < READERS; i++)
		leave(&set, i);
	CHECK_INT(tee_move(&set.tee, set.watch[0], &err), TEE_DESERTED);
	CHECK(set.source->taken <= CHUNK);
	CHECK_INT((intmax_t)set.taken, 0);
	close_set(&set);
}

static void slow_source(void)
{
	struct set set;
	struct err err = {.kind = ERR_NONE};
	char *argv[] = {"sh", "-c", "printf one; read -r line <go; printf two", NULL};

	CHECK_INT(mkfifo("go", 0600), 0);
	if (!open_set(&set, "-", argv, CHUNK))
		return;
	moves_until_told(&set);
	for (size_t i = 0; i < READERS; i++)
		CHECK_INT(drain(set.reader[i]), 3);
	int go = open("go", O_WRONLY | O_CLOEXEC);
	CHECK_INT(write(go, "go\n", 3), 3);
	close(go);
	CHECK_INT(tee_move(&set.tee, set.watch[0], &err), TEE_ENDED);
	for (size_t i = 0; i < READERS; i++)
		CHECK_INT(drain(set.reader[i]), 3);
	close_set(&set);
}

static void failing_source(void)
{
	struct set set;
	struct err err = {.kind = ERR_NONE};
	char *argv[] = {"sh", "-c", "printf half; exec >&-; exit 3", NULL};

	if (!open_set(&set, "-", argv, CHUNK))
		return;
	CHECK_INT(tee_move(&set.tee, set.watch[0], &err), TEE_FAILED);
	CHECK_INT(err.kind, ERR_FAILED);
	CHECK_STR(err.text, "sh: exited with status 3");
	for (size_t i = 0; i < READERS; i++)
		CHECK_INT(drain(set.reader[i]), 4);
	close_set(&set);
}

/* A command that has closed its output and goes on keeps nobody from hearing what else happens. */
static void lingering_command(void)
{
	struct set set;
	char *argv[] = {"sh", "-c", "exec >&-; exec sleep 60", NULL};

	if (!open_set(&set, "-", argv, CHUNK))
		return;
	moves_until_told(&set);
	close_set(&set);
}

static void *interrupt_later(void *context)
{
	struct timespec pause = {.tv_nsec = SHORT};
	const pthread_t *thread = context;

	nanosleep(&pause, NULL);
	pthread_kill(*thread, SIGTERM);
	return NULL;
}

static void interrupted(void)
{
	struct set set;
	struct err err = {.kind = ERR_NONE};
	pthread_t self = pthread_self();
	pthread_t thread;

	make_file("file", BIG);
	if (!open_set(&set, "file", NULL, CHUNK))
		return;
	CHECK_INT(pthread_create(&thread, NULL, interrupt_later, &self), 0);
	CHECK_INT(tee_move(&set.tee, set.watch[0], &err), TEE_FAILED);
	CHECK_INT(err.kind, ERR_INTERRUPTED);
	pthread_join(thread, NULL);
	close_set(&set);
}

int main(void)
{
	promise("all readers get the same bytes, as fast as the slowest of them", equal_bytes);
	promise("an empty source is an end for all", empty);
	promise("the others are ahead of one that does not read by a bounded number of bytes",
	    slowest);
	promise("who has gone or is dropped is left out, and the others get everything",
	    goes_on_without);
	promise("without readers the source is left alone", nobody_left);
	promise("what a slow source has is passed on at once", slow_source);
	promise("a source that fails is an error, behind what it had", failing_source);
	promise("a command whose output has ended is waited for, but not alone", lingering_command);
	promise("a signal ends the wait for a reader", interrupted);
	return check_end();
}
