#include "cli/inetd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/sock.h"
#include "sys/descriptor.h"

/*
 * Puts /dev/null in the place of each of the descriptors 0, 1 and 2 that is the same socket. If it
 * cannot be opened, they are closed: else the message about that would go to the peer.
 */
static int clear_stdio(int sock, struct err *err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int status = null == -1 ? err_sys(err, "/dev/null") : 0;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fd == sock || !sock_same(sock, fd))
			continue;
		if (null == -1)
			close(fd);
		else if (dup2(null, fd) == -1)
			status = err_sys(err, "/dev/null");
	}
	if (null != -1)
		close(null);
	return status;
}

/* The descriptor of the data on this machine, or -1 if they are in a file or a command. */
static int other_end(const struct settings *settings)
{
	int fd = settings_stdio(settings);

	return fd != -1 || settings->command != NULL ? fd : descriptor_from_path(settings->path);
}

int inetd_settle(struct settings *settings, struct err *err)
{
	int fd = settings->address.fd;

	if (settings->address.kind != ADDR_FD || !sock_same(fd, fd))
		return 0;
	int other = other_end(settings);
	bool is_itself = other != -1 && sock_same(fd, other);
	sock_begin_abort(fd);
	if (fd <= STDERR_FILENO) {
		settings->address.fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (settings->address.fd == -1)
			return err_sys(err, "fd:%d", fd);
	}
	if (clear_stdio(settings->address.fd, err) == -1)
		return -1;
	if (!is_itself)
		return 0;
	close(settings->address.fd);
	return err_set(err, ERR_USAGE, 0, "%s is the connection itself: name a file",
	    strcmp(settings->path, "-") != 0  ? settings->path
	    : settings->role == SETTINGS_SEND ? "stdin"
					      : "stdout");
}

void inetd_hush(char *const argv[])
{
	char text[ADDR_TEXT_MAX];
	struct err ignored;
	struct addr addr;

	for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++) {
		const char *word =
		    strstr(*argv, "fd:"); /* also in -lfd:3, --listen=fd:3, fd:3,a:1 */
		if (word == NULL)
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(word, ","), word);
		if (addr_parse(&addr, text, ADDR_CONNECT, &ignored) == 0 && addr.kind == ADDR_FD)
			sock_begin_abort(addr.fd);
	}
	if (!sock_same(STDIN_FILENO, STDERR_FILENO))
		return;
	sock_begin_abort(STDIN_FILENO);
	clear_stdio(STDIN_FILENO, &ignored);
}
