/*
 * How far a transfer is: counters that it keeps and that another thread may read at any time. The
 * transfer does not know their reader. No function here blocks or fails.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The total, if it is unknown. */
#define PROGRESS_UNKNOWN INT64_C(-1)

enum progress_phase {
	PROGRESS_WAITING,    /* it waits for the peer: there is no transfer yet */
	PROGRESS_CHECKING,   /* the bytes that are there already are read and compared */
	PROGRESS_MOVING,     /* it moves data */
	PROGRESS_CONFIRMING, /* send: all is sent; it waits for a receipt or a close */
	PROGRESS_STORING, /* recv: all is received and is being stored; send: the receipt says so */
	PROGRESS_INTERRUPTED, /* the connection broke; another one is tried to get */
};

/* The counters of a transfer. Zeroed, it is in PROGRESS_WAITING. */
struct progress {
	_Atomic int64_t bytes; /* moved so far; in PROGRESS_CHECKING, checked */
	_Atomic int64_t from;  /* of these, bytes that were there already, and did not move */
	_Atomic int64_t total; /* bytes to move, or to check; or PROGRESS_UNKNOWN */
	/* of a tree, its files, directories and links moved so far; else PROGRESS_UNKNOWN */
	_Atomic int64_t entries;
	_Atomic int64_t began; /* clock_now() of the beginning of the transfer */
	_Atomic int64_t since; /* clock_now() of the beginning of the phase */
	_Atomic int phase;     /* enum progress_phase */
};

/*
 * Notes that a transfer of total bytes, or PROGRESS_UNKNOWN, of a tree or of something else,
 * begins: enters PROGRESS_MOVING.
 */
void progress_begin(struct progress *progress, int64_t total, bool is_tree);

/* Notes that so many bytes which are there already are checked: enters PROGRESS_CHECKING. */
void progress_check(struct progress *progress, int64_t total);

/* As progress_begin(), for a transfer of which the first bytes, from of total, are there. */
void progress_go_on(struct progress *progress, int64_t from, int64_t total);

/* Adds bytes that have been moved. */
void progress_add(struct progress *progress, int64_t bytes);

/* Notes how many entries of a tree have been moved by now. */
void progress_note_entries(struct progress *progress, int64_t entries);

/* Notes the total of a transfer that has begun without; it is an estimate. */
void progress_note_total(struct progress *progress, int64_t total);

/*
 * Notes that the connection broke after so many bytes of the stream, and that another is to come:
 * enters PROGRESS_INTERRUPTED.
 */
void progress_interrupt(struct progress *progress, int64_t bytes);

/* Enters the phase, unless the transfer is in it already. */
void progress_enter(struct progress *progress, enum progress_phase phase);

#endif
