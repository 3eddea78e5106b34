/*
 * The port that was bound, in a file for a script to read: it is there, whole, once we listen, and not before.
 */
#ifndef PORTFILE_H
#define PORTFILE_H

#include <stdint.h>

#include "base/err.h"
#include "data/sink.h"
#include "net/listen.h"

struct portfile {
	struct sink_options how;
	struct sink sink;
};

/*
 * Opens path for the port, as sink_open() does, whose blocking, return and errors these are: what is wrong with it is
 * found before anybody listens. data is the path of what is sent or received, or NULL: with ERR_USAGE, it must not be
 * the same. The port file is the caller's to close, and has to stay where it is.
 */
int portfile_open(struct portfile *portfile, const char *path, const char *data, int64_t deadline,
    struct err *err);

/*
 * Writes the port of set, which listens, in decimal digits and a newline, and gives the file its name. Blocks as
 * sink_write() and sink_commit() do. Returns 0, or -1 with their errors, or ERR_USAGE if it has no port.
 */
int portfile_write(struct portfile *portfile, const struct listen_set *set, int64_t deadline,
    struct err *err);

/* Closes it; of one that was not written nothing is left. */
void portfile_close(struct portfile *portfile);

#endif
