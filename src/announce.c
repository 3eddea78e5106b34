#include "announce.h"

#include <string.h>

#include "invite.h"

static struct handover handover_of(const struct options *options)
{
	return (struct handover){
	    .tool = options->peer,
	    .peer_sends = options->role == OPTIONS_RECV,
	    .receipts = !options->no_receipt,
	    .path = options->command != NULL ? NULL : options->path,
	};
}

int announce_listening(const struct listen_set *set, const struct options *options,
    const struct report *report, struct err *err)
{
	char names[ADDR_TEXT_MAX];
	const struct addr *addr = &options->address;
	const struct handover handover = handover_of(options);
	bool unknown = addr->kind == ADDR_INET && strcmp(addr->port, "0") == 0;
	bool tells = options->peer != HANDOVER_SOCKXFER || report->screen->is_terminal;

	listen_names(set, names, sizeof(names));
	if (unknown || tells)
		report_note(report, "listening on %s", names);
	else
		report_detail(report, "listening on %s", names);
	if (tells && invite_listening(&handover, set, report, err) == -1)
		return err_prefix(err, "--peer");
	return 0;
}

void announce_connecting(const struct options *options, const struct report *report)
{
	const struct handover handover = handover_of(options);

	invite_connecting(&handover, &options->address, options->family, report);
}
