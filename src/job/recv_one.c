#include "job/recv_one.h"

#include <string.h>

#include "data/open.h"

int recv_from(struct peer *peer, struct sink *sink, const struct recv_policy *transfer,
    struct outcome *outcome, struct err *err)
{
	const struct ends ends = {outcome->peer, outcome->local};

	peer_describe(peer, outcome);
	int status = transfer_recv(peer->channel, sink, &ends, transfer, &outcome->result, err);
	if (sink->made != NULL) {
		strlcpy(outcome->inbox_file, sink->made, sizeof(outcome->inbox_file));
		outcome->path = outcome->inbox_file;
		outcome->name = outcome->inbox_file;
	}
	return status == 0 ? 0 : err_prefix(err, "%s", peer->name);
}

/* Other senders that wait to be accepted are refused. */
static void stop_listening(void *context)
{
	listen_close(context);
}

/* Of a connection that was none, nothing is to be told. */
static void forget(struct outcome *outcome, struct progress *progress)
{
	outcome->local[0] = '\0';
	outcome->peer[0] = '\0';
	outcome->started = 0;
	outcome->result = (struct transfer_result){.bytes = 0};
	progress_enter(progress, PROGRESS_WAITING);
}

void recv_refuse(const struct settings *settings, const struct recv_policy *transfer,
    const struct report *report, const struct err *why)
{
	struct peer peer;

	if (peer_open_waiting(&peer, settings, report) == -1)
		return;
	transfer_refuse(peer.channel, transfer, why);
	peer_close(&peer);
}

struct sink *recv_open_sink(const struct settings *settings, struct shared_lock *lock,
    bool only_inbox, int64_t deadline, struct outcome *outcome, struct err *err)
{
	const struct sink_options options = {
	    .path = settings->path,
	    .argv = settings->command,
	    .no_clobber = settings->no_clobber,
	    .sync = settings->sync,
	    .allows_inbox = true,
	    .only_inbox = only_inbox,
	    .lock = lock,
	};
	struct sink *sink = open_sink(&options, deadline, err);

	if (sink == NULL)
		return NULL;
	outcome->done = sink->done;
	outcome->is_verified = settings->has_expected;
	return sink;
}

int recv_run(const struct settings *settings, const struct recv_policy *transfer,
    const struct report *report, struct outcome *outcome, struct err *err)
{
	struct peer peer;

	struct sink *sink =
	    recv_open_sink(settings, NULL, false, transfer->limits.end, outcome, err);
	if (sink == NULL) {
		recv_refuse(settings, transfer, report, err);
		return -1;
	}
	int status = peer_open(&peer, settings, &transfer->limits, report, err);
	struct recv_policy policy = *transfer;
	policy.may_be_stray = status == 0 && peer.listening.count > 0;
	policy.on_claim = stop_listening;
	policy.context = &peer.listening;
	/* Port scans and health checks come first, perhaps; the transfer is what brings bytes or stays. */
	while (status == 0) {
		status = recv_from(&peer, sink, &policy, outcome, err);
		if (status == 0 || err->kind != ERR_STRAY)
			break;
		report_detail(report, "%s; waiting for another", err->text);
		forget(outcome, transfer->progress);
		status = peer_next(&peer, settings, &transfer->limits, report, err);
	}
	peer_close(&peer);
	sink_close(sink);
	return status;
}
