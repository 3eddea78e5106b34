/*
 * A file with the port that was bound, for a script to read: the file appears, whole, once we
 * listen, and not before.
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
 * Opens path for the port, before we listen, so that an error in it is found early. data is the
 * path of the data that are sent or received, or NULL. path has to outlive the port file. Blocks as
 * open_sink(). Returns 0, the port file then being the caller's to close, or -1 with an error of
 * open_sink(), or with ERR_USAGE if path and data are the same file or FIFO.
 */
int port_file_open(struct port_file *portfile, const char *path, const char *data, int64_t deadline,
    struct err *err);

/*
 * Writes the port of set, which listens, in decimal digits and a newline, and gives the file its
 * name. Blocks as sink_write() and sink_commit(). Returns 0, or -1 with their errors, or with
 * ERR_USAGE if the set has no port.
 */
int port_file_write(struct port_file *portfile, const struct listen_set *set, int64_t deadline,
    struct err *err);

/* Closes the port file; if no port was written, it leaves no file. Does not block. */
void port_file_close(struct port_file *portfile);

#endif
