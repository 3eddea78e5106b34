/*
 * A channel: a stream of bytes each way between us and the peer, and the answer to one question: is
 * the end of the peer's stream its end, or its death? SO_LINGER {1, 0} on TCP and a descriptor that
 * is passed along on a unix socket are two answers to it; the close_notify of TLS is a third.
 *
 * The transfer knows a channel by this table only: it makes no call on a socket of its own. So a
 * channel may need no socket (a pair of pipes has two descriptors, and neither can be shut down),
 * may have to read in order to write, and may certify its end by more than a FIN.
 *
 * A channel is an abort until it is settled: if it is closed, or the process dies, the peer sees a
 * broken stream and not the end of one.
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "sys/io.h"

/* "Not yet": nothing can be sent or received now, and nothing is wrong. */
#define CHANNEL_LATER IO_LATER

/* Events, as bits: those that a wait is for, and those that it has found. */
enum channel_event {
	CHANNEL_READABLE = 1, /* recv() has something: bytes, the end or an error */
	CHANNEL_WRITABLE = 2, /* send() takes something, or has an error */
	CHANNEL_HUNG_UP = 4,  /* both streams have ended, or the connection is broken */
	CHANNEL_OTHER = 8,    /* the other descriptor has something */
};

/* The state of the peer, which is known only of a peer of our kind. */
enum channel_peer {
	CHANNEL_PEER_UNKNOWN, /* nothing: it may be any program */
	CHANNEL_PEER_OPEN,    /* it has not said that its end is certain: going now is dying */
	CHANNEL_PEER_DONE,    /* it has said so */
};

struct channel;

/*
 * The functions of a kind of channel. Errors, unless it is said otherwise: ERR_FAILED with the
 * errno, or ERR_INTERRUPTED; the text has no operation and no object, which the caller puts in
 * front. Nothing blocks but recv() and wait(), until their deadlines.
 */
struct channel_type {
	/*
	 * Sends what the channel takes at once of the size bytes, 1 or more. Returns how many,
	 * CHANNEL_LATER, or -1.
	 */
	ssize_t (*send)(struct channel *channel, const void *bytes, size_t size, struct err *err);

	/*
	 * Receives what is there, at the most size bytes, waiting for the first of them. Returns
	 * how many, 0 at the end of the peer's stream, CHANNEL_LATER when the deadline has passed,
	 * or -1.
	 */
	ssize_t (*recv)(struct channel *channel, void *bytes, size_t size, int64_t deadline,
	    struct err *err);

	/*
	 * Waits until there is one of events, a set of channel_event bits, or the descriptor in
	 * other has what it asks for (NULL or a negative fd: there is none), or the deadline.
	 * Without events the channel is not looked at. CHANNEL_HUNG_UP may come unasked with any
	 * of them. Returns what there is, 0 when the deadline has passed, or -1; other->revents is
	 * filled.
	 */
	int (*wait)(struct channel *channel, unsigned events, struct pollfd *other,
	    int64_t deadline, struct err *err);

	/*
	 * Sends a short line, if the channel takes it at once, also when a signal has asked us to
	 * end: the peer is to know what became of its bytes. A line that cannot be sent is lost.
	 */
	void (*say)(struct channel *channel, const char *line, size_t len);

	/* Ends our stream, and certifies that it is whole. Returns 0, or -1. */
	int (*finish)(struct channel *channel, struct err *err);

	/* From here on a close is no abort: the outcome is certain at both ends. */
	void (*settle)(struct channel *channel);

	/*
	 * Whether the connection has broken, for a peer whose stream has ended: an error that comes
	 * then shows nowhere else. Returns 0, or -1 with ERR_FAILED. It may clear the error.
	 */
	int (*check)(struct channel *channel, struct err *err);

	/* Returns the state of the peer, as far as it is known by now. */
	enum channel_peer (*peer)(struct channel *channel);

	/*
	 * How many bytes the peer's machine has not acknowledged, the end of our stream counted as
	 * one; -1: that cannot be told.
	 */
	int64_t (*in_flight)(const struct channel *channel);

	/*
	 * Whether the peer has closed the connection, and not just ended its stream, as far as
	 * shows.
	 */
	bool (*is_gone)(const struct channel *channel);

	/* Asks for no more than rate bytes a second on the wire, evenly. It is a wish. */
	void (*pace)(struct channel *channel, int64_t rate);

	/* Closes the channel, and frees it. */
	void (*close)(struct channel *channel);
};

/* Each kind embeds this as its first member. */
struct channel {
	const struct channel_type *type;
	size_t chunk_max;  /* more bytes are not worth handing over at once; 0: no limit */
	bool shows_death;  /* is_gone() knows at once; else only after a line of ours */
	const char *suite; /* that the bytes are encrypted with, as TLS names it; NULL: with none */
	const char *key;   /* the identity of the key; NULL: there is none */
};

#endif
