#include "portfile.h"

#include <stdio.h>

#include "sock.h"

int portfile_open(struct portfile *portfile, const char *path, int64_t deadline, struct err *err)
{
	portfile->how = (struct sink_options){.no_clobber = false};
	if (sink_open(&portfile->sink, path, &portfile->how, deadline, err) == -1)
		return err_prefix(err, "--port-file");
	return 0;
}

int portfile_write(struct portfile *portfile, const struct listen_set *set, int64_t deadline,
    struct err *err)
{
	char text[16];
	uint16_t port = sock_port(set->fd[0]);
	int len = snprintf(text, sizeof(text), "%u\n", port);

	if (port == 0)
		return err_set(err, ERR_USAGE, 0, "--port-file: what listens here has no port");
	if (sink_write(&portfile->sink, text, (size_t)len, deadline, err) == -1 ||
	    sink_commit(&portfile->sink, deadline, err) == -1)
		return err_prefix(err, "--port-file");
	return 0;
}

void portfile_close(struct portfile *portfile)
{
	sink_close(&portfile->sink);
}
