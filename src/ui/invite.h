/*
 * The messages before a connection is made: the addresses that we listen on, and the command for
 * the other end, with the addresses by which it reaches us.
 */
#ifndef INVITE_H
#define INVITE_H

#include <stdbool.h>

#include "base/err.h"
#include "net/addr.h"
#include "net/endpoint.h"
#include "net/listen.h"
#include "ui/handover.h"
#include "ui/log.h"

struct invite {
	const struct log *log;
	/* its path is our file, or the directory of a new one; where is one of several peers */
	struct handover handover;
	struct addr address; /* that we listen on, or connect to */
	int family;          /* AF_INET, AF_INET6; else AF_UNSPEC */
	const char *secret;  /* a key that the user has to type at the other end, or NULL */
	struct log_limit refused;
	bool has_met; /* there was a connection: the other end needs no command any more */
};

/*
 * Prints the addresses that the set listens on, if the port was 0, stderr is a terminal or the tool
 * is not sockxfer; otherwise only with -v. On a terminal, and for another tool, it also prints the
 * command for a peer that connects, and the other addresses that the peer may use, and the key to
 * be typed there. Blocks as write(2). Returns 0, or -1 with ERR_USAGE if the tool cannot reach such
 * an address.
 */
int invite_listening(const struct invite *invite, const struct listen_set *set, struct err *err);

/*
 * Prints the command for a peer that is to listen on the address that we connect to. Blocks as
 * write(2), and for at most two seconds while a name is looked up.
 */
void invite_connecting(const struct invite *invite);

/*
 * Returns the callbacks that tell the user of the events of an endpoint: refused peers, retries,
 * a wait for an answer, and the connection. The invite has to outlive the endpoint. Does not block.
 */
struct endpoint_events invite_events(struct invite *invite);

#endif
