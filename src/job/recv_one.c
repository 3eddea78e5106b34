#include "job/recv_one.h"

#include <string.h>

#include "base/deadline.h"
#include "job/conclude.h"
#include "job/interruptions.h"
#include "ui/progress_meter.h"

struct recv_policy recv_one_policy(const struct recv_job *job, struct progress *progress)
{
	struct recv_policy policy = job->policy;

	policy.limits.end = deadline_of_limit(job->total_limit);
	policy.progress = progress;
	return policy;
}

struct sink *recv_one_open_sink(const struct sink_options *options, int64_t deadline,
    struct outcome *outcome, struct err *err)
{
	struct sink *sink = open_sink(options, deadline, err);

	if (sink == NULL)
		return NULL;
	outcome->done = sink->done;
	outcome->is_tree = sink->is_tree;
	return sink;
}

/* Takes into outcome what the sink has made that is not, or no longer, the one file given. */
static void take_made(struct sink *sink, struct outcome *outcome)
{
	outcome->entries = sink->entries;
	outcome->hint = sink->hint;
	outcome->made_list = sink->made_list;
	outcome->made_size = sink->made_size;
	sink->made_list = NULL;
	recv_one_name_made(sink, outcome);
}

void recv_one_name_made(const struct sink *sink, struct outcome *outcome)
{
	if (sink->made == NULL)
		return;
	strlcpy(outcome->made, sink->made, sizeof(outcome->made));
	outcome->is_inbox = sink->is_inbox;
	outcome->path = outcome->made;
	outcome->name = outcome->made;
}

int recv_one_over(struct connection *connection, struct sink *sink,
    const struct recv_policy *policy, struct outcome *outcome, struct err *err)
{
	const struct ends ends = {.peer = outcome->peer, .local = outcome->local};

	outcome->is_verified = policy->expect != NULL;
	int status = transfer_recv(connection->channel, sink, &ends, policy, &outcome->result, err);
	take_made(sink, outcome);
	if (status == 0)
		sink_note(sink, outcome->note, sizeof(outcome->note));
	return status == 0 ? 0 : err_prefix(err, "%s", connection->peer);
}

void recv_one_refuse(const struct recv_job *job, const struct recv_policy *policy,
    const struct err *why)
{
	struct connection connection;

	if (endpoint_open_waiting(&job->rendezvous.endpoint, &connection) == -1)
		return;
	transfer_refuse(connection.channel, policy, why);
	connection_close(&connection);
}

/* Ends the listening at the first byte: other senders that wait to be accepted are refused. */
static void stop_listening(void *context)
{
	listen_close(context);
}

/*
 * Receives from the first sender that sends bytes or stays connected, as port scans and health
 * checks may come before it.
 */
static int meet_and_receive(const struct recv_job *job, struct sink *sink,
    const struct recv_policy *asked, struct interruptions *interruptions, struct outcome *outcome,
    struct err *err)
{
	struct recv_policy policy = *asked;
	struct log_limit strays = {.due = 0};
	struct listen_set listening;
	struct connection connection;
	int status =
	    interruptions_meet(interruptions, &listening, &policy.limits, &connection, err);

	policy.may_be_stray = listening.count > 0;
	policy.on_claim = stop_listening;
	policy.context = &listening;
	while (status == 0) {
		outcome_connected(outcome, &connection);
		status = recv_one_over(&connection, sink, &policy, outcome, err);
		if (status == 0 || err->kind != ERR_STRAY)
			break;
		log_detail_limited(job->talk.log, &strays, "%s; waiting for another", err->text);
		err_clear(err);
		outcome_forget(outcome);
		status = interruptions_meet_next(interruptions, &listening, &policy.limits,
		    &connection, err);
	}
	listen_close(&listening);
	connection_close(&connection);
	return status;
}

/* Tells a user who begins anew that this need not be. */
static void hint_at_part(const struct recv_job *job, const struct sink *sink)
{
	if (sink->has_part && !job->policy.resumes)
		log_note(job->talk.log,
		    "hint: %s: a part of it is there, which -R at both ends would go on with",
		    sink->name);
}

/* Returns 0, or -1 if it has failed. */
static int open_and_receive(const struct recv_job *job, const struct recv_policy *policy,
    struct interruptions *interruptions, struct outcome *outcome, struct err *err)
{
	struct sink_options options = job->sink;
	int status = -1;

	options.is_tried = outcome->interruptions > 0;
	struct sink *sink = recv_one_open_sink(&options, policy->limits.end, outcome, err);
	if (sink == NULL) {
		recv_one_refuse(job, policy, err);
	} else {
		outcome->can_resume = sink->type->read_part != NULL && !sink->is_inbox;
		hint_at_part(job, sink);
		status = meet_and_receive(job, sink, policy, interruptions, outcome, err);
	}
	sink_close(sink);
	return status;
}

int recv_one(const struct recv_job *job)
{
	struct outcome outcome = outcome_begin(false, job->sink.path, job->sink.command.argv);
	struct progress progress = {.phase = PROGRESS_WAITING};
	const struct progress_meter_options how = talk_meter(&job->talk, &outcome, &progress);
	struct progress_meter meter;
	struct err err = {.kind = ERR_NONE};

	outcome.resumes = job->policy.resumes;
	outcome.goes_on = job->policy.resumes && job->rendezvous.endpoint.retry != 0;
	progress_meter_start(&meter, &how);
	const struct recv_policy policy = recv_one_policy(job, &progress);
	struct interruptions interruptions =
	    interruptions_begin(&job->rendezvous, &job->talk.invite, &progress, &outcome);
	while (open_and_receive(job, &policy, &interruptions, &outcome, &err) == -1 &&
	       interruptions_pass(&interruptions, &err))
		;
	interruptions_end(&interruptions, &err);
	progress_meter_stop(&meter);
	int code = conclude(&job->talk, NULL, &outcome, &err);
	outcome_release(&outcome);
	return code;
}
