/*
 * The outcome of one run of the program, or of one transfer of many, also of a part of it. No
 * function here blocks.
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"
#include "net/connection.h"
#include "transfer/datagram_counts.h"
#include "transfer/transfer.h"

struct outcome {
	bool sends;                /* this end sends; else it receives */
	const char *path;          /* the file, or the command's name */
	const char *name;          /* the same for people: "stdin" instead of "-" */
	const char *done;          /* the word for TRANSFER_STORED: "stored", "written", ... */
	bool is_verified;          /* if TRANSFER_STORED, the digest has been compared */
	char local[ADDR_TEXT_MAX]; /* "": there was no connection */
	char peer[ADDR_TEXT_MAX];
	const char *suite;    /* that the bytes are encrypted with; NULL: with none */
	const char *key;      /* the identity of the key; NULL: there is none */
	char made[PATH_MAX];  /* sink->made (data/sink.h); "": there is none */
	bool is_inbox;        /* it is a new file in an inbox */
	bool is_tree;         /* the stream is an archive, which this end makes or unpacks */
	char *made_list;      /* sink->made_list, or NULL; freed by outcome_release() */
	size_t made_size;     /* bytes of it */
	int64_t entries;      /* of the tree: files, directories and links */
	int64_t left_out;     /* send: how many were not taken into it */
	const char *hint;     /* sink->hint, or NULL */
	char note[512];       /* of sink_note() (data/sink.h); "": there is none */
	int64_t started;      /* clock_now() of the connection; 0: there was none */
	int64_t ended;        /* clock_now() of the end; 0: it has not ended yet */
	bool can_resume;      /* this end is a regular file, for which there is -R */
	bool resumes;         /* with -R */
	bool goes_on;         /* with -R -r: an interruption is not the end */
	int interruptions;    /* of moving bytes, that another try has followed */
	const char *receiver; /* if there are several, this one as it was typed; else NULL */
	/* of datagrams, in the place of a stream; NULL: it is a stream. The job's */
	const struct datagram_counts *datagrams;
	struct transfer_result result;
};

/*
 * Returns the outcome of a transfer that has not begun, of the command argv, or if that is NULL of
 * the file path or "-". The strings have to outlive it.
 */
struct outcome outcome_begin(bool sends, const char *path, char *const *argv);

/*
 * Notes the addresses of the connection and how it is encrypted, and that the transfer begins now;
 * nothing if there was no connection, but also one of which no channel could be made. The keys have
 * to outlive the outcome.
 */
void outcome_connected(struct outcome *outcome, const struct connection *connection);

/* Forgets the connection, and its bytes, when it turns out to be no transfer. */
void outcome_forget(struct outcome *outcome);

/* Frees what the outcome has taken. */
void outcome_release(struct outcome *outcome);

/* Returns the time in ns from the connection to the end, or until now; 0 if there was none. */
int64_t outcome_duration(const struct outcome *outcome);

/*
 * Returns the exit status (EXIT STATUS in sockxfer(1)) for an error, or for ERR_NONE. If a signal
 * has asked the program to end, an error gives 128 and its number.
 */
int outcome_exit_code(const struct err *err);

#endif
