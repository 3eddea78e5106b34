#include "job/send_one.h"

#include "base/deadline.h"
#include "data/open.h"
#include "job/conclude.h"
#include "job/first_walk.h"
#include "ui/progress_meter.h"

struct send_policy send_one_policy(const struct send_job *job, struct progress *progress)
{
	struct send_policy policy = job->policy;

	policy.limits.end = deadline_of_limit(job->total_limit);
	policy.progress = progress;
	return policy;
}

int send_one_over(struct source *source, struct connection *connection,
    const struct send_policy *policy, struct outcome *outcome, struct err *err)
{
	const struct ends ends = {.peer = outcome->peer, .local = outcome->local};

	int status =
	    transfer_send(source, connection->channel, &ends, policy, &outcome->result, err);
	return status == -1 ? err_prefix(err, "%s", connection->peer) : 0;
}

void send_one_note_source(const struct source *source, struct outcome *outcome)
{
	outcome->is_tree = source->is_tree;
	outcome->entries = source->entries;
	outcome->left_out = source->left_out;
}

void send_one_refuse(const struct send_job *job)
{
	struct connection connection;

	if (endpoint_open_waiting(&job->rendezvous.endpoint, &connection) == 0)
		connection_close(&connection);
}

/* Gets the connection, stops listening, so that no other receiver is accepted, and sends source. */
static int meet_and_send(const struct send_job *job, struct source *source,
    const struct send_policy *policy, struct outcome *outcome, struct err *err)
{
	struct listen_set listening;
	struct connection connection;
	int status = rendezvous_open(&job->rendezvous, &job->talk.invite, &listening,
	    &policy->limits, &connection, err);

	listen_close(&listening);
	outcome_connected(outcome, &connection);
	if (status == 0)
		status = send_one_over(source, &connection, policy, outcome, err);
	connection_close(&connection);
	return status;
}

static void open_and_send(const struct send_job *job, const struct send_policy *policy,
    struct outcome *outcome, struct err *err)
{
	struct source *source = NULL;

	if (endpoint_check_congestion(&job->rendezvous.endpoint, err) == 0)
		source = open_source(&job->source, err);
	if (source == NULL)
		send_one_refuse(job);
	else
		meet_and_send(job, source, policy, outcome, err);
	if (source != NULL)
		send_one_note_source(source, outcome);
	source_close(source);
}

int send_one(const struct send_job *job)
{
	struct outcome outcome = outcome_begin(true, job->source.path, job->source.command.argv);
	struct progress progress = {.phase = PROGRESS_WAITING};
	struct first_walk walk = first_walk_of(&job->source.files, &progress);
	struct progress_meter_options how = talk_meter(&job->talk, &outcome, &progress);
	struct progress_meter meter;
	struct err err = {.kind = ERR_NONE};

	how.measure = first_walk_go_on;
	how.context = &walk;
	progress_meter_start(&meter, &how);
	const struct send_policy policy = send_one_policy(job, &progress);
	open_and_send(job, &policy, &outcome, &err);
	progress_meter_stop(&meter);
	first_walk_close(&walk);
	return conclude(&job->talk, NULL, &outcome, &err);
}
