#include "job/serve_each.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "data/open.h"
#include "job/conclude.h"
#include "job/server.h"
#include "sys/shared_lock.h"
#include "sys/signals.h"

/* The common part of all transfers. */
struct serving {
	const struct serve_each_options *options;
	const struct send_job *send; /* NULL: recv is the job */
	const struct recv_job *recv;
	const struct rendezvous_options *rendezvous; /* of the job */
	const struct talk *talk;                     /* of the job */
	struct outcome outcome;                      /* that each transfer begins with */
	struct shared_lock *results; /* for the transfers' results, on stdout or stderr */
	struct shared_lock *lines;   /* recv: for a stream by lines */
	bool has_inbox;    /* recv: the sink is an inbox, which may be missing for a time */
	bool is_to_stdout; /* recv: stdout carries the data */
	struct sink *held; /* recv: a stream, which the server keeps open; else NULL */
};

/* Receives into a sink that is opened for this transfer. If that fails, tells the sender why. */
static int receive_anew(struct serving *serving, struct connection *connection,
    struct recv_policy *policy, struct outcome *outcome, struct err *err)
{
	struct sink_options options = serving->recv->sink;

	options.lock = serving->lines;
	options.only_inbox = serving->has_inbox;
	options.is_tried = true;   /* by hold_sink() */
	sink_close(serving->held); /* in this process */
	serving->held = NULL;
	struct sink *sink = recv_one_open_sink(&options, policy->limits.end, outcome, err);
	if (sink == NULL) {
		transfer_refuse(connection->channel, policy, err);
		return err_prefix(err, "%s", connection->peer);
	}
	int status = recv_one_over(connection, sink, policy, outcome, err);
	sink_close(sink);
	return status;
}

static int send_anew(const struct serving *serving, struct connection *connection,
    const struct send_policy *policy, struct outcome *outcome, struct err *err)
{
	struct source *source = open_source(&serving->send->source, err);

	if (source == NULL)
		return err_prefix(err, "%s", connection->peer);
	int status = send_one_over(source, connection, policy, outcome, err);
	send_one_note_source(source, outcome);
	source_close(source);
	return status;
}

static int transfer_with(struct serving *serving, struct connection *connection,
    struct server_place *place, struct outcome *outcome, struct err *err)
{
	struct progress progress = {.phase = PROGRESS_WAITING};

	if (serving->send != NULL) {
		const struct send_policy policy = send_one_policy(serving->send, &progress);
		return send_anew(serving, connection, &policy, outcome, err);
	}
	struct recv_policy policy = recv_one_policy(serving->recv, &progress);
	policy.may_be_stray = true;
	policy.waits_since = &place->waits_since;
	return receive_anew(serving, connection, &policy, outcome, err);
}

/* Makes the interruption of one transfer among many a failure like any other. */
static void note_abort(const struct connection *connection, const struct outcome *outcome,
    struct server_place *place, struct err *err)
{
	const char *why = "the server ends";

	if (err->kind != ERR_INTERRUPTED)
		return;
	int sig = signals_take();
	if (sig != SIGNALS_ABORT && sig != SIGINT && sig != SIGQUIT)
		why = strsignal(sig);
	else if (atomic_load(&place->is_wanted))
		why = "it was silent longest, and another waits for its place";
	err_set(err, ERR_FAILED, 0, "%s: aborted after %" PRId64 " bytes: %s", connection->peer,
	    outcome->result.bytes, why);
}

/*
 * Blocks the signals, as it is too late to abort a transfer that is stored, of which the sender
 * knows: its result has to be reported here as well. If no reader takes the result, the server
 * kills this process in the end.
 */
static void finish_regardless(void)
{
	sigset_t ignored;

	signals_block(&ignored);
	signals_take();
}

/* Serves one peer, in a worker. Returns the exit status of the worker. */
static int serve_peer(void *context, const struct listen_accepted *accepted,
    struct server_place *place)
{
	struct serving *serving = context;
	struct outcome outcome = serving->outcome;
	struct err err = {.kind = ERR_NONE};
	struct connection connection;

	int status = endpoint_take(&serving->rendezvous->endpoint, accepted, &connection, &err);
	outcome_connected(&outcome, &connection);
	if (status == 0)
		status = transfer_with(serving, &connection, place, &outcome, &err);
	connection_close(&connection);
	if (status == 0)
		finish_regardless();
	if (err.kind == ERR_STRAY) {
		log_detail(serving->talk->log, "%s", err.text);
		return SERVER_STRAY;
	}
	note_abort(&connection, &outcome, place, &err);
	int code = conclude(serving->talk, serving->results, &outcome, &err);
	outcome_release(&outcome);
	return code;
}

/* Checks that the source can be opened, and again for each peer. */
static int check_source(const struct send_job *job, struct err *err)
{
	if (endpoint_check_congestion(&job->rendezvous.endpoint, err) == -1)
		return -1;
	struct source *source = open_source(&job->source, err);
	if (source == NULL)
		return -1;
	bool reopens = source->reopens;
	source_close(source);
	if (reopens)
		return 0;
	err_set(err, ERR_FAILED, 0,
	    "%s: with -k it has to be read for each anew, which a pipe cannot be",
	    job->source.path);
	return err_advise(err, "name a file, or a command behind --");
}

/* Whether results for a program go to standard output. */
static bool prints_results(const struct serving *serving)
{
	return serving->has_inbox || (serving->talk->json && !serving->talk->has_data);
}

/*
 * Whether standard output is a pipe or socket that we use, and that is of no use without a reader.
 */
static bool has_reader(const struct serving *serving)
{
	bool is_used = prints_results(serving) || serving->is_to_stdout;
	struct stat st;

	return is_used && fstat(STDOUT_FILENO, &st) == 0 &&
	       (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

static int check_stdout(const struct serving *serving, struct err *err)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (!prints_results(serving) || (flags != -1 && (flags & O_ACCMODE) != O_RDONLY))
		return 0;
	return err_set(err, ERR_FAILED, EBADF, "stdout");
}

static int open_locks(struct serving *serving, struct err *err)
{
	serving->results = shared_lock_open(err);
	if (serving->results == NULL)
		return -1;
	serving->lines = shared_lock_open(err);
	return serving->lines == NULL ? -1 : 0;
}

static int listen_and_serve(struct serving *serving, struct err *err)
{
	struct listen_set listening = {.count = 0};
	struct server_options how = {
	    .log = serving->talk->log,
	    .endpoint = serving->rendezvous->endpoint,
	    .max = serving->options->max,
	    .grace = serving->options->grace,
	    .has_reader = has_reader(serving),
	    .makes_room = serving->recv != NULL,
	    .work = serve_peer,
	    .context = serving,
	};
	enum endpoint_way way;

	int status = check_stdout(serving, err);
	if (status == 0)
		status = open_locks(serving, err);
	if (status == 0)
		status = endpoint_find_way(&how.endpoint, &way, err);
	if (status == 0)
		status = rendezvous_listen(serving->rendezvous, &serving->talk->invite, &listening,
		    DEADLINE_NEVER, err);
	if (status == 0)
		status = server_run(&listening, &how, err);
	shared_lock_close(serving->lines);
	shared_lock_close(serving->results);
	return status;
}

/* Reports the end of the server itself; the workers have reported their transfers. */
static int conclude_server(const struct serving *serving, struct err *err)
{
	if (err->kind == ERR_INTERRUPTED)
		return outcome_exit_code(err);
	return conclude(serving->talk, NULL, &serving->outcome, err);
}

int serve_each_send(const struct send_job *job, const struct serve_each_options *options)
{
	struct serving serving = {
	    .options = options,
	    .send = job,
	    .outcome = outcome_begin(true, job->source.path, job->source.command.argv),
	    .rendezvous = &job->rendezvous,
	    .talk = &job->talk,
	};
	struct err err = {.kind = ERR_NONE};

	signals_survive_hangup(); /* first: a HUP may come as soon as others see us listen */
	if (check_source(job, &err) == -1)
		send_one_refuse(job);
	else
		listen_and_serve(&serving, &err);
	return conclude_server(&serving, &err);
}

/*
 * Checks that the sink can be opened. A FIFO stays open in the server, or its reader would see an
 * end whenever no sender is connected.
 */
static int hold_sink(struct serving *serving, struct err *err)
{
	const struct recv_job *job = serving->recv;
	struct progress progress = {.phase = PROGRESS_WAITING};
	const struct recv_policy policy = recv_one_policy(job, &progress);
	struct sink *sink = open_sink(&job->sink, DEADLINE_NEVER, err);

	if (sink == NULL) {
		recv_one_refuse(job, &policy, err);
		return -1;
	}
	serving->has_inbox = sink->is_inbox;
	if (sink->is_held)
		serving->held = sink;
	else
		sink_close(sink);
	return 0;
}

int serve_each_recv(const struct recv_job *job, const struct serve_each_options *options)
{
	struct serving serving = {
	    .options = options,
	    .recv = job,
	    .outcome = outcome_begin(false, job->sink.path, job->sink.command.argv),
	    .rendezvous = &job->rendezvous,
	    .talk = &job->talk,
	    .is_to_stdout = job->sink.command.argv == NULL && strcmp(job->sink.path, "-") == 0,
	};
	struct err err = {.kind = ERR_NONE};

	signals_survive_hangup(); /* first: a HUP may come as soon as others see us listen */
	if (hold_sink(&serving, &err) == 0)
		listen_and_serve(&serving, &err);
	sink_close(serving.held);
	return conclude_server(&serving, &err);
}
