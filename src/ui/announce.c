#include "ui/announce.h"

#include <string.h>
#include <sys/stat.h>

#include "ui/invite.h"

/* The file that the peer sends is not called as the directory is. */
static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static struct handover handover_of(const struct settings *settings)
{
	const char *path = is_directory(settings->path) ? "-" : settings->path;

	return (struct handover){
	    .tool = settings->peer,
	    .peer_sends = settings->role == SETTINGS_RECV,
	    .receipts = !settings->no_receipt,
	    .path = settings->command == NULL ? path : NULL,
	};
}

int announce_listening(const struct listen_set *set, const struct settings *settings,
    const struct report *report, struct err *err)
{
	char names[ADDR_TEXT_MAX];
	const struct addr *addr = &settings->address;
	bool unknown = addr->kind == ADDR_INET && strcmp(addr->port, "0") == 0;
	bool tells = settings->peer != HANDOVER_SOCKXFER || report->terminal->is_terminal;

	listen_names(set, names, sizeof(names));
	if (unknown || tells)
		report_note(report, "listening on %s", names);
	else
		report_detail(report, "listening on %s", names);
	if (!tells)
		return 0;
	const struct handover handover = handover_of(settings);
	return invite_listening(&handover, set, report, err) == 0 ? 0 : err_prefix(err, "--peer");
}

void announce_connecting(const struct settings *settings, const struct report *report)
{
	struct handover handover = handover_of(settings);
	char where[ADDR_TEXT_MAX];

	addr_text(&settings->address, where);
	if (settings->receivers.count > 0)
		handover.where = where;
	invite_connecting(&handover, &settings->address, settings->family, report);
}
