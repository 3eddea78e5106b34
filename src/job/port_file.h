/*
 * The port that was bound, in a file for a script to read: it is there, whole, once we listen, and
 * not before.
 */
#ifndef PORT_FILE_H
#define PORT_FILE_H

#include <stdint.h>

#include "base/err.h"
#include "data/sink.h"
#include "net/listen.h"

struct port_file {
	struct sink *sink;
};

/*
 * Opens path for the port, as open_sink() does, whose blocking, return and errors these are: what
 * is wrong with it is found before anybody listens. data is the path of what is sent or received,
 * or NULL: with ERR_USAGE, it must not be the same. The port file is the caller's to close, and has
 * to stay where it is.
 */
int port_file_open(struct port_file *portfile, const char *path, const char *data, int64_t deadline,
    struct err *err);

/*
 * Writes the port of set, which listens, in decimal digits and a newline, and gives the file its
 * name. Blocks as sink_write() and sink_commit() do. Returns 0, or -1 with their errors, or
 * ERR_USAGE if it has no port.
 */
int port_file_write(struct port_file *portfile, const struct listen_set *set, int64_t deadline,
    struct err *err);

/* Closes it; of one that was not written nothing is left. */
void port_file_close(struct port_file *portfile);

#endif
