/*
 * Errors: each is described once, at the place where its cause is known.
 *
 * No function below ui prints or exits: one that fails fills its caller's struct err and returns
 * -1. The text names operation and object ("192.0.2.7:9009: connect: Connection refused"); callers
 * add what only they know with err_prefix(). No function here blocks.
 */
#ifndef ERR_H
#define ERR_H

enum err_kind {
	ERR_NONE,
	ERR_USAGE,       /* the command line asks for something that cannot be */
	ERR_FAILED,      /* network or local I/O failed, or the peer broke off */
	ERR_TIMEOUT,     /* a deadline passed */
	ERR_MISMATCH,    /* the data are not what they should be */
	ERR_UNCONFIRMED, /* a receipt was required, and none came */
	ERR_PEER,        /* the receiver says that it failed */
	ERR_LOST,        /* datagrams are known to be lost: the others are stored */
	ERR_NO_KEY,      /* the other end does not have the key: trying again is of no use */
	ERR_STRAY,       /* a connection that was no transfer: nothing is wrong */
	ERR_INTERRUPTED, /* a signal asks the program to end; signals.h knows which */
};

struct err {
	enum err_kind kind;
	int errnum; /* the errno that is the cause, or 0 */
	char text[1024];
	const char *advice; /* what the user can do about it, of static duration, or NULL */
};

/*
 * Fills *err with kind, errnum and the formatted text, to which it adds ": " and strerror(errnum)
 * if errnum is not 0 (without ": " if the text is empty). A text that is too long is cut before
 * that reason. The advice becomes NULL. Returns -1, so that a caller can return the result.
 */
int err_set(struct err *err, enum err_kind kind, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Makes *err say that nothing is wrong, ERR_NONE: a function that succeeds leaves no error of the
 * tries that failed on its way.
 */
void err_clear(struct err *err);

/* Sets the advice: what the user can do, a string of static duration, or NULL. Returns -1. */
int err_advise(struct err *err, const char *advice);

/* err_set() for a failed system call, with ERR_FAILED and the present errno. Returns -1. */
int err_sys(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts the formatted text and ": " in front of err's text; advice stays as it is. Returns -1. */
int err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
