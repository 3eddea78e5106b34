#include "job/send_many.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/open.h"
#include "data/tee.h"
#include "job/conclude.h"
#include "job/send_one.h"
#include "net/peer.h"
#include "sys/io.h"
#include "sys/signals.h"
#include "sys/workers.h"

/* How long the workers may take to end when they are told to; they do nothing but close. */
#define ABORT_GRACE (500 * CLOCK_MILLISECOND)

#if ADDR_LIST_MAX > TEE_MAX
#error "each receiver needs a reader"
#endif

/* What a worker and its parent tell each other, in memory that they share. */
struct told {
	atomic_bool whole; /* by the parent: the end of the pipe is that of the stream */
	atomic_bool connected;
	atomic_bool complete; /* what follows is */
	struct outcome outcome;
	struct err err;
	int exit;
};

struct fanout {
	const struct settings *settings;
	const struct send_policy *transfer;
	const struct report *report;
	struct told *told; /* of each receiver */
	struct source *source;
	struct tee tee; /* its readers are the workers, in the order of the receivers */
	struct workers workers;
	size_t receiver[ADDR_LIST_MAX]; /* of each of their slots */
	bool runs[ADDR_LIST_MAX];
	int connected;       /* eventfd(2): one of them is */
	const char *advised; /* the last advice that was given, or NULL */
	struct err err;      /* what put an end to all, or ERR_NONE */
};

/* A worker's own view. */
struct task {
	struct fanout *fanout;
	size_t index;
	int pipe;
};

static const char *name_of(const struct fanout *fanout, size_t index)
{
	return fanout->settings->receivers.one[index].text;
}

/* One of several has to be named as the user knows him, if the error does not begin with that already. */
static void name_receiver(const struct fanout *fanout, size_t index, struct err *err)
{
	const char *name = name_of(fanout, index);
	size_t len = strlen(name);

	if (strncmp(err->text, name, len) != 0 || err->text[len] != ':')
		err_prefix(err, "%s", name);
}

/* In the worker: the transfer to one receiver, whose source is the pipe. */
static int serve(const struct task *task, const char *name, const struct settings *settings,
    struct told *told)
{
	const struct fanout *fanout = task->fanout;
	struct progress progress = {.phase = PROGRESS_WAITING};
	struct send_policy transfer = *fanout->transfer;
	struct peer peer;
	struct err *err = &told->err;

	transfer.progress = &progress;
	struct source *source = open_pipe(task->pipe, name, &told->whole, err);
	if (source == NULL)
		return -1;
	int status = peer_open(&peer, settings, &transfer.limits, fanout->report, err);
	if (status == 0) {
		atomic_store(&told->connected, true);
		(void)eventfd_write(fanout->connected, 1);
		status = send_to(source, &peer, &transfer, &told->outcome, err);
		peer_close(&peer);
	}
	source_close(source);
	return status;
}

/* All of a worker. What its parent has open would seem to be so still when the parent is gone. */
static int work(void *context)
{
	const struct task *task = context;
	struct fanout *fanout = task->fanout;
	struct told *told = &fanout->told[task->index];
	struct settings settings = *fanout->settings;
	const char *name = fanout->source->name;

	tee_close(&fanout->tee);
	source_close(fanout->source);
	settings.address = settings.receivers.one[task->index].addr;
	if (serve(task, name, &settings, told) == 0)
		told->err.kind = ERR_NONE; /* whatever was tried on the way */
	else
		name_receiver(fanout, task->index, &told->err);
	told->outcome.ended = clock_now();
	signals_take(); /* one that comes while it fails by itself has not ended it */
	told->exit = run_exit_code(&told->err);
	atomic_store(&told->complete, true);
	return told->exit;
}

/* What a worker would have told, had it been able to. */
static void tell_for(struct fanout *fanout, size_t index, const struct err *err)
{
	struct told *told = &fanout->told[index];

	told->err = *err;
	name_receiver(fanout, index, &told->err);
	told->outcome.ended = clock_now();
	told->exit = run_exit_code(&told->err);
	atomic_store(&told->complete, true);
}

/* Of one whose end was ours or a signal's to bring about, all is said in the end. */
static void report_failure(struct fanout *fanout, size_t index)
{
	struct err err = fanout->told[index].err;

	if (err.kind == ERR_NONE || err.kind == ERR_INTERRUPTED)
		return;
	/* What is the same for many need not be said for each. */
	if (err.advice == fanout->advised)
		err_advise(&err, NULL);
	else
		fanout->advised = err.advice;
	report_error(fanout->report, &err);
}

static int start_one(struct fanout *fanout, size_t index, struct err *err)
{
	struct task task = {.fanout = fanout, .index = index};

	task.pipe = tee_add(&fanout->tee, err);
	if (task.pipe == -1)
		return -1;
	ssize_t slot = workers_start(&fanout->workers, work, &task, err);
	close(task.pipe);
	if (slot == -1)
		return -1;
	fanout->receiver[slot] = index;
	fanout->runs[index] = true;
	return 0;
}

/* Each worker is there, or has failed to be, before another thread is. */
static void start_all(struct fanout *fanout)
{
	struct err err;

	for (size_t i = 0; i < fanout->settings->receivers.count; i++) {
		if (start_one(fanout, i, &err) == 0)
			continue;
		tee_drop(&fanout->tee, i);
		tell_for(fanout, i, &err);
		report_failure(fanout, i);
	}
}

/* A worker has ended, as status says (waitpid(2)). */
static void note_end(struct fanout *fanout, size_t slot, int status)
{
	size_t index = fanout->receiver[slot];
	struct err err;

	fanout->runs[index] = false;
	tee_drop(&fanout->tee, index);
	if (!atomic_load(&fanout->told[index].complete)) {
		if (WIFSIGNALED(status))
			err_set(&err, ERR_FAILED, 0, "our process was killed by signal %d (%s)",
			    WTERMSIG(status), strsignal(WTERMSIG(status)));
		else
			err_set(&err, ERR_FAILED, 0, "our process exited with status %d",
			    WEXITSTATUS(status));
		tell_for(fanout, index, &err);
	}
	report_failure(fanout, index);
}

static void note_ends(struct fanout *fanout)
{
	ssize_t slot;
	int status;

	while ((slot = workers_reap(&fanout->workers, &status)) != -1)
		note_end(fanout, (size_t)slot, status);
}

static bool is_connecting(const struct fanout *fanout)
{
	for (size_t i = 0; i < fanout->settings->receivers.count; i++) {
		if (fanout->runs[i] && !atomic_load(&fanout->told[i].connected))
			return true;
	}
	return false;
}

static int wait_for_connections(struct fanout *fanout, struct err *err)
{
	struct pollfd fds[] = {
	    {.fd = fanout->workers.ended, .events = POLLIN},
	    {.fd = fanout->connected, .events = POLLIN},
	};
	eventfd_t count;

	while (is_connecting(fanout)) {
		if (io_poll(fds, 2, DEADLINE_NEVER, err) == -1)
			return -1;
		(void)eventfd_read(fanout->connected, &count);
		note_ends(fanout);
	}
	return 0;
}

/* From the source to all that are connected, to its end or theirs. */
static int move(struct fanout *fanout, struct err *err)
{
	struct source *source = fanout->source;
	enum tee_state state = TEE_WATCHED;

	if (fanout->workers.count == 0)
		return 0;
	progress_begin(fanout->transfer->progress,
	    source->size == SOURCE_SIZE_UNKNOWN ? PROGRESS_UNKNOWN : source->size);
	if (source_start(source, &ends_unknown, err) == -1)
		return -1;
	while (state == TEE_WATCHED) {
		state = tee_move(&fanout->tee, fanout->workers.ended, err);
		note_ends(fanout);
	}
	if (state == TEE_FAILED)
		return -1;
	for (size_t i = 0; i < fanout->tee.count && state == TEE_ENDED; i++)
		atomic_store(&fanout->told[i].whole, tee_has(&fanout->tee, i));
	progress_enter(fanout->transfer->progress, PROGRESS_CONFIRMING);
	tee_close(&fanout->tee);
	return 0;
}

/* Until each knows what became of it. */
static int wait_for_ends(struct fanout *fanout, struct err *err)
{
	int status;

	while (fanout->workers.count > 0) {
		ssize_t slot = workers_wait(&fanout->workers, &status, DEADLINE_NEVER, err);
		if (slot == -1)
			return -1;
		note_end(fanout, (size_t)slot, status);
	}
	return 0;
}

/*
 * Has all connections reset. The pipes stay open until then, so that no worker sees an end. A signal that is why we do
 * so would end the wait for them, too; a second one may.
 */
static void abort_all(struct fanout *fanout)
{
	int64_t until = deadline_after(ABORT_GRACE);
	int sig = signals_take();
	struct err ignored;
	ssize_t slot = 0;
	int status;

	workers_signal(&fanout->workers, SIGNALS_ABORT);
	while (fanout->workers.count > 0 && slot != -1) {
		slot = workers_wait(&fanout->workers, &status, until, &ignored);
		if (slot != -1)
			note_end(fanout, (size_t)slot, status);
	}
	workers_close(&fanout->workers);
	if (sig != 0)
		raise(sig);
}

static int check_congestion(const struct settings *settings, struct err *err)
{
	struct settings one = *settings;

	for (size_t i = 0; i < settings->receivers.count; i++) {
		one.address = settings->receivers.one[i].addr;
		if (peer_check_congestion(&one, err) == -1)
			return -1;
	}
	return 0;
}

/* What is needed besides the source. To be closed in any case. */
static int open_all(struct fanout *fanout, struct err *err)
{
	fanout->connected = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fanout->connected == -1)
		return err_sys(err, "eventfd");
	if (tee_open(&fanout->tee, fanout->source, fanout->transfer->chunk,
		fanout->transfer->progress, err) == -1)
		return -1;
	return workers_open(&fanout->workers, fanout->settings->receivers.count, err);
}

static void close_all(struct fanout *fanout)
{
	workers_close(&fanout->workers);
	tee_close(&fanout->tee);
	if (fanout->connected != -1)
		close(fanout->connected);
}

/* With the source open. The meter runs while the workers do. */
static int run(struct fanout *fanout, const struct progress_meter_options *how, struct err *err)
{
	struct progress_meter meter;

	if (open_all(fanout, err) == -1)
		return -1;
	start_all(fanout);
	progress_meter_start(&meter, how);
	int status = wait_for_connections(fanout, err) == 0 && move(fanout, err) == 0 &&
	                     wait_for_ends(fanout, err) == 0
	                 ? 0
	                 : -1;
	if (status == -1)
		abort_all(fanout);
	progress_meter_stop(&meter);
	return status;
}

/* A worker that a signal has ended, but not through us: one from a terminal is ours as well, any other is its own. */
static void judge_interrupted(struct fanout *fanout, size_t index)
{
	struct told *told = &fanout->told[index];

	if (told->err.kind != ERR_INTERRUPTED || fanout->err.kind != ERR_NONE ||
	    signals_check(&fanout->err) == -1)
		return;
	told->err.kind = ERR_FAILED;
	told->exit = run_exit_code(&told->err);
	report_failure(fanout, index);
}

/* Of one that did not come to an end by itself, the end is that of all. */
static void settle(struct fanout *fanout, size_t index)
{
	struct told *told = &fanout->told[index];

	judge_interrupted(fanout, index);
	if (atomic_load(&told->complete) && told->err.kind != ERR_INTERRUPTED)
		return;
	told->err = fanout->err;
	told->exit = run_exit_code(&told->err);
}

/* Says what has not been said yet of one receiver. Returns 0, or -1 if the JSON could not be written. */
static int conclude_one(const struct fanout *fanout, const struct told *told)
{
	if (told->err.kind == ERR_NONE)
		report_outcome(fanout->report, &told->outcome);
	if (!fanout->settings->json)
		return 0;
	return report_json(fanout->report, &told->outcome, &told->err, told->exit, stdout);
}

static int conclude(struct fanout *fanout)
{
	size_t count = fanout->settings->receivers.count;
	const struct told *told = fanout->told;
	struct err err;
	int status = 0;

	for (size_t i = 0; i < count; i++)
		settle(fanout, i);
	if (fanout->err.kind != ERR_NONE && fanout->err.kind != ERR_INTERRUPTED)
		report_error(fanout->report, &fanout->err);
	if (fanout->err.kind != ERR_NONE)
		status = run_exit_code(&fanout->err);
	for (size_t i = 0; i < count; i++) {
		int written = conclude_one(fanout, &told[i]);
		if (status == 0)
			status = run_exit_code(&told[i].err);
		if (written == -1 && status == 0) {
			err_sys(&err, "--json");
			report_error(fanout->report, &err);
			status = run_exit_code(&err);
		}
	}
	return status;
}

static struct told *share(struct err *err)
{
	const int protection = PROT_READ | PROT_WRITE;
	const int flags = MAP_SHARED | MAP_ANONYMOUS;
	/* cppcheck-suppress invalidFunctionArg ; -1: there is no file (mmap(2)) */
	void *memory = mmap(NULL, ADDR_LIST_MAX * sizeof(struct told), protection, flags, -1, 0);

	if (memory != MAP_FAILED)
		return memory;
	err_sys(err, "mmap");
	return NULL;
}

int fanout_send(const struct settings *settings, const struct send_policy *transfer,
    const struct progress_meter_options *how)
{
	struct fanout fanout = {
	    .settings = settings,
	    .transfer = transfer,
	    .report = how->report,
	    .connected = -1,
	    .workers = {.ended = -1},
	};

	fanout.told = share(&fanout.err);
	if (fanout.told == NULL) {
		report_error(how->report, &fanout.err);
		return run_exit_code(&fanout.err);
	}
	for (size_t i = 0; i < settings->receivers.count; i++) {
		fanout.told[i].outcome = run_outcome(settings);
		fanout.told[i].outcome.receiver = name_of(&fanout, i);
	}
	if (check_congestion(settings, &fanout.err) == 0)
		fanout.source = open_source(settings->path, settings->command, &fanout.err);
	if (fanout.source != NULL) {
		if (run(&fanout, how, &fanout.err) == 0)
			fanout.err.kind = ERR_NONE;
		close_all(&fanout);
		source_close(fanout.source);
	}
	int status = conclude(&fanout);
	munmap(fanout.told, ADDR_LIST_MAX * sizeof(*fanout.told));
	return status;
}
