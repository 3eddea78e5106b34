#include "job/port_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/place.h"
#include "net/sock.h"

/* Whether both are the same name in the same directory, be there a file or not. */
static bool is_same_place(const char *a, const char *b)
{
	struct place place[2] = {{.dir = -1}, {.dir = -1}};
	struct stat st[2];
	struct err ignored;
	bool same = false;

	if (place_find(&place[0], a, &ignored) == 0 && place_find(&place[1], b, &ignored) == 0 &&
	    fstat(place[0].dir, &st[0]) == 0 && fstat(place[1].dir, &st[1]) == 0)
		same = st[0].st_dev == st[1].st_dev && st[0].st_ino == st[1].st_ino &&
		       strcmp(place[0].name, place[1].name) == 0;
	for (size_t i = 0; i < 2; i++) {
		if (place[i].dir != -1)
			close(place[i].dir);
	}
	return same;
}

/* Whether the data are in the file or pipe at path, or will be. */
static bool has_data(const char *path, const char *data)
{
	struct stat port;
	struct stat st;

	if (data == NULL)
		return false;
	if (stat(path, &port) == -1 || stat(data, &st) == -1)
		return is_same_place(path, data);
	return (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode)) && st.st_dev == port.st_dev &&
	       st.st_ino == port.st_ino;
}

int port_file_open(struct port_file *portfile, const char *path, const char *data, int64_t deadline,
    struct err *err)
{
	if (has_data(path, data))
		return err_set(err, ERR_USAGE, 0, "--port-file: %s is the file of the data, too",
		    path);
	portfile->how = (struct sink_options){.no_clobber = false};
	if (sink_open(&portfile->sink, path, &portfile->how, deadline, err) == -1)
		return err_prefix(err, "--port-file");
	return 0;
}

int port_file_write(struct port_file *portfile, const struct listen_set *set, int64_t deadline,
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

void port_file_close(struct port_file *portfile)
{
	sink_close(&portfile->sink);
}
