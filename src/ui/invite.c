#include "ui/invite.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/shellword.h"
#include "net/datagram_socket.h"
#include "net/interfaces.h"
#include "net/resolve.h"
#include "net/sock.h"

/* Room for a command, which has to fit into a line of log.h with the words in front of it. */
#define COMMAND_MAX 960

/* The limit for the lookup of a name. */
#define LOOK_UP (2 * CLOCK_SECOND)

static bool is_scoped(const char *host)
{
	return strchr(host, '%') != NULL;
}

/* Prints the other addresses, as the command would have them: with a scope, or without one. */
static void print_others(const struct handover *handover, const struct handover_place *place,
    const struct interfaces *hosts, bool scoped, const struct log *log)
{
	char line[COMMAND_MAX];
	char address[INTERFACES_HOST_MAX + 32];
	struct shellword_text text = shellword_begin(line, sizeof(line));
	struct handover_place other = *place;

	for (size_t i = 1; i < hosts->count; i++) {
		other.host = hosts->host[i];
		if (is_scoped(other.host) != scoped ||
		    handover_address(handover, &other, address, sizeof(address)) == -1)
			continue;
		shellword_add(&text, line[0] == '\0' ? "" : ", ");
		shellword_add(&text, address);
	}
	if (line[0] != '\0')
		log_plain(log, "%s: %s",
		    scoped ? "Or, with its interface behind %" : "Or with another address", line);
}

static void print_command(const struct handover *handover, const struct handover_place *place,
    const struct log *log)
{
	char command[COMMAND_MAX];
	const char *where = place->here ? "On this machine" : "On the other machine";

	if (place->peer_listens)
		where = handover->where != NULL ? handover->where : "the other end";
	if (handover_command(handover, place, command, sizeof(command)) == 0)
		log_plain(log, "%s%s: %s", place->peer_listens ? "First, at " : "", where, command);
	if (handover->tool == HANDOVER_OPENSSL)
		log_plain(log, "There key.pem is what \"sockxfer key --openssl %s\" prints here.",
		    handover->key);
}

/*
 * Makes path absolute, since the peer may run in another directory. A path that would become too
 * long (unix(7)) stays as it is.
 */
static void make_absolute(const char *path, char *text, size_t size)
{
	char directory[PATH_MAX];

	if (path[0] == '/' || getcwd(directory, sizeof(directory)) == NULL ||
	    (size_t)snprintf(text, size, "%s/%s", directory, path) >= size)
		strlcpy(text, path, size);
}

/* Prints the command for a unix socket, whose path may be empty or abstract (unix(7)). */
static int listening_unix(const struct handover *handover, const char *path, const struct log *log,
    struct err *err)
{
	struct addr addr;
	struct handover_place place = {.here = true, .path = addr.path};

	if (handover_check_unix(handover->tool, err) == -1)
		return -1;
	if (path[0] == '\0' || path[0] == '@')
		return handover->tool == HANDOVER_SOCKXFER
		           ? 0
		           : err_set(err, ERR_USAGE, 0, "the socket has no path");
	make_absolute(path, addr.path, sizeof(addr.path));
	print_command(handover, &place, log);
	return 0;
}

static int print_listening(const struct handover *handover, const struct listen_set *set,
    const struct log *log, struct err *err)
{
	struct interfaces hosts;
	char name[ADDR_TEXT_MAX];
	char group[ADDR_HOST_MAX];
	char port[8];

	sock_local_name(set->fd[0], name);
	if (strncmp(name, "unix:", 5) == 0)
		return listening_unix(handover, name + 5, log, err);
	interfaces_listening(&hosts, set);
	if (handover->datagrams && datagram_socket_group(set->fd[0], group)) {
		hosts = (struct interfaces){.count = 1};
		strlcpy(hosts.host[0], group, sizeof(hosts.host[0]));
	}
	if (hosts.count == 0)
		return 0;
	snprintf(port, sizeof(port), "%d", sock_port(set->fd[0]));
	struct handover_place place = {
	    .here = hosts.only_here,
	    .host = hosts.host[0],
	    .port = port,
	};
	print_command(handover, &place, log);
	if (is_scoped(hosts.host[0]))
		log_plain(log, "Behind %% belongs the name of that machine's own interface.");
	print_others(handover, &place, &hosts, false, log);
	print_others(handover, &place, &hosts, true, log);
	return 0;
}

/*
 * Whether the peer may be on this host, where its file could be ours. An empty list, of a name that
 * could not be looked up, may be this host as well.
 */
static bool may_be_here(const struct resolve_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (interfaces_have(&list->addr[i]))
			return true;
	}
	return list->count == 0;
}

static void print_connecting(const struct handover *handover, const struct addr *addr, int family,
    const struct log *log)
{
	char path[sizeof(addr->path)];
	char port[sizeof(addr->port)];
	char host[sizeof(addr->host)];
	struct resolve_list list = {.count = 0};
	struct handover_place place = {.peer_listens = true, .here = true};
	struct err ignored;

	if (addr->kind == ADDR_UNIX) {
		make_absolute(addr->path, path, sizeof(path));
		place.path = path;
	} else {
		strlcpy(port, addr->port, sizeof(port));
		strlcpy(host, addr->host, sizeof(host));
		if (addr->kind == ADDR_UDP) /* our interface means nothing there */
			host[strcspn(host, "%")] = '\0';
		/* The name of a service may be unknown on the other host or to the program. */
		if (resolve(host, addr->port, family, deadline_after(LOOK_UP), &list, &ignored) ==
		    0)
			snprintf(port, sizeof(port), "%u", sock_port_of(&list.addr[0]));
		place.port = port;
		place.host = host;
		place.group = addr->kind == ADDR_UDP && addr_is_group(addr);
		place.ipv6 = family == AF_INET6 || strchr(addr->host, ':') != NULL;
		place.here = may_be_here(&list);
		resolve_free(&list);
	}
	print_command(handover, &place, log);
}

/* Whether path is a directory: the peer's file does not have the name of our directory. */
static bool is_directory_at(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static struct handover handover_of(const struct invite *invite)
{
	struct handover handover = invite->handover;

	bool is_directory = handover.path != NULL && is_directory_at(handover.path);
	if (is_directory && handover.peer_sends && handover.form == HANDOVER_STREAM)
		handover.path = "-"; /* of an inbox */
	if (is_directory && !handover.peer_sends && handover.form == HANDOVER_STREAM)
		handover.form = HANDOVER_TREE;
	return handover;
}

int invite_listening(const struct invite *invite, const struct listen_set *set, struct err *err)
{
	const struct log *log = invite->log;
	char names[COMMAND_MAX];
	bool is_any_port =
	    invite->address.port[0] != '\0' && strcmp(invite->address.port, "0") == 0;
	bool prints_command =
	    invite->handover.tool != HANDOVER_SOCKXFER || log->terminal->is_terminal;

	listen_names(set, names, sizeof(names));
	if (is_any_port || prints_command)
		log_note(log, "listening on %s", names);
	else
		log_detail(log, "listening on %s", names);
	if (!prints_command)
		return 0;
	const struct handover handover = handover_of(invite);
	if (print_listening(&handover, set, log, err) == -1)
		return err_prefix(err, "--peer");
	/* By itself, so that it does not get into the other shell's history with the command. */
	if (invite->secret != NULL)
		log_plain(log, "Key to type there: %s", invite->secret);
	return 0;
}

void invite_connecting(const struct invite *invite)
{
	const struct handover handover = handover_of(invite);

	print_connecting(&handover, &invite->address, invite->family, invite->log);
}

/* On a terminal, tells of the first failure, and prints the command for the other end. */
static void tell_retry(void *context, int failed, const struct err *err)
{
	const struct invite *invite = context;

	if (failed > 1 || invite->has_met || !invite->log->terminal->is_terminal) {
		log_detail(invite->log, "%s; trying again", err->text);
		return;
	}
	log_note(invite->log, "%s; trying again", err->text);
	if (invite->handover.tool == HANDOVER_SOCKXFER)
		invite_connecting(invite);
}

static void tell_slow(void *context)
{
	const struct invite *invite = context;
	char where[ADDR_TEXT_MAX];

	addr_text(&invite->address, where);
	if (invite->log->terminal->is_terminal)
		log_note(invite->log, "connecting to %s ...", where);
	else
		log_detail(invite->log, "connecting to %s ...", where);
}

static void tell_refused(void *context, const char *peer, const char *why)
{
	struct invite *invite = context;

	log_detail_limited(invite->log, &invite->refused, "%s: %s; waiting for another", peer, why);
}

static void tell_connected(void *context, const char *peer)
{
	struct invite *invite = context;

	invite->has_met = true;
	log_detail(invite->log, "connected to %s", peer);
}

struct endpoint_events invite_events(struct invite *invite)
{
	return (struct endpoint_events){
	    .context = invite,
	    .on_refused = tell_refused,
	    .on_stray = tell_refused,
	    .on_retry = tell_retry,
	    .on_slow = tell_slow,
	    .on_connected = tell_connected,
	};
}
