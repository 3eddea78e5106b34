/*
 * One connect(2) to one address, begun and ended: what can go wrong with it, and what the user can
 * do about that. The texts of its errors have no operation and no address; the caller puts them in
 * front. No function here blocks.
 */
#ifndef CONNECT_ATTEMPT_H
#define CONNECT_ATTEMPT_H

#include "base/err.h"
#include "net/resolve.h"
#include "net/sock.h"

/*
 * Begins to connect to addr, from the first address of sources that is of its family; if sources is
 * NULL, the kernel chooses. Returns the socket, which becomes writable when connect(2) has ended,
 * and whose close is a reset, or -1 with ERR_FAILED.
 */
int connect_attempt_begin(const struct sock_addr *addr, const struct resolve_list *sources,
    struct err *err);

/*
 * Finds out how the connect(2) of a socket that has become writable has ended. Returns 0 if it is
 * connected, or -1 with ERR_FAILED; the socket is the caller's to close in both cases.
 */
int connect_attempt_end(int sock, struct err *err);

/* Returns what the user can do about a connect(2) that failed with errnum, or NULL. */
const char *connect_attempt_advice(int errnum);

#endif
