#include "send.h"

#include <unistd.h>

#include "peer.h"

/* Who sits at a terminal is told why nothing happens. */
struct waiting {
	const struct report *report;
	const char *peer;
};

static void tell_waiting(void *context, const char *what)
{
	const struct waiting *waiting = context;

	report_note(waiting->report, "%s: %s", waiting->peer, what);
}

static int send_to(struct source *source, struct peer *peer,
    const struct transfer_options *transfer, const struct report *report, struct outcome *outcome,
    struct err *err)
{
	struct waiting waiting = {.report = report, .peer = peer->name};
	struct transfer_options options = *transfer;

	if (isatty(STDERR_FILENO)) {
		options.on_wait = tell_waiting;
		options.wait_context = &waiting;
	}
	listen_close(&peer->listening);
	peer_describe(peer, outcome);
	if (transfer_send(source, peer->sock, &options, &outcome->result, err) == -1)
		return err_prefix(err, "%s", peer->name);
	return 0;
}

int send_run(const struct options *options, const struct transfer_options *transfer,
    const struct report *report, struct outcome *outcome, struct err *err)
{
	struct source source;
	struct peer peer;

	if (peer_check_congestion(options, err) == -1 ||
	    source_open(&source, options->path, options->command, err) == -1)
		return -1;
	int status = peer_open(&peer, options, &transfer->limits, report, err);
	if (status == 0) {
		status = send_to(&source, &peer, transfer, report, outcome, err);
		peer_close(&peer);
	}
	source_close(&source);
	return status;
}
