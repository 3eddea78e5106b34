/*
 * Sockets for datagrams (udp(7), ip(7), ipv6(7)): one that receives at an address of this host or
 * of a multicast group, and one that sends to an address.
 */
#ifndef DATAGRAM_SOCKET_H
#define DATAGRAM_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"

/* The receive buffer that is asked for, in bytes. */
#define DATAGRAM_SOCKET_BUFFER (INT64_C(8) * 1024 * 1024)

/*
 * Makes a socket that receives what comes to addr, an ADDR_UDP: every address is one socket for
 * both families, unless the family is AF_INET or AF_INET6. A group is joined, on its interface or
 * on that of the route, and its port shared with other programs. Blocks until the deadline at the
 * latest while a name is looked up. Returns the socket, the caller's to close, or -1: ERR_FAILED,
 * ERR_USAGE (an interface that is of no use), or an error of resolve().
 */
int datagram_socket_listen(const struct addr *addr, int family, int64_t deadline, struct err *err);

/*
 * Makes a socket that sends to addr, an ADDR_UDP: to the first of its addresses to which there is a
 * route, a broadcast address included. It hears the refusals of that host. Blocks and returns as
 * datagram_socket_listen().
 */
int datagram_socket_connect(const struct addr *addr, int family, int64_t deadline, struct err *err);

/*
 * Whether the socket receives what is sent to a multicast group; host, of ADDR_HOST_MAX bytes,
 * becomes that, without the port, or "". Does not block.
 */
bool datagram_socket_group(int sock, char *host);

/*
 * Returns the bytes of the receive buffer that the kernel has given, at most
 * DATAGRAM_SOCKET_BUFFER. Does not block.
 */
int64_t datagram_socket_buffer(int sock);

#endif
