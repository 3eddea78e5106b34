/*
 * Datagrams, many by one system call (recvmmsg(2), sendmmsg(2)), and what the kernel says of those
 * that it has dropped. No function here blocks. A failure is ERR_FAILED, its text without operation
 * or object.
 */
#ifndef DATAGRAM_H
#define DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/err.h"
#include "net/sock.h"

/* The most datagrams by one call. */
#define DATAGRAM_BATCH 64

/* The most bytes of a datagram to be sent: what IPv4 has room for. */
#define DATAGRAM_SEND_MAX 65507

/* The most bytes of a datagram that can come (RFC 768). */
#define DATAGRAM_RECV_MAX 65535

/* Room for the datagrams that one call receives. */
struct datagram_room;

/* A datagram that has come. Behind its bytes there is room for one more. */
struct datagram {
	char *data;
	size_t size;
	bool is_cut; /* it was longer than there was room */
	const struct sock_addr *from;
};

/*
 * Makes room for datagrams of at most longest bytes, of which more are cut off. Returns NULL with
 * err set if memory is short; else it is freed by datagram_room_free(), which takes NULL.
 */
struct datagram_room *datagram_room_new(size_t longest, struct err *err);

/* Frees the room, which may be NULL. */
void datagram_room_free(struct datagram_room *room);

/*
 * Receives the datagrams that are there, at most DATAGRAM_BATCH, in their order. Returns how many,
 * 0 if there is none now, or -1.
 */
int datagram_receive(int sock, struct datagram_room *room, struct err *err);

/*
 * Returns the datagram number index of those that were received last, until the next are received.
 * Each lies in the memory behind the one before it.
 */
struct datagram datagram_at(const struct datagram_room *room, size_t index);

/*
 * Sends count datagrams, at most DATAGRAM_BATCH, each the bytes of one of parts. Returns how many
 * the kernel has taken, 0 if it takes none now, or -1 if the first of them failed. If another has
 * failed, the kernel does not tell why: the next call should be for one datagram, which shows it.
 */
int datagram_send(int sock, struct iovec *parts, size_t count, struct err *err);

/* What the kernel says of a socket that receives (SO_MEMINFO, socket(7)). */
struct datagram_state {
	uint32_t dropped; /* datagrams since it was made, modulo 2 to the 32 */
	size_t waiting;   /* bytes of memory of those that wait to be received */
};

/*
 * The least memory that a datagram takes in the buffer beside its bytes: those that wait have no
 * more bytes than waiting says, each with so many added.
 */
#define DATAGRAM_OVERHEAD 512

/* Finds out the state. Returns 0, or -1, as Linux before 4.12 cannot tell. */
int datagram_look(int sock, struct datagram_state *state, struct err *err);

#endif
