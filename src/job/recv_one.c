#include "job/recv_one.h"

int recv_from(struct peer *peer, struct sink *sink, const struct recv_policy *transfer,
    struct outcome *outcome, struct err *err)
{
	peer_describe(peer, outcome);
	sink_set_ends(sink, &(struct ends){outcome->peer, outcome->local});
	int status = transfer_recv(peer->channel, sink, transfer, &outcome->result, err);
	if (outcome->inbox_file[0] != '\0') {
		outcome->path = outcome->inbox_file;
		outcome->name = outcome->inbox_file;
	}
	return status == 0 ? 0 : err_prefix(err, "%s", peer->name);
}

/* Whoever else waits to be accepted is refused. */
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

/* What it means for this sink and these settings that all is well. */
static const char *stored(const struct sink *sink, const struct settings *settings)
{
	bool is_verified = settings->has_expected;

	switch (sink->kind) {
	case SINK_STREAM:
		return is_verified ? "written and verified," : "written,";
	case SINK_COMMAND:
		return is_verified ? "taken and verified," : "taken,";
	case SINK_FILE:
		break;
	}
	if (settings->sync)
		return is_verified ? "stored on disk and verified," : "stored on disk,";
	return is_verified ? "stored and verified," : "stored,";
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

int recv_open_sink(struct sink *sink, struct sink_options *how, const struct settings *settings,
    int64_t deadline, struct outcome *outcome, struct err *err)
{
	how->no_clobber = settings->no_clobber;
	how->sync = settings->sync;
	how->argv = settings->command;
	how->inbox_file = outcome->inbox_file;
	if (sink_open(sink, settings->path, how, deadline, err) == -1)
		return -1;
	outcome->stored = stored(sink, settings);
	return 0;
}

int recv_run(const struct settings *settings, const struct recv_policy *transfer,
    const struct report *report, struct outcome *outcome, struct err *err)
{
	struct sink_options how = {.lock = NULL};
	struct sink sink;
	struct peer peer;

	if (recv_open_sink(&sink, &how, settings, transfer->limits.end, outcome, err) == -1) {
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
		status = recv_from(&peer, &sink, &policy, outcome, err);
		if (status == 0 || err->kind != ERR_STRAY)
			break;
		report_detail(report, "%s; waiting for another", err->text);
		forget(outcome, transfer->progress);
		status = peer_next(&peer, settings, &transfer->limits, report, err);
	}
	peer_close(&peer);
	sink_close(&sink);
	return status;
}
