/*
 * What went wrong, told once, where it is known.
 *
 * Below ui nothing prints and nothing exits: a function that fails fills its caller's struct
 * err and returns -1. The text names operation and object ("192.0.2.7:9009: connect: Connection
 * refused"); callers add what only they know with err_prefix(). Nothing here blocks.
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
	ERR_STRAY,       /* a connection that was no transfer: nothing is wrong */
	ERR_INTERRUPTED, /* a signal asks us to end; signals.h knows which */
};

struct err {
	enum err_kind kind;
	int errnum; /* the errno behind it, or 0 */
	char text[1024];
	const char *advice; /* what the user can do about it, of static duration, or NULL */
};

/*
 * Fills *err: kind, errnum and the formatted text, followed by ": " and strerror(errnum) where errnum
 * is not 0 (alone if the text is empty). A text that is too long is cut,
 * before the reason. There is no advice then. Returns -1, so that a caller can return what it returns.
 */
int err_set(struct err *err, enum err_kind kind, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds what the user can do about it, a string of static duration, or NULL. Returns -1. */
int err_advise(struct err *err, const char *advice);

/* err_set() for a failed system call: kind ERR_FAILED, errnum the present errno. Returns -1. */
int err_sys(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts the formatted text and ": " in front of the text that is there; advice stays. Returns -1. */
int err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
