/*
 * The path of a unix socket. No other user can make it lead elsewhere: where bind(2) and connect(2)
 * follow a path, they follow it into traps, too (sys/place.h). No function here blocks.
 */
#ifndef UNIX_PATH_H
#define UNIX_PATH_H

#include "base/err.h"
#include "net/sock.h"

/*
 * Finds the socket at path to connect to. *addr becomes an address for connect(2), which is that of
 * this very socket while the descriptor is open; if /proc is missing, it is the path. Returns the
 * descriptor, the caller's to close, or -1 with ERR_FAILED and the reason alone as the text.
 */
int unix_path_find(const char *path, struct sock_addr *addr, struct err *err);

/*
 * Prepares path for bind(2): removes the file of a socket that no process has open, but not a
 * stranger's. A path is refused on which a stranger could put a link after that. Returns 0, or -1
 * as unix_path_find(). That the path is free it does not say.
 */
int unix_path_clear(const char *path, struct err *err);

#endif
