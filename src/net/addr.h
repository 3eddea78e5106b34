/*
 * Addresses as text: host:port, [v6]:port, unix:path and fd:N. Nothing here blocks or looks a name up.
 */
#ifndef ADDR_H
#define ADDR_H

#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/err.h"

/* Room for a host: a name in the DNS has at most 253 characters (RFC 1035, 2.3.4). */
#define ADDR_HOST_MAX 256

/* Room for an address as text: a host, brackets and a port are the longest. */
#define ADDR_TEXT_MAX (ADDR_HOST_MAX + NI_MAXSERV + 8)

enum addr_kind { ADDR_INET, ADDR_UNIX, ADDR_FD };

enum addr_use {
	ADDR_CONNECT, /* host and port are needed, and port 0 is none */
	ADDR_LISTEN,  /* no host, or *, is every address; port 0 is any free one */
	ADDR_SOURCE,  /* as for ADDR_LISTEN, and the port may be left out: any */
};

struct addr {
	enum addr_kind kind;
	char host[ADDR_HOST_MAX]; /* INET: name or number; "": every address */
	char port[NI_MAXSERV];    /* INET: number or service name */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* UNIX */
	int fd;                                                 /* FD */
};

/* Reads text into *addr. Returns 0, or -1 with ERR_USAGE saying what to write instead. */
int addr_parse(struct addr *addr, const char *text, enum addr_use use, struct err *err);

/* Reads a lone port, as -p takes it, into *addr as every address with that port. As addr_parse(). */
int addr_parse_port(struct addr *addr, const char *text, struct err *err);

/* Writes addr as it would be typed into text, of ADDR_TEXT_MAX bytes. */
void addr_text(const struct addr *addr, char *text);

/*
 * Writes a socket's address into text, of ADDR_TEXT_MAX bytes, in the forms that addr_parse() takes:
 * "192.0.2.7:9009", "[2001:db8::1]:9009", "unix:/run/x". IPv4 addresses mapped into IPv6
 * (RFC 4291, 2.5.5.2) are shown as IPv4. An unnamed unix socket is "unix:".
 */
void addr_format(const struct sockaddr *sa, socklen_t len, char *text);

#endif
