#include "net/connection.h"

void connection_close(struct connection *connection)
{
	if (connection->channel != NULL)
		connection->channel->type->close(connection->channel);
	connection->channel = NULL;
}
