#include "job/rendezvous.h"

#include <stdio.h>

#include "job/port_file.h"

/* Opens the port file, listens, and writes the port. So errors in the path are found first. */
static int listen_with_port_file(const struct rendezvous_options *options,
    struct listen_set *listening, int64_t deadline, struct err *err)
{
	struct port_file port_file;

	if (port_file_open(&port_file, options->port_file, options->data_path, deadline, err) == -1)
		return -1;
	int status = endpoint_listen(&options->endpoint, listening, deadline, err);
	if (status == 0)
		status = port_file_write(&port_file, listening, deadline, err);
	port_file_close(&port_file);
	return status;
}

int rendezvous_listen(const struct rendezvous_options *options, const struct invite *invite,
    struct listen_set *listening, int64_t deadline, struct err *err)
{
	int status = options->port_file != NULL
	                 ? listen_with_port_file(options, listening, deadline, err)
	                 : endpoint_listen(&options->endpoint, listening, deadline, err);

	if (status == 0 && invite_listening(invite, listening, err) == 0)
		return 0;
	listen_close(listening);
	return -1;
}

/* Checks that no option asks for a port or a command: an inherited connection needs neither. */
static int check_inherits(const struct rendezvous_options *options, const struct invite *invite,
    struct err *err)
{
	const char *only = options->port_file != NULL                   ? "--port-file"
	                   : invite->handover.tool != HANDOVER_SOCKXFER ? "--peer"
	                                                                : NULL;

	if (only == NULL)
		return 0;
	return err_set(err, ERR_USAGE, 0, "%s: fd:%d is connected already", only,
	    options->endpoint.address.fd);
}

int rendezvous_open(const struct rendezvous_options *options, const struct invite *invite,
    struct listen_set *listening, const struct time_limits *limits, struct connection *connection,
    struct err *err)
{
	enum endpoint_way way;

	*listening = (struct listen_set){.count = 0};
	*connection = (struct connection){.channel = NULL};
	if (endpoint_find_way(&options->endpoint, &way, err) == -1)
		return -1;
	if (way == ENDPOINT_LISTENS &&
	    rendezvous_listen(options, invite, listening, deadline_of(limits), err) == -1)
		return -1;
	if (way == ENDPOINT_INHERITS && check_inherits(options, invite, err) == -1)
		return -1;
	if (way == ENDPOINT_CONNECTS && invite->handover.tool != HANDOVER_SOCKXFER)
		invite_connecting(invite);
	return endpoint_open(&options->endpoint, way, listening, limits, connection, err);
}

int rendezvous_next(const struct rendezvous_options *options, struct listen_set *listening,
    const struct time_limits *limits, struct connection *connection, struct err *err)
{
	connection_close(connection);
	return endpoint_open(&options->endpoint, ENDPOINT_LISTENS, listening, limits, connection,
	    err);
}

/* The time until then, in ns: at least 1, for 0 is no limit. */
static int64_t time_until(int64_t until)
{
	int64_t left = until - clock_now();

	return left > 0 ? left : 1;
}

struct time_limits rendezvous_limits(const struct time_limits *limits, int64_t until)
{
	return (struct time_limits){.idle = time_until(until), .end = limits->end};
}

int rendezvous_again(const struct rendezvous_options *options, const struct rendezvous_place *place,
    struct listen_set *listening, const struct time_limits *limits, struct connection *connection,
    struct err *err)
{
	struct endpoint_options again = options->endpoint;
	const struct time_limits wait = rendezvous_limits(limits, place->until);

	*listening = (struct listen_set){.count = 0};
	*connection = (struct connection){.channel = NULL};
	again.retry = wait.idle;
	if (!again.listens)
		return endpoint_open(&again, ENDPOINT_CONNECTS, listening, limits, connection, err);
	if (place->port != 0)
		snprintf(again.address.port, sizeof(again.address.port), "%u", place->port);
	if (endpoint_listen(&again, listening, deadline_of(&wait), err) == -1)
		return -1;
	return endpoint_open(&again, ENDPOINT_LISTENS, listening, &wait, connection, err);
}
