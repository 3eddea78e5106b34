/*
 * Addresses as text: host:port, [v6]:port, unix:path, fd:N and udp:host:port. No function here
 * blocks or looks up a name.
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

enum addr_kind {
	ADDR_INET, /* TCP */
	ADDR_UNIX,
	ADDR_FD,
	ADDR_UDP, /* datagrams; the host may be a group with its interface, as 239.1.2.3%eth0 */
};

enum addr_use {
	ADDR_CONNECT, /* needs a host and a port; port 0 is no port */
	ADDR_LISTEN,  /* no host, or *, means every address; port 0 means any free one */
	ADDR_SOURCE,  /* as ADDR_LISTEN; the port may be left out, and any is taken then */
};

struct addr {
	enum addr_kind kind;
	char host[ADDR_HOST_MAX]; /* INET, UDP: name or number; "": every address */
	char port[NI_MAXSERV];    /* INET, UDP: number or service name */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* UNIX */
	int fd;                                                 /* FD */
};

/* Reads text into *addr. Returns 0, or -1 with ERR_USAGE, whose text says what to write instead. */
int addr_parse(struct addr *addr, const char *text, enum addr_use use, struct err *err);

/*
 * Reads a lone port, as -p takes it; *addr becomes every address with that port. Returns as
 * addr_parse().
 */
int addr_parse_port(struct addr *addr, const char *text, struct err *err);

/* Writes addr into text, of ADDR_TEXT_MAX bytes, in the form that addr_parse() takes. */
void addr_text(const struct addr *addr, char *text);

/* Whether the host is written as the number of a multicast group, with or without an interface. */
bool addr_is_group(const struct addr *addr);

/*
 * Writes a socket's address, of len bytes, into text, of ADDR_TEXT_MAX bytes, in the forms that
 * addr_parse() takes: "192.0.2.7:9009", "[2001:db8::1]:9009", "unix:/run/x". An IPv4 address mapped
 * into IPv6 (RFC 4291, 2.5.5.2) is written as IPv4. An unnamed unix socket is "unix:".
 */
void addr_format(const struct sockaddr *sa, socklen_t len, char *text);

#endif
