#include "send.h"

#include "peer.h"

static int send_to(struct source *source, struct peer *peer,
    const struct transfer_options *transfer, struct outcome *outcome, struct err *err)
{
	listen_close(&peer->listening);
	peer_describe(peer, outcome);
	if (transfer_send(source, peer->sock, transfer, &outcome->result, err) == -1)
		return err_prefix(err, "%s", peer->name);
	return 0;
}

/* Who has had us started sees a reset; and we are not started for him again and again. */
static void refuse(const struct options *options, const struct report *report)
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
		refuse(options, report);
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
