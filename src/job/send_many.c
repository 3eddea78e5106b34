#include "job/send_many.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "data/open.h"
#include "data/tee.h"
#include "job/first_walk.h"
#include "sys/io.h"
#include "sys/shared_memory.h"
#include "sys/signals.h"
#include "sys/workers.h"
#include "ui/progress_meter.h"
#include "ui/result.h"

/* How long the workers may take to end when they are asked to; they only have to close. */
#define ABORT_GRACE (500 * CLOCK_MILLISECOND)

#if ADDR_LIST_MAX > TEE_MAX
#error "each receiver needs a reader"
#endif

/* The memory that a worker shares with its parent, and in which each tells the other of the end. */
struct told {
	atomic_bool whole; /* the parent says: the end of the pipe is the end of the stream */
	atomic_bool connected;
	atomic_bool complete; /* the members below are */
	struct outcome outcome;
	struct err err;
	int exit;
};

struct send_many {
	const struct send_job *job;
	const struct addr_list *receivers;
	const struct send_policy *policy;
	struct told *told; /* for each receiver */
	struct source *source;
	struct tee tee; /* its readers are the workers, in the order of the receivers */
	struct workers workers;
	size_t receiver[ADDR_LIST_MAX]; /* the receiver of each slot of workers */
	bool runs[ADDR_LIST_MAX];       /* by receiver: its worker runs */
	int connected;                  /* eventfd(2), readable when a worker has connected */
	const char *advised;            /* the last advice that was printed, or NULL */
	struct err err;                 /* the error that ended all transfers, or ERR_NONE */
};

/* The context of a worker. */
struct task {
	struct send_many *many;
	size_t index;
	int pipe;
};

static const char *name_of(const struct send_many *many, size_t index)
{
	return many->receivers->one[index].text;
}

/* Puts the receiver, as the user typed it, in front of the error, unless it is there already. */
static void name_receiver(const struct send_many *many, size_t index, struct err *err)
{
	const char *name = name_of(many, index);
	size_t len = strlen(name);

	if (strncmp(err->text, name, len) != 0 || err->text[len] != ':')
		err_prefix(err, "%s", name);
}

/* In the worker: returns the job for one receiver. */
static struct send_job job_for(const struct send_many *many, size_t index)
{
	struct send_job job = *many->job;

	job.rendezvous.endpoint.address = many->receivers->one[index].addr;
	job.talk.invite.address = job.rendezvous.endpoint.address;
	return job;
}

static int meet_and_pass_on(const struct task *task, struct send_job *job, struct source *source,
    struct told *told)
{
	const struct send_many *many = task->many;
	struct progress progress = {.phase = PROGRESS_WAITING};
	struct send_policy policy = *many->policy;
	struct connection connection;
	struct listen_set listening;
	struct err *err = &told->err;
	char where[ADDR_TEXT_MAX];

	policy.progress = &progress;
	addr_text(&job->rendezvous.endpoint.address, where);
	job->talk.invite.handover.where = where;
	job->rendezvous.endpoint.events = invite_events(&job->talk.invite);
	int status = rendezvous_open(&job->rendezvous, &job->talk.invite, &listening,
	    &policy.limits, &connection, err);
	listen_close(&listening);
	outcome_connected(&told->outcome, &connection);
	if (status == 0) {
		atomic_store(&told->connected, true);
		(void)eventfd_write(many->connected, 1);
		status = send_one_over(source, &connection, &policy, &told->outcome, err);
	}
	connection_close(&connection);
	return status;
}

static int send_from_pipe(const struct task *task, struct told *told)
{
	const struct send_many *many = task->many;
	struct send_job job = job_for(many, task->index);
	struct source *source = open_pipe(task->pipe, told->outcome.name, &told->whole, &told->err);

	if (source == NULL)
		return -1;
	int status = meet_and_pass_on(task, &job, source, told);
	source_close(source);
	return status;
}

/*
 * Does all the work of a worker. First closes the descriptors of its parent, which would else stay
 * open when the parent has died.
 */
static int serve_receiver(void *context)
{
	const struct task *task = context;
	struct send_many *many = task->many;
	struct told *told = &many->told[task->index];

	tee_close(&many->tee);
	source_close(many->source);
	if (send_from_pipe(task, told) == -1)
		name_receiver(many, task->index, &told->err);
	told->outcome.ended = clock_now();
	signals_take(); /* a signal that comes after the failure has not caused it */
	told->exit = outcome_exit_code(&told->err);
	atomic_store(&told->complete, true);
	return told->exit;
}

/* Notes err in the place of a worker that could not do so itself. */
static void tell_for(struct send_many *many, size_t index, const struct err *err)
{
	struct told *told = &many->told[index];

	told->err = *err;
	name_receiver(many, index, &told->err);
	told->outcome.ended = clock_now();
	told->exit = outcome_exit_code(&told->err);
	atomic_store(&told->complete, true);
}

/* Reports a worker's error. An interrupted worker is reported at the end, by conclude_all(). */
static void report_failure(struct send_many *many, size_t index)
{
	struct err err = many->told[index].err;

	if (err.kind == ERR_NONE || err.kind == ERR_INTERRUPTED)
		return;
	/* An advice that is the same for many receivers is printed once. */
	if (err.advice == many->advised)
		err_advise(&err, NULL);
	else
		many->advised = err.advice;
	log_error(many->job->talk.log, &err);
}

static int start_one(struct send_many *many, size_t index, struct err *err)
{
	struct task task = {.many = many, .index = index};

	task.pipe = tee_add(&many->tee, err);
	if (task.pipe == -1)
		return -1;
	ssize_t slot = workers_start(&many->workers, serve_receiver, &task, err);
	close(task.pipe);
	if (slot == -1)
		return -1;
	many->receiver[slot] = index;
	many->runs[index] = true;
	return 0;
}

/* Starts all workers, before another thread starts. A worker that cannot be started has failed. */
static void start_all(struct send_many *many)
{
	struct err err;

	for (size_t i = 0; i < many->receivers->count; i++) {
		if (start_one(many, i, &err) == 0)
			continue;
		tee_drop(&many->tee, i);
		tell_for(many, i, &err);
		report_failure(many, i);
	}
}

/* Takes note of the end of a worker, with the status of waitpid(2). */
static void note_worker_end(struct send_many *many, size_t slot, int status)
{
	size_t index = many->receiver[slot];
	struct err err;

	many->runs[index] = false;
	tee_drop(&many->tee, index);
	if (!atomic_load(&many->told[index].complete)) {
		if (WIFSIGNALED(status))
			err_set(&err, ERR_FAILED, 0, "our process was killed by signal %d (%s)",
			    WTERMSIG(status), strsignal(WTERMSIG(status)));
		else
			err_set(&err, ERR_FAILED, 0, "our process exited with status %d",
			    WEXITSTATUS(status));
		tell_for(many, index, &err);
	}
	send_one_note_source(many->source, &many->told[index].outcome);
	report_failure(many, index);
}

static void note_worker_ends(struct send_many *many)
{
	ssize_t slot;
	int status;

	while ((slot = workers_reap(&many->workers, &status)) != -1)
		note_worker_end(many, (size_t)slot, status);
}

static bool is_connecting(const struct send_many *many)
{
	for (size_t i = 0; i < many->receivers->count; i++) {
		if (many->runs[i] && !atomic_load(&many->told[i].connected))
			return true;
	}
	return false;
}

static int wait_for_connections(struct send_many *many, struct err *err)
{
	struct pollfd fds[] = {
	    {.fd = many->workers.ended, .events = POLLIN},
	    {.fd = many->connected, .events = POLLIN},
	};
	eventfd_t count;

	while (is_connecting(many)) {
		if (io_poll(fds, 2, DEADLINE_NEVER, err) == -1)
			return -1;
		(void)eventfd_read(many->connected, &count);
		note_worker_ends(many);
	}
	return 0;
}

/* Copies the source to all receivers that are connected, until it ends or none is left. */
static int move(struct send_many *many, struct err *err)
{
	struct source *source = many->source;
	enum tee_state state = TEE_WATCHED;

	if (many->workers.count == 0)
		return 0;
	progress_begin(many->policy->progress,
	    source->size == SOURCE_SIZE_UNKNOWN ? PROGRESS_UNKNOWN : source->size, source->is_tree);
	if (source_start(source, &ends_unknown, err) == -1)
		return -1;
	while (state == TEE_WATCHED) {
		state = tee_move(&many->tee, many->workers.ended, err);
		note_worker_ends(many);
	}
	if (state == TEE_FAILED)
		return -1;
	for (size_t i = 0; i < many->tee.count && state == TEE_ENDED; i++)
		atomic_store(&many->told[i].whole, tee_has(&many->tee, i));
	progress_enter(many->policy->progress, PROGRESS_CONFIRMING);
	tee_close(&many->tee);
	return 0;
}

/* Waits until each worker has ended. */
static int wait_for_ends(struct send_many *many, struct err *err)
{
	int status;

	while (many->workers.count > 0) {
		ssize_t slot = workers_wait(&many->workers, &status, DEADLINE_NEVER, err);
		if (slot == -1)
			return -1;
		note_worker_end(many, (size_t)slot, status);
	}
	return 0;
}

/*
 * Makes the workers reset all connections. The pipes stay open until then, so that no worker sees
 * an end. A signal that asked for this is taken first, as it would end the wait for the workers,
 * too; a second signal may end that wait.
 */
static void abort_all(struct send_many *many)
{
	int64_t until = deadline_after(ABORT_GRACE);
	int sig = signals_take();
	struct err ignored;
	ssize_t slot = 0;
	int status;

	workers_signal(&many->workers, SIGNALS_ABORT);
	while (many->workers.count > 0 && slot != -1) {
		slot = workers_wait(&many->workers, &status, until, &ignored);
		if (slot != -1)
			note_worker_end(many, (size_t)slot, status);
	}
	workers_close(&many->workers);
	if (sig != 0)
		raise(sig);
}

static int check_congestion_for_all(const struct send_many *many, struct err *err)
{
	struct endpoint_options endpoint = many->job->rendezvous.endpoint;

	for (size_t i = 0; i < many->receivers->count; i++) {
		endpoint.address = many->receivers->one[i].addr;
		if (endpoint_check_congestion(&endpoint, err) == -1)
			return -1;
	}
	return 0;
}

static void count_taken(void *context, size_t bytes)
{
	const struct send_many *many = context;

	progress_add(many->policy->progress, (int64_t)bytes);
	if (many->source->is_tree)
		progress_note_entries(many->policy->progress, many->source->entries);
}

/* Opens all that is needed besides the source. The caller closes it, also after a failure. */
static int open_all(struct send_many *many, struct err *err)
{
	many->connected = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (many->connected == -1)
		return err_sys(err, "eventfd");
	if (tee_open(&many->tee, many->source, many->policy->chunk, count_taken, many, err) == -1)
		return -1;
	return workers_open(&many->workers, many->receivers->count, err);
}

static void close_all(struct send_many *many)
{
	workers_close(&many->workers);
	tee_close(&many->tee);
	if (many->connected != -1)
		close(many->connected);
}

/* Runs the workers, and the meter meanwhile. The source is open. */
static int run_workers(struct send_many *many, const struct progress_meter_options *how,
    struct err *err)
{
	struct progress_meter meter;

	if (open_all(many, err) == -1)
		return -1;
	start_all(many);
	progress_meter_start(&meter, how);
	int status = wait_for_connections(many, err) == 0 && move(many, err) == 0 &&
	                     wait_for_ends(many, err) == 0
	                 ? 0
	                 : -1;
	if (status == -1)
		abort_all(many);
	progress_meter_stop(&meter);
	return status;
}

/*
 * Decides about a worker that a signal has ended, if it was not ended by us. If the signal has come
 * to us as well, as from a terminal, it ends all; else it is a failure of that worker.
 */
static void judge_interrupted(struct send_many *many, size_t index)
{
	struct told *told = &many->told[index];

	if (told->err.kind != ERR_INTERRUPTED || many->err.kind != ERR_NONE ||
	    signals_check(&many->err) == -1)
		return;
	told->err.kind = ERR_FAILED;
	told->exit = outcome_exit_code(&told->err);
	report_failure(many, index);
}

/* Gives a worker that has not ended by itself the error that has ended all. */
static void settle(struct send_many *many, size_t index)
{
	struct told *told = &many->told[index];

	judge_interrupted(many, index);
	if (atomic_load(&told->complete) && told->err.kind != ERR_INTERRUPTED)
		return;
	told->err = many->err;
	told->exit = outcome_exit_code(&told->err);
}

/* Prints the result of one receiver. Returns 0, or -1 if the JSON could not be written. */
static int conclude_one(const struct send_many *many, const struct told *told)
{
	const struct talk *talk = &many->job->talk;
	const struct result_output output = {.file = stdout};

	if (told->err.kind == ERR_NONE)
		result_print(talk->log, &told->outcome);
	if (!talk->json)
		return 0;
	return result_json(&output, &told->outcome, &told->err, told->exit);
}

static int conclude_all(struct send_many *many)
{
	size_t count = many->receivers->count;
	const struct told *told = many->told;
	struct err err;
	int status = 0;

	for (size_t i = 0; i < count; i++)
		settle(many, i);
	if (many->err.kind != ERR_NONE && many->err.kind != ERR_INTERRUPTED)
		log_error(many->job->talk.log, &many->err);
	if (many->err.kind != ERR_NONE)
		status = outcome_exit_code(&many->err);
	for (size_t i = 0; i < count; i++) {
		int written = conclude_one(many, &told[i]);
		if (status == 0)
			status = outcome_exit_code(&told[i].err);
		if (written == -1 && status == 0) {
			err_sys(&err, "--json");
			log_error(many->job->talk.log, &err);
			status = outcome_exit_code(&err);
		}
	}
	return status;
}

/* Does the job, once the shared memory and the policy are there. Returns the exit status. */
static int send_to_all(struct send_many *many, const struct progress_meter_options *how)
{
	const struct send_job *job = many->job;

	for (size_t i = 0; i < many->receivers->count; i++) {
		many->told[i].outcome =
		    outcome_begin(true, job->source.path, job->source.command.argv);
		many->told[i].outcome.receiver = name_of(many, i);
	}
	if (check_congestion_for_all(many, &many->err) == 0)
		many->source = open_source(&job->source, &many->err);
	if (many->source != NULL) {
		for (size_t i = 0; i < many->receivers->count; i++)
			send_one_note_source(many->source, &many->told[i].outcome);
		run_workers(many, how, &many->err);
		close_all(many);
		source_close(many->source);
	}
	return conclude_all(many);
}

int send_many(const struct send_job *job, const struct addr_list *receivers)
{
	struct progress progress = {.phase = PROGRESS_WAITING};
	const struct send_policy policy = send_one_policy(job, &progress);
	const struct outcome outcome =
	    outcome_begin(true, job->source.path, job->source.command.argv);
	struct first_walk walk = first_walk_of(&job->source.files, &progress);
	struct progress_meter_options how = talk_meter(&job->talk, &outcome, &progress);
	struct send_many many = {
	    .job = job,
	    .receivers = receivers,
	    .policy = &policy,
	    .connected = -1,
	    .workers = {.ended = -1},
	};

	many.told = shared_memory_open(ADDR_LIST_MAX * sizeof(*many.told), &many.err);
	if (many.told == NULL) {
		log_error(job->talk.log, &many.err);
		return outcome_exit_code(&many.err);
	}
	how.measure = first_walk_go_on;
	how.context = &walk;
	int status = send_to_all(&many, &how);
	first_walk_close(&walk);
	shared_memory_close(many.told, ADDR_LIST_MAX * sizeof(*many.told));
	return status;
}
