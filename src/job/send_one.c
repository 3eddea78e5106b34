#include "job/send_one.h"

#include "data/open.h"

int send_to(struct source *source, struct peer *peer, const struct send_policy *transfer,
    struct outcome *outcome, struct err *err)
{
	listen_close(&peer->listening);
	peer_describe(peer, outcome);
	const struct ends ends = {outcome->peer, outcome->local};
	if (transfer_send(source, peer->channel, &ends, transfer, &outcome->result, err) == -1)
		return err_prefix(err, "%s", peer->name);
	return 0;
}

void send_refuse(const struct settings *settings, const struct report *report)
{
	struct peer peer;

	if (peer_open_waiting(&peer, settings, report) == 0)
		peer_close(&peer);
}

int send_run(const struct settings *settings, const struct send_policy *transfer,
    const struct report *report, struct outcome *outcome, struct err *err)
{
	struct source *source = NULL;
	struct peer peer;

	if (peer_check_congestion(settings, err) == 0)
		source = open_source(settings->path, settings->command, err);
	if (source == NULL) {
		send_refuse(settings, report);
		return -1;
	}
	int status = peer_open(&peer, settings, &transfer->limits, report, err);
	if (status == 0) {
		status = send_to(source, &peer, transfer, outcome, err);
		peer_close(&peer);
	}
	source_close(source);
	return status;
}
