#include "job/serve_each.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/open.h"
#include "job/conclude.h"
#include "job/recv_one.h"
#include "job/send_one.h"
#include "job/server.h"
#include "net/peer.h"
#include "sys/signals.h"

/* What all transfers have in common. */
struct keeping {
	const struct settings *settings;
	struct report report;      /* with a turn for them */
	struct shared_lock *lines; /* recv: of a stream by lines; the results may be on stderr */
	bool has_inbox; /* recv: they go into a directory, which may be gone for a time */
	struct sink
	    *held; /* recv: the sink of the server itself, where it is to stay open; or NULL */
};

/* Whoever sends to us is told what has become of the place where it was to go. */
static int receive(struct keeping *keeping, struct peer *peer, const struct recv_policy *transfer,
    struct outcome *outcome, struct err *err)
{
	sink_close(keeping->held); /* in this process */
	struct sink *sink = recv_open_sink(keeping->settings, keeping->lines, keeping->has_inbox,
	    transfer->limits.end, outcome, err);
	if (sink == NULL) {
		transfer_refuse(peer->channel, transfer, err);
		return err_prefix(err, "%s", peer->name);
	}
	int status = recv_from(peer, sink, transfer, outcome, err);
	sink_close(sink);
	return status;
}

static int send_anew(const struct keeping *keeping, struct peer *peer,
    const struct send_policy *transfer, struct outcome *outcome, struct err *err)
{
	const struct settings *settings = keeping->settings;
	struct source *source = open_source(settings->path, settings->command, err);

	if (source == NULL)
		return err_prefix(err, "%s", peer->name);
	int status = send_to(source, peer, transfer, outcome, err);
	source_close(source);
	return status;
}

static int transfer_with(struct keeping *keeping, struct peer *peer, struct outcome *outcome,
    struct err *err)
{
	const struct settings *settings = keeping->settings;
	struct progress progress = {.phase = PROGRESS_WAITING};

	peer_describe(peer, outcome); /* also of one that fails before it begins */
	if (settings->role == SETTINGS_SEND) {
		const struct send_policy policy = run_send_policy(settings, &progress);
		return send_anew(keeping, peer, &policy, outcome, err);
	}
	struct recv_policy policy = run_recv_policy(settings, &progress);
	policy.may_be_stray = true;
	return receive(keeping, peer, &policy, outcome, err);
}

/* That we were told to end is, of one transfer among many, a failure like others. */
static void note_abort(const struct peer *peer, const struct outcome *outcome, struct err *err)
{
	if (err->kind != ERR_INTERRUPTED)
		return;
	signals_take();
	err_set(err, ERR_FAILED, 0, "%s: aborted after %" PRId64 " bytes: the server ends",
	    peer->name, outcome->result.bytes);
}

/*
 * What is stored, the sender having been told so, has to be told here as well: it is too late to be aborted. If nobody
 * takes it, we are killed in the end.
 */
static void finish_regardless(void)
{
	sigset_t ignored;

	signals_block(&ignored);
	signals_take();
}

/* In a process of its own. */
static int serve_one(void *context, const struct listen_accepted *accepted)
{
	struct keeping *keeping = context;
	const struct report *report = &keeping->report;
	struct outcome outcome = run_outcome(keeping->settings);
	struct err err = {.kind = ERR_NONE};
	struct peer peer;

	int status = peer_take(&peer, accepted, keeping->settings, report, &err);
	if (status == 0) {
		status = transfer_with(keeping, &peer, &outcome, &err);
		peer_close(&peer);
	}
	if (status == 0) {
		err.kind = ERR_NONE; /* whatever was tried on the way */
		finish_regardless();
	}
	if (err.kind == ERR_STRAY) {
		report_detail(report, "%s", err.text);
		return SERVE_STRAY;
	}
	note_abort(&peer, &outcome, &err);
	return run_conclude(keeping->settings, report, &outcome, &err);
}

/* What can be read once only cannot be sent to many. */
static int check_source(const struct settings *settings, struct err *err)
{
	if (peer_check_congestion(settings, err) == -1)
		return -1;
	struct source *source = open_source(settings->path, settings->command, err);
	if (source == NULL)
		return -1;
	bool reopens = source->reopens;
	source_close(source);
	if (reopens)
		return 0;
	err_set(err, ERR_FAILED, 0,
	    "%s: with -k it has to be read for each anew, which a pipe cannot be", settings->path);
	return err_advise(err, "name a file, or a command behind --");
}

/* Whether we print on standard output what is for a program to read. */
static bool prints(const struct keeping *keeping)
{
	const struct settings *settings = keeping->settings;

	return keeping->has_inbox || (settings->json && !run_prints_data(settings));
}

/* Whether there is a pipe on standard output that is of no use without its reader. */
static bool has_reader(const struct keeping *keeping)
{
	bool is_used = prints(keeping) || settings_stdio(keeping->settings) == STDOUT_FILENO;
	struct stat st;

	return is_used && fstat(STDOUT_FILENO, &st) == 0 &&
	       (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

static int check_stdout(const struct keeping *keeping, struct err *err)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (!prints(keeping) || (flags != -1 && (flags & O_ACCMODE) != O_RDONLY))
		return 0;
	return err_set(err, ERR_FAILED, EBADF, "stdout");
}

static int open_turns(struct keeping *keeping, struct err *err)
{
	keeping->report.lock = shared_lock_open(err);
	if (keeping->report.lock == NULL)
		return -1;
	keeping->lines = shared_lock_open(err);
	return keeping->lines == NULL ? -1 : 0;
}

static int listen_and_serve(struct keeping *keeping, struct err *err)
{
	const struct settings *settings = keeping->settings;
	struct listen_set listening = {.count = 0};
	struct serve_options how = {
	    .report = &keeping->report,
	    .allow = &settings->allow,
	    .max = settings->jobs,
	    .max_per_host = settings->max_per_peer,
	    .grace = settings->grace,
	    .has_reader = has_reader(keeping),
	    .work = serve_one,
	    .context = keeping,
	};

	int status = check_stdout(keeping, err);
	if (status == 0)
		status = open_turns(keeping, err);
	if (status == 0)
		status = peer_listen(&listening, settings, DEADLINE_NEVER, &keeping->report, err);
	if (status == 0)
		status = serve(&listening, &how, err);
	shared_lock_close(keeping->lines);
	shared_lock_close(keeping->report.lock);
	return status;
}

static int keep_receiving(struct keeping *keeping, struct err *err)
{
	const struct settings *settings = keeping->settings;
	struct progress progress = {.phase = PROGRESS_WAITING};
	const struct recv_policy transfer = run_recv_policy(settings, &progress);
	struct outcome outcome = run_outcome(settings);

	struct sink *sink = recv_open_sink(settings, NULL, false, DEADLINE_NEVER, &outcome, err);
	if (sink == NULL) {
		recv_refuse(settings, &transfer, &keeping->report, err);
		return -1;
	}
	keeping->has_inbox = sink->is_inbox;
	if (sink->is_held)
		keeping->held = sink;
	else
		sink_close(sink);
	int status = listen_and_serve(keeping, err);
	sink_close(keeping->held);
	return status;
}

static int keep_sending(struct keeping *keeping, struct err *err)
{
	if (check_source(keeping->settings, err) == -1) {
		send_refuse(keeping->settings, &keeping->report);
		return -1;
	}
	return listen_and_serve(keeping, err);
}

int keep_run(const struct settings *settings, const struct report *report, struct err *err)
{
	struct keeping keeping = {.settings = settings, .report = *report};

	signals_survive_hangup(); /* before it is known that we listen, which may be waited for */
	return settings->role == SETTINGS_SEND ? keep_sending(&keeping, err)
	                                       : keep_receiving(&keeping, err);
}
