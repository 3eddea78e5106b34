#include "job/port_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "data/open.h"
#include "net/sock.h"
#include "sys/place.h"

/* Whether the file or pipe at path is that of the data, now or once it is there. */
static bool has_data(const char *path, const char *data)
{
	struct stat port;
	struct stat st;

	if (data == NULL)
		return false;
	if (stat(path, &port) == -1 || stat(data, &st) == -1)
		return place_is_same(path, data);
	return (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode)) && st.st_dev == port.st_dev &&
	       st.st_ino == port.st_ino;
}

int port_file_open(struct port_file *portfile, const char *path, const char *data, int64_t deadline,
    struct err *err)
{
	if (has_data(path, data))
		return err_set(err, ERR_USAGE, 0, "--port-file: %s is the file of the data, too",
		    path);
	/* After a power cut nobody listens on that port, so nothing need be on the disk. */
	const struct sink_options options = {.path = path, .sync = SINK_SYNC_NONE};

	portfile->sink = open_sink(&options, deadline, err);
	return portfile->sink == NULL ? err_prefix(err, "--port-file") : 0;
}

int port_file_write(struct port_file *portfile, const struct listen_set *set, int64_t deadline,
    struct err *err)
{
	char text[16];
	uint16_t port = sock_port(set->fd[0]);
	int len = snprintf(text, sizeof(text), "%u\n", port);

	if (port == 0)
		return err_set(err, ERR_USAGE, 0, "--port-file: what listens here has no port");
	if (sink_begin(portfile->sink, &ends_unknown, err) == -1 ||
	    sink_write(portfile->sink, text, (size_t)len, deadline, err) == -1 ||
	    sink_commit(portfile->sink, deadline, err) == -1)
		return err_prefix(err, "--port-file");
	return 0;
}

void port_file_close(struct port_file *portfile)
{
	sink_close(portfile->sink);
}
