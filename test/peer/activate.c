/*
 * Starts a command with a socket, as those do that listen for others.
 *
 * usage: activate [-k COUNT] listen|accept|inetd ADDRESS PORT COMMAND [ARGUMENT ...]
 *
 * listen:  systemd.socket(5) with Accept=no: the listening socket as descriptor 3, accept(2) not called
 * accept:  with Accept=yes: the connection as descriptor 3
 * inetd:   inetd.conf(5), nowait: the connection as descriptors 0, 1 and 2
 *
 * ADDRESS is an IPv4 or IPv6 address, PORT 0 any free port; or they are "unix" and a path. Prints "listening on
 * port 40123", waits for a connection, 60 seconds at the most, and becomes the command. With -k it stays and
 * starts the command COUNT times, each time when the last one has ended and a connection waits, and prints how it
 * ended; what waits in the meantime waits in the backlog. The sockets block, and are not close-on-exec.
 */
#include <err.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FD 3 /* SD_LISTEN_FDS_START of sd_listen_fds(3) */
#define WAIT_MS (60 * 1000)

static int listen_at(const struct sockaddr *addr, socklen_t len)
{
	int sock = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sock == -1 || bind(sock, addr, len) == -1 || listen(sock, SOMAXCONN) == -1)
		err(1, "listen");
	return sock;
}

static int listen_unix(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	if (strlcpy(addr.sun_path, path, sizeof(addr.sun_path)) >= sizeof(addr.sun_path))
		errx(2, "%s: too long", path);
	int sock = listen_at((const struct sockaddr *)&addr, sizeof(addr));
	printf("listening on unix:%s\n", path);
	return sock;
}

static int listen_inet(const char *address, const char *port)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char bound[NI_MAXSERV] = "?";

	if (getaddrinfo(address, port, &hints, &found) != 0)
		errx(2, "%s %s: no such address", address, port);
	int sock = listen_at(found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	getsockname(sock, (struct sockaddr *)&addr, &len);
	getnameinfo((struct sockaddr *)&addr, len, NULL, 0, bound, sizeof(bound), NI_NUMERICSERV);
	printf("listening on port %s\n", bound);
	return sock;
}

static void wait_for_connection(int sock)
{
	struct pollfd pollfd = {.fd = sock, .events = POLLIN};

	if (poll(&pollfd, 1, WAIT_MS) != 1)
		errx(3, "nobody has connected");
}

/* Makes it descriptor fd too, which stays open across exec. */
static void put(int from, int fd)
{
	if (from == fd ? fcntl(fd, F_SETFD, 0) == -1 : dup2(from, fd) == -1)
		err(1, "descriptor %d", fd);
}

static void become(const char *manner, int sock, char **command)
{
	char pid[24];

	if (strcmp(manner, "listen") != 0 && (sock = accept4(sock, NULL, NULL, SOCK_CLOEXEC)) == -1)
		err(1, "accept");
	if (strcmp(manner, "inetd") == 0) {
		for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
			put(sock, fd);
	} else {
		put(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
		put(sock, FIRST_FD);
		snprintf(pid, sizeof(pid), "%d", getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "1", 1);
		setenv("LISTEN_FDNAMES", *manner == 'l' ? "sockxfer.socket" : "connection", 1);
	}
	execvp(command[0], command);
	_exit(127);
}

/* Runs the command in a child. */
static void activate(const char *manner, int sock, char **command)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		become(manner, sock, command);
	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		err(1, "child");
	printf("%s %d\n", WIFEXITED(status) ? "exited with" : "killed by",
	    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

int main(int argc, char **argv)
{
	int count = 0;

	if (argc > 2 && strcmp(argv[1], "-k") == 0) {
		count = (int)strtol(argv[2], NULL, 10);
		argv += 2;
		argc -= 2;
	}
	if (argc < 5 || (strcmp(argv[1], "listen") != 0 && strcmp(argv[1], "accept") != 0 &&
			    strcmp(argv[1], "inetd") != 0))
		errx(2, "the usage is in the source");
	setlinebuf(stdout);
	int sock =
	    strcmp(argv[2], "unix") == 0 ? listen_unix(argv[3]) : listen_inet(argv[2], argv[3]);
	do {
		wait_for_connection(sock);
		if (count == 0)
			become(argv[1], sock, argv + 4);
		activate(argv[1], sock, argv + 4);
	} while (--count > 0);
	return 0;
}
