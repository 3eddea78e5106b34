#include "job/send_one.h"

#include "base/deadline.h"
#include "data/open.h"
#include "job/conclude.h"
#include "job/first_walk.h"
#include "job/interruptions.h"
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
static int meet_and_send(struct source *source, const struct send_policy *asked,
    struct interruptions *interruptions, struct outcome *outcome, struct err *err)
{
	struct send_policy policy = *asked;
	struct listen_set listening;
	struct connection connection;
	int status =
	    interruptions_meet(interruptions, &listening, &policy.limits, &connection, err);

	policy.must_resume = interruptions->both_resume;
	listen_close(&listening);
	outcome_connected(outcome, &connection);
	if (status == 0)
		status = send_one_over(source, &connection, &policy, outcome, err);
	connection_close(&connection);
	return status;
}

/* Returns 0, or -1 if it has failed. */
static int open_and_send(const struct send_job *job, const struct send_policy *policy,
    struct interruptions *interruptions, struct outcome *outcome, struct err *err)
{
	struct source *source = NULL;
	int status = -1;

	if (endpoint_check_congestion(&job->rendezvous.endpoint, err) == 0)
		source = open_source(&job->source, err);
	if (source == NULL) {
		send_one_refuse(job);
	} else {
		outcome->can_resume = source->is_regular;
		status = meet_and_send(source, policy, interruptions, outcome, err);
		send_one_note_source(source, outcome);
	}
	source_close(source);
	return status;
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
	outcome.resumes = job->policy.resumes;
	outcome.goes_on = job->policy.resumes && job->rendezvous.endpoint.retry != 0;
	progress_meter_start(&meter, &how);
	const struct send_policy policy = send_one_policy(job, &progress);
	struct interruptions interruptions =
	    interruptions_begin(&job->rendezvous, &job->talk.invite, &progress, &outcome);
	while (open_and_send(job, &policy, &interruptions, &outcome, &err) == -1 &&
	       interruptions_pass(&interruptions, &err))
		;
	interruptions_end(&interruptions, &err);
	progress_meter_stop(&meter);
	first_walk_close(&walk);
	return conclude(&job->talk, NULL, &outcome, &err);
}
