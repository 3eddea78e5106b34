#include "recv.h"

#include "peer.h"

static int receive_from(struct peer *peer, struct sink *sink,
    const struct transfer_options *transfer, struct outcome *outcome, struct err *err)
{
	peer_describe(peer, outcome);
	if (transfer_recv(peer->sock, &peer->listening, sink, transfer, &outcome->result, err) ==
	    -1)
		return err_prefix(err, "%s", peer->name);
	return 0;
}

int recv_run(const struct options *options, const struct transfer_options *transfer,
    const struct report *report, struct outcome *outcome, struct err *err)
{
	struct sink_options how = {
	    .no_clobber = options->no_clobber,
	    .sync = options->sync,
	    .argv = options->command,
	};
	struct sink sink;
	struct peer peer;

	if (sink_open(&sink, options->path, &how, transfer->limits.end, err) == -1)
		return -1;
	int status = peer_open(&peer, options, &transfer->limits, report, err);
	/* Port scans and health checks come first, perhaps; the transfer is what brings bytes or stays. */
	while (status == 0) {
		status = receive_from(&peer, &sink, transfer, outcome, err);
		if (status == 0 || err->kind != ERR_STRAY)
			break;
		report_detail(report, "%s; waiting for another", err->text);
		*outcome = (struct outcome){.path = outcome->path};
		status = peer_next(&peer, options, &transfer->limits, report, err);
	}
	peer_close(&peer);
	sink_close(&sink);
	return status;
}
