#include "portfile.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sock.h"

static bool is_file(const struct stat *a, const struct stat *b)
{
	return S_ISREG(a->st_mode) && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether the data are in the file at path, or will be. Stdin and stdout may have been led there. */
static bool has_data(const char *path, const char *data)
{
	struct stat port;
	struct stat st;

	if (data == NULL)
		return false;
	if (strcmp(path, data) == 0)
		return true;
	if (stat(path, &port) == -1)
		return false;
	if (strcmp(data, "-") != 0)
		return stat(data, &st) == 0 && is_file(&st, &port);
	return (fstat(STDIN_FILENO, &st) == 0 && is_file(&st, &port)) ||
	       (fstat(STDOUT_FILENO, &st) == 0 && is_file(&st, &port));
}

int portfile_open(struct portfile *portfile, const char *path, const char *data, int64_t deadline,
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
