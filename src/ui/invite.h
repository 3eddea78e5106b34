/*
 * What is said before there is a connection: where we listen, and the command for the other end, with
 * the addresses at which it finds us.
 */
#ifndef INVITE_H
#define INVITE_H

#include "base/err.h"
#include "net/addr.h"
#include "net/endpoint.h"
#include "net/listen.h"
#include "ui/handover.h"
#include "ui/log.h"

struct invite {
	const struct log *log;
	/* Its path names our file, or will be the directory of one; where names one of several peers. */
	struct handover handover;
	struct addr address; /* where we listen, or connect to */
	int family;          /* AF_INET, AF_INET6; else AF_UNSPEC */
};

/*
 * Says where the set listens: on port 0, on a terminal and with another tool than sockxfer, else with
 * -v. On a terminal and with such a tool, prints the command for a peer that connects, too, and the
 * other addresses that it may take. Blocks as write(2) does. Returns 0, or -1 with ERR_USAGE if the
 * tool cannot get there.
 */
int invite_listening(const struct invite *invite, const struct listen_set *set, struct err *err);

/*
 * Prints the command for a peer that is to listen where we connect to. Blocks for two seconds at the
 * most, where a name has to be looked up.
 */
void invite_connecting(const struct invite *invite);

/*
 * Returns what tells the user of the events of an endpoint: refused peers, retries and the connection.
 * The invite has to outlive the endpoint.
 */
struct endpoint_events invite_events(struct invite *invite);

#endif
