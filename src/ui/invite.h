/*
 * Printing the hand-over: the command for the other end, with the addresses at which it finds us.
 */
#ifndef INVITE_H
#define INVITE_H

#include "base/err.h"
#include "net/addr.h"
#include "net/listen.h"
#include "ui/handover.h"
#include "ui/report.h"

/*
 * Prints the command for a peer that connects to the set, and what other addresses it may take. Does not
 * block. Returns 0, or -1 with ERR_USAGE if the tool cannot get there.
 */
int invite_listening(const struct handover *handover, const struct listen_set *set,
    const struct report *report, struct err *err);

/*
 * Prints the command for a peer that is to listen at addr, where we connect by that family (AF_...). Blocks for two
 * seconds at the most, where a name has to be looked up.
 */
void invite_connecting(const struct handover *handover, const struct addr *addr, int family,
    const struct report *report);

#endif
