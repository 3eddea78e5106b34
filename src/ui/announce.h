/*
 * What is said before there is a connection: where we listen, and what there has to be at the other end.
 */
#ifndef ANNOUNCE_H
#define ANNOUNCE_H

#include "base/err.h"
#include "cli/settings.h"
#include "net/listen.h"
#include "ui/report.h"

/*
 * Says where the set listens: on port 0, on a terminal and with --peer, else with -v. On a terminal and with --peer,
 * says what to run at the other end, too. Returns 0, or -1 with ERR_USAGE if the tool of --peer cannot get there.
 */
int announce_listening(const struct listen_set *set, const struct settings *settings,
    const struct report *report, struct err *err);

/* Says what is to listen where settings would have us connect to. */
void announce_connecting(const struct settings *settings, const struct report *report);

#endif
