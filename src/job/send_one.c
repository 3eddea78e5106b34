#include "job/send_one.h"

int send_to(struct source *source, struct peer *peer, const struct send_policy *transfer,
    struct outcome *outcome, struct err *err)
{
	listen_close(&peer->listening);
	peer_describe(peer, outcome);
	source_set_ends(source, &(struct ends){outcome->peer, outcome->local});
	if (transfer_send(source, peer->channel, transfer, &outcome->result, err) == -1)
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
	struct source source;
	struct peer peer;

	if (peer_check_congestion(settings, err) == -1 ||
	    source_open(&source, settings->path, settings->command, err) == -1) {
		send_refuse(settings, report);
		return -1;
	}
	int status = peer_open(&peer, settings, &transfer->limits, report, err);
	if (status == 0) {
		status = send_to(&source, &peer, transfer, outcome, err);
		peer_close(&peer);
	}
	source_close(&source);
	return status;
}
