#include "net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "net/resolve.h"
#include "net/unix_path.h"
#include "sys/descriptor.h"
#include "sys/io.h"

/* The most connections that the system lets wait (net.core.somaxconn). */
#define BACKLOG SOMAXCONN

/* How often port 0 is tried, as the port that IPv6 gets may be taken in IPv4. */
#define PORT_TRIES 16

/* How often, and how far apart, the lock of a unix socket's directory is tried. */
#define LOCK_TRIES 100
#define LOCK_PAUSE (10 * CLOCK_MILLISECOND)

static int bind_socket(int sock, const struct sock_addr *addr, struct err *err)
{
	if (sock_reuse_addr(sock, err) == -1)
		return -1;
	if (addr->storage.ss_family == AF_INET6 && sock_v6_only(sock, err) == -1)
		return -1;
	return bind(sock, sock_sockaddr(addr), addr->len) == 0 ? 0
	                                                       : sock_set_error(addr, "bind", err);
}

/* Returns what the user can do about an address that cannot be had because of errnum, or NULL. */
static const char *listen_advice(const struct sock_addr *addr, int errnum)
{
	bool is_unix = addr->storage.ss_family == AF_UNIX;

	switch (errnum) {
	case EADDRINUSE:
		return is_unix ? "something of that name is in use; choose another path"
		               : "another program listens there, or a connection has that "
		                 "port; -p 0 takes a free one";
	case EACCES:
		return !is_unix && sock_port_of(addr) < IPPORT_RESERVED
		           ? "ports below 1024 are kept for root; choose a higher one"
		           : NULL;
	case EADDRNOTAVAIL:
		return "this machine has no such address; -p listens on all it has";
	default:
		return NULL;
	}
}

/* Closes sock, unless it is -1, and names the address in the error. Returns -1. */
static int fail_at(int sock, const struct sock_addr *addr, struct err *err)
{
	char name[ADDR_TEXT_MAX];

	if (sock != -1)
		close(sock);
	addr_format(sock_sockaddr(addr), addr->len, name);
	err_prefix(err, "%s", name);
	return err_advise(err, listen_advice(addr, err->errnum));
}

/* Returns a socket that has the address, or -1 with an error whose text names it. */
static int open_bound(const struct sock_addr *addr, struct err *err)
{
	int sock = sock_open(addr->storage.ss_family, err);

	if (sock == -1 || bind_socket(sock, addr, err) == -1)
		return fail_at(sock, addr, err);
	return sock;
}

/* Makes sock listen. Returns sock, or -1 as open_bound(), sock then being closed. */
static int begin_to_listen(int sock, const struct sock_addr *addr, struct err *err)
{
	if (listen(sock, BACKLOG) == 0)
		return sock;
	err_sys(err, "listen");
	return fail_at(sock, addr, err);
}

static int open_one(const struct sock_addr *addr, struct err *err)
{
	int sock = open_bound(addr, err);

	return sock == -1 ? -1 : begin_to_listen(sock, addr, err);
}

/* Whether this host has no such family or address, so that the set may do without it. */
static bool is_absent(const struct err *err)
{
	return err->errnum == EAFNOSUPPORT || err->errnum == EADDRNOTAVAIL;
}

static bool is_any_port(const struct addr *addr)
{
	return strcmp(addr->port, "0") == 0;
}

static int add_socket(struct listen_set *set, const struct addr *addr, int sock, struct err *err)
{
	char name[ADDR_TEXT_MAX];

	if (set->count < LISTEN_MAX) {
		set->fd[set->count++] = sock;
		return 0;
	}
	close(sock);
	addr_text(addr, name);
	err_set(err, ERR_FAILED, 0, "%s: the name has more than %d addresses", name, LISTEN_MAX);
	return err_advise(err, "-p listens on all that this machine has");
}

/* Opens a socket for each address. If any port will do, the others take that of the first. */
static int open_each(struct listen_set *set, const struct addr *addr, struct resolve_list *list,
    struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		if (is_any_port(addr))
			sock_set_port(&list->addr[i], set->count > 0 ? sock_port(set->fd[0]) : 0);
		int sock = open_one(&list->addr[i], err);
		if (sock != -1 && add_socket(set, addr, sock, err) == 0)
			continue;
		if (sock != -1 || !is_absent(err))
			return -1;
	}
	return set->count > 0 ? 0 : -1;
}

static int open_list(struct listen_set *set, const struct addr *addr, struct resolve_list *list,
    struct err *err)
{
	for (int tries = is_any_port(addr) ? PORT_TRIES : 1; tries > 0; tries--) {
		if (open_each(set, addr, list, err) == 0) {
			err_clear(err); /* a family that this host lacks has set it */
			return 0;
		}
		listen_close(set);
		if (err->errnum != EADDRINUSE)
			break;
	}
	return -1;
}

static int open_inet(struct listen_set *set, const struct addr *addr, int family, int64_t deadline,
    struct err *err)
{
	struct resolve_list list;
	char name[ADDR_TEXT_MAX];

	if (resolve(addr->host, addr->port, family, deadline, &list, err) == -1) {
		addr_text(addr, name);
		return err_prefix(err, "%s", name);
	}
	int status = open_list(set, addr, &list, err);
	resolve_free(&list);
	return status;
}

/*
 * Locks the directory of path (flock(2)) for the moment between the check for a stale socket and
 * our socket in its place: another process that did the same meanwhile could remove our socket.
 *
 * Returns a descriptor, whose close ends the lock, or -1: if the directory may not be opened, or
 * another process keeps the lock, the caller goes on without it.
 */
static int lock_directory(const char *path)
{
	struct err ignored;
	char dir[sizeof(((struct listen_set *)0)->path)];

	strlcpy(dir, path, sizeof(dir));
	char *slash = strrchr(dir, '/');
	if (slash != NULL)
		slash[1] = '\0';
	int fd = open(slash == NULL ? "." : dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int tries = 0; fd != -1 && tries < LOCK_TRIES; tries++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		if (io_sleep(deadline_after(LOCK_PAUSE), &ignored) == -1)
			break;
	}
	if (fd != -1)
		close(fd);
	return -1;
}

/* Binds a socket to path, and notes its file in set. Returns the socket, or -1. */
static int bind_unix(struct listen_set *set, const struct sock_addr *addr, const char *path,
    struct err *err)
{
	struct stat st;
	mode_t mask = umask(077);
	int sock = open_bound(addr, err);

	umask(mask);
	if (sock != -1 && lstat(path, &st) == 0) {
		strlcpy(set->path, path, sizeof(set->path));
		set->dev = st.st_dev;
		set->ino = st.st_ino;
	}
	return sock;
}

static int open_unix(struct listen_set *set, const char *path, struct err *err)
{
	struct sock_addr addr = sock_unix_addr(path);
	int lock = lock_directory(path);
	int sock = unix_path_clear(path, err) == -1 ? err_prefix(err, "unix:%s: bind", path)
	                                            : bind_unix(set, &addr, path, err);

	if (sock != -1)
		sock = begin_to_listen(sock, &addr, err);
	if (sock == -1)
		listen_close(set); /* if only listen(2) has failed, the file is there */
	else
		set->fd[set->count++] = sock;
	if (lock != -1)
		close(lock);
	return sock == -1 ? -1 : 0;
}

static int adopt(struct listen_set *set, int fd, struct err *err)
{
	bool listening;

	if (sock_adopt(fd, &listening, err) == -1)
		return -1;
	if (!listening)
		return err_set(err, ERR_USAGE, 0, "fd:%d: the socket does not listen", fd);
	set->fd[set->count++] = fd;
	return 0;
}

int listen_open(struct listen_set *set, const struct addr *addr, int family, int64_t deadline,
    struct err *err)
{
	*set = (struct listen_set){.count = 0};
	switch (addr->kind) {
	case ADDR_INET:
		return open_inet(set, addr, family, deadline, err);
	case ADDR_UNIX:
		return open_unix(set, addr->path, err);
	case ADDR_FD:
		return adopt(set, addr->fd, err);
	case ADDR_UDP: /* net/datagram.h has it */
		break;
	}
	return err_set(err, ERR_USAGE, 0, "datagrams have no connections");
}

/* Whether accept(2) failed because of one connection, whose network errors Linux hands on. */
static bool is_connection_error(void)
{
	switch (errno) {
	case EAGAIN:
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return true;
	default:
		return false;
	}
}

static int accept_from(int listening, struct listen_accepted *accepted)
{
	struct sock_addr *addr = &accepted->addr;

	addr->len = sizeof(addr->storage);
	accepted->sock = accept4(listening, (struct sockaddr *)&addr->storage, &addr->len,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (accepted->sock == -1)
		return -1;
	/* The death of the process before sock_prepare() is no end of the stream either. */
	sock_begin_abort(accepted->sock);
	addr_format(sock_sockaddr(addr), addr->len, accepted->name);
	if (strcmp(accepted->name, "unix:") == 0)
		sock_local_name(accepted->sock, accepted->name);
	return 0;
}

int listen_accept(struct listen_set *set, int64_t deadline, struct listen_accepted *accepted,
    struct err *err)
{
	struct pollfd fds[LISTEN_MAX];

	for (;;) {
		for (size_t i = 0; i < set->count; i++)
			fds[i] = (struct pollfd){.fd = set->fd[i], .events = POLLIN};
		int ready = io_poll(fds, set->count, deadline, err);
		if (ready == -1)
			return err_prefix(err, "accept");
		if (ready == 0)
			return err_set(err, ERR_TIMEOUT, 0, "accept: timed out");
		for (size_t tries = 0; tries < set->count; tries++) {
			size_t i = set->next++ % set->count;
			if (fds[i].revents == 0)
				continue;
			if (accept_from(fds[i].fd, accepted) == 0)
				return 0;
			if (!is_connection_error())
				return err_sys(err, "accept");
		}
		/* Else connections that are gone by now, one after the other, would keep us. */
		if (clock_now() >= deadline)
			return err_set(err, ERR_TIMEOUT, 0, "accept: timed out");
	}
}

void listen_names(const struct listen_set *set, char *text, size_t size)
{
	static const char last[] = " and 32 more";
	char name[ADDR_TEXT_MAX];

	text[0] = '\0';
	for (size_t i = 0; i < set->count; i++) {
		size_t len = strlen(text);
		sock_local_name(set->fd[i], name);
		if (i > 0 && len + strlen(", ") + strlen(name) + sizeof(last) > size) {
			snprintf(text + len, size - len, " and %zu more", set->count - i);
			return;
		}
		snprintf(text + len, size - len, i > 0 ? ", %s" : "%s", name);
	}
}

void listen_leave(struct listen_set *set)
{
	set->path[0] = '\0';
	while (set->count > 0)
		close(set->fd[--set->count]);
}

void listen_close(struct listen_set *set)
{
	struct stat st;

	if (set->path[0] != '\0' && lstat(set->path, &st) == 0 && st.st_dev == set->dev &&
	    st.st_ino == set->ino)
		descriptor_remove(AT_FDCWD, set->path);
	listen_leave(set);
}
