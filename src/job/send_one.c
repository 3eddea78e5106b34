#include "job/send_one.h"

int send_to(struct source *source, struct peer *peer, const struct transfer_options *transfer,
    struct outcome *outcome, struct err *err)
{
	listen_close(&peer->listening);
	peer_describe(peer, outcome);
	source_set_ends(source, &(struct command_ends){outcome->peer, outcome->local});
	if (transfer_send(source, peer->sock, transfer, &outcome->result, err) == -1)
		return err_prefix(err, "%s", peer->name);
	return 0;
}

void send_refuse(const struct options *options, const struct report *report)
{
	struct peer peer;

	if (peer_open_waiting(&peer, options, report) == 0)
		peer_close(&peer);
}

int send_run(const struct options *options, const struct transfer_options *transfer,
    const struct report *report, struct outcome *outcome, struct err *err)
{
	struct source source;
	struct peer peer;

	if (peer_check_congestion(options, err) == -1 ||
	    source_open(&source, options->path, options->command, err) == -1) {
		send_refuse(options, report);
		return -1;
	}
	int status = peer_open(&peer, options, &transfer->limits, report, err);
	if (status == 0) {
		status = send_to(&source, &peer, transfer, outcome, err);
		peer_close(&peer);
	}
	source_close(&source);
	return status;
}
