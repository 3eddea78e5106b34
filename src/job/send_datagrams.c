#include "job/send_datagrams.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "data/open.h"
#include "job/conclude.h"
#include "net/datagram_socket.h"
#include "net/sock.h"
#include "transfer/emit.h"
#include "ui/progress_meter.h"

/* From so many datagrams and so many a second on, a receiver may lose some. */
#define MANY 1000
#define FAST 10000

/* Whether many were sent as fast as they could be. */
static bool was_in_haste(const struct send_job *job, const struct outcome *outcome)
{
	int64_t sent = outcome->datagrams->datagrams;

	return job->policy.rate == 0 && sent >= MANY &&
	       sent * (CLOCK_SECOND / FAST) >= outcome_duration(outcome);
}

static int send_to(const struct send_job *job, struct source *source,
    const struct emit_policy *policy, struct outcome *outcome, struct err *err)
{
	const struct endpoint_options *endpoint = &job->rendezvous.endpoint;
	const struct ends ends = {.peer = outcome->peer, .local = outcome->local};
	char name[ADDR_TEXT_MAX];
	int sock = datagram_socket_connect(&endpoint->address, endpoint->family,
	    deadline_of(&policy->limits), err);

	if (sock == -1)
		return -1;
	sock_local_name(sock, outcome->local);
	sock_peer_name(sock, outcome->peer);
	outcome->started = clock_now();
	int status = emit_run(source, sock, &ends, policy, &outcome->result, err);
	outcome->ended = clock_now();
	close(sock);
	addr_text(&endpoint->address, name);
	return status == -1 ? err_prefix(err, "%s", name) : 0;
}

/* Opens the source, of which an archive would be of no use by lines or pieces. */
static struct source *open_stream_source(const struct send_job *job, struct err *err)
{
	struct source *source = open_source(&job->source, err);

	if (source == NULL || !source->is_tree)
		return source;
	source_close(source);
	err_set(err, ERR_USAGE, 0, "%s: a directory cannot be sent by datagrams, which may be lost",
	    job->source.path);
	return NULL;
}

int send_datagrams(const struct send_job *job, bool raw)
{
	struct datagram_counts counts = {.datagrams = 0};
	struct outcome outcome = outcome_begin(true, job->source.path, job->source.command.argv);
	struct progress progress = {.phase = PROGRESS_WAITING};
	const struct progress_meter_options how = talk_meter(&job->talk, &outcome, &progress);
	const struct send_policy of_job = send_one_policy(job, &progress);
	const struct emit_policy policy = {
	    .limits = of_job.limits,
	    .longest = of_job.chunk,
	    .rate = of_job.rate,
	    .raw = raw,
	    .progress = &progress,
	    .counts = &counts,
	};
	struct progress_meter meter;
	struct err err = {.kind = ERR_NONE};

	outcome.datagrams = &counts;
	progress_meter_start(&meter, &how);
	struct source *source = open_stream_source(job, &err);
	if (source != NULL && job->talk.invite.handover.tool != HANDOVER_SOCKXFER)
		invite_connecting(&job->talk.invite);
	if (source != NULL && send_to(job, source, &policy, &outcome, &err) == 0 &&
	    was_in_haste(job, &outcome))
		outcome.hint = "as fast as they were read, which may be too fast: -b sets a pace";
	source_close(source);
	progress_meter_stop(&meter);
	return conclude(&job->talk, NULL, &outcome, &err);
}
