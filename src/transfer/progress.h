/*
 * How far a transfer is: counters that it keeps and that another thread may read at any time. The transfer
 * knows nothing of who reads them, nor why. Nothing here blocks or fails.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdatomic.h>
#include <stdint.h>

/* A total that nobody knows. */
#define PROGRESS_UNKNOWN INT64_C(-1)

enum progress_phase {
	PROGRESS_WAITING,    /* for the peer: there is no transfer yet */
	PROGRESS_MOVING,     /* data */
	PROGRESS_CONFIRMING, /* send: all is sent, the receiver has yet to speak or to close */
	PROGRESS_STORING,    /* all is received; send: so the receiver says. It is being stored */
};

/* Zeroed, it is PROGRESS_WAITING. */
struct progress {
	_Atomic int64_t bytes; /* moved so far */
	_Atomic int64_t total; /* to be moved, or PROGRESS_UNKNOWN */
	_Atomic int64_t began; /* clock_now() of the beginning of the transfer */
	_Atomic int64_t since; /* clock_now() of the beginning of the phase */
	_Atomic int phase;     /* enum progress_phase */
};

/* A transfer begins: PROGRESS_MOVING of total bytes, or PROGRESS_UNKNOWN. */
void progress_begin(struct progress *progress, int64_t total);

/* So many more bytes have been moved. */
void progress_add(struct progress *progress, int64_t bytes);

/* The phase is this from now on, if it was not already. */
void progress_enter(struct progress *progress, enum progress_phase phase);

#endif
